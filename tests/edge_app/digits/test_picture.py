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


@pytest.fixture(scope="module")
def coloured(seven: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same ink, as the opacity of a dark blue."""
    colour = np.broadcast_to(np.array([0, 0, 96], np.uint8), (28, 28, 3))
    return np.dstack([colour, seven])


def test_bright_on_dark_and_dark_on_bright_are_the_same(seven: NDArray[np.uint8]) -> None:
    assert (parse_picture(encode(seven)) == seven).all()
    assert (parse_picture(encode(255 - seven)) == seven).all()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
@pytest.mark.parametrize("inverted", [False, True])
def test_grey_is_grey_however_it_is_stored(
    seven: NDArray[np.uint8], mode: str, *, inverted: bool
) -> None:
    image = Image.fromarray(255 - seven if inverted else seven).convert(mode)
    assert (parse_picture(encode(image)) == seven).all()


def test_a_palette_one_bit_and_sixteen_bits_are_read(seven: NDArray[np.uint8]) -> None:
    deep = seven.astype(np.uint16) * 256 + 7
    assert (parse_picture(encode(deep)) == seven).all()
    assert (parse_picture(encode(0xFFFF - deep)) == seven).all()
    one_bit = Image.fromarray(seven).point(lambda value: 255 * (value > 127), mode="1")
    assert (parse_picture(encode(one_bit)) == 255 * (seven > 127)).all()
    palette = Image.fromarray(seven).convert("P")
    assert (parse_picture(encode(palette)) == seven).all()


def test_on_a_transparent_ground_everything_else_is_ink(
    seven: NDArray[np.uint8], coloured: NDArray[np.uint8]
) -> None:
    assert (parse_picture(encode(coloured)) == seven).all()
    white = coloured.copy()
    white[..., :3] = 255
    assert (parse_picture(encode(white)) == seven).all()
    palette = Image.fromarray(seven // 128).convert("P")
    png = io.BytesIO()
    palette.save(png, "PNG", transparency=0)
    assert (parse_picture(base64.b64encode(png.getvalue()).decode()) == 255 * (seven // 128)).all()


def test_holes_in_an_opaque_paper_are_paper(seven: NDArray[np.uint8]) -> None:
    pixels = np.dstack([255 - seven] * 3 + [np.full_like(seven, 255)])
    pixels[10:14, 10:14, 3] = 0
    ink = parse_picture(encode(pixels))
    assert not ink[10:14, 10:14].any()
    expected = seven.copy()
    expected[10:14, 10:14] = 0
    assert (ink == expected).all()


@pytest.mark.parametrize(("paper", "ink"), [(240, 40), (30, 220)])
def test_paper_need_not_be_white_or_black(paper: int, ink: int, seven: NDArray[np.uint8]) -> None:
    pixels = np.round(paper + (ink - paper) * (seven / 255)).astype(np.uint8)
    found = parse_picture(encode(pixels))
    assert not found[seven == 0].any()
    assert found.max() == abs(paper - ink)
    for normalization in NORMALIZATIONS:
        difference = normalize(found, normalization).astype(int) - normalize(seven, normalization)
        assert np.abs(difference).max() <= 6


@pytest.mark.parametrize("level", [0, 90, 200, 255])
def test_an_empty_picture_has_no_ink(level: int) -> None:
    assert not parse_picture(encode(np.full((9, 7), level, np.uint8))).any()
    assert not parse_picture(encode(np.full((9, 7, 4), 0, np.uint8))).any()


def test_the_forms_of_base64_that_there_are(seven: NDArray[np.uint8]) -> None:
    text = encode(seven)
    lines = "\n".join(re.findall(".{1,76}", text)) + "\n"
    for form in (lines, f"data:image/png;base64,{text}"):
        assert (parse_picture(form) == seven).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, MAX_SIDE), (MAX_SIDE, 1), (MAX_SIDE, MAX_SIDE)])
def test_any_size_up_to_the_bound_is_read(shape: tuple[int, int]) -> None:
    assert parse_picture(encode(np.zeros(shape, np.uint8))).shape == shape


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (7, "The image is of type int; expected a PNG in base64."),
        ({"path": "/etc/hostname"}, "The image is of type dict; expected a PNG in base64."),
        ("", "The image is no PNG; expected a PNG in base64."),
        ("é", "The image is no base64; expected a PNG in base64."),
        ("abc", "The image is no base64; expected a PNG in base64."),
        ("data:image/png;base64", "The image is no PNG; expected a PNG in base64."),
        ("/etc/hostname===", "The image is no base64; expected a PNG in base64."),
        ("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=", "The image is no PNG; expected"),
        ("iVBORw0KGgo=", "The image is a damaged PNG; send it again."),
        (bomb(MAX_SIDE + 1, 1), "The image has 2,001 by 1 pixels; expected at most 2,000 a side."),
        (bomb(1, MAX_SIDE + 1), "The image has 1 by 2,001 pixels; expected at most 2,000 a side."),
        (bomb(50_000, 50_000), "The image has 50,000 by 50,000 pixels; expected at most 2,000 a"),
        (bomb(0, 10), "The image "),
        (bomb(2000, 2000), "The image is a damaged PNG; send it again."),
    ],
    ids=lambda value: str(value)[:30],
)
def test_anything_else_is_refused_with_a_sentence(image: object, sentence: str) -> None:
    with pytest.raises(PictureError) as refused:
        parse_picture(image)
    assert str(refused.value).startswith(sentence)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_chunk_behind_the_pixels_that_is_too_short_is_read_or_refused(
    seven: NDArray[np.uint8], mode: str
) -> None:
    """Pillow reads those when the pixels are asked for."""
    whole = base64.b64decode(encode(Image.fromarray(seven).convert(mode)))
    end = whole.index(b"IEND") - 4
    refused = 0
    for kind in (b"gAMA", b"cHRM", b"pHYs", b"tRNS", b"iCCP", b"sRGB", b"zTXt", b"iTXt", b"fcTL"):
        for content in (b"", b"\0", b"\0\1\2", b"x\0", b"x\0\0"):
            damaged = whole[:end] + chunk(kind, content) + whole[end:]
            try:
                assert parse_picture(base64.b64encode(damaged).decode()).shape == (28, 28)
            except PictureError as error:
                assert str(error) == "The image is a damaged PNG; send it again."  # noqa: PT017
                refused += 1
    assert refused


def test_damage_anywhere_is_read_or_refused(seven: NDArray[np.uint8]) -> None:
    """Each byte in turn, also with chunks' checks made right again."""
    good = base64.b64decode(encode(seven))
    start = good.index(b"IDAT")
    for position in range(8, len(good), 3):
        damaged = bytearray(good)
        damaged[position] ^= 0xA5
        length = int.from_bytes(good[start - 4 : start], "big")
        if start + 4 <= position < start + 4 + length:
            check = zlib.crc32(damaged[start : start + 4 + length])
            damaged[start + 4 + length : start + 8 + length] = check.to_bytes(4, "big")
        for content in (damaged, good[:position]):
            try:
                assert parse_picture(base64.b64encode(content).decode()).shape == (28, 28)
            except PictureError as error:
                assert str(error)  # noqa: PT017 - Any other error fails the test.
