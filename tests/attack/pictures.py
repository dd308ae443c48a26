"""Pictures: PNGs and JPEGs in base64, real and large ones, damaged ones, and bombs."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from functools import cache
from itertools import product
from random import Random
from typing import Any

from PIL import Image, ImageDraw

from png import bomb, chunk, encode

SIDE = 2000
"""The largest that the app reads."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PROGRESSIVE: dict[str, Any] = {"progressive": True}
_SCAN = b"\xff\xda\0\x08\1\1\0\0\x3f\0"
"""A scan of a JPEG without pixels."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type."""
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""Adam7: where each pass of an interlaced picture begins, and its steps."""


@cache
def large() -> tuple[str, ...]:
    """The largest pictures in all forms that fit into a request."""
    colours = [(0, 1), (0, 8), (0, 16), (2, 8), (2, 16), (3, 8), (4, 8), (4, 16), (6, 8), (6, 16)]
    return tuple(
        plain(SIDE, SIDE, depth, colour, interlaced)
        for (colour, depth), interlaced in product(colours, (0, 1))
    )


@cache
def drawn() -> tuple[str, ...]:
    """Digits of a kind, from 20 pixels to the largest."""
    return tuple(
        encode(_drawn(mode, side))
        for mode, side in product(("1", "L", "P", "RGB", "RGBA", "LA"), (20, 90, 400, SIDE))
    )


@cache
def photos() -> tuple[str, ...]:
    """JPEGs: of a line on a sheet, with many specks, and of noise as large as fits."""
    made: list[tuple[Image.Image, dict[str, Any]]] = []
    for mode, side, options in product(("L", "RGB", "CMYK"), (20, 400, SIDE), ({}, _PROGRESSIVE)):
        made.append((_drawn(mode, side), options))
    specks = Image.new("L", (SIDE, SIDE), 255)
    for x, y in product(range(5, SIDE, 40), repeat=2):
        specks.putpixel((x, y), 0)
    noise = Image.effect_noise((300, 300), 200)
    made += [(specks, {}), (noise, {}), (noise.resize((SIDE, SIDE)), {"quality": 5})]
    texts = []
    for image, options in made:
        content = io.BytesIO()
        image.save(content, "JPEG", **options)
        texts.append(base64.b64encode(content.getvalue()).decode())
    return tuple(text for text in texts if len(text) < 65_000)


def prepare() -> None:
    """Make the pictures before clients ask for them, all at once."""
    large()
    drawn()
    photos()


def valid(random: Random, most: int = 400) -> str:
    """A picture with a line in it; its largest side is at most ``most``."""
    sides = 1 + (most > 20) + (most > 90) + (most > 400)
    kinds = len(drawn()) // 4
    return drawn()[4 * random.randrange(kinds) + random.randrange(min(sides, 4))]


def hostile(random: Random) -> str:
    """A picture that is damaged, lies about its size, or is as large as can be."""
    choice = random.random()
    if choice < 0.02:
        return random.choice(large())
    if choice < 0.05:
        side = random.choice([2000, 2001, 30_000, 2**31 - 1])
        return bomb(side, random.choice([1, 2000, side]))
    if choice < 0.1:
        depth, colour = random.choice([1, 2, 4, 8, 16, 3]), random.choice([0, 2, 3, 4, 6, 1])
        width, height = random.choice([1, 7, 100]), random.choice([0, 1, 3, 100])
        return plain(width, height, depth, colour, random.randrange(3))
    if choice < 0.2:
        text = valid(random, 90)
        return random.choice(
            [text[:-3], "data:image/png;base64," + text, text + "=", "é", "\0", " "]
        )
    content = bytearray(base64.b64decode(valid(random, 90)))
    if choice < 0.4:
        del content[random.randrange(len(content)) :]
    elif choice < 0.5:
        content = _with_odd_chunk(random, content)
    else:
        for _ in range(random.randint(1, 4)):
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    return base64.b64encode(content).decode()


def hostile_photo(random: Random) -> str:
    """The same, or a JPEG that is damaged, or has a scan after the other."""
    choice = random.random()
    if choice < 0.3:
        return hostile(random)
    content = bytearray(base64.b64decode(random.choice(photos())))
    if choice < 0.5:
        del content[random.randrange(len(content)) :]
    elif choice < 0.6:
        content[-2:] = _SCAN * random.choice([1, 40, 4000])
    elif choice < 0.9:
        for _ in range(random.randint(1, 4)):
            content[random.randrange(min(len(content), 700))] ^= 1 << random.randrange(8)
    return base64.b64encode(content).decode()


def plain(width: int, height: int, depth: int, colour: int, interlaced: int) -> str:
    """A picture of zeros, made by hand because Pillow does not write all forms."""
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    bits = depth * _CHANNELS.get(colour, 1)
    size = 0
    for x, y, step_x, step_y in passes:
        columns, rows = -(-(width - x) // step_x), -(-(height - y) // step_y)
        size += max(0, rows) * (1 + -(-max(0, columns) * bits // 8)) if columns > 0 else 0
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    palette = chunk(b"PLTE", bytes(768)) if colour == 3 else b""
    pixels = chunk(b"IDAT", zlib.compress(bytes(size), 9))
    content = _SIGNATURE + chunk(b"IHDR", header) + palette + pixels + chunk(b"IEND", b"")
    return base64.b64encode(content).decode()


def _drawn(mode: str, side: int) -> Image.Image:
    image = Image.new("L", (side, side), 255)
    line = [(side * 0.3, side * 0.2), (side * 0.7, side * 0.2), (side * 0.4, side * 0.8)]
    ImageDraw.Draw(image).line(line, fill=0, width=max(1, side // 12))
    return image.convert(mode)


def _with_odd_chunk(random: Random, content: bytearray) -> bytearray:
    """With a chunk of metadata that Pillow reads, before the pixels or after them."""
    kind = random.choice(
        [
            b"tRNS",
            b"gAMA",
            b"iCCP",
            b"tEXt",
            b"zTXt",
            b"iTXt",
            b"eXIf",
            b"acTL",
            b"fcTL",
            b"pHYs",
            b"sRGB",
            b"cHRM",
        ]
    )
    bombed = b"a\0\0" + zlib.compress(bytes(5_000_000), 9)
    odd = chunk(kind, random.choice([b"", random.randbytes(random.randint(1, 40)), bombed]))
    place = 33 if random.random() < 0.5 else len(content) - 12  # After IHDR, or before IEND.
    return content[:place] + odd + content[place:]
