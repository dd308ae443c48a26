"""Grouping of pieces into digits, and their reading order."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_app.photos.grouping import group, reading_order

BODY = (100, 120, 150, 200)


def boxes(*given: tuple[float, ...]) -> NDArray[np.float64]:
    return np.array(given, np.float64).reshape(-1, 4)


def groups(*given: tuple[float, ...]) -> list[list[int]]:
    return sorted(sorted(each) for each in group(boxes(*given)))


def test_nothing_is_no_digit() -> None:
    assert groups() == []
    assert reading_order(boxes()) == []


@pytest.mark.parametrize(
    "bar", [(105, 100, 155, 112), (140, 105, 180, 118), (152, 118, 185, 126), (90, 190, 97, 210)]
)
def test_a_bar_beside_a_five_belongs_to_it(bar: tuple[float, ...]) -> None:
    assert groups(BODY, bar) == [[0, 1]]
    assert groups(bar, BODY, (300, 120, 350, 200)) == [[0, 1], [2]]


def test_strokes_that_cross_without_touching_are_one_digit() -> None:
    assert groups((100, 100, 160, 160), (140, 90, 150, 190)) == [[0, 1]]


@pytest.mark.parametrize(
    "other", [(160, 120, 168, 200), (100, 215, 150, 295), (155, 110, 205, 190)]
)
def test_digits_beside_and_below_each_other_stay_apart(other: tuple[float, ...]) -> None:
    assert groups(BODY, other) == [[0], [1]]


def test_dirt_far_from_any_digit_is_none() -> None:
    assert groups(BODY, (300, 300, 308, 306)) == [[0]]


@pytest.mark.parametrize("slope", [-0.15, 0, 0.15])
def test_lines_are_read_from_left_to_right_and_from_top_to_bottom(slope: float) -> None:
    """Also if they climb or fall by more than a digit's height."""
    places = [(column * 90, row * 110) for row in range(4) for column in range(8)]
    upright = [(x, y + slope * x, x + 50, y + slope * x + 80) for x, y in places]
    order = np.random.default_rng(3).permutation(len(upright))
    shuffled = boxes(*(upright[number] for number in order))
    assert order[reading_order(shuffled)].tolist() == list(range(len(upright)))
