"""Photos from outside: JPEGs and PNGs in base64, checked before use."""

from __future__ import annotations

import io

import numpy as np
from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from edge_app.digits.picture import (
    DAMAGE,
    SIGNATURE,
    PictureError,
    check_size,
    decode,
    needed,
    read_alone,
)
from edge_app.photos.sheet import Digit, find_digits

LARGEST = 1024
"""The longer side, in pixels, of what is looked at; a larger photo is averaged down."""
MAX_SCANS = 64
"""A progressive JPEG has about ten scans; each takes time however few bytes it has."""

_EXPECTED = "a JPEG or PNG in base64"
_SCAN = b"\xff\xda"
"""The marker of a JPEG's scan, which does not occur within one."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF's orientation, what puts a photo upright."""


def read_photo(image: object) -> list[Digit]:
    """Find the digits on a photo of a sheet.

    Args:
        image: a JPEG or PNG in base64, alone or as a ``data:`` URL; at most 2,000 pixels a side. A
            JPEG is turned as its EXIF data say.

    Returns:
        The first 100 digits in reading order; empty for an empty sheet.

    Raises:
        PictureError: anything else was given.
    """
    content = decode(image, _EXPECTED)
    return read_alone(lambda: find_digits(_parse(content)))


def _parse(content: bytes) -> Image.Image:
    """Of mode "L" or "RGB", at most ``LARGEST`` pixels a side."""
    try:
        if content.startswith(SIGNATURE):
            return _parse_png(needed(content))
        if content.startswith(b"\xff\xd8\xff"):
            return _parse_jpeg(content)
    except DAMAGE as error:
        raise PictureError("The image is damaged; send it again.") from error
    raise PictureError(f"The image is neither a JPEG nor a PNG; expected {_EXPECTED}.")


def _parse_jpeg(content: bytes) -> Image.Image:
    scans = content.count(_SCAN)
    if scans > MAX_SCANS:
        raise PictureError(
            f"The image is a JPEG of {scans:,} scans; expected at most {MAX_SCANS}. "
            "Save it as a plain one."
        )
    with JpegImageFile(io.BytesIO(content)) as jpeg:  # Reads the header; nothing is decoded yet.
        check_size(jpeg.size)
        turned = _TURNS.get(jpeg.getexif().get(ExifTags.Base.Orientation, 1))
        if max(jpeg.size) > LARGEST:  # Half as large is quicker to decode.
            jpeg.draft(None, (-(-jpeg.width // 2), -(-jpeg.height // 2)))
        photo = _smaller(jpeg if jpeg.mode == "L" else jpeg.convert("RGB"))
    return photo if turned is None else photo.transpose(turned)


def _parse_png(content: bytes) -> Image.Image:
    with PngImageFile(io.BytesIO(content)) as png:
        check_size(png.size)
        if png.mode.startswith("I"):  # 16 bits of grey.
            return _smaller(Image.fromarray((np.asarray(png) >> 8).astype(np.uint8)))
        if png.mode in {"L", "RGB"} and "transparency" not in png.info:
            return _smaller(png)
        layer = _smaller(png.convert("RGBA"))
        sheet = Image.new("RGB", layer.size, "white")
        sheet.paste(layer, mask=layer.getchannel("A"))
        return sheet


def _smaller(photo: Image.Image) -> Image.Image:
    factor = -(-max(photo.size) // LARGEST)
    return photo.copy() if factor == 1 else photo.reduce(factor)
