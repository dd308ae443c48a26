"""Pictures from outside: what is ink in them, and what is refused."""

from __future__ import annotations

import base64
import io
import re
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import NORMALIZATIONS, normalize
from edge_app.digits.picture import MAX_SIDE, PictureError, parse_picture
from png import bomb, chunk, encode


@pytest.fixture(scope="module")
def seven(test_set: Digits) -> NDArray[np.uint8]:
    """MNIST's first test image: bright on dark, with a border without ink."""
    return test_set.images[0]


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P"])
@pytest.mark.parametrize("inverted", [False, True])
def test_bright_on_dark_and_dark_on_bright_are_the_same_however_they_are_stored(
    seven: NDArray[np.uint8], mode: str, *, inverted: bool
) -> None:
    image = Image.fromarray(255 - seven if inverted else seven).convert(mode)
    assert (parse_picture(encode(image)) == seven).all()


def test_one_bit_and_sixteen_bits_are_read(seven: NDArray[np.uint8]) -> None:
    deep = seven.astype(np.uint16) * 256 + 7
    assert (parse_picture(encode(deep)) == seven).all()
    assert (parse_picture(encode(0xFFFF - deep)) == seven).all()
    one_bit = Image.fromarray(seven).point(lambda value: 255 * (value > 127), mode="1")
    assert (parse_picture(encode(one_bit)) == 255 * (seven > 127)).all()


def test_on_a_transparent_ground_everything_else_is_ink(seven: NDArray[np.uint8]) -> None:
    for colour in ((0, 0, 96), (255, 255, 255)):
        pixels = np.dstack([np.full_like(seven, level) for level in colour] + [seven])
        assert (parse_picture(encode(pixels)) == seven).all()
    png = io.BytesIO()
    Image.fromarray(seven // 128).convert("P").save(png, "PNG", transparency=0)
    assert (parse_picture(base64.b64encode(png.getvalue()).decode()) == 255 * (seven // 128)).all()


def test_holes_in_an_opaque_paper_are_paper(seven: NDArray[np.uint8]) -> None:
    pixels = np.dstack([255 - seven] * 3 + [np.full_like(seven, 255)])
    pixels[10:14, 10:14, 3] = 0
    expected = seven.copy()
    expected[10:14, 10:14] = 0
    assert (parse_picture(encode(pixels)) == expected).all()


@pytest.mark.parametrize(("paper", "ink"), [(240, 40), (30, 220)])
def test_paper_need_not_be_white_or_black(paper: int, ink: int, seven: NDArray[np.uint8]) -> None:
    pixels = np.round(paper + (ink - paper) * (seven / 255)).astype(np.uint8)
    found = parse_picture(encode(pixels))
    assert not found[seven == 0].any()
    assert found.max() == abs(paper - ink)
    for normalization in NORMALIZATIONS:
        difference = normalize(found, normalization).astype(int) - normalize(seven, normalization)
        assert np.abs(difference).max() <= 6


@pytest.mark.parametrize("level", [0, 200])
def test_an_empty_picture_has_no_ink(level: int) -> None:
    assert not parse_picture(encode(np.full((9, 7), level, np.uint8))).any()
    assert not parse_picture(encode(np.full((9, 7, 4), 0, np.uint8))).any()


def test_the_forms_of_base64_that_there_are(seven: NDArray[np.uint8]) -> None:
    text = encode(seven)
    lines = "\n".join(re.findall(".{1,76}", text)) + "\n"
    for form in (lines, f"data:image/png;base64,{text}"):
        assert (parse_picture(form) == seven).all()


@pytest.mark.parametrize("shape", [(1, 1), (MAX_SIDE, MAX_SIDE)])
def test_any_size_up_to_the_bound_is_read(shape: tuple[int, int]) -> None:
    assert parse_picture(encode(np.zeros(shape, np.uint8))).shape == shape


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        ({"path": "/etc/hostname"}, "The image is of type dict; expected a PNG in base64."),
        ("é", "The image is not base64; expected a PNG in base64."),
        ("abc", "The image is not base64; expected a PNG in base64."),
        ("data:image/png;base64", "The image is not a PNG; expected a PNG in base64."),
        ("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=", "The image is not a PNG; expected"),
        ("iVBORw0KGgo=", "The image is a damaged PNG; send it again."),
        (bomb(MAX_SIDE + 1, 1), "The image has 2,001 by 1 pixels; expected at most 2,000 per"),
        (bomb(1, MAX_SIDE + 1), "The image has 1 by 2,001 pixels; expected at most 2,000 per"),
        (bomb(50_000, 50_000), "The image has 50,000 by 50,000 pixels; expected at most 2,000 per"),
        (bomb(0, 10), "The image "),
        (bomb(2000, 2000), "The image is a damaged PNG; send it again."),
    ],
    ids=lambda value: str(value)[:30],
)
def test_anything_else_is_refused_with_a_sentence(image: object, sentence: str) -> None:
    with pytest.raises(PictureError, match=f"^{sentence}"):
        parse_picture(image)


def test_damage_anywhere_is_read_or_refused(seven: NDArray[np.uint8]) -> None:
    """Each byte in turn, also with chunks' checks made right again; the file cut off at each; and
    chunks behind the pixels that are too short, which Pillow reads when it is asked for pixels."""
    good = base64.b64decode(encode(seven))
    start, end = good.index(b"IDAT"), good.index(b"IEND") - 4
    length = int.from_bytes(good[start - 4 : start], "big")
    damaged = [good[:position] for position in range(8, len(good), 3)]
    for position in range(8, len(good), 3):
        changed = bytearray(good)
        changed[position] ^= 0xA5
        if start + 4 <= position < start + 4 + length:
            check = zlib.crc32(changed[start : start + 4 + length])
            changed[start + 4 + length : start + 8 + length] = check.to_bytes(4, "big")
        damaged.append(bytes(changed))
    for kind in (b"gAMA", b"cHRM", b"pHYs", b"tRNS", b"iCCP", b"sRGB", b"zTXt", b"iTXt", b"fcTL"):
        short = (b"", b"\0", b"\0\1\2", b"x\0", b"x\0\0")
        damaged += [good[:end] + chunk(kind, content) + good[end:] for content in short]
    refused = 0
    for content in damaged:
        try:
            assert parse_picture(base64.b64encode(content).decode()).shape == (28, 28)
        except PictureError:
            refused += 1
    assert refused > len(damaged) / 2
