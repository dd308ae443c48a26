"""The drawings that judge whether a model knows what is no digit: JSON Lines, one a line, y down.

``{"kind": "spiral", "strokes": [[[x, y], [x, y], ...], ...]}``

They are synthetic, and not made by :mod:`convert.strokes.outliers`: other shapes, other letters,
and kinds that training has nothing of. None comes from a person or a data set.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.labelled import parse_lines
from edge_app.digits.strokes import DrawingError, parse_strokes

NON_DIGITS = Path(__file__).with_name("non-digits.jsonl")
LINE = '{"kind": "spiral", "strokes": [[[x, y], ...], ...]}'


class NonDigit(NamedTuple):
    """What was drawn, in a word, and its strokes, float64 (points, 2), y down."""

    kind: str
    strokes: list[NDArray[np.float64]]


def read_non_digits(path: str | Path = NON_DIGITS) -> list[NonDigit]:
    """Read a file of drawings that are no digits, plain or ``.gz``.

    Raises:
        DrawingError: the file is missing or unreadable, or a line of it is no such drawing.
    """
    return parse_lines(path, _parse)


def _parse(line: str) -> NonDigit:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DrawingError(f"Found no JSON ({error}); expected {LINE}.") from error
    if not isinstance(fields, dict):
        raise DrawingError(f"Found JSON of type {type(fields).__name__}; expected {LINE}.")
    kind = fields.get("kind")
    if not isinstance(kind, str) or not kind:
        raise DrawingError(f"The kind is {kind!r:.40}; expected a word, such as spiral.")
    strokes = parse_strokes(fields.get("strokes"))
    if not strokes:
        raise DrawingError("The drawing is blank; expected strokes with points.")
    return NonDigit(kind, strokes)
