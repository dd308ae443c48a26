"""Pictures: what the tabs show pixel by pixel, as PNG files in base64."""

from __future__ import annotations

import io
from base64 import b64encode
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_FOR, _NEITHER, _AGAINST = (8, 48, 120), (168, 170, 174), (255, 196, 60)
"""Red, green and blue. The colour-blind tell blue from yellow, and in grey one is dark, the other
bright."""
_LEVELS = 16
"""Steps from grey to the full colour, which keep the files small."""
_REMEMBERED = 512
"""Pictures that are encoded only once: those of ten models."""


def ink(pixels: NDArray[np.uint8]) -> str:
    """A picture of ink, uint8 (28, 28), white on black as the models see it."""
    return _png(pixels.tobytes(), *pixels.shape, "L")


def signed(values: NDArray[np.floating[Any]], most: float) -> str:
    """A picture of values, (28, 28): blue where positive, yellow where negative.

    Args:
        most: above 0; values at this distance from 0 get the full colour.
    """
    levels = np.rint(_LEVELS * (1 + np.clip(values / most, -1, 1))).astype(np.uint8)
    return _png(levels.tobytes(), *levels.shape, "P")


def _colours() -> bytes:
    """The palette: a colour for each level, from the most negative to the most positive."""
    parts = np.linspace(-1, 1, 2 * _LEVELS + 1)[:, None]
    full = np.where(parts > 0, _FOR, _AGAINST)
    colours = _NEITHER + np.abs(parts) * (full - np.array(_NEITHER))
    return np.rint(colours).astype(np.uint8).tobytes()


@lru_cache(_REMEMBERED)
def _png(pixels: bytes, height: int, width: int, mode: str) -> str:
    file = io.BytesIO()
    image = Image.frombytes(mode, (width, height), pixels)
    if mode == "P":
        image.putpalette(_colours())
    image.save(file, "PNG")
    return b64encode(file.getvalue()).decode()
