"""Training: networks, their loss, and trainings that are interrupted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.data.pool import NO_DIGIT, Drawn, Pool
from convert.training.architectures import ARCHITECTURES, Architecture, Convolution
from edge_app.digits.mnist import Digits, read_digits
from edge_app.models.acceptance import energy
from edge_app.models.classifier import softmax

pytest.importorskip("tensorflow", reason="training needs TensorFlow, which the edge never installs")

import keras

from convert.export.tflite import predict
from convert.training import fit as training
from convert.training.fit import DoubtfulCrossEntropy, TaughtCrossEntropy, train
from convert.training.networks import build, cool, plain

EPOCHS, BATCH = 4, 50
DENSE = replace(ARCHITECTURES["dense"], epochs=EPOCHS, batch_size=BATCH)
CNN = replace(DENSE, name="cnn", convolutions=(Convolution(8, 3, 2),), hidden=(16,), distorted=True)


@pytest.fixture(scope="module")
def digits(sample_folder: Path) -> Digits:
    """Two hundred and forty of MNIST's training images."""
    sample = read_digits(sample_folder, "train")
    return Digits(sample.images[:240], sample.labels[:240])


@pytest.fixture(scope="module")
def pool(digits: Digits) -> Pool:
    """Those, each as it is and a little moved, and some upside down as no digits."""
    images, labels = digits
    moved = Drawn(np.stack([images, np.roll(images, 1, axis=2)]), labels)
    nobody = Drawn(images[None, :0], labels[:0])
    return Pool(images, moved, np.ones(len(labels), bool), nobody, images[:50, ::-1])


def randomized(name: str) -> Any:
    """A network as if after training: its normalizations away from 1, 0, 0 and 1."""
    keras.utils.set_random_seed(0)
    network = build(ARCHITECTURES[name])
    random = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            scale, shift, mean, variance = (value.shape for value in layer.get_weights())
            values = [random.uniform(0.5, 2, scale), random.normal(0, 1, shift)]
            values += [random.normal(0, 1, mean), random.uniform(0.5, 2, variance)]
            layer.set_weights(values)
    return network


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_plain_form_computes_what_the_network_in_training_does(
    name: str, digits: Digits
) -> None:
    network = randomized(name)
    folded = plain(network)
    aids = keras.layers.Dropout | keras.layers.BatchNormalization
    assert not any(isinstance(layer, aids) for layer in folded.layers)
    assert folded.name == name
    expected = predict(network, digits.images)
    assert expected.std() > 0.1
    np.testing.assert_allclose(predict(folded, digits.images), expected, rtol=0, atol=1e-4)


def test_cooling_divides_logits_and_leaves_answers(digits: Digits) -> None:
    network = plain(randomized("mlp"))
    before = predict(network, digits.images)
    cool(network, 2.5)
    after = predict(network, digits.images)
    np.testing.assert_allclose(after, before / 2.5, atol=1e-5)
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))


# The loss

LOGITS = np.random.default_rng(0).normal(0, 4, (6, 10)).astype(np.float32)
LABELS = np.array([3, 0, NO_DIGIT, 9, NO_DIGIT, LOGITS[5].argmax()], np.int8)


def by_hand(doubt: float) -> NDArray[np.float64]:
    """Each answer's loss: of eleven, the last of which has a logit of 0, as its docstring says."""
    probabilities = softmax(LOGITS.astype(np.float64))
    is_digit = 1 / (1 + np.exp(-energy(LOGITS)))
    return np.array(
        [
            -doubt * np.log(1 - sure)
            if label == NO_DIGIT
            else -np.log(row[label]) - doubt * np.log(sure)
            for row, sure, label in zip(probabilities, is_digit, LABELS, strict=True)
        ]
    )


@pytest.mark.parametrize("doubt", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("shape", [(6,), (6, 1)])
def test_the_loss_is_what_it_is_by_hand(doubt: float, shape: tuple[int, ...]) -> None:
    loss = DoubtfulCrossEntropy(doubt)
    found = loss.call(LABELS.reshape(shape), LOGITS).numpy()
    np.testing.assert_allclose(found, by_hand(doubt), rtol=1e-4, atol=1e-6)
    mean = float(loss(LABELS.reshape(shape), LOGITS))
    assert mean == pytest.approx(by_hand(doubt).mean(), rel=1e-4)


def test_with_a_doubt_of_one_it_is_the_cross_entropy_of_eleven() -> None:
    eleven = softmax(np.concatenate([LOGITS, np.zeros((6, 1))], axis=1).astype(np.float64))
    expected = -np.log(eleven[np.arange(6), LABELS])  # -1 is the eleventh.
    np.testing.assert_allclose(by_hand(1.0), expected)


@pytest.mark.parametrize("kind", [DoubtfulCrossEntropy, TaughtCrossEntropy])
def test_the_loss_is_saved_with_a_model(kind: type[DoubtfulCrossEntropy], tmp_path: Path) -> None:
    model = keras.Sequential(
        [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)]
    )
    model.compile("sgd", loss=kind(0.7))
    model.save(tmp_path / "model.keras")
    loss = keras.models.load_model(tmp_path / "model.keras").loss
    assert type(loss) is kind
    assert loss.doubt == 0.7


