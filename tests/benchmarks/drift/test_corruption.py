"""Corrupted test images: what each corruption does, and that it reaches the models."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.drift import corruption
from benchmarks.drift.corruption import FARTHEST_SHIFT, NOISE, corrupted_sets, steps
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import normalize


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def few(test_set: Digits) -> Digits:
    return Digits(test_set.images[:20], test_set.labels[:20])


def filled(rows: slice, columns: slice, ink: int = 255) -> NDArray[np.uint8]:
    image = np.zeros((28, 28), np.uint8)
    image[rows, columns] = ink
    return image


def test_a_line_gets_a_pixel_thinner_and_thicker(random: np.random.Generator) -> None:
    bar = filled(slice(5, 20), slice(10, 13), ink=200)
    assert (corruption.thin(bar, random) == 200).sum() == 14 * 2
    assert (corruption.thick(bar, random) == 200).sum() == 16 * 4


def test_a_shift_moves_by_whole_pixels_and_wraps_nothing(random: np.random.Generator) -> None:
    dot, corner = filled(slice(14, 15), slice(14, 15)), filled(slice(1), slice(1))
    places = {tuple(np.argwhere(corruption.shift(dot, random))[0] - 14) for _ in range(500)}
    ways = range(-FARTHEST_SHIFT, FARTHEST_SHIFT + 1)
    assert places == {(down, right) for down in ways for right in ways}
    moved = [corruption.shift(corner, random) for _ in range(100)]
    assert {image.sum() for image in moved} == {0, 255}
    assert not any(image[FARTHEST_SHIFT + 1 :].any() for image in moved)


def test_noise_is_on_ink_and_paper(random: np.random.Generator) -> None:
    black, grey, white = (np.full((28, 28), ink, np.uint8) for ink in (0, 128, 255))
    assert corruption.noise(grey, random).std() == pytest.approx(NOISE * 255, rel=0.1)
    assert (corruption.noise(black, random) > 0).mean() == pytest.approx(0.5, abs=0.1)
    assert (corruption.noise(white, random) < 255).mean() == pytest.approx(0.5, abs=0.1)


def test_blur_spreads_the_ink_and_rotation_turns_it(random: np.random.Generator) -> None:
    bar = filled(slice(4, 24), slice(13, 15))
    blurred = corruption.blur(bar, random)
    assert blurred.max() < 255
    assert blurred.sum() == pytest.approx(bar.sum(), rel=0.05)
    turned = [corruption.rotation(bar, random) for _ in range(20)]
    leans = [np.corrcoef(np.argwhere(image > 99).T)[0, 1] for image in turned]
    assert min(leans) < -0.5
    assert max(leans) > 0.5


def test_every_corruption_is_a_set_and_always_the_same(few: Digits, test_set: Digits) -> None:
    done: list[int] = []
    sets = corrupted_sets(few, ["moments", "box"], done.append)
    assert sum(done) == steps(few, ["moments", "box"]) == 20 * 6 * 2
    assert steps(test_set, ["moments"]) == 1000 * 6  # Of its 10,000 images.
    assert {each.name for each in sets} == {"shift", "rotation", "noise", "thin", "thick", "blur"}
    again = corrupted_sets(few, ["box"], lambda _: None)
    clean = np.stack([normalize(image, "box") for image in few.images])
    for each, other in zip(sets, again, strict=True):
        assert each.images["box"].shape == (20, 28, 28)
        assert (each.images["box"] == other.images["box"]).all()
        assert (each.labels == few.labels).all()
        changed = (each.images["box"] != clean).any(axis=(1, 2))
        assert changed.mean() > 0.8, each.name
        if each.name == "shift":  # The normalization does not undo it.
            ink = each.images["moments"].sum(axis=1, dtype=float)
            assert np.ptp(ink @ np.arange(28) / ink.sum(axis=1)) > 2
