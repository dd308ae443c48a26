"""The Models tab: what the models' cards say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from edge_app.digits.normalization import TREATMENTS
from edge_app.models.acceptance import Acceptance
from edge_app.models.cardless import CRASHES, CardlessModel
from edge_app.models.classifier import Classifier, Model
from edge_app.page.tabs.content import Section, Sheet, Table, percent, size

_DATA_SETS = {"pendigits-orig.tra.gz": "Pen-Based Digits (UCI)"}
"""What people call the data sets that cards name by their files."""


def models_sheet(models: Mapping[str, Classifier]) -> Sheet:
    """Describe the models, in their order."""
    datasets = {
        model.card.reference.dataset for model in models.values() if isinstance(model, Model)
    }
    text = (
        f"Accuracy on {' or '.join(sorted(datasets))}. "
        "Lost: accuracy points lost to quantization, compared with the original model."
    )
    return Sheet(
        title="Models",
        text=text if datasets else "None of these models has a card.",
        warnings=[*_warnings(models.values())],
        sections=[_section(model) for model in models.values()],
    )


def _warnings(models: Iterable[Classifier]) -> Iterator[str]:
    for model in models:
        if model.missing:
            yield (
                f"{model.title} lacks {' and '.join(model.missing)}, whose files are missing or "
                f"damaged; {model.variants[0]} answers instead."
            )
        if isinstance(model, CardlessModel) and model.is_left_out:
            yield (
                f"{model.title} no longer answers: it crashed or hung {CRASHES} times. "
                "Convert it again."
            )


def _section(model: Classifier) -> Section:
    images = ("Normalization", f"{model.normalization}: {TREATMENTS[model.normalization]}")
    if isinstance(model, Model):
        card = model.card
        return Section(
            title=model.title,
            text=card.description,
            table=_table(model),
            facts=[
                ("Parameters", f"{card.parameters:,}"),
                images,
                *_doubt(card.acceptance),
                *_data(card.training),
            ],
        )
    files = [("File", size(file.bytes)) for file in model.files.values()]
    return Section(
        title=model.title,
        text="A file without a card: its training and its original model are unknown. It runs in "
        "its own process.",
        facts=[*files, images],
    )


def _table(model: Model) -> Table:
    card = model.card
    exact = card.original.accuracy
    rows = [["original", percent(exact), "", size(card.original.bytes)]]
    for variant, file in card.variants.items():
        lost = round(100 * (exact - file.accuracy), 2) + 0.0  # No minus before a zero.
        name = f"{variant} (missing)" if variant in model.missing else variant
        rows.append([name, percent(file.accuracy), f"{lost:.2f}", size(file.bytes)])
    return Table(columns=["", "Accuracy", "Lost", "Size"], rows=rows)


def _doubt(acceptance: Acceptance | None) -> list[tuple[str, str]]:
    """When the model says that it is not sure, which can be with a best guess of 99%."""
    if acceptance is None:
        return []
    doubt = f"if its best guess is below {100 * acceptance.probability:.3g}%"
    if acceptance.energy is not None:
        doubt += f", or the drawing is unlike its digits (energy below {acceptance.energy:.2f})"
    return [("Not sure", doubt)]


def _data(training: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The data that the model was trained on. The card may leave it out, or hold anything."""
    found = training.get("data")
    sets = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    first, *others = [_data_set(each) for each in sets] or ["unknown"]
    return [("Trained on", first), *(("Also trained on", line) for line in others)]


def _data_set(fields: Mapping[str, Any]) -> str:
    name, images, licence = map(fields.get, ("name", "training_images", "licence"))
    line = _DATA_SETS.get(name, name) if isinstance(name, str) else "unnamed data set"
    if isinstance(images, int):
        line += f", {images:,} images"
    return f"{line}\n{licence}" if isinstance(licence, str) else line
