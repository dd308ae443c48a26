"""The report: a Markdown table of what the models in a folder can do.

Accuracies on MNIST and parameters come from the cards, whose files are checked. What a card cannot
tell is measured anew in the edge's interpreter: how a model answers drawn digits that it was not
trained on, and non-digits. ``python -m benchmarks`` measures speed and what quantization costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convert.data.non_digits import read_non_digits
from convert.data.sources import render, render_labelled, split_drawings
from convert.data.unipen import read_drawings
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.mnist import Digits
from edge_app.errors import UserError
from edge_app.models.answers import BASELINE
from edge_app.models.classifier import Model, normalizations
from edge_app.models.folder import load_models
from edge_app.models.metrics import accuracy, answers

VARIANT = "int8"
UNKNOWN = "\N{EN DASH}"
"""A cell without a figure."""


class ReportError(UserError):
    """Models or drawings that cannot be reported on."""


def report(names: Sequence[str], folder: Path, drawings: Sequence[Path]) -> None:
    """Print the table of the named models of a folder, or of all of them, on standard output.

    Of the files of labelled drawings, the test parts are measured on.

    Raises:
        UserError: a model or the drawings are missing or wrong.
    """
    models = choose_models(folder, names)
    test = read_test_parts(drawings)
    others = [strokes for _, strokes in read_non_digits()]
    images = {
        normalization: (
            render_labelled(test, normalization, "Drawing digits"),
            render(others, normalization, "Drawing non-digits"),
        )
        for normalization in normalizations(models)
    }
    columns = [_column(model, *images[model.normalization]) for model in models]
    titles = [model.title.replace("|", r"\|") for model in models]
    print("| |", " | ".join(titles), "|")
    print("| --- |", " | ".join("---:" for _ in models), "|")
    for label in columns[0]:
        print("|", label, "|", " | ".join(column[label] for column in columns), "|")


def choose_models(folder: Path, names: Sequence[str]) -> list[Model]:
    """The named models of a folder, or all of them; the most accurate last.

    Raises:
        ReportError: there is no such model, or it is damaged.
    """
    complaints: list[str] = []
    models = load_models(folder, complaints.append, complete=True)
    for name in names:
        if name not in models:
            known = ", ".join(models) or "a folder per model"
            found = f"There is no model {name!r} in {folder}; expected {known}."
            raise ReportError(" ".join([found, *complaints]))
    if complaints and not names:
        raise ReportError(f"{complaints[0]} Name the other models to report on them alone.")
    if not models:
        raise ReportError(f"There are no models in {folder}; expected a folder per model in it.")
    return [model for name, model in models.items() if not names or name in names]


def read_test_parts(paths: Sequence[Path]) -> list[LabelledDrawing]:
    """The drawings in the files that ``python -m convert train`` never trains on.

    Raises:
        DrawingError: a file is missing or damaged, or has a bad line.
        ReportError: a file has too few drawings to have a test part.
    """
    drawings = []
    for path in paths:
        test = split_drawings(read_drawings(path)).test
        if not test:
            raise ReportError(
                f"{path} holds too few drawings to have a test part; expected at least twenty "
                "drawings, or at least five people where it names them."
            )
        drawings += test
    return drawings


def _column(model: Model, drawn: Digits, non_digits: NDArray[np.uint8]) -> dict[str, str]:
    """A model's cells by their rows' labels, from top to bottom."""
    original, quantized = model.card.original, model.card.variants[VARIANT]
    refused = ~model.answer(non_digits, VARIANT).accepted
    return {
        "MNIST test accuracy, int8": _percent(quantized.accuracy),
        "MNIST test accuracy, original": _percent(original.accuracy),
        **(_on_drawn_digits(model, drawn) if len(drawn.labels) else {}),
        "non-digits refused": _percent(refused.mean() if model.acceptance else None),
        "parameters": f"{model.card.parameters:,}",
        "int8 file": f"{quantized.bytes / 1000:,.1f} kB",
        "original": f"{original.bytes / 1000:,.1f} kB",
    }


def _on_drawn_digits(model: Model, digits: Digits) -> dict[str, str]:
    images, labels = digits
    found = model.answer(images, VARIANT)
    read, accepted = answers(found.probabilities), found.accepted
    right = accuracy(read[accepted], labels[accepted]) if accepted.any() else None
    baseline = answers(model.predict(images, BASELINE))
    return {
        "drawn digits, int8": _percent(accuracy(read, labels)),
        f"drawn digits, {BASELINE}": _percent(accuracy(baseline, labels)),
        "drawn digits accepted, int8": _percent(accepted.mean() if model.acceptance else None),
        "accepted drawn digits read right": _percent(right if model.acceptance else None),
    }


def _percent(part: float | None) -> str:
    return UNKNOWN if part is None else f"{part:.2%}"
