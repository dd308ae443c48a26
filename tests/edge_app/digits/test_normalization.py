"""Normalization: what must not change the image, what must, and what comes of odd input.

The drawings are synthetic digits on a canvas of 280 by 280 and, where it needs many, pseudo-random
scrawls from fixed seeds. Gray levels are of 0 to 255.
"""

from __future__ import annotations

import collections
import itertools
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edge_app import normalize, rasterize
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import (
    BOX_CENTRE,
    CENTRE,
    NORMALIZATIONS,
    PEN_WIDTH,
    SD_X,
    SD_Y,
    SIZE,
    THINNEST,
    Normalization,
    placement,
    stack,
    views,
)

Line = NDArray[np.float64]
Picture = NDArray[np.uint8]

EACH = pytest.mark.parametrize("normalization", NORMALIZATIONS)


class Spread(NamedTuple):
    """Centre, standard deviations and slant of an image's ink, in pixels."""

    x: float
    y: float
    sd_x: float
    sd_y: float
    slant: float


def spread(image: Picture) -> Spread:
    ink = image / image.sum(dtype=np.float64)
    y, x = np.indices(image.shape)
    mean_x, mean_y = float((ink * x).sum()), float((ink * y).sum())
    dx, dy = x - mean_x, y - mean_y
    xx, yy, xy = (float((ink * squares).sum()) for squares in (dx * dx, dy * dy, dx * dy))
    return Spread(mean_x, mean_y, xx**0.5, yy**0.5, xy / yy)


def difference(image: Picture, other: Picture) -> int:
    """The largest difference between two images, in gray levels."""
    return int(np.abs(image.astype(int) - other).max())


def correlation(image: Picture, other: Picture) -> float:
    return float(np.corrcoef(image.ravel(), other.ravel())[0, 1])


def scrawls() -> list[list[Line]]:
    """Twelve drawings of one to four strokes that wander, of one to forty points each."""
    random = np.random.default_rng(7)
    return [
        [
            random.uniform(0, 280, 2) + random.normal(0, 15, (random.integers(1, 41), 2)).cumsum(0)
            for _ in range(random.integers(1, 5))
        ]
        for _ in range(12)
    ]


def stems() -> list[list[Line]]:
    """Fours whose stem is as high as they are: so many pen's spacings long, to the last."""
    return [
        [
            np.array([[20.0 * n, 0.0], [0.0, 61.0], [90.0, 61.0 + n]]),
            np.array([[60.0, 0.0], [60.0, 100.0 + 7 * n]]),
        ]
        for n in range(1, 60, 5)
    ]


def resample(line: Line) -> Line:
    """The same path with four points where there was one."""
    return np.vstack(
        [np.linspace(start, end, 4, endpoint=False) for start, end in itertools.pairwise(line)]
        + [line[-1:]]
    )


def picture(strokes: list[Line], scale: float = 1.0) -> Picture:
    """A canvas of 280 by 280, times ``scale``, with the strokes in a round pen of 20."""
    finer = 4
    side = round(280 * scale * finer)
    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)
    radius = 10 * scale * finer
    for line in strokes:
        points = [(float(x), float(y)) for x, y in line * scale * finer]
        draw.line(points, fill=255, width=round(2 * radius))
        for x, y in points:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(image.reduce(finer))


@EACH
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda lines: [np.add(line, (12345, -999)) for line in lines], id="moved"),
        pytest.param(lambda lines: [line * 1e-300 for line in lines], id="shrunk to almost 0"),
        pytest.param(lambda lines: [line * 1e-160 for line in lines], id="shrunk"),
        pytest.param(lambda lines: [line * 37.3 for line in lines], id="magnified"),
        pytest.param(lambda lines: [line * 1e300 for line in lines], id="magnified to infinity"),
        pytest.param(lambda lines: lines[::-1], id="strokes in another order"),
        pytest.param(lambda lines: [line[::-1] for line in lines], id="strokes backwards"),
        pytest.param(lambda lines: [resample(line) for line in lines], id="more points"),
        pytest.param(lambda lines: [line.repeat(3, axis=0) for line in lines], id="doubled"),
        pytest.param(lambda lines: [[], *(line.tolist() for line in lines)], id="lists, one empty"),
        pytest.param(lambda lines: lines, id="drawn again"),  # It must not be changed itself.
    ],
)
def test_the_image_stays_within_one_gray_level_when_the_drawing_is(
    change: Callable[[list[Line]], Any],
    normalization: Normalization,
    drawings: list[LabelledDrawing],
) -> None:
    for strokes in [*(drawing.strokes for drawing in drawings), *scrawls(), *stems()]:
        image = rasterize(strokes, normalization)
        assert difference(image, rasterize(change(strokes), normalization)) <= 1


