"""Pictures of digits from outside: PNGs in base64, checked before use."""

from __future__ import annotations

import base64
import binascii
import io
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from edge_app.errors import UserError

MAX_SIDE = 2000
"""Largest width and height; a few kilobytes of PNG can claim more pixels than memory holds."""
LARGEST_INK = 512
"""Ink on more pixels a side is averaged down, so that many pictures at once take little memory."""
OPAQUE = 128
"""A border whose median opacity is below this, of 255, counts as transparent."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
"""The chunks that pixels are made of; others hold text, colour profiles or further frames."""
_BAND = 64
"""How many rows are looked at together."""
DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError),
    *(struct.error, IndexError, KeyError, TypeError),
)
"""What Pillow raises; the second row if a chunk is too short."""
_reader = ThreadPoolExecutor(1, "pictures")
"""Reads one picture after the other: many large ones sent at once need no more memory than one, and
a quarter of a megabyte each for what is made of them. A thread of its own, since the C library may
keep the memory that each thread has freed."""


class PictureError(UserError):
    """A picture that cannot be read."""


def parse_picture(image: object) -> NDArray[np.uint8]:
    """Read a picture and tell ink from paper.

    The border shows the paper; ink is what differs from it: dark on bright, or bright on dark. If
    the border is transparent, everything opaque is ink.

    Args:
        image: a PNG in base64, alone or as a ``data:`` URL; at most 2,000 pixels a side.

    Returns:
        uint8 (height, width), paper 0 and ink up to 255, as
        :func:`edge_app.digits.normalization.normalize` takes it; at most 512 pixels a side. Of a
        larger picture the part with ink is returned, averaged down by a whole factor if need be.

    Raises:
        PictureError: anything else was given.
    """
    content = needed(decode(image, "a PNG in base64"))
    return read_alone(lambda: _parse(content))


def read_alone(read: Callable[[], Any]) -> Any:
    """What a function gives that reads a picture, while nothing else reads one."""
    return _reader.submit(read).result()


def decode(image: object, expected: str) -> bytes:
    """The content of base64, alone or as a ``data:`` URL.

    Raises:
        PictureError: it is something else; the sentence says what was expected.
    """
    if not isinstance(image, str):
        raise PictureError(f"The image is of type {type(image).__name__}; expected {expected}.")
    text = image.partition(",")[2] if image.startswith("data:") else image
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PictureError(f"The image is not base64; expected {expected}.") from error


def needed(content: bytes) -> bytes:
    """The PNG without the chunks that its pixels do not need: Pillow would unpack 40 MB of text
    from the largest request.

    Raises:
        PictureError: it is not a PNG.
    """
    if not content.startswith(SIGNATURE):
        raise PictureError("The image is not a PNG; expected a PNG in base64.")
    chunks, at = [SIGNATURE], len(SIGNATURE)
    while at < len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        if content[at + 4 : at + 8] in _NEEDED:
            chunks.append(content[at:end])
        at = end
    return b"".join(chunks)


def _parse(content: bytes) -> NDArray[np.uint8]:
    try:
        return _smaller(_read(content))
    except DAMAGE as error:
        raise PictureError("The image is a damaged PNG; send it again.") from error


def _read(content: bytes) -> NDArray[np.uint8]:
    with PngImageFile(io.BytesIO(content)) as png:  # Reads the header; no pixel is decoded yet.
        check_size(png.size)
        png.load()
        return _ink(png)


def check_size(size: tuple[int, int]) -> None:
    """Refuse a picture of too many pixels.

    Raises:
        PictureError: a side has more than 2,000 of them, or none.
    """
    width, height = size
    if not 1 <= min(size) <= max(size) <= MAX_SIDE:
        raise PictureError(
            f"The image has {width:,} by {height:,} pixels; expected at most {MAX_SIDE:,} "
            "per side. Send a smaller one."
        )


def _ink(png: Image.Image) -> NDArray[np.uint8]:
    """uint8 (height, width)."""
    width, height = png.size
    rims = (0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height)
    border = [_look(png, rim) for rim in (*rims, (width - 1, 0, width, height))]
    paper, opacity = (
        int(np.median(np.concatenate([each.ravel() for each in sides])))
        for sides in zip(*border, strict=True)
    )
    ink = np.empty((height, width), np.uint8)
    # A few rows after the other: each further form of a whole picture would take megabytes.
    for top in range(0, height, _BAND):
        brightness, opaque = _look(png, (0, top, width, min(top + _BAND, height)))
        rows = ink[top : top + _BAND]
        if opacity < OPAQUE:
            rows[:] = opaque
        elif paper >= 128:
            rows[:] = (paper - np.minimum(brightness, paper).astype(np.uint16)) * opaque // 255
        else:
            rows[:] = (np.maximum(brightness, paper).astype(np.uint16) - paper) * opaque // 255
    return ink


def _look(
    png: Image.Image, box: tuple[int, int, int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Brightness and opacity in a part of the picture, each uint8 (height, width)."""
    part = png.crop(box)
    if part.mode.startswith("I"):  # 16 bits of grey.
        brightness = (np.asarray(part) >> 8).astype(np.uint8)
        return brightness, np.full_like(brightness, 255)
    pixels = np.asarray(part.convert("RGBA").convert("LA"))
    return pixels[..., 0], pixels[..., 1]


def _smaller(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The ink, if large cut to the part that is not paper and averaged down."""
    if max(ink.shape) <= LARGEST_INK:
        return ink
    rows, columns = ink.any(axis=1).nonzero()[0], ink.any(axis=0).nonzero()[0]
    if not len(rows):
        return np.zeros((1, 1), np.uint8)
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    factor = -(-max(ink.shape) // LARGEST_INK)
    return ink.copy() if factor == 1 else np.asarray(Image.fromarray(ink).reduce(factor))
