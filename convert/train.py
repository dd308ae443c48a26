"""The pipeline: data, training and publication of one model after the other."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from convert.data.pool import NO_DIGIT, Pool, fill
from convert.data.sources import NOT_MNIST, Source, TrainingData, load
from convert.data.validation import Validation, hold_out
from convert.export.provenance import code_sha256, commit
from convert.export.publication import Identity, publish
from convert.export.tflite import predict
from convert.training.architectures import ARCHITECTURES, BUDGETS, Architecture
from convert.training.distillation import Teacher, load_teacher
from convert.training.fit import train as fit
from convert.training.networks import cool
from convert.training.temperature import fit_temperature
from convert.training.thresholds import Answers, choose_acceptance
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import Normalization
from edge_app.errors import UserError
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import Card
from edge_app.models.classifier import softmax

SEED = 0
"""Of the data: its split, its variations and what is no digit."""
SEEDS = (0, 1, 2)
"""Each architecture is trained with every one of them; the best on validation data ships."""
NORMALIZATION: Normalization = "moments"
CALIBRATION_IMAGES = 1000
UNFINISHED = ".training"
"""The folder, inside the models' folder, that keeps trained networks until all are published.

It has a folder for each state of data and code."""


class Candidate(NamedTuple):
    """A trained original, one of several seeds."""

    seed: int
    original: keras.Model
    loss: float
    """Mean cross-entropy of the validation digits, every source counting the same."""


def train(
    names: Sequence[str],
    folder: Path | None,
    drawings: Sequence[Path],
    out: Path,
    *,
    allow_other: bool,
) -> None:
    """Train, export and publish models, each complete before the next begins.

    Teachers come before those that learn from them. What was trained before an interruption is not
    trained again.

    Args:
        names: of :data:`ARCHITECTURES`.
        folder: MNIST's IDX files; None downloads them.
        drawings: files of labelled drawings to train on besides.
        out: the models' folder.
        allow_other: whether the IDX files may hold something other than MNIST.

    Raises:
        UserError: data or a teacher is missing or wrong, or an export failed.
        OSError: the models' folder cannot be written.
    """
    _check_teachers(names, out)
    check_writable(out)
    console = Console()
    data = load(folder, drawings, allow_other=allow_other, normalization=NORMALIZATION, seed=SEED)
    validation = hold_out(data, NORMALIZATION, SEED)
    pool = fill(data, NORMALIZATION, SEED)
    code = commit()
    unfinished = out / UNFINISHED / _fingerprint(data)
    # No teacher has one itself.
    for index, name in enumerate(sorted(names, key=lambda name: bool(ARCHITECTURES[name].teacher))):
        architecture = ARCHITECTURES[name]
        teacher = _teacher(architecture, out)
        candidates = []
        for number, seed in enumerate(SEEDS, start=1 + index * len(SEEDS)):
            whole = len(names) * len(SEEDS)
            console.print(f"Training {architecture.title}, seed {seed} ({number} of {whole})")
            candidates.append(_candidate(architecture, pool, validation, seed, teacher, unfinished))
        best = min(candidates, key=lambda candidate: candidate.loss)
        console.print(f"Exporting {architecture.title}, seed {best.seed}")
        card = publish(
            best.original,
            Identity(name, architecture.title, architecture.description),
            NORMALIZATION,
            "logits",
            BUDGETS[name],
            _acceptance(best.original, architecture, validation),
            _calibration_images(pool),
            data,
            {
                "commit": code,
                "command": _command(name, data, drawings),
                **_describe(architecture, teacher, data, candidates, best),
            },
            out,
        )
        console.print(summarize(card, out))
    _clear(unfinished, names)


def check_writable(out: Path) -> None:
    """Make a models' folder, before minutes of work, not after them.

    Raises:
        UserError: it cannot be written.
        OSError: it cannot be made.
    """
    out.mkdir(parents=True, exist_ok=True)
    if not os.access(out, os.W_OK | os.X_OK):
        raise UserError(f"The folder {out} cannot be written; name another with --out.")


def _check_teachers(names: Sequence[str], out: Path) -> None:
    """Before minutes of work, not after them."""
    for name in names:
        if ARCHITECTURES[name].teacher not in names:
            _teacher(ARCHITECTURES[name], out)


def _teacher(architecture: Architecture, out: Path) -> Teacher | None:
    name = architecture.teacher
    return None if name is None else load_teacher(name, out, NORMALIZATION)


def _candidate(
    architecture: Architecture,
    pool: Pool,
    validation: Validation,
    seed: int,
    teacher: Teacher | None,
    unfinished: Path,
) -> Candidate:
    """An original, calibrated. What is trained is kept in a checkpoint."""
    # What was begun with another teacher is not gone on with.
    taught = f"-{teacher.weights_sha256()[:16]}" if teacher else ""
    checkpoint = unfinished / f"{architecture.name}-{seed}{taught}.keras"
    original = fit(
        architecture,
        pool,
        validation.digits,
        seed,
        checkpoint,
        teacher.original if teacher else None,
    )
    _calibrate(original, validation)
    losses = [_cross_entropy(original, source) for source in validation.sources]
    return Candidate(seed, original, float(np.mean(losses)))


def _fingerprint(data: TrainingData) -> str:
    """Of what training depends on: what was begun with anything else is not gone on with."""
    hashes = [*(source.sha256 for source in data.sources), code_sha256()]
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()[:16]


def _clear(unfinished: Path, names: Sequence[str]) -> None:
    """Remove what is finished; another training's checkpoints may lie beside it."""
    for name in names:
        for checkpoint in unfinished.glob(f"*{name}-*.keras"):
            checkpoint.unlink(missing_ok=True)
    for folder in (unfinished, unfinished.parent):
        with contextlib.suppress(OSError):  # Not empty; or another training has removed it.
            folder.rmdir()


