"""Variation: drawn digits as other people would have drawn them, to train on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_app.drawings import Drawing

TURN = 0.12
"""Standard deviation of the angle by which a drawing is turned, in radians."""
STRETCH = 0.1
"""Standard deviation of the logarithm by which it is made wider or narrower."""


def turned(drawing: Drawing, generator: np.random.Generator) -> Drawing:
    """The drawing, turned and stretched a little at random.

    Normalization takes out its slant, place and size, but not that its bars run up or down.
    """
    angle = generator.normal(0, TURN)
    cosine, sine = np.cos(angle), np.sin(angle)
    width = np.exp(generator.normal(0, STRETCH))
    turn = np.array([[cosine * width, sine], [-sine * width, cosine]])
    return drawing._replace(strokes=[stroke @ turn for stroke in drawing.strokes])


def uncrossed(drawing: Drawing) -> Drawing | None:
    """A crossed 7 without its bar; None for anything else.

    Nearly everyone among UCI's writers crosses a 7 and puts a flag on a 1. Whoever learns from them
    alone takes a plain 7, drawn with a pen, for a 1.
    """
    if drawing.label != 7 or len(drawing.strokes) < 2:
        return None
    whole = np.ptp(np.concatenate(drawing.strokes), axis=0)
    longest = max(drawing.strokes, key=_length)
    # Where top and stem are strokes of their own, neither is a 7.
    if (np.ptp(longest, axis=0) < (0.6, 0.85) * whole).any():
        return None
    return drawing._replace(strokes=[longest])


def _length(stroke: NDArray[np.float64]) -> float:
    return float(np.hypot(*np.diff(stroke, axis=0).T).sum())
