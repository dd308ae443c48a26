"""The report: a Markdown table of what each model can do, measured anew from its files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from convert.data.drawings import read_drawings
from convert.data.non_digits import NonDigit, read_non_digits
from convert.data.sources import normalize_all, rasterize_all, split_drawings
from convert.measurement import Comparison, Figures, Images, Selection, measure
from convert.progress import track
from edge_app import rasterize
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.mnist import SHA256, DataError, Digits, read_digits
from edge_app.digits.normalization import Normalization
from edge_app.errors import UserError
from edge_app.models.classifier import Model, load_models
from edge_app.models.interpreter import find_runtime

UNKNOWN = "\N{EN DASH}"
"""In a cell that there is no figure for."""


class ReportError(UserError):
    """Models or drawings that there is no report to make on."""


def report(names: Sequence[str], models: Path, data: Path, drawings: Sequence[Path]) -> None:
    """Measure models and print the table on standard output.

    Args:
        names: the models to measure; none stands for all of them.
        models: the models' folder.
        data: the folder with MNIST's test set.
        drawings: files of labelled drawings; their test parts are measured on.

    Raises:
        UserError: a model, the test set or the drawings are missing or wrong.
    """
    chosen = choose_models(models, names)
    test = read_test_set(data)
    drawn, non_digits = read_test_parts(drawings), read_non_digits()
    images = {
        normalization: _normalized(test, drawn, non_digits, normalization)
        for normalization in dict.fromkeys(model.normalization for model in chosen)
    }
    figures = [
        measure(model, models / model.name, images[model.normalization])
        for model in track(chosen, "Measuring")
    ]
    runtime = find_runtime()
    print(table(figures, f"{runtime.name} {runtime.version}"), flush=True)


def choose_models(folder: Path, names: Sequence[str]) -> list[Model]:
    """The models of those names in a folder, or all of them, the most accurate last.

    Raises:
        ReportError: there is no such model, or it is not whole.
    """
    complaints: list[str] = []
    models = load_models(folder, complaints.append)
    for name in names:
        if name not in models:
            known = ", ".join(models) or "a folder per model"
            told = [f"There is no model {name!r} in {folder}; expected {known}.", *complaints]
            raise ReportError(" ".join(told))
    if complaints and not names:
        raise ReportError(f"{complaints[0]} To measure others all the same, name them.")
    if not models:
        raise ReportError(f"There are no models in {folder}; expected a folder per model in it.")
    return [model for name, model in models.items() if not names or name in names]


def read_test_set(folder: Path) -> Digits:
    """MNIST's 10,000 test images as they are published.

    Raises:
        DataError: they are missing, damaged, or something else.
    """
    digits = read_digits(folder, "t10k")
    found, expected = digits.sha256(), SHA256["t10k"]
    if found != expected:
        raise DataError(
            f"The t10k data in {folder} is whole but not MNIST: found SHA-256 {found[:12]}..., "
            f"expected {expected[:12]}...; name the folder of MNIST's own with --data."
        )
    return digits


def read_test_parts(paths: Sequence[Path]) -> list[LabelledDrawing]:
    """The drawings in the files that ``python -m convert train`` does not train on, but reports on.

    Raises:
        DrawingError: a file is missing or damaged, or a line of it is wrong.
        ReportError: it holds too few to have such a part.
    """
    drawings = []
    for path in paths:
        test = split_drawings(read_drawings(path)).test
        if not test:
            raise ReportError(
                f"{path} has no test part: it holds too few drawings, or too few people's. "
                "Expected twenty drawings or more, or five people or more where it names them."
            )
        drawings += test
    return drawings


def table(figures: Sequence[Figures], runtime: str) -> str:
    """Markdown: a column for each model, a row for each figure.

    Args:
        figures: one or more, all of them with drawn digits or none.
        runtime: what int8 ran in, as in "tflite-runtime 2.14.0".
    """
    columns = [_column(each, runtime) for each in figures]
    return "\n".join(
        [
            _line(["", *(each.title.replace("|", r"\|") for each in figures)]),
            _line(["---", *("---:" for _ in figures)]),
            *(_line([label, *(column[label] for column in columns)]) for label in columns[0]),
        ]
    )


def _column(figures: Figures, runtime: str) -> dict[str, str]:
    """A model's cells by their rows' labels, from top to bottom."""
    drawn = figures.drawn
    cells = {
        **_on_mnist(figures.mnist),
        **(_on_drawn_digits(drawn) if drawn else {}),
        "expected calibration error on MNIST, int8 / original": _calibration(figures.mnist),
    }
    if drawn:
        cells["expected calibration error on drawn digits, int8 / original"] = _calibration(drawn)
    return {
        **cells,
        **_accepted(figures.selection, with_drawn=drawn is not None),
        "parameters": f"{figures.parameters:,}",
        "int8 file": _kilobytes(figures.int8_bytes),
        "original": _kilobytes(figures.original_bytes),
        f"one inference, int8, median ({runtime})": f"{figures.latency_us:,.0f} µs",
    }


def _on_mnist(mnist: Comparison) -> dict[str, str]:
    return {
        "MNIST test accuracy, int8": f"{mnist.accuracy:.2%}",
        "MNIST test accuracy, original": f"{mnist.original_accuracy:.2%}",
        "lost to quantization, points": f"{mnist.lost_points:.2f}",
        "top-1 agreement, int8 with original (MNIST test)": f"{mnist.agreement:.2%}",
        "images that flip: to wrong / to right": f"{mnist.flips_to_wrong} / {mnist.flips_to_right}",
    }


def _on_drawn_digits(drawn: Comparison) -> dict[str, str]:
    return {
        "drawn digits, int8": f"{drawn.accuracy:.2%}",
        "drawn digits, original": f"{drawn.original_accuracy:.2%}",
        "top-1 agreement on drawn digits": f"{drawn.agreement:.2%}",
    }


def _accepted(selection: Selection, *, with_drawn: bool) -> dict[str, str]:
    of_drawn = {
        "drawn digits accepted, int8": _part(selection.drawn_accepted),
        "accepted drawn digits read right": _part(selection.accepted_right),
    }
    return {
        **(of_drawn if with_drawn else {}),
        "things that are not digits, not accepted": _part(selection.non_digits_refused),
    }


def _part(part: float | None) -> str:
    return UNKNOWN if part is None else f"{part:.2%}"


def _calibration(comparison: Comparison) -> str:
    return f"{comparison.calibration_error:.2%} / {comparison.original_calibration_error:.2%}"


def _kilobytes(count: int) -> str:
    return f"{count / 1000:,.1f} kB"


def _line(cells: Sequence[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _normalized(
    test: Digits,
    drawn: list[LabelledDrawing],
    non_digits: list[NonDigit],
    normalization: Normalization,
) -> Images:
    images = normalize_all("Normalizing MNIST, test set", test.images, normalization)
    others = [
        rasterize(each.strokes, normalization)
        for each in track(non_digits, "Normalizing what is no digit")
    ]
    return Images(
        mnist=Digits(images, test.labels),
        drawn=rasterize_all("Normalizing drawn digits", drawn, normalization) if drawn else None,
        non_digits=np.stack(others),
    )
