"""Skeletons: strokes out of pictures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from convert.strokes.skeleton import LOOPS, SCALE, skeleton
from edge_app import normalize, rasterize
from edge_app.digits.mnist import Digits
from edge_app.photos.centrelines import LONGEST_SPUR, THINNED

Points = list[tuple[float, float]]


def draw(*lines: Points, width: float = 2.4) -> NDArray[np.uint8]:
    """A picture (28, 28) of lines, in its pixels, drawn round and smooth."""
    scale = 8
    image = Image.new("L", (28 * scale, 28 * scale))
    pen = ImageDraw.Draw(image)
    for line in lines:
        points = [(x * scale, y * scale) for x, y in line]
        pen.line(points, 255, round(width * scale), joint="curve")
        for x, y in points:
            radius = width * scale / 2
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    return np.asarray(image.resize((28, 28), Image.Resampling.BOX))


def ring(x: float, y: float, radius: float) -> Points:
    angles = np.linspace(0, 2 * np.pi, 60)
    return [(x + radius * np.cos(angle), y + radius * np.sin(angle)) for angle in angles]


CROSS: tuple[Points, Points] = ([(14, 5), (14, 23)], [(7, 14), (21, 14)])
SIX: tuple[Points, Points] = ([(17, 5), (11, 12), (10, 18)], ring(14, 18, 4))
EIGHT = ring(14, 9, 4), ring(14, 18, 4)


def test_a_ring_gives_one_closed_stroke() -> None:
    (stroke,) = skeleton(draw(ring(14, 14, 8)), 0)
    np.testing.assert_array_equal(stroke[0], stroke[-1])
    middle = SCALE * 14
    radii = np.hypot(*(stroke - middle).T)
    assert radii == pytest.approx(8 * SCALE, abs=2)
    # Its points stand closer than the pen is wide.
    assert np.hypot(*np.diff(stroke, axis=0).T).max() < 1.5 * THINNED
    # Smooth at its seam, too: steps turn by little, all around.
    steps = np.diff(np.concatenate([stroke[-3:-1], stroke[:3]]), axis=0)
    angles = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    assert np.abs(np.diff(angles)).max() < 0.5


def test_a_line_gives_one_stroke_from_end_to_end() -> None:
    (stroke,) = skeleton(draw([(9, 6), (19, 22)]), 1)
    ends = stroke[[0, -1]][stroke[[0, -1], 1].argsort()] / SCALE
    # Thinning eats at most half of the pen's width.
    np.testing.assert_allclose(ends, [(9, 6), (19, 22)], atol=1.5)
    along = np.array([10, 16]) / np.hypot(10, 16)
    across = (stroke / SCALE - (9, 6)) @ (-along[1], along[0])
    assert np.abs(across).max() < 0.7


def test_the_strokes_of_a_cross_meet() -> None:
    strokes = skeleton(draw(*CROSS), 4)
    ends = [stroke[[0, -1]] for stroke in strokes]
    inner = [pair[np.hypot(*(pair - 14 * SCALE).T).argmin()] for pair in ends]
    outer = [pair[np.hypot(*(pair - 14 * SCALE).T).argmax()] for pair in ends]
    assert len(strokes) >= 4
    assert np.ptp(inner, axis=0).max() <= SCALE
    reach = np.array([point / SCALE for point in outer])
    for tip in (point for bar in CROSS for point in bar):
        assert np.hypot(*(reach - tip).T).min() < 1.5


@pytest.mark.parametrize(
    ("digit", "loops", "width", "other"),
    [(6, SIX, 8, 1), (8, EIGHT, 8, 1), (8, (*EIGHT, ring(14, 9, 1.3)), 3, 6)],
)
def test_a_digit_with_a_filled_loop_gives_none(
    digit: int, loops: tuple[Points, ...], width: float, other: int
) -> None:
    assert skeleton(draw(*loops[:2]), digit)
    picture = draw(*loops, width=width)
    assert not skeleton(picture, digit)
    assert skeleton(picture, other)


def test_a_loop_of_grey_is_opened_by_a_higher_threshold() -> None:
    picture = np.maximum(draw(*SIX), 120)
    picture[:3] = picture[-3:] = 0
    picture[:, :3] = picture[:, -3:] = 0
    strokes = skeleton(picture, 6)
    assert strokes
    assert np.concatenate(strokes).max() < SCALE * 25


def test_a_speck_stays_and_nothing_gives_nothing() -> None:
    assert not any(skeleton(draw(), digit) for digit in range(10))
    dot = draw([(14, 14), (14.5, 14)], width=3)
    # Nothing but spurs.
    fork = draw([(14, 14), (14, 15.6)], [(12.8, 12.8), (14, 14), (15.2, 12.8)], width=1.3)
    for picture in (dot, fork):
        strokes = skeleton(picture, 1)
        assert strokes
        assert np.abs(np.concatenate(strokes) / SCALE - 14).max() < 3


def test_spurs_are_cut_and_branches_stay() -> None:
    spur = LONGEST_SPUR / SCALE
    stem: Points = [(14, 4), (14, 24)]
    # Thinning takes half of the pen's width off a branch's length from the stem's edge on.
    short, long = ([(14.0, 14.0), (14.0 + reach, 14.0)] for reach in (0.8 * spur, 7.0))
    assert max(x for s in skeleton(draw(stem, short), 1) for x, _ in s) < (14 + 1) * SCALE
    assert max(x for s in skeleton(draw(stem, long), 1) for x, _ in s) > (14 + 5) * SCALE


def blurred(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    soft = Image.fromarray(image).filter(ImageFilter.GaussianBlur(1.5))
    return np.asarray(soft, np.float64).ravel()


def test_mnist_s_digits_look_the_same_drawn_with_the_pen(few: Digits) -> None:
    likeness = []
    for image, label in zip(*few, strict=True):
        strokes = skeleton(image, int(label))
        assert strokes or label in LOOPS
        if strokes:
            pair = blurred(normalize(image)), blurred(rasterize(strokes))
            likeness.append(np.corrcoef(*pair)[0, 1])
    assert len(likeness) > 0.85 * len(few.labels)
    assert np.mean(likeness) > 0.92
    assert np.quantile(likeness, 0.1) > 0.83
