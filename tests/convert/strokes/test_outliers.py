"""Non-digits: the drawings that models learn to refuse, and those that judge them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from convert.data.non_digits import read_non_digits
from convert.strokes.geometry import Strokes, length, resampled, rounded, turned
from convert.strokes.hand import SIZE, drawn
from convert.strokes.outliers import KINDS, draw_outliers
from edge_app import rasterize
from edge_app.digits.labelled import LabelledDrawing

ROUNDS = 25
"""How many drawings of each kind are looked at."""


@pytest.fixture(scope="module")
def of_kind(drawings: list[LabelledDrawing]) -> dict[str, list[Strokes]]:
    made = draw_outliers(ROUNDS * len(KINDS), drawings, np.random.default_rng(3))
    assert len(made) == ROUNDS * len(KINDS)
    return {kind: made[number :: len(KINDS)] for number, kind in enumerate(KINDS)}


@pytest.mark.parametrize("kind", KINDS)
def test_drawings_of_a_kind_can_be_shown_to_a_model_and_differ(
    kind: str, of_kind: dict[str, list[Strokes]]
) -> None:
    images = []
    for strokes in of_kind[kind]:
        points = np.concatenate(strokes)
        assert points.dtype == np.float64
        assert 1 <= len(points) < 400
        assert points.shape[1] == 2
        assert np.isfinite(points).all()
        images.append(rasterize(strokes))
        assert images[-1].max() > 200  # A dot's brightest pixel is not always full.
    # All single dots are one image.
    assert len({image.tobytes() for image in images}) > (0.6 if kind == "dots" else 0.8) * ROUNDS


def test_a_single_line_does_not_look_like_a_one(drawings: list[LabelledDrawing]) -> None:
    generator = np.random.default_rng(1)
    made = [KINDS["lines"](drawings, generator) for _ in range(400)]
    spans = np.array([np.ptp(strokes[0], axis=0) for strokes in made if len(strokes) == 1])
    assert len(spans) > 50
    assert (spans[:, 0] > 1.2 * spans[:, 1]).all()


@pytest.mark.slow
def test_a_hundredth_of_the_drawings_is_one_dot(drawings: list[LabelledDrawing]) -> None:
    generator = np.random.default_rng(1)
    made = [KINDS["dots"](drawings, generator) for _ in range(1000)]
    dots = [strokes for strokes in made if len(strokes) == 1]
    assert len(dots) / len(made) / len(KINDS) == pytest.approx(0.01, abs=0.002)
    assert all(len(dot[0]) == 1 for dot in dots)
    assert len({rasterize(dot).tobytes() for dot in dots}) == 1


def test_a_tick_goes_down_a_little_and_up_to_the_right_a_lot(
    of_kind: dict[str, list[Strokes]],
) -> None:
    for (tick,) in of_kind["ticks"]:
        lowest = tick[tick[:, 1].argmax()]
        start, end = lowest - tick[[0, -1]]
        assert start[1] > 0.05 * SIZE
        assert end[1] > 1.3 * start[1]
        assert end[0] < 0 < start[0]


def test_arrows_point_any_way_and_have_barbs_on_both_sides(
    drawings: list[LabelledDrawing],
) -> None:
    generator = np.random.default_rng(1)
    steep = 0
    for _ in range(400):
        strokes = KINDS["arrows"](drawings, generator)
        width, height = np.ptp(strokes[0], axis=0)
        steep += height > width
        assert len(strokes) in {1, 2, 3}
        for head in strokes[1:]:
            shaft = strokes[0][-1] - strokes[0][0]
            sides = (head - strokes[0][0]) @ np.array([-shaft[1], shaft[0]]) / np.hypot(*shaft)
            assert sides.min() < -0.05 * SIZE
            assert sides.max() > 0.05 * SIZE
    assert 20 < steep < 100  # Most are level.


def test_a_scribble_is_longer_than_any_digit(
    of_kind: dict[str, list[Strokes]], drawings: list[LabelledDrawing]
) -> None:
    def tangledness(strokes: Strokes) -> float:
        return sum(map(length, strokes)) / np.hypot(*np.ptp(np.concatenate(strokes), axis=0))

    longest = max(tangledness(drawing.strokes) for drawing in drawings)
    assert min(map(tangledness, of_kind["scribbles"])) > longest


def test_numbers_hold_the_strokes_of_their_digits_side_by_side() -> None:
    bar = np.array([(0.0, 0.0), (0.0, 100.0)])
    generator = np.random.default_rng(2)
    for _ in range(20):
        strokes = KINDS["numbers"]([LabelledDrawing(1, [bar])], generator)
        places = [stroke[0, 0] for stroke in strokes]
        assert len(strokes) in {2, 3}
        assert (np.diff(places) > 0.1 * SIZE).all()  # Ones never touch.
        assert all(length(stroke) == pytest.approx(SIZE) for stroke in strokes)


def test_a_hand_keeps_dots_and_trembles_on_lines() -> None:
    dot, line = drawn(
        [np.array([(5.0, 5.0)]), np.array([(0.0, 0.0), (100.0, 0.0)])], np.random.default_rng(0)
    )
    assert dot.shape == (1, 2)
    assert len(line) >= 25
    along = line - line[0]
    across = along @ np.array([-along[-1, 1], along[-1, 0]]) / np.hypot(*along[-1])
    assert 0.1 < across.std() < 0.1 * SIZE


# The geometry behind them


def test_turning_is_clockwise_and_resampling_even() -> None:
    right = np.array([(1.0, 0.0)])
    np.testing.assert_allclose(turned(right, np.pi / 2), [(0.0, 1.0)], atol=1e-12)  # y is down.
    corner = np.array([(0.0, 0.0), (3.0, 0.0), (3.0, 1.0)])
    assert length(corner) == 4
    found = resampled(corner, 5)
    np.testing.assert_allclose(found, [(0, 0), (1, 0), (2, 0), (3, 0), (3, 1)])
    assert resampled(np.zeros((3, 2)), 5).shape == (1, 2)


def test_rounding_keeps_the_ends_and_cuts_the_corner() -> None:
    corner = np.array([(0.0, 0.0), (8.0, 0.0), (8.0, 8.0)])
    found = rounded(corner)
    np.testing.assert_array_equal(found[[0, -1]], corner[[0, -1]])
    assert np.hypot(*(found - corner[1]).T).min() > 1
    steps = np.diff(found, axis=0)
    assert np.abs(np.diff(np.unwrap(np.arctan2(steps[:, 1], steps[:, 0])))).max() < np.pi / 8


# The drawings that judge


def test_the_committed_drawings_are_many_of_every_kind_fit_the_canvas_and_differ() -> None:
    found = read_non_digits()
    kinds = Counter(kind for kind, _ in found)
    assert len(found) >= 400
    for kind in ("dots", "scribble", "cross", "box", "spiral", "letter", "two digits"):
        assert kinds[kind] >= 30, kind
    points = np.concatenate([stroke for _, drawing in found for stroke in drawing])
    assert points.dtype == np.float64
    assert points.min() >= 0
    assert points.max() <= 280
    images = [rasterize(strokes) for _, strokes in found]
    assert all(image.max() > 200 for image in images)
    assert len({image.tobytes() for image in images}) > 0.97 * len(found)
