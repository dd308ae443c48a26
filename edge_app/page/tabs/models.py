"""The Models tab: what the models' cards say, what they take for what, and what weighs for what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from edge_app.digits.normalization import TREATMENTS
from edge_app.explanation.weights import weight_pictures
from edge_app.models.acceptance import Acceptance
from edge_app.models.cardless import CRASHES, CardlessModel
from edge_app.models.classifier import Classifier, Model
from edge_app.models.confusion import CONFUSED, Confusion
from edge_app.page.tabs.content import (
    NOTHING,
    Gallery,
    Matrix,
    Picture,
    Section,
    Sheet,
    Table,
    percent,
    size,
)
from edge_app.page.tabs.pictures import ink, signed

_DATA_SETS = {"pendigits-orig.tra": "Pen-Based Digits (UCI)"}
"""What people call the data sets that cards name by their files."""
_FULL = 0.97
"""The part of the weights whose colour is lighter than the full one."""


def models_sheet(models: Mapping[str, Classifier]) -> Sheet:
    """Compare the models, in their order, and then describe each.

    The first call takes some 0.2 s, mostly for the weights; what it finds out is remembered.
    """
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
        sections=[*_comparison([*models.values()]), *map(_section, models.values())],
    )


def _warnings(models: Iterable[Classifier]) -> Iterator[str]:
    for model in models:
        if model.missing:
            yield (
                f"{model.title} lacks {' and '.join(model.missing)}, whose files are missing or "
                f"damaged; {model.variants[0]} answers instead."
            )
        if isinstance(model, Model) and model.card.confusion and not model.confusion:
            yield f"{model.title} lacks its confusion matrix, whose file is missing or damaged."
        if isinstance(model, CardlessModel) and model.is_left_out:
            yield (
                f"{model.title} no longer answers: it crashed or hung {CRASHES} times. "
                "Convert it again."
            )


class _Group(NamedTuple):
    """Rows of the comparison: how their values are shown, and which of them is the best."""

    heading: str
    shown: Callable[[float], str]
    best: Callable[[Iterable[float]], float]


_PARAMETERS = _Group("", "{:,}".format, min)
_ACCURACY = _Group("Accuracy", percent, max)
_LOST = _Group("Lost", "{:.2f}".format, min)
_SIZE = _Group("Size", size, min)


def _comparison(models: Sequence[Classifier]) -> Iterator[Section]:
    """The models as columns, if anything is known of them."""
    columns = [_figures(model) for model in models]
    rows: list[list[str]] = []
    best: list[list[int]] = []
    for group in (_PARAMETERS, _ACCURACY, _LOST, _SIZE):
        names = dict.fromkeys(name for each in columns for name in each.get(group, {}))
        if names and group.heading:
            rows.append([group.heading])
            best.append([])
        for name in names:
            values = [each.get(group, {}).get(name) for each in columns]
            cells = [NOTHING if value is None else group.shown(value) for value in values]
            if group is _SIZE:
                cells = [
                    "missing" if name in model.missing else cell
                    for model, cell in zip(models, cells, strict=True)
                ]
            rows.append([name, *cells])
            best.append(_best(values, group.best))
    titles = ["", *(model.title for model in models)]
    section = Section(
        title="Compared", wide=True, table=Table(columns=titles, rows=rows, best=best)
    )
    if any(best):
        section["text"] = "★ marks the best of each row."
    if rows:
        yield section


def _figures(model: Classifier) -> dict[_Group, dict[str, float | None]]:
    """The figures of a model, None if missing: by group, and by the name of their row."""
    if not isinstance(model, Model):
        return {_SIZE: {name: file.bytes for name, file in model.files.items()}}
    card = model.card
    files = {"original": card.original, **card.variants}
    return {
        _PARAMETERS: {"Parameters": card.parameters},
        _ACCURACY: {name: file.accuracy for name, file in files.items()},
        _LOST: {
            name: round(100 * (card.original.accuracy - file.accuracy), 2) + 0.0  # Not minus zero.
            for name, file in card.variants.items()
        },
        _SIZE: {
            name: None if name in model.missing else file.bytes for name, file in files.items()
        },
    }


def _best(values: Sequence[float | None], choose: Callable[[Iterable[float]], float]) -> list[int]:
    """Where the best values are; nowhere if there is nothing to choose from."""
    known = {value for value in values if value is not None}
    if len(known) < 2:
        return []
    best = choose(known)
    return [number for number, value in enumerate(values) if value == best]


def _section(model: Classifier) -> Section:
    images = ("Normalization", f"{model.normalization}: {TREATMENTS[model.normalization]}")
    weights = _weights(model)
    if not isinstance(model, Model):
        files = [("File", size(file.bytes)) for file in model.files.values()]
        return Section(
            title=model.title,
            text="A file without a card: its training and its original model are unknown. It runs "
            "in its own process.",
            galleries=weights,
            facts=[*files, images],
        )
    card = model.card
    section = Section(
        title=model.title,
        text=card.description,
        galleries=weights,
        facts=[images, *_doubt(card.acceptance), *_data(card.training)],
    )
    if confusion := model.confusion:
        total, wrong = int(confusion.counts.sum()), len(confusion.pictures)
        misread = total - int(confusion.counts.trace())
        section["matrix"] = Matrix(
            title="Confusion matrix",
            text=f"{card.reference.dataset}: the digit (row) and what {confusion.variant} read "
            f"(column). It misreads {misread:,} of {total:,}.",
            counts=confusion.counts.tolist(),
        )
        if wrong:
            section["galleries"] = [_misread(confusion, wrong == misread), *weights]
    return section


def _misread(confusion: Confusion, all_of_them: bool) -> Gallery:
    number = len(confusion.labels)
    of = "All of its mistakes" if all_of_them else f"The {number} mistakes that it was surest of"
    digits = zip(confusion.pictures, confusion.labels, confusion.answers, strict=True)
    return Gallery(
        title="Misread digits",
        text=f"{of}, as the model sees them. Under each: the digit and the answer.",
        pictures=[
            Picture(
                png=ink(picture),
                name=f"{label}, read as {answer}",
                caption=f"{label} \N{RIGHTWARDS ARROW} {answer}",
            )
            for picture, label, answer in digits
        ],
    )


def _weights(model: Classifier) -> list[Gallery]:
    """The pictures of a model that is one layer."""
    weights = weight_pictures(model, CONFUSED)
    if weights is None:
        return []
    weights = weights - weights.mean(axis=0)  # What all digits share decides nothing.
    most = float(np.quantile(np.abs(weights), _FULL)) or 1.0
    return [
        Gallery(
            title="Its weights",
            text="This model is one layer: a picture for each digit. Ink where it is dark blue "
            "speaks for that digit rather than another, ink where it is yellow against it.",
            pictures=[
                Picture(png=signed(each, most), name=f"Weights of {digit}", caption=f"{digit}")
                for digit, each in enumerate(weights)
            ],
        )
    ]


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
    line = "unnamed data set"
    if isinstance(name, str):
        line = _DATA_SETS.get(name.removesuffix(".gz"), name)
    if isinstance(images, int):
        line += f", {images:,} images"
    return f"{line}\n{licence}" if isinstance(licence, str) else line
