"""What comes from outside as a drawing is checked before anything is done with it."""

from __future__ import annotations

import numpy as np
import pytest

from edge_app.digits.strokes import FARTHEST, MAX_POINTS, DrawingError, parse_strokes


def test_strokes_become_float64_arrays_of_points() -> None:
    lines = parse_strokes([[], [[1, 2], [3.5, 4]], [(5, -6)]])
    assert [line.dtype for line in lines] == [np.float64, np.float64]
    assert [line.tolist() for line in lines] == [[[1, 2], [3.5, 4]], [[5, -6]]]


@pytest.mark.parametrize("blank", [[], [[]], ()])
def test_a_blank_canvas_has_no_strokes(blank: object) -> None:
    assert parse_strokes(blank) == []


def test_the_largest_coordinates_and_most_points_are_taken() -> None:
    half = [[FARTHEST, -FARTHEST]] * (MAX_POINTS // 2)
    assert sum(map(len, parse_strokes([half, half]))) == MAX_POINTS
    with pytest.raises(DrawingError, match="has 10001 points; expected at most 10000"):
        parse_strokes([half, half, [[0, 0]]])


@pytest.mark.parametrize(
    ("strokes", "sentence"),
    [
        (None, "The drawing is missing; expected a list of strokes"),
        ({"strokes": []}, "The drawing is of type dict; expected a list of strokes"),
        ([5], "Stroke 1 is of type int; expected a list of [x, y]"),
        ([[[1, 2]], None], "Stroke 2 is missing; expected a list of [x, y]"),
    ],
)
def test_anything_but_a_list_of_strokes_is_refused(strokes: object, sentence: str) -> None:
    with pytest.raises(DrawingError) as refusal:
        parse_strokes(strokes)
    assert str(refusal.value).startswith(sentence)


@pytest.mark.parametrize(
    "stroke",
    [
        pytest.param([1, 2], id="numbers instead of points"),
        pytest.param([[1, 2], [3]], id="a point of one number"),
        pytest.param([[1, 2, 3]], id="a point of three numbers"),
        pytest.param([["1", "2"]], id="text"),
        pytest.param([[1, None]], id="a coordinate missing"),
        pytest.param([[True, False]], id="truth values"),
        pytest.param([[1, 10**30]], id="a number beyond 64 bits"),
        pytest.param([[]], id="an empty point"),
    ],
)
def test_anything_but_points_is_refused_with_the_stroke_s_number(stroke: object) -> None:
    with pytest.raises(DrawingError, match=r"^Stroke 2 holds something other than points; exp"):
        parse_strokes([[[0, 0]], stroke])


@pytest.mark.parametrize("coordinate", [1.1 * FARTHEST, float("inf"), float("nan"), -(2**63)])
def test_a_coordinate_out_of_range_is_refused(coordinate: float) -> None:
    with pytest.raises(DrawingError, match="Stroke 1 has a coordinate that is not a number betw"):
        parse_strokes([[[0, 0], [coordinate, 0]]])
