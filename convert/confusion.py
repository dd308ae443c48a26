"""Confusion matrices of models that are published already. Needs no TensorFlow.

``python -m convert train`` and ``add`` count each model's mistakes as they publish it. This does
the same for models that were published before, and for a file that got damaged.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from convert.data.sources import render
from convert.report import choose_models
from edge_app.digits.mnist import read_digits
from edge_app.errors import UserError
from edge_app.models.card import CARD, record_file, write_card
from edge_app.models.classifier import Model, normalizations
from edge_app.models.confusion import CONFUSED, CONFUSION, Confusion, confuse


class OtherDataError(UserError):
    """A test set that a model's card does not name."""


def confusion(names: Sequence[str], folder: Path, data: Path) -> None:
    """Count the mistakes of the named models of a folder, or of all of them, on the test set.

    Each model gets the file beside its card, which then records it.

    Raises:
        UserError: a model or the test set is missing or wrong.
        OSError: the models' folder cannot be written.
    """
    models = choose_models(folder, names)
    digits = read_digits(data, "t10k")
    found = digits.sha256()
    for model in models:
        reference = model.card.reference
        if reference.dataset_sha256 != found:
            raise OtherDataError(
                f"{model.name} belongs to {reference.dataset} with SHA-256 "
                f"{reference.dataset_sha256[:12]}..., but the test set in {data} has "
                f"{found[:12]}...; name its folder with --data."
            )
    images = {
        name: render(list(digits.images), name, f"Normalizing ({name})")
        for name in normalizations(models)
    }
    for model in models:
        normalized = images[model.normalization]
        probabilities = model.predict(normalized, CONFUSED)
        counted = confuse(CONFUSED, probabilities, normalized, digits.labels)
        _publish(folder / model.name, model, counted)
        wrong = int(counted.counts.sum() - counted.counts.trace())
        print(f"{folder / model.name}: {wrong:,} of {len(digits.labels):,} misread", flush=True)


def _publish(folder: Path, model: Model, counted: Confusion) -> None:
    """Write the file and the card that records it; an interruption leaves an intact card."""
    (folder / CONFUSION).write_text(counted.to_json(), encoding="utf-8")
    card = replace(model.card, confusion=record_file(folder / CONFUSION))
    with tempfile.TemporaryDirectory(prefix=".staging-", dir=folder) as staging:
        write_card(card, Path(staging))
        (Path(staging) / CARD).replace(folder / CARD)
