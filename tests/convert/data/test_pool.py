"""The pool: what an epoch shows of it, and what it is filled with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.data import pool as module
from convert.data.pool import (
    DRAWN_COPIES,
    DRAWN_VARIATIONS,
    MNIST_VARIATIONS,
    NO_DIGIT,
    OUTLIER_SHARE,
    OUTLIERS,
    PICTURES,
    Drawn,
    Pool,
    fill,
    render,
)
from convert.data.sources import TrainingData, load
from convert.strokes.skeleton import skeleton
from edge_app import normalize, rasterize
from edge_app.digits.labelled import LabelledDrawing

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
    traceable = np.arange(DIGITS) % 4 > 0
    traced = np.stack([marked(TRACE, DIGITS, rendering) for rendering in range(3)])
    drawn = np.stack([marked(DRAWING, PEOPLE, rendering) for rendering in range(5)])
    return Pool(
        pictures=marked(PICTURE, DIGITS),
        traced=Drawn(traced, labels),
        traceable=traceable,
        drawn=Drawn(drawn, labels[:PEOPLE]),
        outliers=marked(OUTLIER, OTHERS),
    )


def kinds(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return images[:, 0, 0]


def renderings(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return images[:, 0, 1]


def numbers(images: NDArray[np.uint8]) -> NDArray[np.intp]:
    return images[:, 0, 2].astype(np.intp) * 256 + images[:, 0, 3]


def test_an_epoch_shows_every_digit_once_and_every_drawn_one_some_times(pool: Pool) -> None:
    images, labels = pool.epoch(np.random.default_rng(0))
    assert [images.dtype, labels.dtype] == [np.dtype(np.uint8), np.dtype(np.int8)]
    assert images.shape == (len(labels), 28, 28)
    assert len(labels) == DIGITS + DRAWN_COPIES * PEOPLE + OUTLIER_SHARE * DIGITS
    mnist = np.isin(kinds(images), [PICTURE, TRACE])
    assert sorted(numbers(images[mnist])) == list(range(DIGITS))
    drawn = kinds(images) == DRAWING
    assert (np.bincount(numbers(images[drawn])) == DRAWN_COPIES).all()
    np.testing.assert_array_equal(labels[mnist | drawn], numbers(images[mnist | drawn]) % 10)


def test_what_is_no_digit_is_labelled_so_and_shown_once(pool: Pool) -> None:
    images, labels = pool.epoch(np.random.default_rng(0))
    others = kinds(images) == OUTLIER
    assert others.sum() == len(set(numbers(images[others]))) == OUTLIER_SHARE * DIGITS
    np.testing.assert_array_equal(labels == NO_DIGIT, others)


def test_what_can_be_traced_is_mostly_a_picture_and_the_rest_always(pool: Pool) -> None:
    images, _ = pool.epoch(np.random.default_rng(0))
    pictures = set(numbers(images[kinds(images) == PICTURE]))
    traceable = set(np.flatnonzero(pool.traceable))
    assert set(range(DIGITS)) - traceable <= pictures
    assert len(pictures & traceable) / len(traceable) == pytest.approx(PICTURES, abs=0.04)


def test_every_rendering_is_shown_about_as_often(pool: Pool) -> None:
    images, _ = pool.epoch(np.random.default_rng(0))
    for kind, count in ((TRACE, 3), (DRAWING, 5)):
        shares = np.bincount(renderings(images[kinds(images) == kind]), minlength=count)
        assert shares / shares.sum() == pytest.approx(1 / count, abs=0.08)


def test_the_copies_of_a_drawn_digit_are_different_renderings(pool: Pool) -> None:
    images, _ = pool.epoch(np.random.default_rng(0))
    drawn = images[kinds(images) == DRAWING]
    pairs = set(zip(numbers(drawn), renderings(drawn), strict=True))
    # Of four drawn from five there are three different ones on average.
    assert len(pairs) / PEOPLE == pytest.approx(5 * (1 - 0.8**DRAWN_COPIES), abs=0.25)


def test_an_epoch_is_shuffled(pool: Pool) -> None:
    images, labels = pool.epoch(np.random.default_rng(0))
    half = len(labels) // 2
    for kind in (PICTURE, TRACE, DRAWING, OUTLIER):
        assert (kinds(images[:half]) == kind).mean() == pytest.approx(
            (kinds(images[half:]) == kind).mean(), abs=0.05
        )


def test_the_generator_alone_decides_and_epochs_differ(pool: Pool) -> None:
    generator = np.random.default_rng(0)
    first, second = pool.epoch(generator), pool.epoch(generator)
    again = pool.epoch(np.random.default_rng(0))
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    of = [{image.tobytes() for image in images} for images, _ in (first, second)]
    assert 0.2 < len(of[0] & of[1]) / len(of[0]) < 0.9
    others = [set(numbers(images[labels == NO_DIGIT])) for images, labels in (first, second)]
    assert others[0] != others[1]


# What a pool is filled with


def read(folder: Path, *drawings: Path) -> TrainingData:
    return load(folder, drawings, allow_other=True, normalization="moments", seed=0)


@pytest.fixture(scope="module")
def data(few_folder: Path, page_drawings_file: Path) -> TrainingData:
    """110 of MNIST's images to train on, and 14 drawings."""
    return read(few_folder, page_drawings_file)


