"""Variation: drawn digits as other people would have drawn them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.strokes import variation as module
from convert.strokes.geometry import fitted, resampled
from convert.strokes.variation import POINTERS, WAVES, pointed, uncrossed, varied, warped
from edge_app import rasterize
from edge_app.digits.labelled import LabelledDrawing

STEM = np.array([(100.0, 100.0), (300.0, 100.0), (180.0, 400.0)])
BAR = np.array([(130.0, 260.0), (290.0, 260.0)])
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


@pytest.mark.parametrize("name", POINTERS)
def test_other_pointers_are_used_now_and_then_and_can_be_left_out(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in POINTERS.keys() - {name}:
        monkeypatch.delitem(POINTERS, other)
    generator = np.random.default_rng(0)
    results = [pointed([STEM], generator) for _ in range(1000)]
    changed = sum(result[0] is not STEM for result in results)
    assert changed / 1000 == pytest.approx(POINTERS[name][0], abs=0.03)
    monkeypatch.delitem(POINTERS, name)
    assert pointed([STEM], generator)[0] is STEM


def corners(path: NDArray[np.float64], least: float) -> int:
    """How many of a path's turns are of so many radians or more."""
    ways = np.diff(path, axis=0)
    angles = np.unwrap(np.arctan2(ways[:, 1], ways[:, 0]))
    return int((np.abs(np.diff(angles)) >= least).sum())


def test_a_mouse_draws_rings_with_corners_and_few_points() -> None:
    fine = [resampled(RING, 200)]
    generator = np.random.default_rng(0)
    for _ in range(100):
        (path,) = POINTERS["mouse"][1](fine, generator)
        assert 12 < len(path) < 60
        assert corners(path, 0.3) >= 5
        assert np.abs(np.hypot(*path.T) - 0.5).max() < 0.12


def test_a_finger_rounds_corners_off_and_keeps_the_ends() -> None:
    assert corners(STEM, 0.7) == 1
    fit = fitted([STEM])[0]
    generator = np.random.default_rng(0)
    for _ in range(100):
        (path,) = POINTERS["finger"][1]([STEM], generator)
        assert corners(path, 0.7) == 0
        np.testing.assert_allclose(path[[0, -1]], fit[[0, -1]])
        assert 0.01 < np.hypot(*(path - fit[1]).T).min() < 0.1


@pytest.mark.parametrize("name", POINTERS)
def test_pointers_keep_strokes_and_dots(name: str) -> None:
    strokes = [STEM, BAR, np.array([(150.0, 120.0)]), np.array([(3.0, 5.0)] * 3)]
    found = POINTERS[name][1](strokes, np.random.default_rng(0))
    assert [len(each) > 1 for each in found] == [True, True, False, False]
    assert np.isfinite(np.concatenate(found)).all()


def test_a_varied_drawing_depends_on_its_seed_alone(page_drawings: list[LabelledDrawing]) -> None:
    for number, (digit, strokes, _) in enumerate(page_drawings * 5):
        once, again = (varied(strokes, digit, np.random.default_rng(number)) for _ in range(2))
        np.testing.assert_equal(once, again)
        points = np.concatenate(once)
        assert np.isfinite(points).all()
        assert rasterize(once).any()
