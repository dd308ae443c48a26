"""Variation: drawn digits as other people would have drawn them."""

from __future__ import annotations

import numpy as np
import pytest

from convert.strokes import variation as module
from convert.strokes.geometry import Strokes, fitted
from convert.strokes.variation import WAVES, restyled, uncrossed, warped
from edge_app.digits.labelled import LabelledDrawing

STEM = np.array([(100.0, 100.0), (300.0, 100.0), (180.0, 400.0)])
BAR = np.array([(130.0, 260.0), (290.0, 260.0)])
LINE = np.array([(10.0, 0.0), (0.0, 100.0)])
RING = 100.0 * np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 40)])


def test_a_crossed_seven_loses_its_bar_and_nothing_else_is_taken_apart() -> None:
    plain = uncrossed(LabelledDrawing(7, [STEM, BAR], writer=3))
    assert plain is not None
    assert (plain.label, plain.writer, len(plain.strokes)) == (7, 3, 1)
    np.testing.assert_array_equal(plain.strokes[0], STEM)
    assert uncrossed(LabelledDrawing(7, [STEM])) is None
    assert uncrossed(LabelledDrawing(4, [STEM, BAR])) is None
    stem_apart = [STEM[:2], np.array([(300.0, 100.0), (240.0, 400.0)]), BAR]
    assert uncrossed(LabelledDrawing(7, stem_apart)) is None


def test_warping_keeps_strokes_and_dots_and_works_in_any_unit() -> None:
    dots = [np.array([(100.0, 100.0)]), np.array([(3.0, 5.0)] * 3)]
    for strokes in ([STEM, BAR, dots[0]], dots[:1], dots[1:]):
        found = warped(strokes, np.random.default_rng(0))
        moved = warped([7.0 * stroke + 1000.0 for stroke in strokes], np.random.default_rng(0))
        assert [len(one) > 1 for one in found] == [len(stroke) > 1 for stroke in strokes]
        for one, other in zip(found, moved, strict=True):
            assert np.isfinite(one).all()
            np.testing.assert_allclose(one, other, atol=1e-9)


DEVIATIONS = {name: getattr(module, name) for name in ("TURN", "STRETCH", "BEND", "SLIP")}


def leave(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Switches all other deviations off."""
    for name in DEVIATIONS.keys() - set(names):
        monkeypatch.setattr(module, name, 0.0)


def test_without_deviations_a_digit_is_only_centred_and_scaled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leave(monkeypatch)
    strokes = [STEM, BAR]
    for stroke, found in zip(strokes, warped(strokes, np.random.default_rng(0)), strict=True):
        expected = (stroke - (200, 250)) / 300
        np.testing.assert_allclose(found[[0, -1]], expected[[0, -1]])
        assert len(found) == 4 * len(stroke)
        for corner in expected:
            assert np.abs(found - corner).sum(axis=1).min() < 0.15


def test_digits_are_turned_and_stretched_by_the_given_deviations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leave(monkeypatch, "TURN", "STRETCH")
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
    for found, name in ((np.log(widths), "STRETCH"), (angles, "TURN")):
        deviation = DEVIATIONS[name]
        assert found.mean() == pytest.approx(0, abs=0.1 * deviation)
        assert found.std() == pytest.approx(deviation, rel=0.1)


@pytest.mark.parametrize(("name", "variance"), [("BEND", WAVES / 2), ("SLIP", 1.0)])
def test_points_are_bent_and_slipped_by_the_given_deviations(
    name: str, variance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A wave of random phase moves a point by its height times the square root of a half.
    leave(monkeypatch, name)
    generator = np.random.default_rng(0)
    moved = np.array([warped([RING, RING], generator) for _ in range(1000)]) - fitted([RING])[0]
    deviation = DEVIATIONS[name] * variance**0.5
    np.testing.assert_allclose(moved[:, 0, 0].std(axis=0), deviation, rtol=0.1)
    # A stroke slips as a whole; all strokes are bent alike.
    alike = moved[:, 0, 0] == pytest.approx(moved[:, 0, 20])
    assert alike == (name == "SLIP")
    assert (moved[:, 0] == pytest.approx(moved[:, 1])) == (name == "BEND")


def restyle(strokes: Strokes, digit: int, rounds: int = 1000) -> list[Strokes]:
    """What is added to a digit, each time."""
    generator = np.random.default_rng(0)
    results = [restyled(strokes, digit, generator) for _ in range(rounds)]
    for result in results:
        assert all(before is after for before, after in zip(strokes, result, strict=False))
    return [result[len(strokes) :] for result in results]


def share(added: list[Strokes]) -> float:
    return sum(map(bool, added)) / len(added)


def test_now_and_then_a_zero_gets_a_slash_and_a_plain_seven_a_bar_across_its_stem() -> None:
    added = restyle([RING], 0)
    assert share(added) == pytest.approx(0.12, abs=0.03)
    slashes = np.array([strokes[0] for strokes in added if strokes])
    assert np.abs(slashes.mean(axis=1)).max() < 50
    ways = slashes[:, 1] - slashes[:, 0]
    assert np.hypot(*ways.T).min() > 40
    assert 0.8 < (ways.prod(axis=1) < 0).mean() < 1  # Most rise to the right.
    added = restyle([STEM], 7)
    assert share(added) == pytest.approx(0.15, abs=0.03)
    for left, right in (strokes[0] for strokes in added if strokes):
        level = (left[1] + right[1]) / 2
        assert left[0] < np.interp(level, STEM[1:, 1], STEM[1:, 0]) < right[0]
        assert 200 < level < 300


def test_now_and_then_a_one_gets_a_flag_or_a_base_or_both() -> None:
    added = restyle([LINE], 1)
    flags = [[stroke for stroke in strokes if stroke[0, 1] == 0] for strokes in added]
    bases = [[stroke for stroke in strokes if stroke[:, 1].min() > 80] for strokes in added]
    assert sum(map(len, flags)) + sum(map(len, bases)) == sum(map(len, added))
    assert share(flags) == pytest.approx(0.25, abs=0.04)
    assert share(bases) == pytest.approx(0.17, abs=0.04)
    both = [strokes[1:] for strokes in added]
    assert share(both) == pytest.approx(0.1, abs=0.03)
    for top, end in (strokes[0] for strokes in flags if strokes):
        np.testing.assert_array_equal(top, LINE[0])
        assert end[0] < top[0]
        assert end[1] > top[1]
    for left, right in (strokes[0] for strokes in bases if strokes):
        assert left[0] < LINE[1, 0] < right[0]


@pytest.mark.parametrize("digit", range(1, 10))
def test_nothing_else_is_restyled(digit: int) -> None:
    done = {7: [STEM, BAR], 1: [np.array([(0.0, 30.0), (50.0, 0.0), (50.0, 100.0)])]}
    assert not share(restyle(done.get(digit, [RING]), digit, rounds=200))
