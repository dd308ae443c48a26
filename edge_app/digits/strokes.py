"""Strokes from outside, as nested lists, checked before use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_app.errors import UserError

MAX_POINTS = 10_000
"""Bounds the time that a drawing can take; a long, careful one has a few hundred points."""
FARTHEST = 1e6
"""The largest absolute value of a coordinate."""


class DrawingError(UserError):
    """Strokes or drawings that cannot be read."""


def parse_strokes(strokes: object) -> list[NDArray[np.float64]]:
    """Check the strokes of a drawing.

    Args:
        strokes: a list of strokes, each a list of points [x, y]; y down, any scale.

    Returns:
        A float64 array (points, 2) for each stroke that has points; empty for a blank canvas.

    Raises:
        DrawingError: anything else was given.
    """
    if not isinstance(strokes, list | tuple):
        raise DrawingError(
            f"The drawing is {_kind(strokes)}; expected a list of strokes, each a list of [x, y]."
        )
    lines = [_parse_stroke(number, stroke) for number, stroke in enumerate(strokes, start=1)]
    points = sum(map(len, lines))
    if points > MAX_POINTS:
        raise DrawingError(
            f"The drawing has {points} points; expected at most {MAX_POINTS}. Send fewer."
        )
    return [line for line in lines if len(line)]


def _parse_stroke(number: int, stroke: object) -> NDArray[np.float64]:
    if not isinstance(stroke, list | tuple):
        raise DrawingError(f"Stroke {number} is {_kind(stroke)}; expected a list of [x, y].")
    if not stroke:
        return np.empty((0, 2))
    try:
        line = np.asarray(stroke)
    except ValueError:  # Points of differing lengths.
        line = np.empty(0, dtype=object)
    if line.ndim != 2 or line.shape[1] != 2 or line.dtype.kind not in "iuf":
        raise DrawingError(
            f"Stroke {number} holds something other than points; "
            "expected a list of [x, y], two numbers each."
        )
    line = line.astype(np.float64)  # Before abs(), which overflows for the lowest int64.
    if not (np.abs(line) <= FARTHEST).all():
        raise DrawingError(
            f"Stroke {number} has a coordinate that is not a number between "
            f"-{FARTHEST:,.0f} and {FARTHEST:,.0f}."
        )
    return line


def _kind(value: object) -> str:
    return "missing" if value is None else f"of type {type(value).__name__}"