@pytest.mark.parametrize(
    ("change", "least"),
    [
        # Not exactly: slanting changes the lengths by which the strokes' segments are weighed.
        *(([[1, 0], [slant, 1]], 0.9) for slant in (-0.4, 0.4)),
        *(([[width, 0], [0, 1]], 0.8) for width in (0.6, 1.6)),
    ],
)
def test_slant_is_removed_and_writing_comes_to_one_width(
    change: list[list[float]], least: float, drawings: list[LabelledDrawing]
) -> None:
    for drawing in drawings:
        changed = [line @ change for line in drawing.strokes]
        assert correlation(rasterize(drawing.strokes), rasterize(changed)) > least


@EACH
def test_a_one_stays_thin_and_a_dash_flat(normalization: Normalization) -> None:
    for axis, line in ((0, [(50, 20), (50, 260)]), (1, [(20, 50), (260, 50)])):
        image = rasterize([line], normalization)
        assert np.count_nonzero(image.any(axis=axis)) <= 4
        assert np.count_nonzero(image.any(axis=1 - axis)) >= (15 if axis else 19)


@pytest.mark.parametrize(("right", "down"), [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_box_keeps_all_ink_of_strokes_inside_as_of_a_picture(right: int, down: int) -> None:
    """A slanting line with a heavy end: with that in the middle, the other would be outside."""
    line, blot = [(10.0, 10.0), (130.0, 260.0)], [(10.0, 10.0), (30.0, 10.0)] * 60
    corner = (280 * (right < 0), 280 * (down < 0))
    strokes = [np.array(each) * (float(right), float(down)) + corner for each in (line, blot)]
    drawn = rasterize(strokes, "box")
    for image in (drawn, normalize(picture(strokes), "box")):
        rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
        assert np.ptp(rows) + 1 == pytest.approx(20, abs=1)
        assert np.ptp(columns) + 1 == pytest.approx(11, abs=2)  # Still slanting.
    rows = np.flatnonzero(drawn.any(axis=1))
    assert (rows[-1] == SIZE - 1) if down > 0 else (rows[0] == 0)


@EACH
@pytest.mark.parametrize("dots", [[[(3, 4)]], [[(3, 4), (3, 4)], [(3, 4)]]])
def test_a_dot_is_one_dab_of_the_pen_in_the_middle(
    dots: list[list[tuple[float, float]]], normalization: Normalization
) -> None:
    image = rasterize(dots, normalization)
    centre = BOX_CENTRE if normalization == "box" else CENTRE
    assert spread(image)[:2] == pytest.approx((centre, centre), abs=0.01)
    assert image.sum() / 255 == pytest.approx(np.pi * (PEN_WIDTH / 2) ** 2, abs=0.6)


@EACH
@pytest.mark.parametrize("strokes", [[], [[], np.empty((0, 2))]])
def test_no_points_give_a_blank_image(strokes: list[Any], normalization: Normalization) -> None:
    image = rasterize(strokes, normalization)
    assert image.shape == (SIZE, SIZE)
    assert image.dtype == np.uint8
    assert not image.any()


def test_drawings_come_out_with_the_moments_aimed_at(drawings: list[LabelledDrawing]) -> None:
    # Within a pixel: the moments are the pen's path's, and where paths cross, ink adds up once.
    for drawing in drawings:
        found = spread(rasterize(drawing.strokes, "moments"))
        assert found[:2] == pytest.approx((CENTRE, CENTRE), abs=1)
        assert found.slant == pytest.approx(0, abs=0.15)
        assert found.sd_y == pytest.approx(SD_Y, abs=1)
        if drawing.label != 1:
            assert found.sd_x == pytest.approx(SD_X, abs=1)


def test_pictures_come_out_with_the_moments_aimed_at(test_set: Digits) -> None:
    for image in test_set.images[:300]:
        before, after = spread(image), spread(normalize(image, "moments"))
        upright_sd_x = (before.sd_x**2 - (before.slant * before.sd_y) ** 2) ** 0.5
        thinness = min(1.0, upright_sd_x / before.sd_y / THINNEST)
        assert after[:2] == pytest.approx((CENTRE, CENTRE), abs=0.25)
        assert after.slant == pytest.approx(0, abs=0.03)
        assert after.sd_y == pytest.approx(SD_Y, abs=0.4)
        # Sampling blurs: a thin line gains.
        assert after.sd_x == pytest.approx(SD_X * thinness, abs=0.4)


def test_box_leaves_mnist_as_it_was_published(test_set: Digits) -> None:
    """Within a gray level, the brightest ink being made 255; a few lie on the edge of two pixels
    and move by one."""
    differences = np.array(
        [difference(image, normalize(image, "box")) for image in test_set.images[:3000]]
    )
    assert (differences > 1).sum() <= 3
    assert (differences == 0).mean() > 0.89


@EACH
@pytest.mark.parametrize("strokes", [1, 100, 5000])
def test_ten_thousand_points_need_little_memory(strokes: int, normalization: Normalization) -> None:
    points = np.random.default_rng(0).uniform(-1e6, 1e6, (strokes, 10_000 // strokes, 2))
    tracemalloc.start()
    try:
        image = rasterize(list(points), normalization)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert image.any()
    assert peak < 64 * 2**20


@EACH
def test_many_strokes_cost_little_more_than_one(normalization: Normalization) -> None:
    def calls(strokes: list[NDArray[np.float64]]) -> int:
        """How many functions are called to draw them: what a stroke costs, whatever the clock."""
        events = collections.Counter[str]()
        sys.setprofile(lambda _, event, __: events.update([event]))
        try:
            rasterize(strokes, normalization)
        finally:
            sys.setprofile(None)
        return events["call"] + events["c_call"]

    points = np.random.default_rng(0).uniform(0, 1000, (300, 3, 2))
    for many in (points, points[:, :1]):
        assert calls(list(many)) - calls([many[0]]) < 5 * len(many)


@EACH
def test_a_scribble_over_the_whole_canvas_is_drawn_as_one(normalization: Normalization) -> None:
    """Its line would need more dabs than there are."""
    scribble = np.random.default_rng(0).uniform(0, 1000, (250, 2))
    image = rasterize([scribble], normalization)
    assert image[7:21, 7:21].min() > 128


@EACH
@pytest.mark.parametrize("shape", [(0, 5), (1, 1), (1, 5000), (5000, 1), (3000, 3000)])
def test_pictures_of_any_size_are_taken(
    shape: tuple[int, int], normalization: Normalization
) -> None:
    assert not normalize(np.zeros(shape, np.uint8), normalization).any()
    image = normalize(np.full(shape, 255, np.uint8), normalization)
    assert image.shape == (SIZE, SIZE)
    assert image.max() == (255 if shape[0] else 0)
    if shape == (3000, 3000):  # Two specks, far apart, count as none.
        specks = np.zeros(shape, np.uint8)
        specks[0, 0] = specks[-1, -1] = 1
        assert not normalize(specks, normalization).any()


@pytest.mark.parametrize(
    "strokes", [[(1, 2), (3, 4)], [[(1, 2, 3)]], [[(1, np.nan)]], [[(1, np.inf)]], [[(1, 2), (3,)]]]
)
def test_anything_but_strokes_is_refused(strokes: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"stroke|inhomogeneous"):
        rasterize(strokes)


@pytest.mark.parametrize(
    "image", [np.zeros((28, 28)), np.zeros((28, 28, 3), np.uint8), np.zeros(784, np.uint8)]
)
def test_anything_but_a_gray_picture_is_refused(image: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r"was given; expected \(height, width\) and uint8"):
        normalize(image)


def test_an_unknown_normalization_is_refused_by_name() -> None:
    drawn: list[tuple[Any, Any]] = [(rasterize, [[(1, 2)]]), (normalize, np.zeros((9, 9), "u1"))]
    for function, drawing in drawn:
        with pytest.raises(ValueError, match="'squares'; expected one of moments, bimoment, box"):
            function(drawing, "squares")


@EACH
def test_drawings_are_seen_as_strokes_and_pictures_are(
    normalization: Normalization, drawings: list[LabelledDrawing], test_set: Digits
) -> None:
    strokes = [drawing.strokes for drawing in drawings]
    expected = [rasterize(each, normalization) for each in strokes]
    np.testing.assert_array_equal(stack(strokes, normalization), expected)
    np.testing.assert_array_equal(views(strokes[3], NORMALIZATIONS)[normalization], expected[3])
    pictures = [np.pad(image, ((3, 40), (70, 0))) for image in test_set.images[:20]]
    # The margin of a picture does not matter.
    expected = [normalize(image, normalization) for image in test_set.images[:20]]
    np.testing.assert_array_equal(stack(pictures, normalization), expected)
    np.testing.assert_array_equal(views(pictures[3], [normalization])[normalization], expected[3])
    assert stack([], normalization).shape == (0, SIZE, SIZE)


def test_a_picture_of_any_size_looks_like_its_strokes(drawings: list[LabelledDrawing]) -> None:
    drawn = [rasterize(drawing.strokes) for drawing in drawings]
    for drawing in drawings:
        large = normalize(picture(drawing.strokes))
        likeness = [correlation(image, large) for image in drawn]
        assert int(np.argmax(likeness)) == drawing.label
        assert likeness[drawing.label] > 0.7
        for scale in (0.1, 4.0):
            assert correlation(large, normalize(picture(drawing.strokes, scale))) > 0.93


# Back to the drawing


@EACH
def test_the_placement_leads_from_the_image_back_to_the_drawing(
    drawings: list[LabelledDrawing], normalization: Normalization
) -> None:
    """Wherever and however large it was drawn: ink lies on the lines, and every line has ink."""
    for drawing in drawings:
        lines = [np.array([[300.0, -40.0]]) + stroke * 2.5 for stroke in drawing.strokes]
        (a, b, c, d, e, f), balance = placement(lines, normalization)
        rows, columns = np.nonzero(rasterize(lines, normalization) == 255)
        x, y = _unbalanced(columns, SD_X, balance.x), _unbalanced(rows, SD_Y, balance.y)
        ink = np.stack([a * x + c * y + e, b * x + d * y + f], axis=1)
        points = np.concatenate([_dense(line) for line in lines])
        # Both in the image's pixels, whose scales across and down may differ.
        inverse = np.linalg.inv(np.array([[a, c], [b, d]]))
        steps = (ink[:, None] - points[None]) @ inverse.T
        distance = np.hypot(steps[..., 0], steps[..., 1])
        # Balancing may stretch the pen's width, too.
        wider = 2 if normalization == "bimoment" else 1
        assert distance.min(axis=1).max() <= wider * PEN_WIDTH / 2
        assert distance.min(axis=0).max() <= wider * 1.5


def _unbalanced(pixels: NDArray[np.intp], deviation: float, k: float) -> NDArray[np.float64]:
    """Where pixels of an image were before they were balanced, found by trying."""
    v = np.linspace(-12, 12, 100_001)
    moved = CENTRE + deviation * v / (1 + k * v / (1 + np.abs(v) / 2))
    assert (np.diff(moved) > 0).all()
    return np.interp(pixels, moved, CENTRE + deviation * v)


def halves(image: Picture) -> tuple[float, float]:
    """The standard deviations of the ink above and below the middle, in pixels."""
    down = np.arange(SIZE) - CENTRE
    ink = image.sum(axis=1, dtype=np.float64)
    above, below = (
        float(np.average(down[side] ** 2, weights=ink[side])) for side in (down < 0, down > 0)
    )
    return above**0.5, below**0.5


def test_bimoment_brings_the_halves_of_a_digit_nearer_to_one_size(test_set: Digits) -> None:
    angle = np.linspace(0, 2 * np.pi, 40)
    loop = 20 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    tail = np.array([(20.0, 0), (20, 40), (20, 130)])
    unevenness = {}
    for name in ("moments", "bimoment"):
        drawn = [rasterize([way * loop, way * tail], name) for way in (1, -1)]
        pictures = [normalize(image, name) for image in test_set.images[:100]]
        unevenness[name] = [abs(np.log(np.divide(*halves(image)))) for image in [*drawn, *pictures]]
    before, after = np.array(unevenness["moments"]), np.array(unevenness["bimoment"])
    assert (before[:2] > 0.4).all()
    assert (after[:2] < 0.6 * before[:2]).all()
    assert after[2:].mean() < 0.6 * before[2:].mean()


def test_bimoment_leaves_a_digit_whose_halves_are_equal() -> None:
    angle = np.linspace(0, 2 * np.pi, 40)
    zero = [100 + np.stack([30 * np.cos(angle), 50 * np.sin(angle)], axis=1)]
    # The point where it begins and ends counts twice.
    assert difference(rasterize(zero, "bimoment"), rasterize(zero, "moments")) <= 8


def _dense(line: Line) -> Line:
    return np.concatenate([np.linspace(*ends, 20) for ends in itertools.pairwise(line)])


def test_a_drawing_without_points_has_no_place() -> None:
    with pytest.raises(ValueError, match="no place"):
        placement([], "moments")
    with pytest.raises(ValueError, match="Unknown normalization"):
        placement([np.zeros((1, 2))], "none")  # type: ignore[arg-type]
