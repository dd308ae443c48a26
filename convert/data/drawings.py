"""Labelled drawings to train on, in either of the formats that are read."""

from __future__ import annotations

from pathlib import Path

from convert.data.unipen import read_unipen
from edge_app.digits.labelled import LINE, LabelledDrawing, read_json_lines, read_lines
from edge_app.digits.strokes import DrawingError


def read_drawings(path: str | Path) -> list[LabelledDrawing]:
    """Read a file of labelled drawings, plain or ``.gz``: JSON Lines or UNIPEN, by its content.

    Raises:
        DrawingError: the file is missing or unreadable, is neither, or a line of it is wrong.
    """
    first = read_lines(path)[0]
    if first.startswith("{"):
        return read_json_lines(path)
    if first.startswith("."):
        return read_unipen(path)
    raise DrawingError(
        f"{path} starts with {first!r:.40}; expected JSON Lines ({LINE}) "
        "or UNIPEN (lines that start with a dot)."
    )
