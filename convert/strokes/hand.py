"""A hand: turns straight, even paths into strokes as somebody would draw them on a canvas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from convert.strokes.geometry import Strokes, fitted, length, resampled, turned

POINTS = (30, 80)
"""The fewest and the most points that a drawing is sampled at, as a pointer reports them."""
DENSEST = 9.0
"""A drawing whose strokes are longer than this many times its size gets proportionally more."""
SIZE = 200.0
"""Longer side of a drawing, in units of the page's canvas, before it is turned and slanted."""

TURN = np.radians(8)
"""The largest angle by which a drawing is turned, in radians."""
SLANT = 0.2
"""The largest slant, in units across per unit down."""
STRETCH = 0.2
"""The largest change of the logarithm of width and of height."""
DISTORTION = 0.035
"""The largest amplitude of the waves that bend a whole drawing, as a fraction of its size."""
WOBBLE = 0.009
"""The largest standard deviation of the hand's tremor, as a fraction of the drawing's size."""

_TREMOR = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / np.sqrt(19.0)
"""Smooths white noise along a stroke and keeps its standard deviation."""


def drawn(paths: Sequence[NDArray[np.float64]], generator: np.random.Generator) -> Strokes:
    """Draw paths by hand: sampled, bent, turned, slanted and trembling.

    Args:
        paths: the corners of each stroke, float64 (corners, 2), y down, any scale. One corner is
            a dot.
        generator: decides everything that is random.

    Returns:
        The points of each stroke, float64 (points, 2), around 0.
    """
    strokes = _sampled(fitted(paths), generator)
    wobble = generator.uniform(0.2, 1) * WOBBLE
    angle, slant = generator.uniform(-1, 1, 2) * (TURN, SLANT)
    width, height = np.exp(generator.uniform(-STRETCH, STRETCH, 2))
    turn = turned(np.array([[width, 0.0], [-slant, height]]), angle) * SIZE
    return [_trembling(each, wobble, generator) @ turn for each in _bent(strokes, generator)]


def _sampled(paths: Strokes, generator: np.random.Generator) -> Strokes:
    lengths = [length(path) for path in paths]
    points = generator.uniform(*POINTS) * max(1.0, sum(lengths) / DENSEST)
    shares = points * np.array(lengths) / (sum(lengths) or 1.0)
    counts = np.maximum(shares.astype(int), 4)
    return [resampled(path, count) for path, count in zip(paths, counts.tolist(), strict=True)]


def _bent(strokes: Strokes, generator: np.random.Generator) -> Strokes:
    """Move all strokes by the same two slow waves, so that strokes that met still meet."""
    waves = generator.uniform(-5, 5, (2, 2))
    phases = generator.uniform(0, 2 * np.pi, 2)
    amplitudes = generator.uniform(0, DISTORTION, 2)
    return [stroke + amplitudes * np.sin(stroke @ waves + phases) for stroke in strokes]


def _trembling(
    stroke: NDArray[np.float64], wobble: float, generator: np.random.Generator
) -> NDArray[np.float64]:
    noise = generator.normal(0, wobble, (len(stroke) + len(_TREMOR) - 1, 2))
    return stroke + np.stack([np.convolve(noise[:, axis], _TREMOR, "valid") for axis in (0, 1)], 1)
