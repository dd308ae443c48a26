"""PNG files in base64, as programs send them: pictures, and what only claims to be one."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

from numpy.typing import NDArray
from PIL import Image


def encode(image: Image.Image | NDArray[Any]) -> str:
    """A PNG in base64."""
    png = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(png, "PNG")
    return base64.b64encode(png.getvalue()).decode()


def chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def bomb(width: int, height: int) -> str:
    """A small file that claims to be a large picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000), 9)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + content).decode()
