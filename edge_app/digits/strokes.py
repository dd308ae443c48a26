"""Strokes from outside, as nested lists, checked before use."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate, chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_app.errors import UserError

MAX_STROKES = 300
"""Bounds the time that a drawing takes. The page sends some 230 for a canvas full of dots."""
MAX_POINTS = 2000
"""Bounds it as well. The page sends some 230; a fast pen reports as many in a second."""
FARTHEST = 1e6
"""The largest absolute value of a coordinate."""


class DrawingError(UserError):
    """Strokes or drawings that cannot be read."""


def parse_strokes(strokes: object) -> list[NDArray[np.float64]]:
    """Check the strokes of a drawing.

    Args:
        strokes: a list of at most 300 strokes, each a list of points [x, y]; at most 2,000 points
            in all. y down, any scale, -1,000,000 to 1,000,000. Tuples are taken for lists.

    Returns:
        A float64 array (points, 2) for each stroke that has points; empty for a blank canvas.

    Raises:
        DrawingError: anything else was given.
    """
    if not isinstance(strokes, list | tuple):
        raise DrawingError(
            f"The drawing is {_kind(strokes)}; expected a list of strokes, each a list of [x, y]."
        )
    if len(strokes) > MAX_STROKES:
        raise DrawingError(
            f"The drawing has {len(strokes):,} strokes; expected at most {MAX_STROKES}. Send fewer."
        )
    if not set(map(type, strokes)) <= {list, tuple}:
        number, stroke = next(
            (number, stroke)
            for number, stroke in enumerate(strokes, start=1)
            if type(stroke) not in (list, tuple)
        )
        raise DrawingError(f"Stroke {number} is {_kind(stroke)}; expected a list of [x, y].")
    ends = list(accumulate(map(len, strokes), initial=0))
    if ends[-1] > MAX_POINTS:
        raise DrawingError(
            f"The drawing has {ends[-1]:,} points; expected at most {MAX_POINTS:,}. Send fewer."
        )
    if not ends[-1]:
        return []
    # All strokes at once: NumPy takes microseconds for each call, however little is in it.
    points = list(chain.from_iterable(strokes))
    coordinates = _coordinates(points)
    if coordinates is None:
        bad = _first_bad(points, lambda some: _coordinates(some) is not None)
        raise DrawingError(
            f"Stroke {bisect_right(ends, bad)} holds something other than points; "
            "expected a list of [x, y], two numbers each."
        )
    numbers = _array(coordinates)
    if numbers is None:
        bad = _first_bad(coordinates, lambda some: _array(some) is not None) // 2
        raise DrawingError(
            f"Stroke {bisect_right(ends, bad)} has a coordinate that is not a number between "
            f"-{FARTHEST:,.0f} and {FARTHEST:,.0f}."
        )
    lines = numbers.reshape(-1, 2)
    return [lines[start:end] for start, end in pairwise(ends) if end > start]


def _coordinates(points: list[Any]) -> list[float] | None:
    """x and y of each point, one after the other; None if they are not all lists of two numbers.

    NumPy would take text and truth values for numbers.
    """
    if not set(map(type, points)) <= {list, tuple} or not set(map(len, points)) <= {2}:
        return None
    coordinates = list(chain.from_iterable(points))
    return coordinates if set(map(type, coordinates)) <= {int, float} else None


def _array(coordinates: list[float]) -> NDArray[np.float64] | None:
    """The same as float64; None if one is too large or not a number."""
    try:
        array = np.array(coordinates, np.float64)
    except OverflowError:  # An integer beyond float64.
        return None
    return array if np.abs(array).max() <= FARTHEST else None  # The maximum with a NaN is NaN.


def _first_bad(items: list[Any], good: Callable[[list[Any]], bool]) -> int:
    """The index of the first item that keeps the list from being good, found by halving."""
    low, high = 0, len(items)
    while high - low > 1:
        middle = (low + high) // 2
        if good(items[low:middle]):
            low = middle
        else:
            high = middle
    return low


def _kind(value: object) -> str:
    return "missing" if value is None else f"of type {type(value).__name__}"
