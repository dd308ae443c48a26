"""Variation: drawn digits as other people would have drawn them, to train on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convert.strokes.geometry import Strokes, bounds, fitted, length, turned
from edge_app.digits.labelled import LabelledDrawing

TURN = 0.12
"""Standard deviation of the angle by which a digit is turned, in radians."""
STRETCH = 0.15
"""Standard deviation of the logarithm of the factor that makes it wider or narrower."""
BEND = 0.035
"""Standard deviation of the height of each wave that bends it, as a fraction of its longer side."""
SLIP = 0.015
"""Standard deviation of how far each stroke is out of place, as a fraction of the longer side."""
WAVES = 3
"""How many waves bend it in each direction."""
FREQUENCY = 4.0
"""Standard deviation of the waves' frequency, in radians per longer side."""
FEWEST_POINTS = 12
"""A stroke with fewer points gets more of them, so that its straight parts bend too."""


def varied(strokes: Strokes, digit: int, generator: np.random.Generator) -> Strokes:
    """The digit always a little out of shape and sometimes in another style.

    Normalization takes out slant, place and size, but not that bars run up or down.
    """
    return warped(restyled(strokes, digit, generator), generator)


def warped(strokes: Strokes, generator: np.random.Generator) -> Strokes:
    """Strokes turned, stretched, bent and slipped at random; the longer side was 1 before."""
    fit = fitted(strokes)
    angle, width = generator.normal(0, TURN), np.exp(generator.normal(0, STRETCH))
    turn = turned(np.eye(2), angle) * (width, 1.0)
    waves = generator.normal(0, FREQUENCY, (2, WAVES, 2))
    phases = generator.uniform(0, 2 * np.pi, (2, WAVES))
    heights = generator.normal(0, BEND, (2, WAVES))
    result = []
    for line in map(_dense, fit):
        # (2, waves, 2) times (2, points): each axis' waves at each point, and their sum.
        bend = (heights[..., None] * np.sin(waves @ line.T + phases[..., None])).sum(axis=1)
        result.append((line + bend.T + generator.normal(0, SLIP, 2)) @ turn)
    return result


def restyled(strokes: Strokes, digit: int, generator: np.random.Generator) -> Strokes:
    """The digit, sometimes with strokes that many people add and few of MNIST's and UCI's do."""
    chance = generator.random()
    if digit == 0 and chance < 0.12:
        return [*strokes, _slash(strokes, generator)]
    if digit == 7 and chance < 0.15 and len(strokes) == 1:
        return [*strokes, _bar(strokes, generator)]
    width, height = np.ptp(np.concatenate(strokes), axis=0)
    if digit == 1 and width < 0.35 * height:
        flags = [_flag(strokes, generator)] if chance < 0.25 else []
        bases = [_base(strokes, generator)] if 0.15 < chance < 0.32 else []
        return [*strokes, *flags, *bases]
    return strokes


def uncrossed(drawing: LabelledDrawing) -> LabelledDrawing | None:
    """A crossed 7 without its bar; None for anything else.

    Nearly all of UCI's writers cross their 7s and put a flag on their 1s. A model that learns
    from them alone takes a plain 7 drawn with a pen for a 1.
    """
    if drawing.label != 7 or len(drawing.strokes) < 2:
        return None
    whole = np.ptp(np.concatenate(drawing.strokes), axis=0)
    longest = max(drawing.strokes, key=length)
    # Where top and stem are separate strokes, neither is a 7.
    if (np.ptp(longest, axis=0) < (0.6, 0.85) * whole).any():
        return None
    return drawing._replace(strokes=[longest])


def _slash(strokes: Strokes, generator: np.random.Generator) -> NDArray[np.float64]:
    """Through a 0, mostly from the upper right to the lower left, inside it or beyond."""
    low, high = bounds(strokes)
    size = high - low
    reach = generator.uniform(0.35, 0.75)
    half = size * (1.3 * reach * generator.uniform(0.2, 0.6), -0.8 * reach)
    if generator.random() < 0.1:
        half = half * (-1, 1)
    middle = (low + high) / 2 + generator.normal(0, 0.04, 2) * size
    return np.stack([middle + half, middle - half])


def _bar(strokes: Strokes, generator: np.random.Generator) -> NDArray[np.float64]:
    """Across a 7's stem."""
    points = np.concatenate([_dense(stroke) for stroke in strokes])
    low, high = bounds(strokes)
    width, height = high - low
    level = low[1] + height * generator.uniform(0.4, 0.6)
    x, y = points[np.abs(points[:, 1] - level).argmin()]
    reach = generator.uniform(0.2, 0.4) * max(width, 0.4 * height)
    tilt = generator.normal(0, 0.08) * height
    return np.array([(x - reach, y + tilt), (x + reach * generator.uniform(0.7, 1.2), y - tilt)])


def _flag(strokes: Strokes, generator: np.random.Generator) -> NDArray[np.float64]:
    """From a 1's top down to the left."""
    points = np.concatenate(strokes)
    top = points[points[:, 1].argmin()]
    angle = generator.uniform(0.5, 1.1)
    reach = generator.uniform(0.12, 0.35) * np.ptp(points[:, 1])
    return np.stack([top, top + reach * np.array([-np.sin(angle), np.cos(angle)])])


def _base(strokes: Strokes, generator: np.random.Generator) -> NDArray[np.float64]:
    """A bar under a 1."""
    points = np.concatenate(strokes)
    x, y = points[points[:, 1].argmax()]
    height = np.ptp(points[:, 1])
    reach = generator.uniform(0.12, 0.35) * height
    tilt = generator.normal(0, 0.03) * height
    return np.array([(x - reach, y + tilt), (x + reach * generator.uniform(0.7, 1.2), y - tilt)])


def _dense(line: NDArray[np.float64]) -> NDArray[np.float64]:
    if not 1 < len(line) < FEWEST_POINTS:
        return line
    places = np.arange(len(line))
    at = np.linspace(0, len(line) - 1, 4 * len(line))
    return np.stack([np.interp(at, places, axis) for axis in line.T], axis=1)
