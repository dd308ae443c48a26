"""Geometry of strokes: bounds, lengths, turns and curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Strokes = list[NDArray[np.float64]]
"""A drawing: the points of each stroke, float64 (points, 2), x and y, y down, in any unit."""


def bounds(strokes: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], ...]:
    """The smallest and the largest x and y of a drawing: two points, (2,) each."""
    points = np.concatenate(strokes)
    return points.min(axis=0), points.max(axis=0)


def fitted(strokes: Sequence[NDArray[np.float64]]) -> Strokes:
    """A drawing with its centre moved to 0 and its longer side scaled to 1; a dot stays a dot."""
    low, high = bounds(strokes)
    size = float((high - low).max()) or 1.0
    return [(stroke - (low + high) / 2) / size for stroke in strokes]


def length(path: NDArray[np.float64]) -> float:
    """The length of a path (points, 2), in its own unit."""
    return float(np.hypot(*np.diff(path, axis=0).T).sum())


def turned(points: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Points (points, 2) turned around 0, clockwise as seen with y down; the angle in radians."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return points @ np.array([[cosine, sine], [-sine, cosine]])


def resampled(path: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The path as ``count`` evenly spaced points (count, 2); a dot stays a dot."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    if not along[-1]:
        return path[:1]
    at = np.linspace(0.0, along[-1], count)
    return np.stack([np.interp(at, along, path[:, 0]), np.interp(at, along, path[:, 1])], axis=1)


def rounded(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """The path with its corners cut off three times over, until it is a curve; its ends stay."""
    for _ in range(3):
        early, late = path[:-1] * 0.75 + path[1:] * 0.25, path[:-1] * 0.25 + path[1:] * 0.75
        cut = np.stack([early, late], axis=1).reshape(-1, 2)
        path = np.concatenate([path[:1], cut, path[-1:]])
    return path
