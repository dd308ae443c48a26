"""Corrupted test images: what each corruption does, and where it stands before normalization."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.drift.corruption import (
    CORRUPTIONS,
    FARTHEST_SHIFT,
    NOISE,
    blur,
    corrupted_sets,
    noise,
    rotation,
    shift,
    steps,
    thick,
    thin,
)
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import normalize


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def few(test_set: Digits) -> Digits:
    return Digits(test_set.images[:20], test_set.labels[:20])


def test_a_line_gets_a_pixel_thinner_and_thicker(random: np.random.Generator) -> None:
    bar = np.zeros((28, 28), np.uint8)
    bar[5:20, 10:13] = 200
    assert (thin(bar, random) == 200).sum() == 14 * 2
    assert (thick(bar, random) == 200).sum() == 16 * 4


def test_a_shift_moves_by_whole_pixels_and_wraps_nothing(random: np.random.Generator) -> None:
    dot = np.zeros((28, 28), np.uint8)
    dot[14, 14] = 255
    places = {tuple(np.argwhere(shift(dot, random))[0] - 14) for _ in range(500)}
    ways = range(-FARTHEST_SHIFT, FARTHEST_SHIFT + 1)
    assert places == {(down, right) for down in ways for right in ways}
    corner = np.zeros((28, 28), np.uint8)
    corner[0, 0] = 255
    moved = [shift(corner, random) for _ in range(100)]
    assert {image.sum() for image in moved} == {0, 255}
    assert not any(image[FARTHEST_SHIFT + 1 :].any() for image in moved)


def test_noise_is_on_ink_and_paper(random: np.random.Generator) -> None:
    grey = np.full((28, 28), 128, np.uint8)
    assert noise(grey, random).std() == pytest.approx(NOISE * 255, rel=0.1)
    assert (noise(np.zeros_like(grey), random) > 0).mean() == pytest.approx(0.5, abs=0.1)
    assert (noise(np.full_like(grey, 255), random) < 255).mean() == pytest.approx(0.5, abs=0.1)


def test_blur_spreads_the_ink_and_rotation_turns_it(random: np.random.Generator) -> None:
    bar = np.zeros((28, 28), np.uint8)
    bar[4:24, 13:15] = 255
    blurred = blur(bar, random)
    assert blurred.max() < 255
    assert blurred.sum() == pytest.approx(bar.sum(), rel=0.05)
    turned = [rotation(bar, random) for _ in range(20)]
    leans = [np.corrcoef(np.argwhere(image > 99).T)[0, 1] for image in turned]
    assert min(leans) < -0.5
    assert max(leans) > 0.5


def test_every_corruption_is_a_set_and_always_the_same(few: Digits) -> None:
    done: list[int] = []
    sets = corrupted_sets(few, ["moments", "box"], done.append)
    assert sum(done) == steps(few, ["moments", "box"]) == 20 * 6 * 2
    assert {each.name for each in sets} == set(CORRUPTIONS)
    assert set(CORRUPTIONS) == {"shift", "rotation", "noise", "thin", "thick", "blur"}
    again = corrupted_sets(few, ["box"], lambda _: None)
    clean = np.stack([normalize(image, "box") for image in few.images])
    for each, other in zip(sets, again, strict=True):
        assert each.images["box"].shape == (20, 28, 28)
        assert (each.images["box"] == other.images["box"]).all()
        assert (each.labels == few.labels).all()
        changed = (each.images["box"] != clean).any(axis=(1, 2))
        assert changed.mean() > 0.8, each.name


def test_no_more_than_the_first_thousand_are_corrupted(test_set: Digits) -> None:
    assert steps(test_set, ["moments"]) == 1000 * 6


def test_a_shift_is_done_where_normalization_does_not_undo_it(few: Digits) -> None:
    sets = {each.name: each for each in corrupted_sets(few, ["moments"], lambda _: None)}
    random = np.random.default_rng(1)
    before = normalize(shift(few.images[0], random), "moments")
    assert (before == normalize(few.images[0], "moments")).all()
    ink = sets["shift"].images["moments"].sum(axis=1, dtype=float)
    centres = ink @ np.arange(28) / ink.sum(axis=1)
    assert np.ptp(centres) > 2
