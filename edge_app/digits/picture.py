"""Pictures of digits from outside: PNGs in base64, checked before use."""

from __future__ import annotations

import base64
import binascii
import io
import struct
import threading

import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from edge_app.errors import UserError

MAX_SIDE = 2000
"""Largest width and height; a few kilobytes of PNG can claim more pixels than memory holds."""
OPAQUE = 128
"""A border whose median opacity is below this, of 255, counts as transparent."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError),
    *(struct.error, IndexError, KeyError, TypeError),
)
"""What Pillow raises; the second row if a chunk after the pixels is too short."""
_one_at_a_time = threading.Lock()


class PictureError(UserError):
    """A picture that cannot be read."""


def parse_picture(image: object) -> NDArray[np.uint8]:
    """Read a picture and tell ink from paper.

    The border shows the paper; ink is what differs from it: dark on bright, or bright on dark. If
    the border is transparent, everything opaque is ink.

    Args:
        image: a PNG in base64, alone or as a ``data:`` URL.

    Returns:
        uint8 (height, width), paper 0 and ink up to 255, as
        :func:`edge_app.digits.normalization.normalize` takes it.

    Raises:
        PictureError: anything else was given.
    """
    content = _decode(image)
    if not content.startswith(_SIGNATURE):
        raise PictureError("The image is not a PNG; expected a PNG in base64.")
    # One at a time: many large pictures sent at once need no more memory than one.
    with _one_at_a_time:
        try:
            brightness, opacity = _read(content)
        except _DAMAGE as error:
            raise PictureError("The image is a damaged PNG; send it again.") from error
        return _ink(brightness, opacity)


def _decode(image: object) -> bytes:
    if not isinstance(image, str):
        raise PictureError(
            f"The image is of type {type(image).__name__}; expected a PNG in base64."
        )
    text = image.partition(",")[2] if image.startswith("data:") else image
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PictureError("The image is not base64; expected a PNG in base64.") from error


def _read(content: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Brightness and opacity, each uint8 (height, width)."""
    with PngImageFile(io.BytesIO(content)) as png:  # Reads the header; no pixel is decoded yet.
        width, height = png.size
        if not 1 <= min(png.size) <= max(png.size) <= MAX_SIDE:
            raise PictureError(
                f"The image has {width:,} by {height:,} pixels; expected at most {MAX_SIDE:,} "
                "per side. Send a smaller one."
            )
        if png.mode.startswith("I"):  # 16 bits of grey.
            brightness = (np.asarray(png) >> 8).astype(np.uint8)
            return brightness, np.full_like(brightness, 255)
        pixels = np.asarray(png.convert("RGBA").convert("LA"))
    return pixels[..., 0], pixels[..., 1]


def _ink(brightness: NDArray[np.uint8], opacity: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if np.median(_border(opacity)) < OPAQUE:
        return opacity
    opaque = opacity.min() == 255
    paper = int(np.median(_border(brightness)))
    # 8 bits throughout: a large picture takes one more byte per pixel, not eight.
    ink = (
        np.subtract(paper, np.minimum(brightness, paper), dtype=np.uint8)
        if paper >= 128
        else np.maximum(brightness, paper) - np.uint8(paper)
    )
    return ink if opaque else (ink.astype(np.uint16) * opacity // 255).astype(np.uint8)


def _border(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