# Interruptions


class Saves:
    """Counts the epochs that were saved, and ends the training after some."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.last = 0, EPOCHS
        save = training._save

        def counted(model: Any, checkpoint: Path) -> None:
            save(model, checkpoint)
            self.count += 1
            if self.count == self.last:
                raise KeyboardInterrupt

        monkeypatch.setattr(training, "_save", counted)


@pytest.fixture
def saves(monkeypatch: pytest.MonkeyPatch) -> Saves:
    return Saves(monkeypatch)


@pytest.mark.parametrize("architecture", [DENSE, CNN], ids=["dense", "cnn"])
def test_a_training_that_is_resumed_ends_as_one_that_was_not(
    architecture: Architecture,
    pool: Pool,
    digits: Digits,
    tmp_path: Path,
    saves: Saves,
) -> None:
    saves.last = EPOCHS + 1
    whole = train(architecture, pool, digits, 1, tmp_path / "whole.keras")
    saves.count, saves.last = 0, 2
    with pytest.raises(KeyboardInterrupt):
        train(architecture, pool, digits, 1, tmp_path / "parts.keras")
    assert steps(tmp_path / "parts.keras") == EPOCHS / 2 * steps_an_epoch(pool)
    saves.last = EPOCHS + 1
    resumed = train(architecture, pool, digits, 1, tmp_path / "parts.keras")
    assert saves.count == EPOCHS
    assert steps(tmp_path / "parts.keras") == EPOCHS * steps_an_epoch(pool)
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def steps(checkpoint: Path) -> int:
    return int(keras.models.load_model(checkpoint).optimizer.iterations)


def steps_an_epoch(pool: Pool) -> int:
    return -(-len(pool.epoch(np.random.default_rng(0))[1]) // BATCH)


def test_what_is_trained_is_not_trained_again(
    pool: Pool, digits: Digits, tmp_path: Path, saves: Saves
) -> None:
    saves.last = 0
    first = train(DENSE, pool, digits, 1, tmp_path / "a.keras")
    content = (tmp_path / "a.keras").read_bytes()
    again = train(DENSE, pool, digits, 1, tmp_path / "a.keras")
    assert saves.count == EPOCHS
    assert (tmp_path / "a.keras").read_bytes() == content
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("distorted", [False, True])
def test_seeds_decide_how_training_goes(
    distorted: bool, pool: Pool, digits: Digits, tmp_path: Path
) -> None:
    # Batches enough for two that are distorted side by side to overtake each other.
    short = replace(DENSE, epochs=1, batch_size=5, distorted=distorted)
    first, again, other = (
        train(short, pool, digits, seed, tmp_path / f"{number}.keras").get_weights()[0]
        for number, seed in enumerate((1, 1, 2))
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01 / 255  # The scale of pixels is in them.


@pytest.mark.parametrize("kept", [0, 1000, -10], ids=["empty", "its beginning", "not its end"])
def test_a_checkpoint_that_is_not_whole_counts_for_nothing(
    kept: int, pool: Pool, digits: Digits, tmp_path: Path, saves: Saves
) -> None:
    short = replace(DENSE, epochs=2)
    saves.last = 0
    first = train(short, pool, digits, 1, tmp_path / "a.keras")
    content = (tmp_path / "a.keras").read_bytes()
    (tmp_path / "a.keras").write_bytes(content[:kept])
    again = train(short, pool, digits, 1, tmp_path / "a.keras")
    assert saves.count == 4
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_checkpoint_with_a_flipped_bit_counts_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    build(DENSE).save(path)
    assert training._is_whole(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert not training._is_whole(path)
    assert not training._is_whole(tmp_path / "none.keras")


def test_what_an_interrupted_save_left_is_harmless(
    pool: Pool, digits: Digits, tmp_path: Path
) -> None:
    torn = tmp_path / "partial-a.keras"
    torn.write_bytes(b"PK torn")
    train(replace(DENSE, epochs=1), pool, digits, 1, tmp_path / "a.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["a.keras"]


def test_training_learns(pool: Pool, digits: Digits, tmp_path: Path) -> None:
    model = train(
        replace(DENSE, epochs=10, learning_rate=0.01), pool, digits, 0, tmp_path / "a.keras"
    )
    logits = predict(model, digits.images)
    assert (logits.argmax(axis=1) == digits.labels).mean() > 0.85
    # What is none, here upside down, has less energy than digits.
    others = predict(model, pool.outliers)
    assert np.median(energy(logits)) > np.median(energy(others)) + 0.5
