"""Normalization: what must not change the image, what must, and what comes of odd input.

The drawings are synthetic digits on a canvas of 280 by 280 and, where it needs many, pseudo-random
scrawls from fixed seeds. Gray levels are of 0 to 255.
"""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple, get_args

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
    PEN_WIDTH,
    SD_X,
    SD_Y,
    SIZE,
    THINNEST,
    Normalization,
)

Line = NDArray[np.float64]
Picture = NDArray[np.uint8]

NORMALIZATIONS = get_args(Normalization)
TWO = """\
..............
..............
.....###......
...#######....
..##.....##...
.........##...
........##....
......###.....
.....###......
...#########..
...#########..
..............
..............
..............
"""


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
    """Thirty drawings of one to four strokes that wander, of one to forty points each."""
    random = np.random.default_rng(7)
    return [
        [
            random.uniform(0, 280, 2) + random.normal(0, 15, (random.integers(1, 41), 2)).cumsum(0)
            for _ in range(random.integers(1, 5))
        ]
        for _ in range(30)
    ]


def stems() -> list[list[Line]]:
    """Fours whose stem is as high as they are: so many pen's spacings long, to the last."""
    return [
        [
            np.array([[20.0 * n, 0.0], [0.0, 61.0], [90.0, 61.0 + n]]),
            np.array([[60.0, 0.0], [60.0, 100.0 + 7 * n]]),
        ]
        for n in range(1, 60)
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


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            lambda strokes: [line + np.array([12345, -999]) for line in strokes], id="moved"
        ),
        pytest.param(lambda strokes: [line * 1e-6 for line in strokes], id="shrunk"),
        pytest.param(lambda strokes: [line * 37.3 for line in strokes], id="magnified"),
        pytest.param(lambda strokes: strokes[::-1], id="strokes in another order"),
        pytest.param(lambda strokes: [line[::-1] for line in strokes], id="strokes backwards"),
        pytest.param(lambda strokes: [resample(line) for line in strokes], id="more points"),
        pytest.param(lambda strokes: [line.repeat(3, axis=0) for line in strokes], id="doubled"),
        pytest.param(lambda strokes: [*strokes, np.empty((0, 2))], id="with an empty stroke"),
        pytest.param(lambda strokes: [line.tolist() for line in strokes], id="as lists"),
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


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_the_drawing_itself_is_left_as_it_was(
    normalization: Normalization, drawings: list[LabelledDrawing]
) -> None:
    strokes = [line.copy() for line in drawings[4].strokes]
    rasterize(strokes, normalization)
    for line, before in zip(strokes, drawings[4].strokes, strict=True):
        np.testing.assert_array_equal(line, before)


@pytest.mark.parametrize("slant", [-0.4, -0.2, 0.2, 0.4])
def test_slant_is_removed(slant: float, drawings: list[LabelledDrawing]) -> None:
    # Not exactly: slanting changes the lengths by which the strokes' segments are weighed.
    for drawing in drawings:
        slanted = [line @ [[1, 0], [slant, 1]] for line in drawing.strokes]
        assert correlation(rasterize(drawing.strokes), rasterize(slanted)) > 0.9


def test_box_keeps_the_slant() -> None:
    upright, slanted = [(0, 0), (0, 10)], [(4, 0), (0, 10)]
    assert spread(rasterize([slanted], "box")).slant == pytest.approx(-0.4, abs=0.05)
    assert spread(rasterize([upright], "box")).slant == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("width", [0.6, 1.6])
def test_narrow_and_wide_writing_comes_to_one_width(
    width: float, drawings: list[LabelledDrawing]
) -> None:
    for drawing in drawings:
        stretched = [line * (width, 1) for line in drawing.strokes]
        assert correlation(rasterize(drawing.strokes), rasterize(stretched)) > 0.8


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_a_one_stays_thin(normalization: Normalization) -> None:
    image = rasterize([[(50, 20), (50, 260)]], normalization)
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    assert len(columns) <= 4
    assert len(rows) >= 19


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_a_dash_stays_flat(normalization: Normalization) -> None:
    image = rasterize([[(20, 50), (260, 50)]], normalization)
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    assert len(rows) <= 4
    assert len(columns) >= 15


def test_pictures_of_a_one_stay_thin(test_set: Digits) -> None:
    ones = test_set.images[test_set.labels == 1][:100]
    assert np.median([spread(normalize(one)).sd_x for one in ones]) < 0.7 * SD_X


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("dots", [[[(3, 4)]], [[(3, 4), (3, 4)]], [[(3, 4)], [(3, 4)]]])
def test_a_dot_is_one_dab_of_the_pen_in_the_middle(
    dots: list[list[tuple[float, float]]], normalization: Normalization
) -> None:
    image = rasterize(dots, normalization)
    centre = CENTRE if normalization == "moments" else BOX_CENTRE
    assert spread(image)[:2] == pytest.approx((centre, centre), abs=0.01)
    assert image.sum() / 255 == pytest.approx(np.pi * (PEN_WIDTH / 2) ** 2, abs=0.6)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("strokes", [[], [[]], [[], np.empty((0, 2))]])
