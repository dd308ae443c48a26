"""Training: data, networks and publication, one model after the other."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convert.data.pool import NO_DIGIT, Pool, fill
from convert.data.sources import SEED, Source, TrainingData, load
from convert.data.validation import Validation, hold_out
from convert.export.provenance import code_sha256, commit
from convert.export.publication import CALIBRATION_COUNT, Identity, check_writable, command, publish
from convert.export.tflite import predict
from convert.training.architectures import ARCHITECTURES, BUDGETS, Architecture
from convert.training.distillation import Teacher, load_teacher
from convert.training.fit import train as fit
from convert.training.networks import cool
from convert.training.temperature import cross_entropy, fit_temperature
from convert.training.thresholds import choose_acceptance
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import Normalization
from edge_app.models.classifier import softmax
from edge_app.models.metrics import accuracy

SEEDS = (0, 1, 2)
"""Each architecture is trained with each of them; the best on validation data ships."""
NORMALIZATION: Normalization = "bimoment"
UNFINISHED = ".training"
"""The folder inside the models' folder that keeps trained networks until all are published.

It has a folder for each state of data and code."""


def train(
    names: Sequence[str],
    folder: Path | None,
    drawings: Sequence[Path],
    out: Path,
    *,
    allow_other: bool,
) -> None:
    """Train, export and publish models, each complete before the next begins.

    Teachers come before their students. What an interrupted run has trained is not trained again.

    Args:
        names: names in :data:`ARCHITECTURES`; none for all of them.
        folder: MNIST's IDX files; None downloads them.
        drawings: files of labelled drawings to train on as well.
        out: the models' folder.
        allow_other: whether the IDX files may hold something other than MNIST.

    Raises:
        UserError: data or a teacher is missing or wrong, or an export failed.
        OSError: the models' folder cannot be written.
    """
    # No teacher has one itself.
    models = sorted(
        [ARCHITECTURES[name] for name in dict.fromkeys(names or ARCHITECTURES)],
        key=lambda architecture: bool(architecture.teacher),
    )
    for architecture in models:
        if architecture.teacher not in {each.name for each in models}:
            _teacher(architecture, out)  # Before minutes of work, not after them.
    say = partial(print, flush=True)
    check_writable(out)
    data = load(folder, drawings, allow_other=allow_other, normalization=NORMALIZATION)
    validation = hold_out(data)
    pool = fill(data)
    code = commit()
    given = ["--drawings", *(path.name for path in drawings)] if drawings else []
    unfinished = out / UNFINISHED / _fingerprint(data)
    for index, architecture in enumerate(models):
        name, teacher = architecture.name, _teacher(architecture, out)
        candidates = []
        for number, seed in enumerate(SEEDS, start=1 + index * len(SEEDS)):
            count = len(models) * len(SEEDS)
            say(f"Training {architecture.title}, seed {seed} ({number} of {count})")
            original = _train(architecture, pool, validation, seed, teacher, unfinished)
            candidates.append((original, _describe(original, seed, data, validation)))
        original, best = min(candidates, key=lambda each: each[1]["validation_cross_entropy"])
        say(f"Exporting {architecture.title}, seed {best['seed']}")
        publish(
            original,
            Identity(name, architecture.title, architecture.description),
            "logits",
            BUDGETS[name],
            choose_acceptance(
                "logits",
                partial(predict, original),
                validation,
                accepted=architecture.accepted,
                right=architecture.right,
            ),
            _calibration_images(pool),
            data,
            {
                "commit": code,
                "command": command(data, "train", name, *given),
                "architecture": asdict(architecture),
                "teacher": teacher and {"name": teacher.name, "sha256": teacher.sha256},
                "seed": best["seed"],
                "seeds": [told for _, told in candidates],
                "data": [_describe_source(source) for source in data.sources],
            },
            out,
        )
    _clear(unfinished, models)


def _teacher(architecture: Architecture, out: Path) -> Teacher | None:
    name = architecture.teacher
    return None if name is None else load_teacher(name, out, NORMALIZATION)


def _train(
    architecture: Architecture,
    pool: Pool,
    validation: Validation,
    seed: int,
    teacher: Teacher | None,
    unfinished: Path,
) -> keras.Model:
    """Train an original, or take it from its checkpoint, and fit its temperature."""
    # A training that began with another teacher is not resumed.
    taught = f"-{teacher.weights_sha256()[:16]}" if teacher else ""
    checkpoint = unfinished / f"{architecture.name}-{seed}{taught}.keras"
    model = teacher.original if teacher else None
    original = fit(architecture, pool, validation.digits, seed, checkpoint, model)
    calibrate(original, validation.sources)
    return original


def _fingerprint(data: TrainingData) -> str:
    """A hash of what training depends on: a training with another one is not resumed."""
    hashes = [*(source.sha256 for source in data.sources), code_sha256()]
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()[:16]


def _clear(unfinished: Path, models: Sequence[Architecture]) -> None:
    """Remove the checkpoints of published models, and no other training's."""
    for architecture in models:
        for checkpoint in unfinished.glob(f"*{architecture.name}-*.keras"):
            checkpoint.unlink(missing_ok=True)
    for folder in (unfinished, unfinished.parent):
        with contextlib.suppress(OSError):  # It is not empty, or another training removed it.
            folder.rmdir()


def calibrate(original: keras.Model, sources: Sequence[Digits]) -> None:
    """Divide a model's logits by the temperature that fits; every source counts the same."""
    logits = [predict(original, source.images) for source in sources]
    weights = [np.full(len(each), 1 / len(each)) for each in logits]
    labels = np.concatenate([source.labels for source in sources])
    cool(original, fit_temperature(np.concatenate(logits), labels, np.concatenate(weights)))


def _calibration_images(pool: Pool) -> NDArray[np.uint8]:
    """Digits of every kind that the model was trained on."""
    images, labels = pool.epoch(np.random.default_rng(SEED))
    return images[labels != NO_DIGIT][:CALIBRATION_COUNT]


def _describe(
    original: keras.Model, seed: int, data: TrainingData, validation: Validation
) -> dict[str, Any]:
    losses = [
        cross_entropy(softmax(predict(original, images).astype(np.float64)), labels)
        for images, labels in validation.sources
    ]
    return {
        "seed": seed,
        "validation_cross_entropy": float(np.mean(losses)),
        "validation": [_accuracy(original, source.validation) for source in data.sources],
        "test": [_accuracy(original, source.test) for source in data.sources],
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
    return accuracy(predict(original, digits.images).argmax(axis=1), digits.labels)