def _calibrate(original: keras.Model, validation: Validation) -> None:
    """Bring a model's probabilities to what they are worth, every source counting the same."""
    logits = [predict(original, source.images) for source in validation.sources]
    weights = [np.full(len(each), 1 / len(each)) for each in logits]
    labels = validation.digits.labels
    cool(original, fit_temperature(np.concatenate(logits), labels, np.concatenate(weights)))


def _cross_entropy(original: keras.Model, digits: Digits) -> float:
    probabilities = softmax(predict(original, digits.images).astype(np.float64))
    right = probabilities[np.arange(len(digits.labels)), digits.labels]
    return float(-np.log(np.maximum(right, np.finfo(np.float64).tiny)).mean())


def _acceptance(
    original: keras.Model, architecture: Architecture, validation: Validation
) -> Acceptance:
    return choose_acceptance(
        "logits",
        [Answers(predict(original, each.images), each.labels) for each in validation.pen],
        predict(original, validation.non_digits),
        accepted=architecture.accepted,
        right=architecture.right,
    )


def _calibration_images(pool: Pool) -> NDArray[np.uint8]:
    """Digits of every kind that the model was trained on."""
    images, labels = pool.epoch(np.random.default_rng(SEED))
    return images[labels != NO_DIGIT][:CALIBRATION_IMAGES]


def _command(name: str, data: TrainingData, drawings: Sequence[Path]) -> str:
    """What trains a model again. Files are told by their names: folders are nobody's business."""
    words = ["python", "-m", "convert", "train", name]
    if drawings:
        words += ["--drawings", *(path.name for path in drawings)]
    return shlex.join([*words, *other_data(data)])


def other_data(data: TrainingData) -> list[str]:
    """The options that let data that is not MNIST be taken for it."""
    folder, is_other, _ = data.mnist.name.partition(NOT_MNIST)
    return ["--data", folder, "--allow-other-data"] if is_other else []


def _describe(
    architecture: Architecture,
    teacher: Teacher | None,
    data: TrainingData,
    candidates: Sequence[Candidate],
    best: Candidate,
) -> dict[str, Any]:
    """How a model was trained, for its card."""
    return {
        "architecture": asdict(architecture),
        "teacher": teacher and {"name": teacher.name, "sha256": teacher.sha256},
        "seed": best.seed,
        "seeds": [_describe_candidate(candidate, data) for candidate in candidates],
        "data": [_describe_source(source) for source in data.sources],
    }


def _describe_candidate(candidate: Candidate, data: TrainingData) -> dict[str, Any]:
    """How an original reads the parts of every source that it was not trained on."""
    return {
        "seed": candidate.seed,
        "validation_cross_entropy": candidate.loss,
        "validation": [_accuracy(candidate.original, each.validation) for each in data.sources],
        "test": [_accuracy(candidate.original, each.test) for each in data.sources],
    }


def _describe_source(source: Source) -> dict[str, Any]:
    return {
        "name": source.name,
        "licence": source.licence,
        "sha256": source.sha256,
        "training_images": len(source.train.labels),
        "validation_images": len(source.validation.labels),
        "test_images": len(source.test.labels),
    }


def _accuracy(original: keras.Model, digits: Digits) -> float | None:
    """0 to 1; None where there are no digits."""
    if not len(digits.labels):
        return None
    right = predict(original, digits.images).argmax(axis=1) == digits.labels
    return float(right.mean())


def summarize(card: Card, out: Path) -> str:
    """A line on a published model."""
    accuracies = ", ".join(
        f"{variant} {file.accuracy:.2%}"
        for variant, file in {"original": card.original, **card.variants}.items()
    )
    return f"{out / card.name}: test accuracy {accuracies}"
