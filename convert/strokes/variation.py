"""Variation: drawn digits as other people would have drawn them, to train on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from convert.strokes.geometry import Strokes, fitted, length, resampled, rounded, turned
from convert.strokes.styles import restyled
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
    """The digit always a little out of shape, sometimes in another style or with another pointer.

    Normalization takes out slant, place and size, but not that bars run up or down.
    """
    return warped(pointed(restyled(strokes, digit, generator), generator), generator)


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


def _mouse(strokes: Strokes, generator: np.random.Generator) -> Strokes:
    """Few points, none of them quite in its place, with straight lines between them."""
    step = generator.uniform(0.06, 0.2)
    wobble = generator.uniform(0.05, 0.13) * step
    return [line + generator.normal(0, wobble, line.shape) for line in _spaced(strokes, step)]


def _finger(strokes: Strokes, generator: np.random.Generator) -> Strokes:
    """Corners rounded off and small turns lost."""
    step = generator.uniform(0.1, 0.18)
    return [rounded(line) if len(line) > 1 else line for line in _spaced(strokes, step)]


def _spaced(strokes: Strokes, step: float) -> Strokes:
    """Strokes whose points are about a step apart; the drawing's longer side is 1 after it."""
    return [resampled(line, 2 + round(length(line) / step)) for line in fitted(strokes)]


POINTERS: dict[str, tuple[float, Callable[[Strokes, np.random.Generator], Strokes]]] = {
    "mouse": (0.08, _mouse),
    "finger": (0.08, _finger),
}
"""What digits are drawn with other than a pen: how often, and what it makes of their strokes."""


def pointed(strokes: Strokes, generator: np.random.Generator) -> Strokes:
    """The drawing, sometimes as if by a mouse or a finger: mostly the very same strokes."""
    chance = generator.random()
    for share, change in POINTERS.values():
        chance -= share
        if chance < 0:
            return change(strokes, generator)
    return strokes


def _dense(line: NDArray[np.float64]) -> NDArray[np.float64]:
    if not 1 < len(line) < FEWEST_POINTS:
        return line
    places = np.arange(len(line))
    at = np.linspace(0, len(line) - 1, 4 * len(line))
    return np.stack([np.interp(at, places, axis) for axis in line.T], axis=1)