@pytest.fixture(scope="module")
def filled(data: TrainingData) -> Pool:
    return fill(data, "moments", seed=0)


def test_pictures_are_mnist_s_training_images(filled: Pool, data: TrainingData) -> None:
    np.testing.assert_array_equal(filled.pictures, data.mnist.train.images)
    np.testing.assert_array_equal(filled.traced.labels, data.mnist.train.labels)


def test_traces_are_the_same_digits_drawn_with_the_pen(filled: Pool, data: TrainingData) -> None:
    count = len(data.mnist.train.labels)
    assert filled.traced.renderings.shape == (1 + MNIST_VARIATIONS, count, 28, 28)
    assert filled.traceable.shape == (count,)
    assert 0.8 * count < filled.traceable.sum() <= count
    assert not filled.traced.renderings[:, ~filled.traceable].any()
    assert (filled.traced.renderings[:, filled.traceable].max(axis=(2, 3)) > 200).all()
    pictures = data.pictures.train
    for number in np.flatnonzero(filled.traceable)[:20]:
        strokes = skeleton(pictures.images[number], int(pictures.labels[number]))
        np.testing.assert_array_equal(filled.traced.renderings[0, number], rasterize(strokes))


def test_drawn_digits_are_the_people_s_and_their_sevens_without_bars(
    filled: Pool, data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source,) = data.drawn
    count = len(source.drawings)
    assert filled.drawn.renderings.shape[:2] == (1 + DRAWN_VARIATIONS, len(filled.drawn.labels))
    np.testing.assert_array_equal(filled.drawn.labels[:count], source.train.labels)
    np.testing.assert_array_equal(filled.drawn.renderings[0, :count], source.train.images)
    assert len(filled.drawn.labels) == count  # None of them is crossed.
    stem, bar = np.array([(0.0, 0), (200, 0), (80, 300)]), np.array([(30.0, 160), (190, 160)])
    crossed = source._replace(drawings=[LabelledDrawing(7, [stem, bar])])
    monkeypatch.setattr(module, "MNIST_VARIATIONS", 0)
    images, labels = fill(data._replace(drawn=[crossed]), "moments", seed=0).drawn
    assert labels.tolist() == [7, 7]
    for image, strokes in zip(images[0], ([stem, bar], [stem]), strict=True):
        np.testing.assert_array_equal(image, rasterize(strokes))


def test_variations_are_other_pictures_of_the_same_digit(filled: Pool) -> None:
    for shown in (filled.drawn.renderings, filled.traced.renderings[:, filled.traceable]):
        for images in shown.transpose(1, 0, 2, 3):
            assert len({image.tobytes() for image in images}) > len(images) / 2


def test_what_is_no_digit_is_there_in_due_number(filled: Pool, data: TrainingData) -> None:
    assert filled.outliers.shape == (round(OUTLIERS * len(data.mnist.train.labels)), 28, 28)
    assert (filled.outliers.max(axis=(1, 2)) > 200).all()


def test_the_seed_alone_fills_it(
    data: TrainingData, filled: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DRAWN_VARIATIONS", 1)
    monkeypatch.setattr(module, "MNIST_VARIATIONS", 1)
    first, again, other = (fill(data, "moments", seed) for seed in (0, 0, 1))
    for part in ("traced", "drawn"):
        found, same, different = (getattr(each, part).renderings for each in (first, again, other))
        np.testing.assert_array_equal(found, same)
        np.testing.assert_array_equal(found[0], different[0])
        assert (found[1] != different[1]).any()
        # However many there are, the first is the same.
        np.testing.assert_array_equal(found[1], getattr(filled, part).renderings[1])
    np.testing.assert_array_equal(first.outliers, again.outliers)
    assert (first.outliers != other.outliers).any()


def test_drawings_are_not_needed(few_folder: Path) -> None:
    data = read(few_folder)
    alone = fill(data, "moments", seed=0)
    assert alone.drawn.labels.shape == (0,)
    assert len(alone.outliers) == round(OUTLIERS * 110)
    images, labels = alone.epoch(np.random.default_rng(0))
    assert len(images) == len(labels) == 110 + round(OUTLIER_SHARE * 110)


def test_the_normalization_is_the_one_that_is_asked_for(few_folder: Path) -> None:
    boxed = load(few_folder, [], allow_other=True, normalization="box", seed=0)
    found = fill(boxed, "box", seed=0)
    picture = boxed.pictures.train.images[0]
    np.testing.assert_array_equal(found.pictures[0], normalize(picture, "box"))
    strokes = skeleton(picture, int(boxed.pictures.train.labels[0]))
    np.testing.assert_array_equal(found.traced.renderings[0, 0], rasterize(strokes, "box"))


def test_nothing_to_render_gives_no_images() -> None:
    assert render([], "moments", "Drawing nothing").shape == (0, 28, 28)
