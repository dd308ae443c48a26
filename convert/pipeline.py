"""The pipeline: data, training and publication of one model after the other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from convert.architectures import ARCHITECTURES, Architecture
from convert.data import Source, TrainingData, load
from convert.export import predict
from convert.publication import Identity, publish
from convert.training import train as fit
from edge_app.card import Budget, Card
from edge_app.errors import UserError
from edge_app.mnist import Digits
from edge_app.normalization import Normalization

SEED = 0
NORMALIZATION: Normalization = "moments"
BUDGET = Budget(accuracy_loss_points=0.1)


def train(
    names: Sequence[str],
    folder: Path | None,
    drawings: Sequence[Path],
    out: Path,
    *,
    allow_other: bool,
) -> None:
    """Train, export and publish models, each complete before the next begins.

    Args:
        names: of :data:`ARCHITECTURES`.
        folder: MNIST's IDX files; None downloads them.
        drawings: files of labelled drawings to train on besides.
        out: the models' folder.
        allow_other: whether the IDX files may hold something other than MNIST.

    Raises:
        UserError: data is missing or wrong, or an export failed.
        OSError: the models' folder cannot be written.
    """
    check_writable(out)
    console = Console()
    data = load(folder, drawings, allow_other=allow_other, normalization=NORMALIZATION, seed=SEED)
    for name in names:
        architecture = ARCHITECTURES[name]
        original = fit(architecture, data, SEED)
        console.print(f"Exporting {architecture.title}")
        training = _describe(architecture, data, drawings, original)
        identity = Identity(name, architecture.title, architecture.description)
        card = publish(original, identity, NORMALIZATION, "logits", BUDGET, data, training, out)
        console.print(summarize(card, out))


def check_writable(out: Path) -> None:
    """Make a models' folder, before minutes of work, not after them.

    Raises:
        UserError: it cannot be written.
        OSError: it cannot be made.
    """
    out.mkdir(parents=True, exist_ok=True)
    if not os.access(out, os.W_OK | os.X_OK):
        raise UserError(f"The folder {out} cannot be written; name another with --out.")


def _describe(
    architecture: Architecture,
    data: TrainingData,
    drawings: Sequence[Path],
    original: keras.Model,
) -> dict[str, Any]:
    files = "".join(f" {path.name}" for path in drawings)
    return {
        "command": f"python -m convert train {architecture.name}"
        + (f" --drawings{files}" if files else ""),
        "architecture": asdict(architecture),
        "seed": SEED,
        "data": [_describe_source(source, original) for source in data.sources],
    }


def _describe_source(source: Source, original: keras.Model) -> dict[str, Any]:
    """A source, and how the original reads the parts of it that it was not trained on.

    Of drawings the training images count each variation.
    """
    return {
        "name": source.name,
        "licence": source.licence,
        "sha256": source.sha256,
        "training_images": len(source.train.labels),
        "validation": _report(original, source.validation),
        "test": _report(original, source.test),
    }


def _report(original: keras.Model, digits: Digits) -> dict[str, Any]:
    if not len(digits.labels):
        return {"images": 0}
    right = predict(original, digits.images).argmax(axis=1) == digits.labels
    return {"images": len(right), "accuracy": float(right.mean())}


def summarize(card: Card, out: Path) -> str:
    """A line on a published model."""
    accuracies = ", ".join(
        f"{variant} {file.accuracy:.2%}"
        for variant, file in {"original": card.original, **card.variants}.items()
    )
    return f"{out / card.name}: test accuracy {accuracies}"
