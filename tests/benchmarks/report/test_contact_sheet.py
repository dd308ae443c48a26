"""The contact sheet, read back as a picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.drift.drift import Flip
from benchmarks.report import contact_sheet as sheets
from benchmarks.report.contact_sheet import DIGIT, GAP, LINE, MOST, contact_sheet
from edge_app.digits.mnist import Digits


def read(png: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def cell(sheet: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    row, column = divmod(number, sheets.COLUMNS)
    top, left = GAP + row * sheets.CELL_HEIGHT, GAP + column * sheets.CELL_WIDTH
    return sheet[top:, left:][: sheets.CELL_HEIGHT - GAP, : sheets.CELL_WIDTH - GAP]


def digit(sheet: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """The image in a cell, as it was put in."""
    return np.bitwise_not(cell(sheet, number)[: DIGIT : sheets.ZOOM, :: sheets.ZOOM, 0])


def is_reddish(part: NDArray[np.uint8]) -> bool:
    red, green, _ = part.astype(int).transpose(2, 0, 1)
    return bool((red - green > 80).any())


def test_images_that_turned_wrong_come_first_and_wrong_answers_are_red(test_set: Digits) -> None:
    both_wrong, to_right = Flip(0, 2, 0, 0.4, 1, 0.41), Flip(1, 2, 0, 0.5, 2, 0.5)
    to_wrong, later = Flip(3, 7, 7, 0.512, 1, 0.475), Flip(9, 9, 9, 0.9, 1, 0.9)
    flips = [both_wrong, to_right, to_wrong, later]
    sheet = read(contact_sheet(test_set.images, flips, "int8"))
    for number, flip in enumerate((to_wrong, later, to_right, both_wrong)):
        assert (digit(sheet, number) == test_set.images[flip.index]).all()
    # Below an image: its label, the original's answer, and the variant's.
    for number, wrong in ((0, [False, False, True]), (2, [False, True, False])):
        lines = cell(sheet, number)[DIGIT + 2 :]
        assert [is_reddish(lines[line * LINE :][:LINE]) for line in range(3)] == wrong


def test_a_note_below_says_that_more_images_flipped(test_set: Digits) -> None:
    flips = [Flip(index, 7, 7, 0.5, 1, 0.5) for index in range(MOST + 5)]
    full, sheet = (
        read(contact_sheet(test_set.images, some, "int8")) for some in (flips[:MOST], flips)
    )
    assert sheet.shape[0] > full.shape[0]
    assert (sheet[full.shape[0] - GAP :].min(axis=2) < 120).any()
    assert (digit(sheet, MOST - 1) == test_set.images[MOST - 1]).all()


def test_without_flips_there_is_no_sheet(test_set: Digits) -> None:
    with pytest.raises(ValueError, match="no flips"):
        contact_sheet(test_set.images, [], "int8")
