"""How well digits on photos are read, by paper and pen, against the same strokes on the canvas.

``python tests/photos/photos.py --help`` says how. Every photo is made, and follows from its seed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
# In place of this script's own folder, whose modules are imported as the tests' are.
sys.path[:1] = [str(ROOT), str(ROOT / "tests" / "support")]

from convert.data.unipen import read_drawings  # noqa: E402 - Found by the lines above.
from edge_app.digits.labelled import LabelledDrawing  # noqa: E402
from edge_app.digits.normalization import views  # noqa: E402
from edge_app.models.answers import classify  # noqa: E402
from edge_app.models.classifier import Classifier, normalizations  # noqa: E402
from edge_app.models.folder import load_models  # noqa: E402
from edge_app.photos.photo import read_photo  # noqa: E402
from sheets import PAPERS, PENS, Paper, Pen, photograph  # noqa: E402

NEVER_TRAINED_ON = range(25, 31)
"""UCI's writers whose digits the shipped models have not seen."""
EMPTY = -1
"""The digit of an empty sheet."""


class Reading(NamedTuple):
    """What became of one photo."""

    seed: int
    paper: Paper
    pen: Pen | None
    """None for an empty sheet."""
    label: int
    """The digit on it, or ``EMPTY``."""
    canvas: dict[str, int | None]
    """What each model answers to the same strokes on the canvas."""
    photo: list[dict[str, int | None]]
    """What each model answers to each of the digits that were found."""
    seconds: float
    """How long it took to find them."""

    def is_read(self, model: str) -> bool:
        """Whether one digit was found, and the model reads it."""
        return [each[model] for each in self.photo] == [self.label]


def read_sheets(
    models: Mapping[str, Classifier], drawings: Sequence[LabelledDrawing], seed: int
) -> Iterator[Reading]:
    """Photograph each drawing once, on each paper with each pen in turn."""
    kinds = list(product(PAPERS, PENS))
    for number, drawing in enumerate(drawings):
        paper, pen = kinds[number % len(kinds)]
        photo = photograph([drawing.strokes], seed + number, paper, pen)
        found, seconds = _read(models, photo.text)
        canvas = _answers(models, drawing.strokes)
        yield Reading(seed + number, paper, pen, drawing.label, canvas, found, seconds)


def read_empty_sheets(models: Mapping[str, Classifier], many: int, seed: int) -> Iterator[Reading]:
    """Photograph empty sheets of each paper in turn."""
    for number in range(seed, seed + many):
        paper = PAPERS[number % len(PAPERS)]
        found, seconds = _read(models, photograph([], number, paper).text)
        yield Reading(number, paper, None, EMPTY, {}, found, seconds)


def _read(models: Mapping[str, Classifier], text: str) -> tuple[list[dict[str, int | None]], float]:
    start = time.perf_counter()
    digits = read_photo(text)
    seconds = time.perf_counter() - start
    return [_answers(models, digit.strokes) for digit in digits], seconds


def _answers(
    models: Mapping[str, Classifier], strokes: Sequence[NDArray[np.float64]]
) -> dict[str, int | None]:
    images = views(strokes, normalizations(models.values()))
    return {name: each["digit"] for name, each in classify(models, images, "int8").items()}


def report(models: Mapping[str, Classifier], readings: Sequence[Reading]) -> str:
    """A table: a line for each paper and each pen, and one for all."""
    drawn = [each for each in readings if each.label != EMPTY]
    titles = [model.title for model in models.values()]
    lines = [
        f"| | photos | one digit found | {' | '.join(titles)} |",
        f"|{' --- |' * (3 + len(titles))}",
    ]
    kinds = [*PAPERS, *PENS]
    for kind in [*kinds, None]:
        some = [each for each in drawn if kind in {None, each.paper, each.pen}]
        if not some:
            continue
        single = np.mean([len(each.photo) == 1 for each in some])
        read = [np.mean([each.is_read(name) for each in some]) for name in models]
        cells = [f"{100 * part:.1f}%" for part in (single, *read)]
        lines.append(f"| {kind or 'all'} | {len(some)} | {' | '.join(cells)} |")
    canvas = [np.mean([each.canvas[name] == each.label for each in drawn]) for name in models]
    cells = [f"{100 * part:.1f}%" for part in canvas]
    lines.append(f"| on the canvas | {len(drawn)} | | {' | '.join(cells)} |")
    empty = [each for each in readings if each.label == EMPTY]
    seconds = [each.seconds for each in readings]
    wrong = sum(bool(each.photo) for each in empty)
    return "\n".join(
        [
            *lines,
            "",
            f"Of {len(empty)} empty sheets {wrong} gave digits. Finding the digits took "
            f"{1000 * np.median(seconds):.0f} ms (median), at most {1000 * max(seconds):.0f} ms.",
        ]
    )


def main() -> int:
    """Run what the command line asks for; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("pens", type=Path, help="UCI's pendigits-orig.tra, plain or .gz")
    parser.add_argument("--photos", type=int, default=900, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--empty", type=int, default=300, metavar="N", help="empty sheets; default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the photos; default: %(default)s")
    parser.add_argument(
        "--failed", type=Path, metavar="DIR", help="save the photos that are misread"
    )
    arguments = parser.parse_args()
    models = load_models(ROOT / "models")
    everything = read_drawings(arguments.pens)
    drawings = [each for each in everything if each.writer in NEVER_TRAINED_ON]
    order = np.random.default_rng(arguments.seed).permutation(len(drawings))
    chosen = [drawings[number] for number in np.resize(order, arguments.photos)]
    readings = []
    for reading in read_sheets(models, chosen, arguments.seed):
        readings.append(reading)
        if arguments.failed and not (reading.is_read("mlp") and reading.is_read("cnn")):
            _save(arguments.failed, reading, chosen[reading.seed - arguments.seed])
    for reading in read_empty_sheets(models, arguments.empty, arguments.seed):
        readings.append(reading)
        if arguments.failed and reading.photo:
            _save(arguments.failed, reading, None)
    print(report(models, readings))
    return 0


def _save(folder: Path, reading: Reading, drawing: LabelledDrawing | None) -> None:
    folder.mkdir(exist_ok=True)
    digits = [] if drawing is None else [drawing.strokes]
    jpeg = photograph(digits, reading.seed, reading.paper, reading.pen or "ballpoint").jpeg
    found = "-".join(str(each["cnn"]) for each in reading.photo) or "nothing"
    name = f"{reading.paper}-{reading.pen}-{reading.seed}-{reading.label}-as-{found}.jpg"
    (folder / name).write_bytes(jpeg)


if __name__ == "__main__":
    sys.exit(main())
