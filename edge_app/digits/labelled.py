"""Files of labelled drawings: JSON Lines, one drawing per line, y down.

``{"label": 3, "strokes": [[[x, y], [x, y], ...], ...]}``
"""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.strokes import DrawingError, parse_strokes

LINE = '{"label": 3, "strokes": [[[x, y], ...], ...]}'


class LabelledDrawing(NamedTuple):
    """A digit as it was drawn: its label, 0 to 9, and its strokes, float64 (points, 2), y down."""

    label: int
    strokes: list[NDArray[np.float64]]
    writer: int | None = None
    """Who drew it, if known."""


def read_json_lines(path: str | Path) -> list[LabelledDrawing]:
    """Read a file of labelled drawings, plain or ``.gz``.

    Raises:
        DrawingError: the file is missing or unreadable, or a line is not a labelled drawing.
    """
    drawings = []
    for number, line in enumerate(read_lines(path), start=1):
        try:
            drawings.append(parse_line(line))
        except DrawingError as error:
            raise DrawingError(f"{path}, line {number}: {error}") from error
    return drawings


def read_lines(path: str | Path) -> list[str]:
    """The lines of a text file, plain or ``.gz``; without blank ones at its end.

    Raises:
        DrawingError: the file is missing, unreadable, or not text.
    """
    try:
        content = Path(path).read_bytes()
        if Path(path).suffix == ".gz":
            content = gzip.decompress(content)
        # Notepad writes the "sig". Not splitlines: it also splits inside of JSON strings.
        return content.decode("utf-8-sig").rstrip().split("\n")
    except OSError as error:
        raise DrawingError(f"{path} cannot be read ({error.strerror or error}).") from error
    except (EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DrawingError(
            f"{path} is damaged or not text ({error}); fetch the file again."
        ) from error


def parse_line(line: str) -> LabelledDrawing:
    """Read one line of such a file.

    Raises:
        DrawingError: it is not a labelled drawing.
    """
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DrawingError(f"Found no JSON ({error}); expected {LINE}.") from error
    return parse_drawing(fields)


def parse_drawing(fields: object) -> LabelledDrawing:
    """Check a labelled drawing: a dictionary of a label and strokes.

    Raises:
        DrawingError: it is something else.
    """
    if not isinstance(fields, dict):
        raise DrawingError(f"Found JSON of type {type(fields).__name__}; expected {LINE}.")
    label = fields.get("label")
    if type(label) is not int or not 0 <= label <= 9:
        # Python cannot write a list of lists as text if it is nested too deeply.
        nested = isinstance(label, list | dict)
        found = f"of type {type(label).__name__}" if nested else f"{label!r:.40}"
        raise DrawingError(f"The label is {found}; expected a whole number, 0 to 9.")
    strokes = parse_strokes(fields.get("strokes"))
    if not strokes:
        raise DrawingError("The drawing is blank; expected strokes with points.")
    return LabelledDrawing(label, strokes)


def format_line(drawing: LabelledDrawing) -> str:
    """One line of such a file, with its line break; whole numbers are written as integers."""
    strokes = [
        (stroke.astype(np.int64) if (stroke == np.round(stroke)).all() else stroke).tolist()
        for stroke in drawing.strokes
    ]
    fields = {"label": drawing.label, "strokes": strokes}
    return json.dumps(fields, separators=(",", ":")) + "\n"
