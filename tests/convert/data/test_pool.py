"""The pool: what an epoch shows of it, and what it is filled with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.data import pool as module
from convert.data.pool import DRAWN_COPIES, NO_DIGIT, OUTLIER_SHARE, OUTLIERS, Drawn, Pool, fill
from convert.data.sources import Source, TrainingData
from convert.strokes.skeleton import skeleton
from edge_app import rasterize
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import stack

DIGITS, PEOPLE, OTHERS = 2000, 100, 500
PICTURE, TRACE, DRAWING, OUTLIER = 1, 2, 3, 4
"""The first pixel of each kind of image; the second is the rendering, the last two the number."""


def marked(kind: int, count: int, rendering: int = 0) -> NDArray[np.uint8]:
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = kind, rendering
    images[:, 0, 2], images[:, 0, 3] = np.divmod(np.arange(count), 256)
    return images


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Two thousand digits, one in four of them not traceable, and a hundred by people."""
    labels = (np.arange(DIGITS) % 10).astype(np.uint8)
    traced = Drawn(np.stack([marked(TRACE, DIGITS, number) for number in range(3)]), labels)
    drawn = np.stack([marked(DRAWING, PEOPLE, number) for number in range(5)])
    traceable = np.arange(DIGITS) % 4 > 0
    people, others = Drawn(drawn, labels[:PEOPLE]), marked(OUTLIER, OTHERS)
    return Pool(marked(PICTURE, DIGITS), traced, traceable, people, others)


Epoch = tuple[NDArray[Any], ...]


def show(pool: Pool, generator: np.random.Generator) -> Epoch:
    """An epoch's images and labels, and each image's kind, rendering and number."""
    images, labels = pool.epoch(generator)
    numbers = images[:, 0, 2].astype(np.intp) * 256 + images[:, 0, 3]
    return images, labels, images[:, 0, 0], images[:, 0, 1], numbers


@pytest.fixture(scope="module")
def epoch(pool: Pool) -> Epoch:
    return show(pool, np.random.default_rng(0))


def test_an_epoch_shows_every_digit_once_every_drawn_one_some_times_and_some_non_digits(
    epoch: Epoch,
) -> None:
    images, labels, kinds, _, numbers = epoch
    assert [images.dtype, labels.dtype] == [np.dtype(np.uint8), np.dtype(np.int8)]
    assert images.shape == (len(labels), 28, 28)
    mnist = np.isin(kinds, [PICTURE, TRACE])
    assert sorted(numbers[mnist]) == list(range(DIGITS))
    drawn = kinds == DRAWING
    assert np.bincount(numbers[drawn]).tolist() == [DRAWN_COPIES] * PEOPLE
    np.testing.assert_array_equal(labels[mnist | drawn], numbers[mnist | drawn] % 10)
    others = kinds == OUTLIER
    assert others.sum() == len(set(numbers[others])) == OUTLIER_SHARE * DIGITS
    np.testing.assert_array_equal(labels == NO_DIGIT, others)


def test_what_can_be_traced_is_mostly_a_picture_and_the_rest_always(
    epoch: Epoch, pool: Pool
) -> None:
    _, _, kinds, _, numbers = epoch
    pictures = set(numbers[kinds == PICTURE])
    traceable = set(np.flatnonzero(pool.traceable))
    assert set(range(DIGITS)) - traceable <= pictures
    assert len(pictures & traceable) / len(traceable) == pytest.approx(module.PICTURES, abs=0.04)


def test_every_rendering_is_shown_about_as_often(epoch: Epoch) -> None:
    _, _, kinds, renderings, numbers = epoch
    for kind, count in ((TRACE, 3), (DRAWING, 5)):
        shares = np.bincount(renderings[kinds == kind], minlength=count)
        assert shares / shares.sum() == pytest.approx(1 / count, abs=0.08)
    drawn = kinds == DRAWING
    pairs = set(zip(numbers[drawn], renderings[drawn], strict=True))
    half = len(drawn) // 2  # They are shuffled.
    assert drawn[:half].mean() == pytest.approx(drawn[half:].mean(), abs=0.05)
    # Of four drawn from five there are three different ones on average.
    assert len(pairs) / PEOPLE == pytest.approx(5 * (1 - 0.8**DRAWN_COPIES), abs=0.25)


