"""Validation data: what choices are made on, and nothing of it in the pool."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.data import validation as module
from convert.data.pool import Pool
from convert.data.sources import TrainingData
from convert.data.validation import Validation, hold_out
from convert.strokes.skeleton import skeleton
from edge_app import rasterize
from edge_app.digits.mnist import Digits


@pytest.fixture(scope="module")
def held_out(data: TrainingData) -> Validation:
    """The drawings count for themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ENOUGH", 2)
        patch.setattr(module, "NON_DIGITS", 100)
        return hold_out(data)


def images(*arrays: NDArray[np.uint8]) -> set[bytes]:
    return {image.tobytes() for array in arrays for image in array.reshape(-1, 28, 28)}


def test_sources_are_as_they_are_and_the_pen_s_are_drawn(
    held_out: Validation, data: TrainingData
) -> None:
    expected = [data.mnist.validation, data.drawn[0].validation]
    for found, source in zip(held_out.sources, expected, strict=True):
        assert all(map(np.array_equal, found, source))
    joined = Digits(*(np.concatenate(parts) for parts in zip(*expected, strict=True)))
    assert all(map(np.array_equal, held_out.digits, joined))
    traced, drawn = held_out.pen
    assert all(map(np.array_equal, drawn, data.drawn[0].validation))
    pictures = data.pictures.validation
    np.testing.assert_array_equal(traced.labels, pictures.labels)
    for image, picture, label in zip(traced.images, *pictures, strict=True):
        np.testing.assert_array_equal(image, rasterize(skeleton(picture, int(label))))


def test_what_cannot_be_traced_is_left_out_of_the_pen_s(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NON_DIGITS", 10)
    images, labels = data.pictures.validation
    blank = Digits(np.concatenate([images[:4], 0 * images[4:5], images[5:]]), labels)
    pictures = data.pictures._replace(validation=blank)
    (pen,) = hold_out(data._replace(pictures=pictures, drawn=[])).pen
    np.testing.assert_array_equal(pen.labels, np.delete(labels, 4))


def test_non_digits_are_many_and_the_seed_s(
    held_out: Validation, data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert held_out.non_digits.shape == (100, 28, 28)
    monkeypatch.setattr(module, "NON_DIGITS", 100)
    np.testing.assert_array_equal(hold_out(data).non_digits, held_out.non_digits)
    monkeypatch.setattr(module, "SEED", 1)
    assert (hold_out(data).non_digits != held_out.non_digits).any()


def test_nothing_of_it_is_in_the_pool(held_out: Validation, filled: Pool) -> None:
    shown = images(filled.pictures, filled.traced.renderings, filled.drawn.renderings)
    for digits in (*held_out.sources, *held_out.pen):
        assert not images(digits.images) & shown
    alike = images(held_out.non_digits) & images(filled.outliers)
    # A single dot looks like a single dot.
    assert len(alike) <= 2


@pytest.mark.parametrize("count", [0, 2])
def test_drawings_too_few_to_count_for_themselves_count_with_mnist_s(
    count: int, data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source,) = data.drawn
    few = Digits(*(part[:count] for part in source.validation))
    monkeypatch.setattr(module, "NON_DIGITS", 10)
    held_out = hold_out(data._replace(drawn=[source._replace(validation=few)]))
    for (digits,) in (held_out.sources, held_out.pen):
        assert len(digits.labels) == 10 + count
        np.testing.assert_array_equal(digits.images[10:], few.images)
