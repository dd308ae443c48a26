"""Variation: drawn digits as other people would have drawn them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from convert.strokes.variation import STRETCH, TURN, Strokes, restyled, uncrossed, varied, warped
from edge_app.digits.labelled import LabelledDrawing

STEM = np.array([(100.0, 100.0), (300.0, 100.0), (180.0, 400.0)])
BAR = np.array([(130.0, 260.0), (290.0, 260.0)])
LINE = np.array([(10.0, 0.0), (0.0, 100.0)])
RING = 100.0 * np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 40)])


def test_a_crossed_seven_loses_its_bar() -> None:
    plain = uncrossed(LabelledDrawing(7, [STEM, BAR], writer=3))
    assert plain is not None
    assert (plain.label, plain.writer, len(plain.strokes)) == (7, 3, 1)
    np.testing.assert_array_equal(plain.strokes[0], STEM)


@pytest.mark.parametrize(
    "drawing",
    [
        LabelledDrawing(7, [STEM]),
        LabelledDrawing(4, [STEM, BAR]),
        LabelledDrawing(7, [STEM[:2], np.array([(300.0, 100.0), (240.0, 400.0)]), BAR]),
    ],
    ids=["plain", "no seven", "top and stem apart"],
)
def test_nothing_else_is_taken_apart(drawing: LabelledDrawing) -> None:
    assert uncrossed(drawing) is None


def test_warping_keeps_strokes_and_works_in_any_unit() -> None:
    strokes = [STEM, BAR, np.array([(100.0, 100.0)])]
    found = warped(strokes, np.random.default_rng(0))
    moved = warped([7.0 * stroke + 1000.0 for stroke in strokes], np.random.default_rng(0))
    assert [len(stroke) > 1 for stroke in found] == [True, True, False]
    for one, other in zip(found, moved, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)
    assert 0.5 < np.ptp(np.concatenate(found), axis=0).max() < 2


@pytest.mark.parametrize("point", [[(3.0, 5.0)], [(3.0, 5.0)] * 3], ids=["one point", "the same"])
def test_a_dot_stays_finite(point: list[tuple[float, float]]) -> None:
    (dot,) = warped([np.array(point)], np.random.default_rng(0))
    assert np.isfinite(dot).all()


def test_the_seed_alone_decides() -> None:
    first, again, other = (
        varied([STEM, BAR], 7, np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.allclose(first[0], other[0])


@pytest.fixture
def unbent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but turning and stretching."""
    monkeypatch.setattr("convert.strokes.variation.BEND", 0.0)
    monkeypatch.setattr("convert.strokes.variation.SLIP", 0.0)


@pytest.mark.usefixtures("unbent")
def test_digits_are_turned_and_stretched_as_far_as_it_says() -> None:
    generator = np.random.default_rng(0)
    cross = [np.array([(-1.0, 0.0), (1.0, 0.0)]), np.array([(0.0, -1.0), (0.0, 1.0)])]
    bars = np.array(
        [[line[-1] - line[0] for line in warped(cross, generator)] for _ in range(2000)]
    )
    # Turned first, then stretched across: of the two bars' x, the squares add up to the width's.
    widths = np.hypot(bars[:, 0, 0], bars[:, 1, 0])
    angles = np.arctan2(bars[:, 0, 1], bars[:, 1, 1])
    np.testing.assert_allclose(np.hypot(bars[:, 0, 1], bars[:, 1, 1]), 1)
    np.testing.assert_allclose(bars[:, 0].prod(axis=1), -bars[:, 1].prod(axis=1))
    for found, deviation in ((np.log(widths), STRETCH), (angles, TURN)):
        assert found.mean() == pytest.approx(0, abs=0.1 * deviation)
        assert found.std() == pytest.approx(deviation, rel=0.1)


def test_straight_lines_bend_a_little() -> None:
    generator = np.random.default_rng(0)
    sags = []
    for _ in range(200):
        (line,) = warped([LINE], generator)
        along = (line[-1] - line[0]) / np.hypot(*(line[-1] - line[0]))
        sags.append(np.abs((line - line[0]) @ (-along[1], along[0])).max())
    assert 0.005 < np.median(sags) < 0.1


def test_strokes_slip_against_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convert.strokes.variation.BEND", 0.0)
    generator = np.random.default_rng(0)
    gaps = [np.subtract(*(line[0] for line in warped([LINE, LINE], generator))) for _ in range(200)]
    # The difference of two slips; the width changes little about it.
    assert np.std(gaps) == pytest.approx(0.015 * 2**0.5, rel=0.15)


def restyle(strokes: Strokes, digit: int, rounds: int = 1000) -> list[Strokes]:
    """What is added to a digit, each time."""
    generator = np.random.default_rng(0)
    results = [restyled(strokes, digit, generator) for _ in range(rounds)]
    for result in results:
        for before, after in zip(strokes, result, strict=False):
            assert after is before
    return [result[len(strokes) :] for result in results]


def share(added: list[Strokes], kind: Callable[[Strokes], bool] = bool) -> float:
    return sum(map(kind, added)) / len(added)


def test_now_and_then_a_zero_gets_a_slash_through_its_middle() -> None:
    added = restyle([RING], 0)
    assert share(added) == pytest.approx(0.12, abs=0.03)
    slashes = np.array([strokes[0] for strokes in added if strokes])
    assert np.abs(slashes.mean(axis=1)).max() < 50
    ways = slashes[:, 1] - slashes[:, 0]
    assert np.hypot(*ways.T).min() > 40
    assert 0.8 < (ways.prod(axis=1) < 0).mean() < 1  # Most rise to the right.


def test_now_and_then_a_plain_seven_gets_a_bar_across_its_stem() -> None:
    added = restyle([STEM], 7)
    assert share(added) == pytest.approx(0.15, abs=0.03)
    for left, right in (strokes[0] for strokes in added if strokes):
        level = (left[1] + right[1]) / 2
        stem = np.interp(level, STEM[1:, 1], STEM[1:, 0])
        assert left[0] < stem < right[0]
        assert 200 < level < 300


def test_now_and_then_a_one_gets_a_flag_or_a_base_or_both() -> None:
    added = restyle([LINE], 1)
    flags = [[stroke for stroke in strokes if stroke[0, 1] == 0] for strokes in added]
    bases = [[stroke for stroke in strokes if stroke[:, 1].min() > 80] for strokes in added]
    assert sum(map(len, flags)) + sum(map(len, bases)) == sum(map(len, added))
    assert share(flags) == pytest.approx(0.25, abs=0.04)
    assert share(bases) == pytest.approx(0.17, abs=0.04)
    assert share(added, lambda strokes: len(strokes) == 2) == pytest.approx(0.1, abs=0.03)
    for top, end in (strokes[0] for strokes in flags if strokes):
        np.testing.assert_array_equal(top, LINE[0])
        assert end[0] < top[0]
        assert end[1] > top[1]
    for left, right in (strokes[0] for strokes in bases if strokes):
        assert left[0] < LINE[1, 0] < right[0]


@pytest.mark.parametrize(
    ("strokes", "digit"),
    [
        pytest.param([STEM, BAR], 7, id="a crossed seven"),
        pytest.param([np.array([(0.0, 30.0), (50.0, 0.0), (50.0, 100.0)])], 1, id="a flagged one"),
        *(pytest.param([RING], digit, id=f"a {digit}") for digit in (2, 3, 4, 5, 6, 8, 9)),
    ],
)
def test_nothing_else_is_restyled(strokes: Strokes, digit: int) -> None:
    assert not share(restyle(strokes, digit, rounds=200))
