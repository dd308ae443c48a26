"""Variation: what is done to drawn digits before models are trained on them."""

from __future__ import annotations

import numpy as np
import pytest

from convert.variation import turned, uncrossed
from edge_app.drawings import Drawing

STEM = np.array([(100.0, 100.0), (300.0, 100.0), (180.0, 400.0)])
BAR = np.array([(130.0, 260.0), (290.0, 260.0)])


def test_a_crossed_seven_loses_its_bar() -> None:
    plain = uncrossed(Drawing(7, [STEM, BAR], writer=3))
    assert plain is not None
    assert (plain.label, plain.writer, len(plain.strokes)) == (7, 3, 1)
    np.testing.assert_array_equal(plain.strokes[0], STEM)


@pytest.mark.parametrize(
    "drawing",
    [
        Drawing(7, [STEM]),
        Drawing(4, [STEM, BAR]),
        Drawing(7, [STEM[:2], np.array([(300.0, 100.0), (240.0, 400.0)]), BAR]),
    ],
    ids=["plain", "no seven", "top and stem apart"],
)
def test_nothing_else_is_taken_apart(drawing: Drawing) -> None:
    assert uncrossed(drawing) is None


def test_turning_keeps_height_and_length_nearly_and_changes_the_angle() -> None:
    generator = np.random.default_rng(0)
    drawing = Drawing(1, [np.array([(0.0, 0.0), (0.0, 100.0)])])
    ends = np.array([turned(drawing, generator).strokes[0][1] for _ in range(500)])
    angles = np.arctan2(ends[:, 0], ends[:, 1])
    assert abs(angles.mean()) < 0.02
    assert 0.08 < angles.std() < 0.16
    assert np.hypot(*ends.T) == pytest.approx(100, rel=0.15)


def test_the_same_seed_turns_the_same_way() -> None:
    drawing = Drawing(7, [STEM, BAR])
    first, again = (turned(drawing, np.random.default_rng(5)) for _ in range(2))
    for one, other in zip(first.strokes, again.strokes, strict=True):
        np.testing.assert_array_equal(one, other)
