"""Publication: a trained original becomes a model's folder, written whole or not at all."""

from __future__ import annotations

import os
import platform
import shlex
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from convert.data.sources import NOT_MNIST, TrainingData
from convert.export.tflite import QUANTIZATION, export, predict
from edge_app.errors import UserError
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
from edge_app.models.classifier import softmax
from edge_app.models.confusion import CONFUSED, CONFUSION, confuse
from edge_app.models.folder import load_model
from edge_app.models.interpreter import Interpreter, find_runtime
from edge_app.models.metrics import accuracy

CALIBRATION_COUNT = 1000
"""How many training images the ranges of activations are found on."""
INPUT = "(1, 28, 28) pixels, 0 to 255, ink 255 on 0: uint8 in int8.tflite, else float32"


class Identity(NamedTuple):
    """A model's name for programs, and its title and description for people."""

    name: str
    title: str
    description: str


def publish(
    original: keras.Model,
    identity: Identity,
    output: Output,
    budget: Budget,
    acceptance: Acceptance,
    calibration: NDArray[np.uint8],
    data: TrainingData,
    training: dict[str, Any],
    folder: Path,
) -> None:
    """Export a trained model to ``<folder>/<name>/``, replacing a model of that name.

    Everything is first written to a temporary folder and loaded from there. When anything fails or
    is interrupted, the old files stay as they were.

    Args:
        original: (N, 28, 28) pixels of 0 to 255 in, (N, 10) out.
        identity: its name becomes the folder's.
        output: what the original gives.
        budget: how far int8 may drift.
        acceptance: which answers count.
        calibration: normalized training images, uint8 (N, 28, 28), to find the activations' ranges.
        data: MNIST's validation images are checked on, its test images are reported on.
        training: how it was trained, for the card.
        folder: the models' folder; made where it is missing.

    Raises:
        ExportError: a file cannot be converted or does not do what the original does.
        OSError: the folder cannot be written.
    """
    contents = export(original, calibration, data.mnist.validation.images)
    images, labels = data.mnist.test
    outputs = predict(original, images)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".staging-", dir=folder) as staging:
        staged = Path(staging) / identity.name
        staged.mkdir()
        original.save(staged / "model.keras")
        original_file = _model_file(staged / "model.keras", "none", outputs, labels)
        variants = {}
        for variant, content in contents.items():
            file = staged / f"{variant}.tflite"
            file.write_bytes(content)
            found = Interpreter(content).run(images)
            variants[variant] = _model_file(file, QUANTIZATION[variant], found, labels)
            if variant == CONFUSED:
                confusion = confuse(variant, _probabilities(found, output), images, labels)
                (staged / CONFUSION).write_text(confusion.to_json(), encoding="utf-8")
        reference = staged / "reference.npz"
        np.savez_compressed(reference, **{PROBABILITIES: _probabilities(outputs, output)})
        card = Card(
            format=FORMAT,
            **identity._asdict(),
            parameters=original.count_params(),
            contract=Contract(data.normalization, INPUT, output),
            variants=variants,
            original=original_file,
            reference=ReferenceFile(
                **asdict(record_file(reference)),
                dataset=f"{data.mnist.name}, test set",
                dataset_sha256=data.test_sha256,
                original_sha256=original_file.sha256,
            ),
            budget=budget,
            training=training,
            versions=_versions(),
            acceptance=acceptance,
            confusion=record_file(staged / CONFUSION),
        )
        write_card(card, staged)
        load_model(staged)
        _replace(folder / identity.name, staged, Path(staging) / "replaced")
    accuracies = ", ".join(
        f"{variant} {file.accuracy:.2%}"
        for variant, file in {"original": original_file, **variants}.items()
    )
    print(f"{folder / identity.name}: test accuracy {accuracies}", flush=True)


def _probabilities(outputs: NDArray[np.float32], output: Output) -> NDArray[np.float32]:
    return softmax(outputs) if output == "logits" else outputs


def _model_file(
    path: Path, quantization: str, outputs: NDArray[np.float32], labels: NDArray[np.uint8]
) -> ModelFile:
    right = accuracy(outputs.argmax(axis=1), labels)
    return ModelFile(**asdict(record_file(path)), quantization=quantization, accuracy=right)


def _versions() -> dict[str, str]:
    runtime = find_runtime()
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,  # Its package may be another, such as tensorflow-cpu.
        **{name: version(name) for name in ("keras", "numpy", "pillow", "scikit-image")},
        runtime.name: runtime.version,
    }


def _replace(target: Path, staged: Path, aside: Path) -> None:
    """Swap folders by renaming. The old one goes back if the new one does not take its place."""
    try:
        if target.exists():
            target.rename(aside)
        staged.rename(target)
    except BaseException:  # An interruption, too, which may come after either step.
        if aside.exists() and not target.exists():
            aside.rename(target)
        raise


def check_writable(out: Path) -> None:
    """Make a models' folder, before minutes of work and not after them.

    Raises:
        UserError: it cannot be written.
        OSError: it cannot be made.
    """
    out.mkdir(parents=True, exist_ok=True)
    if not os.access(out, os.W_OK | os.X_OK):
        raise UserError(f"The folder {out} cannot be written; name another with --out.")


def command(data: TrainingData, *words: str) -> str:
    """The command that makes a model again. Files are given without their folders, for privacy."""
    folder, is_other, _ = data.mnist.name.partition(NOT_MNIST)
    other = ["--data", folder, "--allow-other-data"] if is_other else []
    return shlex.join(["python", "-m", "convert", *words, *other])
