"""Publication: a trained original becomes a model's folder, written whole or not at all."""

from __future__ import annotations

import platform
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import PIL
import tensorflow as tf
from numpy.typing import NDArray

from convert.data.sources import TrainingData
from convert.export.tflite import QUANTIZATION, export, predict
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import Normalization
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import (
    FORMAT,
    PROBABILITIES,
    Budget,
    Card,
    Contract,
    ModelFile,
    Output,
    ReferenceFile,
    record_file,
    write_card,
)
from edge_app.models.classifier import load_model, softmax
from edge_app.models.interpreter import Interpreter, find_runtime

INPUT = "(1, 28, 28) pixels, 0 to 255, ink 255 on 0: uint8 in int8.tflite, else float32"


class Identity(NamedTuple):
    """What a model is called and what it is, for programs and for people."""

    name: str
    title: str
    description: str


def publish(
    original: keras.Model,
    identity: Identity,
    normalization: Normalization,
    output: Output,
    budget: Budget,
    acceptance: Acceptance,
    calibration: NDArray[np.uint8],
    data: TrainingData,
    training: dict[str, Any],
    folder: Path,
) -> Card:
    """Export a trained model and put ``<folder>/<name>/`` in place, replacing what stood there.

    Everything is written and loaded again in a folder aside first: when anything fails, the old
    files stay as they were.

    Args:
        original: (N, 28, 28) pixels of 0 to 255 in, (N, 10) out.
        identity: its name is the folder's.
        normalization: the one that ``data`` went through.
        output: what the original gives.
        budget: how far int8 may drift.
        acceptance: which answers count.
        calibration: normalized training images, uint8 (N, 28, 28), to find activations' ranges on.
        data: MNIST's validation images check, its test images are reported on.
        training: how it was trained, for the card.
        folder: the models' folder; made where it is missing.

    Raises:
        ExportError: a file cannot be converted or does not do what the original does.
        OSError: the folder cannot be written.
    """
    contents = export(original, calibration, data.mnist.validation.images)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".staging-", dir=folder) as staging:
        staged = Path(staging) / identity.name
        staged.mkdir()
        original_file = _write_original(staged / "model.keras", original, data.mnist.test)
        card = Card(
            format=FORMAT,
            **identity._asdict(),
            parameters=original.count_params(),
            contract=Contract(normalization, INPUT, output),
            variants={
                variant: _write_variant(
                    staged / f"{variant}.tflite", variant, content, data.mnist.test
                )
                for variant, content in contents.items()
            },
            original=original_file,
            reference=_write_reference(
                staged / "reference.npz", original, original_file.sha256, output, data
            ),
            budget=budget,
            training=training,
            versions=_versions(),
            acceptance=acceptance,
        )
        write_card(card, staged)
        load_model(staged)
        _replace(folder / identity.name, staged, Path(staging) / "replaced")
    return card


def _write_variant(path: Path, variant: str, content: bytes, test: Digits) -> ModelFile:
    path.write_bytes(content)
    accuracy = _accuracy(Interpreter(content).run(test.images), test)
    return ModelFile(
        **asdict(record_file(path)), quantization=QUANTIZATION[variant], accuracy=accuracy
    )


def _write_original(path: Path, original: keras.Model, test: Digits) -> ModelFile:
    original.save(path)
    accuracy = _accuracy(predict(original, test.images), test)
    return ModelFile(**asdict(record_file(path)), quantization="none", accuracy=accuracy)


def _write_reference(
    path: Path, original: keras.Model, original_sha256: str, output: Output, data: TrainingData
) -> ReferenceFile:
    outputs = predict(original, data.mnist.test.images)
    probabilities = softmax(outputs) if output == "logits" else outputs
    np.savez_compressed(path, **{PROBABILITIES: probabilities})
    return ReferenceFile(
        **asdict(record_file(path)),
        dataset=f"{data.mnist.name}, test set",
        dataset_sha256=data.test_sha256,
        original_sha256=original_sha256,
    )


def _accuracy(outputs: NDArray[np.float32], digits: Digits) -> float:
    return float((outputs.argmax(axis=1) == digits.labels).mean())


def _versions() -> dict[str, str]:
    runtime = find_runtime()
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "pillow": PIL.__version__,
        "scikit-image": version("scikit-image"),
        runtime.name: runtime.version,
    }


def _replace(target: Path, staged: Path, aside: Path) -> None:
    """Swap folders by renaming; the old one goes back when the new one cannot take its place."""
    if target.exists():
        target.rename(aside)
    try:
        staged.rename(target)
    except BaseException:  # An interruption, too.
        if aside.exists():
            aside.rename(target)
        raise