def test_the_generator_alone_decides_and_epochs_differ(pool: Pool, epoch: Epoch) -> None:
    generator = np.random.default_rng(0)
    again, second = show(pool, generator), show(pool, generator)
    assert all(map(np.array_equal, again, epoch))
    of = [{image.tobytes() for image in images} for images, *_ in (again, second)]
    assert 0.2 < len(of[0] & of[1]) / len(of[0]) < 0.9
    others = [set(numbers[labels == NO_DIGIT]) for _, labels, *_, numbers in (again, second)]
    assert others[0] != others[1]


# What a pool is filled with


def small(data: TrainingData, drawn: list[Source]) -> TrainingData:
    """The first twenty training images, and other drawings."""
    mnist = data.mnist._replace(train=Digits(*(part[:20] for part in data.mnist.train)))
    pictures = data.pictures._replace(train=Digits(*(part[:20] for part in data.pictures.train)))
    return data._replace(mnist=mnist, pictures=pictures, drawn=drawn)


def test_pictures_are_mnist_s_and_traces_the_same_digits_drawn_with_the_pen(
    filled: Pool, data: TrainingData
) -> None:
    images, labels = data.mnist.train
    np.testing.assert_array_equal(filled.pictures, images)
    np.testing.assert_array_equal(filled.traced.labels, labels)
    traced, traceable = filled.traced.renderings, filled.traceable
    assert traced.shape == (1 + module.MNIST_VARIATIONS, len(labels), 28, 28)
    assert 0.8 * len(labels) < traceable.sum() <= len(labels)
    assert not traced[:, ~traceable].any()
    assert (traced[:, traceable].max(axis=(2, 3)) > 200).all()
    for number in np.flatnonzero(traceable)[:20]:
        strokes = skeleton(data.pictures.train.images[number], int(labels[number]))
        np.testing.assert_array_equal(traced[0, number], rasterize(strokes))


def test_drawn_digits_are_the_people_s_and_their_sevens_without_bars(
    filled: Pool, data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source,) = data.drawn
    images, labels = filled.drawn
    assert images.shape[:2] == (1 + module.DRAWN_VARIATIONS, len(source.drawings))
    np.testing.assert_array_equal(labels, source.train.labels)  # None of them is crossed.
    np.testing.assert_array_equal(images[0], source.train.images)
    for shown in (images, filled.traced.renderings[:, filled.traceable]):
        for variations in shown.transpose(1, 0, 2, 3):
            assert len({image.tobytes() for image in variations}) > len(variations) / 2
    # Another normalization is used for all there is.
    stem, bar = np.array([(0.0, 0), (200, 0), (80, 300)]), np.array([(30.0, 160), (190, 160)])
    crossed = source._replace(drawings=[LabelledDrawing(7, [stem, bar])])
    monkeypatch.setattr(module, "MNIST_VARIATIONS", 0)
    boxed = fill(small(data._replace(normalization="box"), [crossed]))
    assert boxed.drawn.labels.tolist() == [7, 7]
    expected = stack([[stem, bar], [stem]], "box")
    np.testing.assert_array_equal(boxed.drawn.renderings[0], expected)
    strokes = skeleton(data.pictures.train.images[0], int(data.pictures.train.labels[0]))
    np.testing.assert_array_equal(boxed.traced.renderings[0, 0], rasterize(strokes, "box"))


def test_the_seed_alone_fills_it(
    data: TrainingData, filled: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DRAWN_VARIATIONS", 1)
    monkeypatch.setattr(module, "MNIST_VARIATIONS", 1)
    few = small(data, data.drawn)
    first, again = fill(few), fill(few)
    monkeypatch.setattr(module, "SEED", 1)
    other = fill(few)
    for part in ("traced", "drawn"):
        found, same, different = (getattr(each, part).renderings for each in (first, again, other))
        np.testing.assert_array_equal(found, same)
        np.testing.assert_array_equal(found[0], different[0])
        assert (found[1] != different[1]).any()
        # However many there are, the first is the same.
        whole = getattr(filled, part).renderings[1]
        np.testing.assert_array_equal(found[1], whole[: len(found[1])])
    np.testing.assert_array_equal(first.outliers, again.outliers)
    assert (first.outliers != other.outliers).any()


def test_non_digits_are_there_in_due_number_and_drawings_are_not_needed(
    data: TrainingData, filled: Pool
) -> None:
    alone = fill(small(data, []))
    assert alone.drawn.labels.shape == (0,)
    for pool, count in ((filled, 110), (alone, 20)):
        assert pool.outliers.shape == (round(OUTLIERS * count), 28, 28)
        assert (pool.outliers.max(axis=(1, 2)) > 200).all()
    images, labels = alone.epoch(np.random.default_rng(0))
    assert len(images) == len(labels) == 20 + round(OUTLIER_SHARE * 20)
