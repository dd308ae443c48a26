"""The pipeline: data, training and publication of one model after the other."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from convert.architectures import ARCHITECTURES, Architecture
from convert.data import Source, TrainingData, load_mnist, prepare
from convert.export import predict_logits
from convert.publication import publish
from convert.training import train as fit
from edge_app.card import Card
from edge_app.errors import UserError
from edge_app.mnist import Split
from edge_app.normalization import Normalization

SEED = 0
NORMALIZATION: Normalization = "moments"
LICENCE = "CC BY-SA 3.0, Y. LeCun, C. Cortes, C. J. C. Burges"


def train(names: list[str], folder: Path | None, allow_other: bool, out: Path) -> None:
    """Train, export and publish models, each complete before the next begins.

    Args:
        names: of :data:`ARCHITECTURES`.
        folder: MNIST's IDX files; None downloads them.
        allow_other: whether those may hold something other than MNIST.
        out: the models' folder.

    Raises:
        UserError: data is missing or wrong, or an export failed.
        OSError: the models' folder cannot be written.
    """
    _check_writable(out)
    console = Console()
    splits = load_mnist(folder, allow_other)
    data = prepare(splits, NORMALIZATION, SEED)
    for name in names:
        architecture = ARCHITECTURES[name]
        original = fit(architecture, data, SEED)
        console.print(f"Exporting {architecture.title}")
        training = _describe(architecture, splits, data, original)
        card = publish(original, architecture, NORMALIZATION, data, training, out)
        console.print(_summary(card, out))


def _check_writable(out: Path) -> None:
    """Before the minutes of training, not after them."""
    out.mkdir(parents=True, exist_ok=True)
    if not os.access(out, os.W_OK | os.X_OK):
        raise UserError(f"The folder {out} cannot be written; name another with --out.")


def _describe(
    architecture: Architecture, splits: dict[Split, Source], data: TrainingData, original: Any
) -> dict[str, Any]:
    validation = data.validation
    right = predict_logits(original, validation.images).argmax(axis=1) == validation.labels
    return {
        "command": f"python -m convert train {architecture.name}",
        "architecture": asdict(architecture),
        "seed": SEED,
        "data": [
            {
                "name": source.name,
                "images": len(source.digits.labels),
                "sha256": source.digits.sha256(),
                "licence": LICENCE,
            }
            for source in (splits["train"],)
        ],
        "validation_images": len(validation.labels),
        "validation_accuracy": float(right.mean()),
    }


def _summary(card: Card, out: Path) -> str:
    accuracies = ", ".join(
        f"{variant} {file.accuracy:.2%}"
        for variant, file in {"original": card.original, **card.variants}.items()
    )
    return f"{out / card.name}: test accuracy {accuracies}"
