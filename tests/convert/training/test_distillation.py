"""Distillation: what a student learns from a teacher, and teachers that are missing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.data.pool import Drawn, Pool
from convert.training.architectures import ARCHITECTURES
from edge_app.digits.mnist import Digits
from edge_app.models.card import CARD, read_card, write_card

pytest.importorskip("tensorflow", reason="training needs TensorFlow, which the edge never installs")

import keras

from convert import train as pipeline
from convert.export.tflite import predict
from convert.training.distillation import TeacherError, load_teacher
from convert.training.fit import train
from convert.training.networks import cool

pytestmark = pytest.mark.slow


class Corner(keras.layers.Layer):  # type: ignore[misc]
    """The pixel in the corner is the digit."""

    def call(self, images: Any) -> Any:
        return 20.0 * keras.ops.one_hot(keras.ops.cast(images[:, 0, 0], "int32"), 10)


def test_a_student_believes_its_teacher_more_than_the_labels(few: Digits, tmp_path: Path) -> None:
    images, truth = few.images.copy(), few.labels
    images[:, 0, 0] = truth  # Too faint for the student to see.
    wrong = ((truth + 1) % 10).astype(np.uint8)
    drawn, nobody = Drawn(images[None], wrong), Drawn(images[None, :0], wrong[:0])
    pool = Pool(images, drawn, truth < 0, nobody, images[:0])
    image = keras.Input((28, 28))
    oracle = keras.Model(image, Corner()(image))
    student = replace(ARCHITECTURES["dense"], epochs=5, batch_size=15, learning_rate=0.02)
    model = train(student, pool, few, 0, tmp_path / "student.keras", oracle)
    assert (predict(model, images).argmax(axis=1) == truth).mean() > 0.8


# Teachers


@pytest.fixture
def published(models_folder: Path, tmp_path: Path) -> Path:
    """A models folder with the network that others learn from."""
    shutil.copytree(models_folder / "cnn", tmp_path / "models" / "cnn")
    return tmp_path / "models"


def test_a_teacher_is_the_published_original_and_is_told_by_its_weights(published: Path) -> None:
    teacher = load_teacher("cnn", published, "bimoment")
    assert (teacher.name, teacher.sha256) == ("cnn", read_card(published / "cnn").original.sha256)
    before = teacher.weights_sha256()
    path = published / "again.keras"
    teacher.original.save(path)  # The file holds its date.
    again = teacher._replace(sha256="another", original=keras.models.load_model(path))
    assert again.weights_sha256() == before
    cool(again.original, 2.0)
    assert again.weights_sha256() != before


def test_a_missing_teacher_is_reported_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match=r"no 'cnn' in .*out to learn from.*is missing"):
        pipeline.train(["mlp"], tmp_path / "no data", [], tmp_path / "out", allow_other=False)
    assert not (tmp_path / "out").exists()


def test_a_damaged_teacher_is_refused(published: Path) -> None:
    path = published / "cnn" / "model.keras"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TeacherError, match=r"model\.keras is corrupt.*Train it first"):
        load_teacher("cnn", published, "bimoment")


@pytest.mark.parametrize("change", [{"output": "probabilities"}, {"normalization": "box"}])
def test_a_model_of_another_kind_is_not_a_teacher(change: dict[str, Any], published: Path) -> None:
    card = read_card(published / "cnn")
    (published / "cnn" / CARD).unlink()
    contract = replace(card.contract, **change)
    write_card(replace(card, contract=contract, acceptance=None), published / "cnn")
    with pytest.raises(TeacherError, match=rf"{next(iter(change.values()))}.*Train 'cnn' again"):
        load_teacher("cnn", published, "bimoment")
