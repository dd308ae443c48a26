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
    parts = np.clip(values / most, -1, 1)[..., None]
    neither = np.array(_NEITHER)
    towards = np.where(parts > 0, np.array(_FOR), np.array(_AGAINST)) - neither
    pixels = np.rint(neither + np.abs(parts) * towards).astype(np.uint8)
    return _png(pixels.tobytes(), *values.shape, "RGB")


@lru_cache(_REMEMBERED)
def _png(pixels: bytes, height: int, width: int, mode: str) -> str:
    file = io.BytesIO()
    Image.frombytes(mode, (width, height), pixels).save(file, "PNG")
    return b64encode(file.getvalue()).decode()
