"""Centrelines: what a pen drew, whatever its width."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edge_app.photos.centrelines import centrelines, thin

SEVEN = [(20, 15), (60, 15), (30, 70)]


@pytest.mark.parametrize("width", [1, 2, 5, 9])
def test_a_line_comes_out_where_the_pen_went(width: int) -> None:
    image = Image.new("1", (80, 84))
    ImageDraw.Draw(image).line(SEVEN, 1, width, joint="curve")
    (stroke,) = centrelines(thin(np.asarray(image)))
    ends = stroke[[0, -1]][stroke[[0, -1], 1].argsort()]
    np.testing.assert_allclose(ends, [SEVEN[0], SEVEN[-1]], atol=width / 2 + 1.5)
    corner = np.hypot(*(stroke - SEVEN[1]).T).min()
    assert corner < width / 2 + 2


def test_a_ring_stays_closed() -> None:
    y, x = np.mgrid[:60, :60]
    radius = np.hypot(x - 30, y - 30)
    (stroke,) = centrelines(thin((radius > 15) & (radius < 22)))
    np.testing.assert_array_equal(stroke[0], stroke[-1])
    assert np.hypot(*(stroke - 30).T) == pytest.approx(18.5, abs=1.5)


def test_nothing_has_no_lines_and_a_dot_has_one() -> None:
    ink = np.zeros((9, 9), bool)
    assert centrelines(thin(ink)) == []
    ink[4, 4] = True
    assert [stroke.tolist() for stroke in centrelines(thin(ink))] == [[[4.0, 4.0]]]
