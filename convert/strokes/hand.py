"""A hand: paths that are thought straight and even, as somebody would draw them on a canvas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

POINTS = (30, 80)
"""The least and the most points that a drawing is sampled at, as a pointer reports them."""
DENSEST = 9.0
"""A drawing longer than its size by more than this many times gets more points, in proportion."""
SIZE = 200.0
"""Longer side of what is drawn, in units of the page's canvas, before it is turned and slanted."""

TURN = np.radians(8)
"""The largest angle by which a drawing is turned, in radians."""
SLANT = 0.2
"""The largest slant, in units across per unit down."""
STRETCH = 0.2
"""The largest change of the logarithm of width and of height."""
DISTORTION = 0.035
"""The largest amplitude of the waves that bend a drawing as a whole, in parts of its size."""
WOBBLE = 0.009
"""The largest standard deviation of what the hand trembles, in parts of the drawing's size."""

_TREMOR = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / np.sqrt(19.0)
"""Smooths white noise along a stroke, and leaves its standard deviation."""


def drawn(
    paths: Sequence[NDArray[np.float64]], generator: np.random.Generator
) -> list[NDArray[np.float64]]:
    """Paths as a hand would draw them: sampled, bent, turned, slanted and trembling.

    Args:
        paths: for each stroke its corners, float64 (corners, 2), y down, any scale. One corner is
            a dot.
        generator: the hand's randomness.

    Returns:
        For each stroke its points, float64 (points, 2), around 0.
    """
    middle, size = _extent(paths)
    strokes = _sampled([(path - middle) / size for path in paths], generator)
    wobble = generator.uniform(0.2, 1) * WOBBLE
    turn = _turn(generator) * SIZE
    return [_trembling(each, wobble, generator) @ turn for each in _bent(strokes, generator)]


def length(path: NDArray[np.float64]) -> float:
    """How long a path (corners, 2) is, in its own unit."""
    return float(np.hypot(*np.diff(path, axis=0).T).sum())


def resampled(path: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The path (corners, 2) as ``count`` points (count, 2), evenly spaced; a dot stays a dot."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    if not along[-1]:
        return path[:1]
    at = np.linspace(0.0, along[-1], count)
    return np.stack([np.interp(at, along, path[:, 0]), np.interp(at, along, path[:, 1])], axis=1)


def rounded(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """The path (corners, 2) with its corners cut off, again and again, until it is a curve."""
    for _ in range(3):
        early, late = path[:-1] * 0.75 + path[1:] * 0.25, path[:-1] * 0.25 + path[1:] * 0.75
        cut = np.stack([early, late], axis=1).reshape(-1, 2)
        path = np.concatenate([path[:1], cut, path[-1:]])
    return path


def _extent(paths: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], float]:
    corners = np.concatenate(paths)
    low, high = corners.min(axis=0), corners.max(axis=0)
    return (low + high) / 2, float((high - low).max()) or 1.0


def _sampled(
    paths: list[NDArray[np.float64]], generator: np.random.Generator
) -> list[NDArray[np.float64]]:
    lengths = [length(path) for path in paths]
    points = generator.uniform(*POINTS) * max(1.0, sum(lengths) / DENSEST)
    shares = points * np.array(lengths) / (sum(lengths) or 1.0)
    counts = np.maximum(shares.astype(int), 4)
    return [resampled(path, count) for path, count in zip(paths, counts.tolist(), strict=True)]


def _bent(
    strokes: list[NDArray[np.float64]], generator: np.random.Generator
) -> list[NDArray[np.float64]]:
    """All strokes moved by the same two slow waves, so that what met still meets."""
    waves = generator.uniform(-5, 5, (2, 2))
    phases = generator.uniform(0, 2 * np.pi, 2)
    amplitudes = generator.uniform(0, DISTORTION, 2)
    return [stroke + amplitudes * np.sin(stroke @ waves + phases) for stroke in strokes]


def _trembling(
    stroke: NDArray[np.float64], wobble: float, generator: np.random.Generator
) -> NDArray[np.float64]:
    noise = generator.normal(0, wobble, (len(stroke) + len(_TREMOR) - 1, 2))
    return stroke + np.stack([np.convolve(noise[:, axis], _TREMOR, "valid") for axis in (0, 1)], 1)


def _turn(generator: np.random.Generator) -> NDArray[np.float64]:
    angle, slant = generator.uniform(-1, 1, 2) * (TURN, SLANT)
    width, height = np.exp(generator.uniform(-STRETCH, STRETCH, 2))
    cosine, sine = np.cos(angle), np.sin(angle)
    stretch = np.array([[width, 0.0], [-slant, height]])
    return stretch @ np.array([[cosine, sine], [-sine, cosine]])
