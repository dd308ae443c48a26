"""Ten drawings for trials and timings, one of each digit.

They are synthetic: pen paths written down here, with points as dense as a pointer reports them on
a canvas. None comes from a person or a data set.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

POINT_SPACING = 1.5
"""Distance between two points of a stroke; the paths below are about 40 wide and 70 high."""

_PATHS = (
    ["50,15 34,26 29,50 34,74 50,85 66,73 70,50 65,25 50,15"],
    ["40,30 52,15 52,85"],
    ["30,30 36,19 50,15 64,21 67,34 58,52 30,84 72,83"],
    ["30,22 46,15 63,22 62,38 46,48", "46,48 64,56 68,71 54,84 32,80"],
    ["42,15 30,54 70,54", "62,22 61,86"],
    ["36,16 34,46 50,42 66,52 68,69 54,84 32,80", "36,16 68,15"],
    ["60,15 42,34 32,60 36,80 51,85 65,74 62,57 47,52 34,64"],
    ["30,18 70,16 56,46 46,85"],
    ["64,26 50,15 36,26 42,42 60,56 65,72 50,85 35,73 40,56 58,42 64,26"],
    ["65,34 52,16 36,26 36,44 50,50 65,34 63,56 58,85"],
)
"""The digits 0 to 9: for each stroke the corners of its path, "x,y", y down."""


def drawings() -> list[list[NDArray[np.float64]]]:
    """The digits 0 to 9 in order, each a list of strokes, float64 (points, 2)."""
    return [[_stroke(path) for path in paths] for paths in _PATHS]


def _stroke(path: str) -> NDArray[np.float64]:
    corners = np.array([corner.split(",") for corner in path.split()], dtype=np.float64)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    at = np.arange(0.0, along[-1], POINT_SPACING)
    return np.stack([np.interp(at, along, corners[:, axis]) for axis in (0, 1)], axis=1)
