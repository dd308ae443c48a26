"""The sheet of the models: what their cards say of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_app.digits.normalization import TREATMENTS
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import Card
from edge_app.models.classifier import Classifier, Model
from edge_app.models.folder import BareModel
from edge_app.page.tabs.content import Section, Sheet, Table, percent, size


def models_sheet(models: Mapping[str, Classifier]) -> Sheet:
    """Describe the models, in their order."""
    datasets = {
        model.card.reference.dataset for model in models.values() if isinstance(model, Model)
    }
    measured = f"Accuracy on {' or '.join(sorted(datasets))}. " if datasets else ""
    return Sheet(
        title="Models",
        text=f"{measured}Lost: percentage points of it that quantization cost, against the "
        "original that the variant was made from."
        if datasets
        else "None of them has a card.",
        warnings=[],
        sections=[_section(model) for model in models.values()],
    )


def _section(model: Classifier) -> Section:
    images = ("Normalization", f"{model.normalization}: {TREATMENTS[model.normalization]}")
    if isinstance(model, Model):
        card = model.card
        return Section(
            title=model.title,
            text=card.description,
            table=_table(card),
            facts=[
                ("Parameters", f"{card.parameters:,}"),
                images,
                *_doubt(card.acceptance),
                *_data(card),
            ],
        )
    file = [("File", size(model.file.bytes))] if isinstance(model, BareModel) else []
    return Section(
        title=model.title,
        text="A file alone: nothing is known of its training, or of an original.",
        facts=[*file, images],
    )


def _table(card: Card) -> Table:
    exact = card.original.accuracy
    rows = [["original", percent(exact), "", size(card.original.bytes)]]
    for variant, file in card.variants.items():
        lost = round(100 * (exact - file.accuracy), 2) + 0.0  # No minus before a zero.
        rows.append([variant, percent(file.accuracy), f"{lost:.2f}", size(file.bytes)])
    return Table(columns=["", "Accuracy", "Lost", "Size"], rows=rows)


def _doubt(acceptance: Acceptance | None) -> list[tuple[str, str]]:
    """When it says that it is not sure: a best guess of 99% may be refused, too."""
    if acceptance is None:
        return []
    doubt = f"if its best guess has less than {100 * acceptance.probability:.3g}%"
    if acceptance.energy is not None:
        doubt += f", or a drawing is unlike its digits (energy below {acceptance.energy:.2f})"
    return [("Not sure", doubt)]


def _data(card: Card) -> list[tuple[str, str]]:
    """The training data. A card may say anything of its training, or nothing."""
    found: Any = card.training.get("data")
    sets = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    lines = [_data_set(each) for each in sets] or ["not known"]
    return list(zip(["Trained on", *["and on"] * (len(lines) - 1)], lines, strict=True))


def _data_set(fields: Mapping[str, Any]) -> str:
    images, licence = fields.get("training_images"), fields.get("licence")
    line = str(fields.get("name", "data without a name"))
    if isinstance(images, int):
        line += f", {images:,} images"
    return f"{line}\n{licence}" if licence else line
