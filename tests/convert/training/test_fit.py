"""Training: networks, their loss, and trainings that are interrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.data.pool import NO_DIGIT, Drawn, Pool
from convert.training.architectures import ARCHITECTURES
from edge_app.digits.mnist import Digits
from edge_app.models.acceptance import energy
from edge_app.models.classifier import softmax

pytest.importorskip("tensorflow", reason="training needs TensorFlow, which the edge never installs")

import keras
import tensorflow as tf

from convert.export.tflite import predict
from convert.training import augmentation
from convert.training.augmentation import distort
from convert.training.distillation import TEMPERATURE, WEIGHT
from convert.training.fit import DoubtfulCrossEntropy, TaughtCrossEntropy, train
from convert.training.networks import build, cool, plain

pytestmark = pytest.mark.slow

DENSE = replace(ARCHITECTURES["dense"], epochs=1, batch_size=50)
PARAMETERS = {
    "dense": 784 * 10 + 10,
    "mlp": 785 * 384 + 385 * 192 + 193 * 10,
    "cnn": 26 * 16 + 145 * 32 + 289 * 32 + 289 * 64 + 577 * 64 + 7 * 7 * 64 * 10 + 10,
}


@pytest.fixture(scope="module")
def pool(few: Digits) -> Pool:
    """Each digit as it is and a little moved, and some of them upside down as non-digits."""
    images, labels = few
    moved = Drawn(np.stack([images, np.roll(images, 1, axis=2)]), labels)
    nobody = Drawn(images[None, :0], labels[:0])
    return Pool(images, moved, labels >= 0, nobody, images[:50, ::-1])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_plain_form_computes_what_the_trained_network_does(name: str, few: Digits) -> None:
    keras.utils.set_random_seed(0)
    network = build(ARCHITECTURES[name])
    random = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):  # As if it had been trained.
            layer.set_weights([random.uniform(0.5, 2, each.shape) for each in layer.get_weights()])
    folded = plain(network)
    aids = keras.layers.Dropout | keras.layers.BatchNormalization
    assert not any(isinstance(layer, aids) for layer in folded.layers)
    assert (folded.name, folded.count_params()) == (name, PARAMETERS[name])
    images = few.images[:20]
    expected = predict(network, images)
    assert expected.std() > 0.1
    np.testing.assert_allclose(predict(folded, images), expected, rtol=0, atol=1e-4)
    cool(folded, 2.5)
    np.testing.assert_allclose(predict(folded, images), expected / 2.5, rtol=0, atol=1e-4)


@pytest.mark.parametrize("is_taught", [False, True])
@pytest.mark.parametrize("doubt", [0.0, 0.3])
def test_losses_are_as_worked_out_by_hand(doubt: float, is_taught: bool) -> None:
    random = np.random.default_rng(0)
    logits, answers = random.normal(0, 4, (2, 6, 10)).astype(np.float32)
    labels = np.array([3, 0, NO_DIGIT, 9, NO_DIGIT, logits[5].argmax()])
    which = -np.log(softmax(logits)[range(6), labels])
    is_digit = 1 / (1 + np.exp(-energy(logits)))
    if is_taught:
        loss, targets = TaughtCrossEntropy(doubt), np.column_stack([labels, answers])
        teacher_s, student_s = softmax(answers / TEMPERATURE), softmax(logits / TEMPERATURE)
        alike = -(teacher_s * np.log(student_s)).sum(axis=1)
        which = (1 - WEIGHT) * which + WEIGHT * TEMPERATURE**2 * alike
    else:
        loss, targets = DoubtfulCrossEntropy(doubt), labels
    expected = np.where(
        labels == NO_DIGIT, -doubt * np.log(1 - is_digit), which - doubt * np.log(is_digit)
    )
    found = loss.call(targets.astype(np.float32), logits).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


# What is shown


def test_distorted_images_keep_shape_and_range_and_the_seed_decides(few: Digits) -> None:
    images = few.images[:50].astype(np.float32)
    first, again, second = (distort(images, (7, number)).numpy() for number in (0, 0, 1))
    np.testing.assert_array_equal(again, first)
    assert (first.shape, first.dtype) == (images.shape, np.float32)
    assert first.min() >= 0
    assert first.max() <= 255.01
    assert np.abs(first - second).mean() > 5
    # The ink is still the same digit's.
    for image, distorted in zip(images, first, strict=True):
        assert np.corrcoef(image.ravel(), distorted.ravel())[0, 1] > 0.3


@pytest.mark.parametrize("deviation", ["ROTATION", "STRETCH", "SHIFT", "ELASTIC"])
def test_each_deviation_distorts_and_none_without_it(
    deviation: str, few: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = few.images[:3].astype(np.float32)
    for other in {"ROTATION", "STRETCH", "SHIFT", "ELASTIC"} - {deviation}:
        monkeypatch.setattr(augmentation, other, 0.0)
    assert np.abs(distort(images, (7, 0)).numpy() - images).mean() > 1
    monkeypatch.setattr(augmentation, deviation, 0.0)
    np.testing.assert_allclose(distort(images, (7, 0)).numpy(), images, atol=0.3)


def shown_to_a_teacher(pool: Pool, distorted: bool, folder: Path, seed: int = 1) -> list[bytes]:
    """The images that two epochs show, as a teacher of the same training sees them."""
    shown: list[bytes] = []

    def note(images: NDArray[np.float32]) -> NDArray[np.float32]:
        shown.extend(image.tobytes() for image in images)
        return np.zeros((len(images), 10), np.float32)

    def teacher(images: tf.Tensor, training: bool) -> tf.Tensor:
        assert not training
        return tf.ensure_shape(tf.numpy_function(note, [images], tf.float32), (None, 10))

    two = replace(DENSE, epochs=2, batch_size=len(pool.pictures) // 3, distorted=distorted)
    some = Digits(pool.pictures[:2], pool.traced.labels[:2])
    train(two, pool, some, seed, folder / f"{seed}.keras", teacher)
    return shown


def test_every_epoch_and_seed_shows_other_renderings(pool: Pool, tmp_path: Path) -> None:
    shown = shown_to_a_teacher(pool, False, tmp_path)
    first, second = shown[: len(shown) // 2], shown[len(shown) // 2 :]
    assert sorted(first) != sorted(second)
    assert sorted(shown) != sorted(shown_to_a_teacher(pool, False, tmp_path, seed=2))


def test_every_epoch_and_batch_distorts_anew(few: Digits, tmp_path: Path) -> None:
    images, labels = few.images[:1].repeat(12, axis=0), few.labels[:1].repeat(12)
    drawn, nobody = Drawn(images[None], labels), Drawn(images[None, :0], labels[:0])
    same = Pool(images, drawn, labels >= 0, nobody, images[:0])
    shown = shown_to_a_teacher(same, True, tmp_path)
    assert len(set(shown)) == len(shown) == 2 * 12


def test_training_learns(pool: Pool, few: Digits, tmp_path: Path) -> None:
    longer = replace(DENSE, epochs=8, batch_size=20, learning_rate=0.01)
    model = train(longer, pool, few, 0, tmp_path / "a.keras")
    logits = predict(model, few.images)
    assert (logits.argmax(axis=1) == few.labels).mean() > 0.85
    # Non-digits, here upside down, have less energy than digits.
    others = predict(model, pool.outliers)
    assert np.median(energy(logits)) > np.median(energy(others)) + 0.5


# Interruptions


def test_a_resumed_training_ends_as_one_that_was_not_interrupted(
    pool: Pool, few: Digits, tmp_path: Path, saves: Callable[..., list[str]]
) -> None:
    # With so many batches, two that are distorted in parallel can overtake each other.
    network = replace(DENSE, epochs=2, batch_size=10, distorted=True, hidden=(16,))
    whole = train(network, pool, few, 1, tmp_path / "whole.keras").get_weights()
    saved = saves(1)
    (tmp_path / "partial-parts.keras").write_bytes(b"PK torn")
    with pytest.raises(KeyboardInterrupt):
        train(network, pool, few, 1, tmp_path / "parts.keras")
    assert len(saved) == 1
    saved = saves()
    # The second time, what is trained is not trained again.
    for _ in range(2):
        resumed = train(network, pool, few, 1, tmp_path / "parts.keras").get_weights()
        assert len(saved) == 1
        assert all(map(np.array_equal, whole, resumed))
    assert {path.name for path in tmp_path.iterdir()} == {"whole.keras", "parts.keras"}


def test_a_damaged_checkpoint_is_ignored(
    pool: Pool, few: Digits, tmp_path: Path, saves: Callable[..., list[str]]
) -> None:
    path = tmp_path / "a.keras"
    first = train(DENSE, pool, few, 1, path).get_weights()
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    saved = saves()
    for damaged in (content[:-10], flipped):
        path.write_bytes(damaged)
        again = train(DENSE, pool, few, 1, path).get_weights()
        assert all(map(np.array_equal, first, again))
    assert len(saved) == 2
