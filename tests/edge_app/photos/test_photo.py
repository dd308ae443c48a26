"""Photos from outside: what is read of them, and what is refused."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.picture import MAX_SIDE, PictureError
from edge_app.photos.photo import LARGEST, MAX_SCANS, read_photo
from edge_app.photos.sheet import MAX_DIGITS
from png import bomb, encode
from sheets import Photo, photograph
from tests.attack.pictures import hostile

pytestmark = pytest.mark.slow

_MANY = """
import re, sys, json
from edge_app.photos.photo import read_photo

def memory():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024

texts = json.load(open(sys.argv[1]))
read_photo(texts[0])
before = memory()
found = [len(read_photo(text)) for text in texts]
print(json.dumps([memory() - before, found]))
"""


def text(image: Image.Image, kind: str = "JPEG", **options: object) -> str:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return base64.b64encode(content.getvalue()).decode()


@pytest.fixture(scope="module")
def photo(page_drawings: list[LabelledDrawing]) -> Photo:
    """Of a 3."""
    return photograph([page_drawings[6].strokes], 1, "squared", finger=False)


@pytest.fixture(scope="module")
def image(photo: Photo) -> Image.Image:
    return Image.open(io.BytesIO(photo.jpeg))


def boxes(given: str) -> list[tuple[float, ...]]:
    return [digit.box for digit in read_photo(given)]


def test_jpegs_and_pngs_of_every_kind_are_read(photo: Photo, image: Image.Image) -> None:
    small = image.resize((image.width // 2, image.height // 2))
    forms = [
        photo.text,
        f"data:image/jpeg;base64,{photo.text}",
        text(image, progressive=True),
        text(image.convert("CMYK")),
        *(text(small.convert(mode), "PNG") for mode in ("L", "RGB", "RGBA", "LA", "P")),
        encode(np.asarray(small.convert("L")).astype(np.uint16) * 257),
        text(image.resize((MAX_SIDE, MAX_SIDE * image.height // image.width))),
    ]
    for form in forms:
        (found,) = boxes(form)
        assert found == pytest.approx(photo.boxes[0], abs=0.02)


def test_a_jpeg_is_turned_as_its_camera_says(photo: Photo, image: Image.Image) -> None:
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
    for orientation, undoing in {**turns, 8: Image.Transpose.ROTATE_270}.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        (found,) = boxes(text(image.transpose(undoing), exif=exif))
        assert found == pytest.approx(photo.boxes[0], abs=0.02)


def test_on_a_transparent_ground_the_sheet_is_white() -> None:
    drawn = np.zeros((300, 300, 4), np.uint8)
    drawn[60:240, 140:155, 3] = 255
    assert boxes(encode(drawn)) == [pytest.approx((140 / 300, 0.2, 0.05, 0.6), abs=0.02)]


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (3, 3), (40, 30), (LARGEST, 1)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_of_one_colour_is_an_empty_sheet(size: tuple[int, int], level: int) -> None:
    for mode in ("L", "RGB"):
        blank = Image.new("L", size, level).convert(mode)
        assert read_photo(text(blank)) == read_photo(text(blank, "PNG")) == []


def test_what_is_no_photo_is_refused_with_a_sentence(photo: Photo) -> None:
    scan = b"\xff\xda\0\x08\1\1\0\0\x3f\0"
    large = Image.new("L", (MAX_SIDE + 1, 8))
    given: list[tuple[object, str]] = [
        (None, "The image is of type NoneType; expected a JPEG or PNG in base64."),
        (7, "The image is of type int; expected a JPEG or PNG in base64."),
        ("é", "The image is not base64; expected a JPEG or PNG in base64."),
        ("", "The image is neither a JPEG nor a PNG; expected a JPEG or PNG in base64."),
        (text(Image.new("L", (9, 9)), "GIF"), "The image is neither a JPEG nor a PNG; expected a "),
        (photo.text[:400], "The image is damaged; send it again."),
        (text(large), "The image has 2,001 by 8 pixels; expected at most 2,000 per side."),
        (bomb(30_000, 30_000), "The image has 30,000 by 30,000 pixels; expected at most 2,000 per"),
        (
            base64.b64encode(photo.jpeg[:-2] + scan * MAX_SCANS).decode(),
            f"The image is a JPEG of {MAX_SCANS + 1} scans; expected at most {MAX_SCANS}.",
        ),
    ]
    for image, sentence in given:
        with pytest.raises(PictureError) as refused:
            read_photo(image)
        assert str(refused.value).startswith(sentence)


def test_damaged_photos_give_digits_or_a_sentence(photo: Photo) -> None:
    random = Random(5)  # noqa: S311
    for _ in range(30):
        content = bytearray(photo.jpeg)
        for _ in range(random.randint(1, 4)):
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        for given in (base64.b64encode(content).decode(), hostile(random)):
            with contextlib.suppress(PictureError):
                read_photo(given)


def test_noise_and_thousands_of_specks_take_bounded_work_and_memory(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (MAX_SIDE, MAX_SIDE), np.uint8)
    dots = np.full((1000, 1000), 255, np.uint8)
    dots[3::10, 3::10] = dots[4::10, 3::10] = 0
    bars = np.full((1000, 1000), 255, np.uint8)
    for row in range(20, 960, 60):
        for column in range(20, 960, 24):
            bars[row : row + 40, column : column + 4] = 0
    mesh = np.kron(random.random((500, 500)) < 0.5, np.ones((2, 2))).astype(np.uint8) * 255
    pictures = [noise, dots, bars, mesh, np.zeros((MAX_SIDE, MAX_SIDE), np.uint8)]
    file = tmp_path / "texts.json"
    file.write_text(json.dumps([text(Image.fromarray(each)) for each in pictures]))
    run = subprocess.run(
        [sys.executable, "-c", _MANY, file], capture_output=True, text=True, check=True
    )
    grown, found = json.loads(run.stdout)
    assert max(found) <= MAX_DIGITS
    assert found[2] == MAX_DIGITS
    assert grown < 60
