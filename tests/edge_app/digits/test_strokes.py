"""What comes from outside as a drawing is checked before anything is done with it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_app.digits.normalization import NORMALIZATIONS, views
from edge_app.digits.strokes import (
    FARTHEST,
    MAX_POINTS,
    MAX_STROKES,
    DrawingError,
    parse_strokes,
)

NUMBERS = (
    st.integers()
    | st.floats(allow_subnormal=False)
    | st.sampled_from([0, 1, FARTHEST, 5e-324, 10**400])
)
"""As JSON has them, also NaN and numbers beyond 64 bits."""
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)
# Where a runtime makes ARM flush subnormal numbers to zero, hypothesis draws none; 5e-324 is tried.
FLOATS = st.floats(-FARTHEST, FARTHEST, allow_subnormal=False)
POINTS = st.tuples(NUMBERS, NUMBERS) | st.tuples(*[FLOATS] * 2)
STROKES = st.lists(st.lists(POINTS | st.tuples(JSON, JSON), max_size=6), max_size=4)
FINE = st.lists(st.lists(st.tuples(*[FLOATS] * 2), max_size=9), max_size=5)


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


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
    with pytest.raises(DrawingError, match=r"has 2,001 points; expected at most 2,000\."):
        parse_strokes([half, half, [[0, 0]]])
    assert len(parse_strokes([[[1, 2]]] * MAX_STROKES)) == MAX_STROKES
    for stroke in ([[1, 2]], []):
        with pytest.raises(DrawingError, match=r"has 301 strokes; expected at most 300\."):
            parse_strokes([stroke] * (MAX_STROKES + 1))


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.one_of(JSON, st.lists(JSON, max_size=3), STROKES, FINE))
@example([[[0, 0], [5e-324, 0]]])
@example([[[FARTHEST, -FARTHEST], [1e-300, 5e-324]], [[-FARTHEST, 0]]])
@example([[{"0": 1, "1": 2}, {"path": "x", "url": "y"}]])
def test_whatever_json_is_drawn_without_a_warning_or_refused_with_a_sentence(strokes: Any) -> None:
    try:
        drawing = parse_strokes(strokes)
    except DrawingError as refusal:
        sentence = str(refusal)
    else:
        sentence = "."
        check_views(drawing)
    assert sentence.endswith(".")
    assert len(sentence) < 120


def check_views(drawing: list[NDArray[np.float64]]) -> None:
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        images = views(drawing, NORMALIZATIONS)
    for image in images.values():
        assert image.any() == bool(drawing)


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
        pytest.param([[1, 2], [True, 3]], id="a truth value among numbers"),
        pytest.param([[1, 2], "12"], id="text of two characters"),
        pytest.param([[1, 2], {"x": 1, "y": 2}], id="a dictionary of two"),
        pytest.param([[1, 2]] * 999 + [[1, "2"]], id="the last of many"),
        pytest.param([[]], id="an empty point"),
    ],
)
def test_anything_but_points_is_refused_with_the_stroke_s_number(stroke: object) -> None:
    with pytest.raises(DrawingError, match=r"^Stroke 2 holds something other than points; exp"):
        parse_strokes([[[0, 0]], stroke])


def test_lists_nested_deeply_are_refused() -> None:
    for drawing in ([nested(1000)], [[nested(1000)]], [[[nested(1000), 1]]], [[[1, 2]], [[[[]]]]]):
        with pytest.raises(DrawingError, match=r"^Stroke [12] holds something other than points;"):
            parse_strokes(drawing)


@pytest.mark.parametrize(
    "coordinate", [1.1 * FARTHEST, float("inf"), float("nan"), -(2**63), 10**30, 10**400]
)
def test_a_coordinate_out_of_range_is_refused(coordinate: float) -> None:
    for before in (0, 1, 999):
        with pytest.raises(DrawingError, match="Stroke 3 has a coordinate that is not a number b"):
            parse_strokes([[[0, 0]] * 9, [], [[0, 0]] * before + [[0, coordinate]], [[1, 2]]])
