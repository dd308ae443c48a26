"""Distillation: what a student learns from a teacher, and teachers that are not there."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.data.pool import NO_DIGIT, Drawn, Pool
from convert.training.architectures import ARCHITECTURES
from edge_app.digits.mnist import Digits, read_digits
from edge_app.models.acceptance import energy
from edge_app.models.card import CARD, read_card, write_card
from edge_app.models.classifier import softmax

pytest.importorskip("tensorflow", reason="training needs TensorFlow, which the edge never installs")

import keras

from convert import train as pipeline
from convert.export.tflite import predict
from convert.training.distillation import (
    TEMPERATURE,
    WEIGHT,
    TeacherError,
    load_teacher,
    taught_cross_entropy,
    teach,
)
from convert.training.fit import TaughtCrossEntropy, train
from convert.training.networks import cool

random = np.random.default_rng(0)
LOGITS = random.normal(0, 4, (6, 10)).astype(np.float32)
ANSWERS = random.normal(0, 4, (6, 10)).astype(np.float32)
LABELS = np.array([3, 0, 7, 9, 1, LOGITS[5].argmax()])


def targets(labels: NDArray[Any], answers: NDArray[Any]) -> NDArray[np.float32]:
    return np.concatenate([labels[:, None], answers], axis=1).astype(np.float32)


def by_hand(logits: NDArray[Any], labels: NDArray[Any], answers: NDArray[Any]) -> NDArray[Any]:
    """Each answer's loss, as the function's docstring says."""
    losses = []
    exact = zip(logits.astype(float), labels, answers.astype(float), strict=True)
    for student, label, teacher in exact:
        right = np.log(softmax(student[None])[0])[label]
        held_possible = softmax(teacher[None] / TEMPERATURE)[0]
        cooled = np.log(softmax(student[None] / TEMPERATURE)[0])
        alike = (held_possible * cooled).sum()
        losses.append(-(1 - WEIGHT) * right - WEIGHT * TEMPERATURE**2 * alike)
    return np.array(losses)


def test_the_loss_is_what_it_is_by_hand() -> None:
    found = taught_cross_entropy(targets(LABELS, ANSWERS), LOGITS).numpy()
    np.testing.assert_allclose(found, by_hand(LOGITS, LABELS, ANSWERS), rtol=1e-4)


def test_both_the_label_and_the_teacher_s_answer_count() -> None:
    def loss(label: int, logits: dict[int, float]) -> float:
        answer = np.array([[8.0, 4.0, *[0.0] * 8]])
        student = np.array([[logits.get(digit, 0.0) for digit in range(10)]], np.float32)
        return float(taught_cross_entropy(targets(np.array([label]), answer), student)[0])

    assert loss(0, {0: 8, 1: 4}) < loss(0, {0: 8, 2: 4})  # The teacher's second guess.
    assert loss(0, {0: 8, 1: 4}) < loss(1, {0: 8, 1: 4})  # The label.


def test_what_is_no_digit_is_doubted_and_not_told_apart() -> None:
    labels = np.where(np.arange(6) % 2, NO_DIGIT, LABELS)
    found = TaughtCrossEntropy(0.3).call(targets(labels, ANSWERS), LOGITS).numpy()
    is_digit = 1 / (1 + np.exp(-energy(LOGITS)))
    told_apart = by_hand(LOGITS, LABELS, ANSWERS) - 0.3 * np.log(is_digit)
    expected = np.where(labels == NO_DIGIT, -0.3 * np.log(1 - is_digit), told_apart)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


class Fixed(keras.layers.Layer):  # type: ignore[misc]
    """The pixel in the corner is the digit."""

    def call(self, images: Any) -> Any:
        return 20.0 * keras.ops.one_hot(keras.ops.cast(images[:, 0, 0], "int32"), 10)


@pytest.fixture(scope="module")
def oracle() -> Any:
    """A teacher of images whose corner holds their digit."""
    image = keras.Input((28, 28))
    return keras.Model(image, Fixed()(image))


@pytest.fixture(scope="module")
def digits(sample_folder: Path) -> Digits:
    """MNIST's, with their digit in the corner: one part of 255, which no student can see."""
    images, labels = (each[:400].copy() for each in read_digits(sample_folder, "train"))
    images[:, 0, 0] = labels
    return Digits(images, labels)


def test_targets_are_a_label_and_what_the_teacher_says(oracle: Any, digits: Digits) -> None:
    labels = np.full(len(digits.labels), NO_DIGIT, np.int8)
    found = teach(labels, oracle, digits.images).numpy()
    np.testing.assert_array_equal(found[:, 0], -1)
    np.testing.assert_array_equal(found[:, 1:], 20 * np.eye(10)[digits.labels])


def test_a_student_believes_its_teacher_more_than_the_labels(
    oracle: Any, digits: Digits, tmp_path: Path
) -> None:
    images, truth = digits
    wrong = ((truth + 1) % 10).astype(np.uint8)
    drawn = Drawn(images[None], wrong)
    pool = Pool(
        images, drawn, np.zeros(len(wrong), bool), Drawn(images[None, :0], wrong[:0]), images[:0]
    )
    student = replace(ARCHITECTURES["dense"], epochs=10, batch_size=50, learning_rate=0.01)
    for teacher, expected in ((None, wrong), (oracle, truth)):
        model = train(student, pool, digits, 0, tmp_path / f"{expected[0]}.keras", teacher)
        assert (predict(model, images).argmax(axis=1) == expected).mean() > 0.8


# Teachers


@pytest.fixture
def published(models_folder: Path, tmp_path: Path) -> Path:
    """A models' folder with the network that others learn from."""
    shutil.copytree(models_folder / "cnn", tmp_path / "models" / "cnn")
    return tmp_path / "models"


def test_a_teacher_is_the_original_that_was_published(published: Path, digits: Digits) -> None:
    teacher = load_teacher("cnn", published, "moments")
    assert (teacher.name, teacher.sha256) == ("cnn", read_card(published / "cnn").original.sha256)
    assert predict(teacher.original, digits.images[:50]).shape == (50, 10)


def test_another_teacher_has_another_hash(published: Path) -> None:
    teacher = load_teacher("cnn", published, "moments")
    before = teacher.weights_sha256()
    cool(teacher.original, 2.0)
    assert teacher.weights_sha256() != before


def test_a_teacher_that_is_missing_is_told_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match=r"no 'cnn' in .*out to learn from.*is missing"):
        pipeline.train(["mlp"], tmp_path / "no data", [], tmp_path / "out", allow_other=False)
    assert not (tmp_path / "out").exists()


def test_a_damaged_teacher_is_refused(published: Path) -> None:
    path = published / "cnn" / "model.keras"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TeacherError, match=r"model\.keras is corrupt.*Train it first"):
        load_teacher("cnn", published, "moments")


@pytest.mark.parametrize("change", [{"output": "probabilities"}, {"normalization": "box"}])
def test_a_model_of_another_kind_teaches_nobody(change: dict[str, Any], published: Path) -> None:
    card = read_card(published / "cnn")
    contract = replace(card.contract, **change)
    (published / "cnn" / CARD).unlink()
    write_card(replace(card, contract=contract, acceptance=None), published / "cnn")
    with pytest.raises(TeacherError, match=rf"{next(iter(change.values()))}.*Train 'cnn' again"):
        load_teacher("cnn", published, "moments")
