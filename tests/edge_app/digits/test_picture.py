"""Pictures from outside: what is ink in them, and what is refused."""

from __future__ import annotations

import base64
import io
import re
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import NORMALIZATIONS, normalize
from edge_app.digits.picture import LARGEST_INK, MAX_SIDE, PictureError, parse_picture
from png import bomb, chunk, encode

MANY = """
import ctypes, re, sys, threading
from edge_app.digits.normalization import NORMALIZATIONS, views
from edge_app.digits.picture import parse_picture

ctypes.CDLL(None).mallopt(-1, 131072)  # M_TRIM_THRESHOLD
png = open(sys.argv[1]).read()
views(parse_picture(open(sys.argv[2]).read()), NORMALIZATIONS)

def memory(field):
    return int(re.search(field + r":\\s+(\\d+)", open("/proc/self/status").read())[1])

before = memory("VmRSS")
threads = [
    threading.Thread(target=lambda: views(parse_picture(png), NORMALIZATIONS)) for _ in range(16)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(before, memory("VmHWM"), memory("VmRSS"))
"""


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


@pytest.mark.parametrize("shape", [(1, 1), (LARGEST_INK, 3), (3, LARGEST_INK)])
def test_a_picture_that_is_not_large_is_returned_as_it_is(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(1, 256, shape).astype(np.uint8)
    pixels[0] = pixels[-1] = pixels[:, 0] = pixels[:, -1] = 0
    assert (parse_picture(encode(pixels)) == pixels).all()


@pytest.mark.parametrize("mode", ["1", "L", "RGBA", "I;16"])
def test_of_a_large_picture_the_ink_is_returned_averaged_down(
    seven: NDArray[np.uint8], mode: str
) -> None:
    large = np.zeros((MAX_SIDE, MAX_SIDE), np.uint8)
    large[100:1780, 200:1880] = seven.repeat(60, axis=0).repeat(60, axis=1)
    image = (
        Image.fromarray(large.astype(np.uint16) * 257)
        if mode == "I;16"
        else Image.fromarray(large).convert(mode)
    )
    assert image.mode == mode
    ink = parse_picture(encode(image))
    assert 256 <= max(ink.shape) <= LARGEST_INK
    for normalization in NORMALIZATIONS:
        whole = np.asarray(image.convert("L")) if mode != "I;16" else large
        found, expected = normalize(ink, normalization), normalize(whole, normalization)
        assert np.abs(found.astype(int) - expected).mean() < 3
    assert not parse_picture(encode(np.zeros((MAX_SIDE, MAX_SIDE), np.uint8))).any()


def test_a_small_digit_in_a_large_picture_keeps_its_pixels(seven: NDArray[np.uint8]) -> None:
    large = np.zeros((MAX_SIDE, 700), np.uint8)
    large[1500:1528, 300:328] = seven
    for normalization in NORMALIZATIONS:
        found = normalize(parse_picture(encode(large)), normalization)
        assert (found == normalize(seven, normalization)).all()


def test_what_else_a_file_holds_is_left_out(seven: NDArray[np.uint8]) -> None:
    good = base64.b64decode(encode(seven))
    megabyte = zlib.compress(bytes(2**20 - 1), 9)
    kinds = {b"zTXt": b"t\0\0", b"iTXt": b"t\0\1\0\0\0", b"iCCP": b"t\0\0", b"fdAT": b"\0\0\0\1"}
    for kind, start in {**kinds, b"acTL": b"\0\0\0\2\0\0\0\0"}.items():
        more = b"".join(chunk(kind, start + megabyte) for _ in range(40))
        for at in (33, len(good) - 12):  # Behind the header; before the end.
            text = base64.b64encode(good[:at] + more + good[at:]).decode()
            tracemalloc.start()
            try:
                assert (parse_picture(text) == seven).all()
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            assert peak < 2**20


@pytest.mark.slow
def test_many_large_pictures_at_once_need_no_more_memory_than_one(tmp_path: Path) -> None:
    """In a process of its own, which gives memory back at once, as the app does."""
    large = np.zeros((MAX_SIDE, MAX_SIDE, 4), np.uint8)
    large[200:1800, 950:1050] = 255
    paths = [tmp_path / "large", tmp_path / "small"]
    for path, pixels in zip(paths, (large, large[::100, ::100]), strict=True):
        path.write_text(encode(pixels))
    command = [sys.executable, "-c", MANY, *map(str, paths)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=100)
    before, peak, after = map(int, done.stdout.split())
    assert peak - before < 40 * 1024  # KiB; the pixels of one are 16,000.
    assert after - before < 12 * 1024


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


DEPTHS = {0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]}
"""The depths in bits that each colour type of PNG has."""
KINDS = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND", "gAMA", "iCCP", "zTXt", "acTL", "fcTL", "fdAT"]


@st.composite
def pngs(draw: st.DrawFn) -> bytes:
    """A small PNG of any kind, with or without chunks added, dropped, damaged or cut off."""
    colour = draw(st.sampled_from([*DEPTHS]))
    depth = draw(st.sampled_from(DEPTHS[colour]))
    width, height, interlaced = (draw(st.integers(*span)) for span in ((1, 20), (1, 20), (0, 1)))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    # Each row's filter, which is one of five, then its pixels.
    pixels = bytes([draw(st.integers(0, 5)), *draw(st.binary(max_size=20))])
    chunks = [
        chunk(b"IHDR", header),
        chunk(b"PLTE", draw(st.binary(max_size=12))),
        chunk(b"IDAT", zlib.compress(pixels + bytes(draw(st.sampled_from([0, 9000]))))),
        chunk(b"IEND", b""),
    ]
    for _ in range(draw(st.integers(0, 3))):
        kind, content = draw(st.sampled_from(KINDS)), draw(st.binary(max_size=20))
        chunks.insert(draw(st.integers(1, len(chunks))), chunk(kind.encode(), content))
    if draw(st.booleans()):
        return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
    chunks.pop(draw(st.integers(0, len(chunks) - 1)))
    png = bytearray(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    for _ in range(draw(st.integers(0, 2))):
        png[draw(st.integers(0, len(png) - 1))] = draw(st.integers(0, 255))
    return bytes(png[: draw(st.none() | st.integers(8, len(png)))])


@settings(derandomize=True, deadline=None, max_examples=300)
@given(pngs())
def test_whatever_claims_to_be_a_png_is_read_or_refused_with_a_sentence(content: bytes) -> None:
    sentence = ""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            ink = parse_picture(base64.b64encode(content).decode())
            for normalization in NORMALIZATIONS:
                assert normalize(ink, normalization).shape == (28, 28)
        except PictureError as refusal:
            sentence = str(refusal)
    assert len(sentence) < 120


@settings(derandomize=True, deadline=None)
@given(st.none() | st.integers() | st.text() | st.binary().map(lambda some: some.decode("latin-1")))
def test_whatever_else_is_refused_with_a_sentence(image: object) -> None:
    with pytest.raises(PictureError, match=r"expected a PNG in base64\.$"):
        parse_picture(image)