def test_no_points_give_a_blank_image(strokes: list[Any], normalization: Normalization) -> None:
    image = rasterize(strokes, normalization)
    assert image.shape == (SIZE, SIZE)
    assert image.dtype == np.uint8
    assert not image.any()


def test_a_two_looks_as_expected(drawings: list[LabelledDrawing]) -> None:
    coarse = rasterize(drawings[2].strokes).reshape(14, 2, 14, 2).mean(axis=(1, 3))
    seen = ["".join("#" if cell > 64 else "." for cell in row) for row in coarse]
    assert seen == TWO.splitlines()


def test_drawings_come_out_with_the_moments_aimed_at(drawings: list[LabelledDrawing]) -> None:
    # Within a pixel: the moments are the pen's path's, and where paths cross, ink adds up once.
    for drawing in drawings:
        found = spread(rasterize(drawing.strokes))
        assert found[:2] == pytest.approx((CENTRE, CENTRE), abs=1)
        assert found.slant == pytest.approx(0, abs=0.15)
        assert found.sd_y == pytest.approx(SD_Y, abs=1)
        if drawing.label != 1:
            assert found.sd_x == pytest.approx(SD_X, abs=1)


def test_pictures_come_out_with_the_moments_aimed_at(test_set: Digits) -> None:
    for image in test_set.images[:300]:
        before, after = spread(image), spread(normalize(image))
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
        [difference(image, normalize(image, "box")) for image in test_set.images]
    )
    assert (differences > 1).sum() <= 3
    assert (differences == 0).mean() > 0.89


def test_a_large_picture_comes_out_like_a_small_one(drawings: list[LabelledDrawing]) -> None:
    for drawing in drawings:
        large = normalize(picture(drawing.strokes))
        small = normalize(picture(drawing.strokes, scale=0.1))
        larger = normalize(picture(drawing.strokes, scale=4.0))
        assert correlation(large, small) > 0.93
        assert correlation(large, larger) > 0.93


def test_a_picture_s_margin_does_not_matter(test_set: Digits) -> None:
    for normalization in NORMALIZATIONS:
        for image in test_set.images[:20]:
            moved = np.pad(image, ((3, 40), (70, 0)))
            np.testing.assert_array_equal(
                normalize(moved, normalization), normalize(image, normalization)
            )


def test_strokes_and_a_picture_of_them_look_alike(drawings: list[LabelledDrawing]) -> None:
    drawn = [rasterize(drawing.strokes) for drawing in drawings]
    for drawing in drawings:
        seen = normalize(picture(drawing.strokes))
        likeness = [correlation(image, seen) for image in drawn]
        assert int(np.argmax(likeness)) == drawing.label
        assert likeness[drawing.label] > 0.7


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-30, 1e6, 1e150, 1e300])
def test_any_scale_gives_a_whole_image(
    scale: float, normalization: Normalization, drawings: list[LabelledDrawing]
) -> None:
    strokes = drawings[3].strokes
    image = rasterize([line * scale for line in strokes], normalization)
    assert difference(image, rasterize(strokes, normalization)) <= 1


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
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


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (3000, 3000)])
def test_pictures_of_any_size_are_taken(
    shape: tuple[int, int], normalization: Normalization
) -> None:
    image = normalize(np.full(shape, 255, np.uint8), normalization)
    assert image.shape == (SIZE, SIZE)
    assert image.max() == 255


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (28, 28), (300, 300)])
def test_a_picture_without_ink_gives_a_blank_image(
    shape: tuple[int, int], normalization: Normalization
) -> None:
    assert not normalize(np.zeros(shape, np.uint8), normalization).any()


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_two_specks_far_apart_in_a_large_picture_count_as_none(
    normalization: Normalization,
) -> None:
    specks = np.zeros((3000, 3000), np.uint8)
    specks[0, 0] = specks[-1, -1] = 1
    assert not normalize(specks, normalization).any()


@pytest.mark.parametrize(
    "strokes",
    [
        pytest.param([(1, 2), (3, 4)], id="points without a stroke around them"),
        pytest.param([[(1, 2, 3)]], id="three coordinates"),
        pytest.param([[(1, float("nan"))]], id="not a number"),
        pytest.param([[(1, float("inf"))]], id="infinity"),
        pytest.param([[(1, 2), (3,)]], id="a point of one coordinate"),
        pytest.param([np.zeros((2, 2, 2))], id="three dimensions"),
    ],
)
def test_what_is_no_stroke_is_refused(strokes: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"stroke|inhomogeneous"):
        rasterize(strokes)


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(np.zeros((28, 28)), id="floats"),
        pytest.param(np.zeros((28, 28), bool), id="bools"),
        pytest.param(np.zeros((28, 28, 3), np.uint8), id="colours"),
        pytest.param(np.zeros(784, np.uint8), id="one dimension"),
    ],
)
def test_what_is_no_gray_picture_is_refused(image: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r"was given; expected \(height, width\) and uint8"):
        normalize(image)


def test_an_unknown_normalization_is_refused_by_name() -> None:
    unknown: Any = "squares"
    with pytest.raises(ValueError, match="'squares'; expected one of moments, box"):
        rasterize([[(1, 2)]], unknown)
    with pytest.raises(ValueError, match="'squares'; expected one of moments, box"):
        normalize(np.zeros((28, 28), np.uint8), unknown)
