"""The contact sheet, read back as a picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.drift.drift import Flip
from benchmarks.report.contact_sheet import (
    CELL_HEIGHT,
    CELL_WIDTH,
    COLUMNS,
    DIGIT,
    GAP,
    LINE,
    MOST,
    ZOOM,
    _order,
    _words,
    contact_sheet,
)
from edge_app.digits.mnist import Digits

TO_WRONG = Flip(3, 7, 7, 0.512, 1, 0.475)
TO_RIGHT = Flip(1, 2, 0, 0.5, 2, 0.5)
BOTH_WRONG = Flip(0, 2, 0, 0.4, 1, 0.41)


def read(png: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def digit(sheet: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """The image in a cell, as it was put in."""
    row, column = divmod(number, COLUMNS)
    top, left = GAP + row * CELL_HEIGHT, GAP + column * CELL_WIDTH
    return np.bitwise_not(sheet[top : top + DIGIT : ZOOM, left : left + DIGIT : ZOOM, 0])


def test_images_stand_in_their_cells_those_turned_wrong_first(test_set: Digits) -> None:
    sheet = read(contact_sheet(test_set.images, [BOTH_WRONG, TO_RIGHT, TO_WRONG], "int8"))
    assert sheet.shape == (CELL_HEIGHT + GAP, 3 * CELL_WIDTH + GAP, 3)
    for number, flip in enumerate((TO_WRONG, TO_RIGHT, BOTH_WRONG)):
        assert (digit(sheet, number) == test_set.images[flip.index]).all()


def test_words_tell_the_label_and_both_answers(test_set: Digits) -> None:
    words = [text for text, _ in _words(TO_WRONG, "int8")]
    assert words == ["a 7", "original: 7 (51%)", "int8: 1 (48%)"]
    (_, _), (_, before), (_, after) = _words(TO_WRONG, "int8")
    assert before != after
    # They are drawn, in their colours, and stay within their cell.
    sheet = read(contact_sheet(test_set.images, [replace_variant(TO_WRONG)] * 2, "dynamic"))
    below = sheet[GAP + DIGIT + 1 :]
    assert dark(below).sum() > 100
    edge = GAP + CELL_WIDTH
    assert not dark(below[:, edge - 3 : edge]).any()
    assert (dark(below[:, GAP:edge]) == dark(below[:, edge : edge + CELL_WIDTH])).all()


def replace_variant(flip: Flip) -> Flip:
    """The longest that a line can be."""
    return Flip(flip.index, flip.label, flip.original, 1.0, flip.variant, 1.0)


def dark(part: NDArray[np.uint8]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = part.min(axis=2) < 120
    return found


def test_the_rest_is_told_as_a_number(test_set: Digits) -> None:
    flips = [Flip(index, 7, 7, 0.5, 1, 0.5) for index in range(MOST + 5)]
    full, sheet = (
        read(contact_sheet(test_set.images, some, "int8")) for some in (flips[:MOST], flips)
    )
    assert full.shape == (MOST // COLUMNS * CELL_HEIGHT + GAP, COLUMNS * CELL_WIDTH + GAP, 3)
    assert len(sheet) == len(full) + LINE
    assert dark(sheet[-LINE - 4 :]).any()
    assert (digit(sheet, MOST - 1) == test_set.images[MOST - 1]).all()


def test_the_order_is_stable() -> None:
    later = Flip(9, 7, 7, 0.9, 1, 0.9)
    assert sorted([later, BOTH_WRONG, TO_RIGHT, TO_WRONG], key=_order)[:2] == [TO_WRONG, later]


def test_no_flips_make_no_sheet(test_set: Digits) -> None:
    with pytest.raises(ValueError, match="no flips"):
        contact_sheet(test_set.images, [], "int8")
