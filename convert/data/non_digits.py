"""The drawings that show whether a model knows a non-digit: ``non-digits.jsonl``.

One JSON object per line: ``{"kind": "spiral", "strokes": [[[x, y], [x, y], ...], ...]}``, y down.
They are synthetic and not made by :mod:`convert.strokes.outliers`: other shapes, other letters, and
kinds that training never shows. None comes from a person or a data set.
"""

from __future__ import annotations

import json
from pathlib import Path

from convert.strokes.geometry import Strokes
from edge_app.digits.strokes import parse_strokes

NON_DIGITS = Path(__file__).with_name("non-digits.jsonl")


def read_non_digits() -> list[tuple[str, Strokes]]:
    """What was drawn, in a word, and its strokes, for each of the drawings in the file's order."""
    with NON_DIGITS.open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return [(line["kind"], parse_strokes(line["strokes"])) for line in lines]
