"""Styles: digits as other people write them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.data.unipen import read_drawings
from convert.strokes import handmade
from convert.strokes.geometry import Strokes, bounds, length
from convert.strokes.skeleton import skeleton
from convert.strokes.styles import STYLES, restyled
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.mnist import Digits

STEM = np.array([(100.0, 100.0), (300.0, 100.0), (180.0, 400.0)])
BAR = np.array([(130.0, 260.0), (290.0, 260.0)])
LINE = np.array([(10.0, 0.0), (0.0, 100.0)])
FLAGGED = np.array([(-30.0, 30.0), (10.0, 0.0), (0.0, 100.0)])
RING = 100.0 * np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 40)])
FIVE = np.array(
    [(80.0, 0.0), (5.0, 0.0), (0.0, 45.0), (50.0, 40.0), (80.0, 70.0), (45.0, 100.0), (0.0, 90.0)]
)
EIGHT = np.array([(np.sin(2 * a), -2 * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 60)])
ROUNDS = 200


def in_style(name: str, strokes: Strokes, rounds: int = ROUNDS) -> list[Strokes]:
    """The drawing in a style, as many times."""
    generator = np.random.default_rng(0)
    results = [STYLES[name].change(strokes, generator) for _ in range(rounds)]
    assert all(results)
    return [result for result in results if result]


def added(name: str, strokes: Strokes) -> list[Strokes]:
    """What a style adds to a drawing whose own strokes stay."""
    results = in_style(name, strokes)
    for result in results:
        assert all(before is after for before, after in zip(strokes, result, strict=False))
    return [result[len(strokes) :] for result in results]


def shapes(name: str) -> list[Strokes]:
    """The paths of a hand-made digit before a hand draws them."""
    generator = np.random.default_rng(0)
    return [getattr(handmade, name)(generator) for _ in range(ROUNDS)]


def turning(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """How sharply a path turns at each corner, in radians: 0 is straight on."""
    ways = np.diff(path, axis=0)
    angles = np.unwrap(np.arctan2(ways[:, 1], ways[:, 0]))
    return np.abs(np.diff(angles))


@pytest.fixture(scope="module", params=["drawn in the page", "traced", "UCI"])
def people(
    request: pytest.FixtureRequest, page_drawings: list[LabelledDrawing], test_set: Digits
) -> list[LabelledDrawing]:
    """A few of each digit by people, of every kind that training varies."""
    if request.param == "drawn in the page":
        return page_drawings
    if request.param == "traced":
        digits = zip(test_set.images[:100], map(int, test_set.labels[:100]), strict=True)
        traced = [LabelledDrawing(digit, skeleton(image, digit)) for image, digit in digits]
        return [drawing for drawing in traced if drawing.strokes]
    file: Path = request.getfixturevalue("pen_file")
    return read_drawings(file)[:100]


@pytest.mark.parametrize("name", STYLES)
def test_every_style_can_be_drawn_whoever_wrote_the_digit_and_a_seed_decides_how(
    name: str, people: list[LabelledDrawing]
) -> None:
    style = STYLES[name]
    for number, drawing in enumerate(people):
        if drawing.label != style.digit:
            continue
        before = [stroke.copy() for stroke in drawing.strokes]
        seeds = [number, *range(number, number + 6)]
        results = [style.change(drawing.strokes, np.random.default_rng(seed)) for seed in seeds]
        np.testing.assert_equal(drawing.strokes, before)
        np.testing.assert_equal(results[0], results[1])
        done = [np.concatenate(result) for result in results if result]
        assert len(done) in {0, len(results)}
        for points in done:
            assert points.dtype == np.float64
            assert points.shape[1] == 2
            assert np.isfinite(points).all()
            assert np.ptp(points[:, 1]) > 0
        assert not done or len({points.tobytes() for points in done}) > 2


def test_styles_are_as_frequent_as_their_table_says_and_can_be_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def share(digit: int, strokes: Strokes) -> float:
        generator = np.random.default_rng(0)
        return sum(restyled(strokes, digit, generator) is not strokes for _ in range(1000)) / 1000

    plain = {0: [RING], 1: [LINE], 7: [STEM], 8: [EIGHT]}
    for digit in range(10):
        expected = sum(style.chance for style in STYLES.values() if style.digit == digit)
        assert share(digit, plain.get(digit, [RING])) == pytest.approx(expected, abs=0.04)
        assert expected < 0.4  # Most digits stay as their writers wrote them.
    monkeypatch.delitem(STYLES, "struck zero")
    assert share(0, [RING]) == pytest.approx(STYLES["slashed zero"].chance, abs=0.03)
    monkeypatch.delitem(STYLES, "slashed zero")
    assert share(0, [RING]) == 0


def test_a_zeros_slash_mostly_rises_to_the_right() -> None:
    slashes = np.array([lines[0] for lines in added("slashed zero", [RING])])
    assert np.abs(slashes.mean(axis=1)).max() < 50
    ways = slashes[:, 1] - slashes[:, 0]
    assert np.hypot(*ways.T).min() > 40
    assert 0.8 < (ways.prod(axis=1) < 0).mean() < 1


@pytest.mark.parametrize("stretch", [(1.0, 1.0), (0.5, 1.0), (1.5, 1.0)])
def test_a_struck_zero_has_one_or_two_lines_beyond_its_ring(stretch: tuple[float, float]) -> None:
    lines = added("struck zero", [RING * stretch])
    assert {len(each) for each in lines} == {1, 2}
    firsts = np.array([each[0] for each in lines])
    ends = firsts / stretch / 100
    # Every line crosses the ring twice: both of its ends are outside, and on either side.
    assert np.hypot(ends[..., 0], ends[..., 1]).min() > 1
    assert (ends[:, 0] * ends[:, 1]).sum(axis=1).max() < 0
    ways = firsts[:, 0] - firsts[:, 1]
    angles = np.degrees(np.arctan2(-ways[:, 1], ways[:, 0])) % 180
    level, upright = np.minimum(angles, 180 - angles) < 15, np.abs(angles - 90) < 10
    rising, falling = (angles > 20) & (angles < 75), (angles > 105) & (angles < 160)
    assert min(each.sum() for each in (level, upright, rising, falling)) > 5
    assert rising.sum() > falling.sum()


def test_ones_get_flags_feet_or_both() -> None:
    for name, flags, feet in (
        ("flagged one", 1, 0),
        ("flagged and footed one", 1, 1),
        ("footed one", 0, 1),
    ):
        for lines in added(name, [LINE]):
            assert len(lines) == flags + feet
            for top, end in lines[:flags]:
                np.testing.assert_array_equal(top, LINE[0])
                assert end[0] < top[0]
                assert top[1] < end[1] < 40
            for left, right in lines[flags:]:
                assert left[0] < LINE[1, 0] < right[0]
                assert min(left[1], right[1]) > 80
    generator = np.random.default_rng(0)
    assert STYLES["flagged one"].change([FLAGGED], generator) is None


def test_a_long_flag_comes_down_at_least_a_quarter_and_at_most_seven_tenths_of_the_stem() -> None:
    flags = np.array([lines[0] for lines in added("long-flagged one", [LINE])])
    drops = (flags[:, 1] - flags[:, 0]) / 100
    assert drops[:, 0].max() < 0
    assert drops[:, 1].min() > 0.25
    assert drops[:, 1].max() < 0.7
    assert (drops[:, 1] > 0.45).sum() > 20
    # Flatter than that it would be a seven's top.
    assert (drops[:, 1] > -drops[:, 0]).all()
    # A one that has a flag is replaced: with its own, it would have two.
    for paths in in_style("long-flagged one", [FLAGGED]):
        assert len(paths) in {1, 2}
        assert not np.array_equal(paths[0], FLAGGED)


@pytest.mark.parametrize("five", [[FIVE], [FIVE[::-1]], [FIVE[1:], FIVE[:2]], [FIVE[:2], FIVE[1:]]])
def test_a_fives_bar_comes_off_and_is_kept_whole(five: Strokes) -> None:
    for body, bar in in_style("parted five", five):
        np.testing.assert_allclose(bounds([body]), bounds([FIVE[1:]]), atol=3)
        assert np.ptp(bar, axis=0) == pytest.approx((75, 0), abs=3)
        assert np.ptp(bar[:, 0]) > 70
        # It lies above the body's top and reaches to its right.
        assert -20 < bar[:, 1].max() < 2
        assert bar[:, 0].min() > 3


def test_a_five_without_a_bar_to_take_off_is_made_by_hand() -> None:
    for body, bar in in_style("parted five", [RING]):
        assert np.ptp(bar[:, 1]) < 0.5 * np.ptp(body[:, 1])
        assert np.ptp(bar[:, 0]) > np.ptp(bar[:, 1])
        assert bar[:, 1].mean() < np.quantile(body[:, 1], 0.2)


def test_a_plain_sevens_stem_is_crossed_once() -> None:
    for ((left, right),) in added("barred seven", [STEM]):
        level = (left[1] + right[1]) / 2
        assert left[0] < np.interp(level, STEM[1:, 1], STEM[1:, 0]) < right[0]
        assert 200 < level < 300
    assert STYLES["barred seven"].change([STEM, BAR], np.random.default_rng(0)) is None


def test_a_bowed_seven_has_no_corner() -> None:
    assert turning(STEM).max() > 1.5
    made = [strokes[0] for strokes in in_style("bowed seven", [STEM])]
    changed = [path for path in made if np.array_equal(path[0], STEM[0])]
    assert 50 < len(changed) < 150  # The others are made by hand.
    for path in changed:
        assert turning(path).max() < 0.8
        np.testing.assert_allclose(bounds([path]), bounds([STEM]), atol=60)
    for (path,) in shapes("bowed_seven"):
        assert turning(path).max() < 1.2
        assert path[0, 0] < path[-1, 0] < path[:, 0].max() - 2


def test_an_open_eights_ends_do_not_meet() -> None:
    size = np.ptp(EIGHT, axis=0).max()
    for (path,) in in_style("open eight", [EIGHT]):
        assert 0.05 < np.hypot(*(path[0] - path[-1])) / size < 0.5
        assert length(path) > 0.85 * length(EIGHT)
    for (path,) in shapes("open_eight"):
        assert np.hypot(*(path[0] - path[-1])) > 0.3


def test_hand_made_digits_are_what_they_are_called() -> None:
    for (path,) in shapes("flat_three"):
        assert abs(path[1, 1] - path[0, 1]) < 0.3 * (path[1, 0] - path[0, 0])
        assert turning(path)[0] > 1.5  # Back to the middle, as in a Z.
    for left, stem in shapes("open_four"):
        assert left[0, 0] < stem[0, 0] - 0.5
        assert abs(stem[-1, 0] - stem[0, 0]) < 0.5 * abs(stem[-1, 1] - stem[0, 1])
        assert left[-1, 0] > stem[:, 0].min()
    assert all(len(paths) == 1 for paths in shapes("one_stroke_four"))
    for name in ("low_six", "side_six"):
        for (path,) in shapes(name):
            assert path[0, 1] < 0.2 * path[:, 1].max()
            # Right of the stem there is nothing but the loop, in the lower half.
            assert path[path[:, 0].argmax(), 1] > 4 or path[:, 0].argmax() == 0
    for (path,) in shapes("short_seven"):
        assert 2.5 < path[1, 0] - path[0, 0] < 6.5
        assert path[2, 0] < path[1, 0] - 1
    for (path,) in shapes("hooked_nine"):
        assert path[:, 1].min() < 1
        assert path[:, 1].max() > 8
        loop = path[: len(path) // 2]
        assert np.hypot(*(loop - path[0]).T).max() > 3


def test_every_shape_is_drawn_by_some_style() -> None:
    source = Path(handmade.__file__).read_text(encoding="utf-8")
    used = Path(handmade.__file__).with_name("styles.py").read_text(encoding="utf-8")
    names = set(re.findall(r"^def ([a-z]\w+)\(generator", source, flags=re.MULTILINE))
    assert len(names) > 5
    assert all(f"handmade.{name}" in used for name in names)


@pytest.mark.parametrize("name", STYLES)
def test_a_dot_or_a_line_in_place_of_a_digit_is_no_trouble(name: str) -> None:
    for points in (
        [(5.0, 5.0)],
        [(5.0, 5.0)] * 3,
        [(0.0, 0.0), (0.0, 9.0)],
        [(0.0, 0.0), (9.0, 0.0)],
    ):
        for seed in range(5):
            result = STYLES[name].change([np.array(points)], np.random.default_rng(seed))
            assert result is None or np.isfinite(np.concatenate(result)).all()
