"""Addition: a user's own Keras model is read, understood, exported and published beside the others.

What its file does not tell is found out on MNIST's validation images, a part of the training set:
the scale of its pixels and the normalization of its images are those under which it reads best.
Where accuracies are close, the lowest cross-entropy decides: to a network of ReLUs, pixels 255
times as strong make logits almost 255 times as far apart, and hardly another digit.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from convert.data.sources import TrainingData, load
from convert.data.validation import hold_out
from convert.export.keras_file import read, sha256, take_pixels
from convert.export.provenance import commit
from convert.export.publication import Identity, publish
from convert.export.tflite import predict
from convert.train import CALIBRATION_IMAGES, SEED, check_writable, other_data, summarize
from convert.training.thresholds import Answers, choose_acceptance
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import NORMALIZATIONS, Normalization
from edge_app.errors import UserError
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import Budget, Output
from edge_app.models.classifier import softmax
from edge_app.models.interpreter import FULL_INK, PIXELS, Pixels
from edge_app.models.probe import tell_output

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
CLOSE = 0.02
"""Accuracies no further apart than this are close."""
LEAST_ACCURACY = 0.3
"""Three times what guessing gets; what reads less is no classifier of digits."""
FAR = 0.1
"""A given scale with which so much less is read than with the other is a mistake."""
MUCH_BETTER = 3
"""With so many times less cross-entropy, the other scale is more likely than the one given."""
BUDGET = Budget(accuracy_loss_points=0.5, agreement=0.99, bytes=None)
"""Wider than what the shipped models, made for quantization, keep to."""

ACCEPTED, RIGHT = 0.9, 0.98
"""Of a model's acceptance rule: the least part of drawn digits that it lets pass, and of those the
part that should be read right."""


class AdditionError(UserError):
    """A model that is not added."""


class Reading(NamedTuple):
    """How a model reads the validation images under one normalization and one scale of pixels."""

    normalization: Normalization
    pixels: Pixels
    output: Output
    accuracy: float
    cross_entropy: float
    """Mean of -ln p of the right digits; infinite when an output is no finite number."""


def add(
    path: Path,
    identity: Identity,
    folder: Path | None,
    out: Path,
    *,
    pixels: Pixels | None,
    normalization: Normalization | None,
    replace: bool,
    allow_other: bool,
) -> None:
    """Add a model to a models' folder.

    Args:
        path: a .keras or .h5 file, or a SavedModel folder.
        identity: what to call it.
        folder: MNIST's IDX files; None downloads them.
        out: the models' folder.
        pixels: the scale that the model takes; None finds out.
        normalization: what its images go through; None finds out.
        replace: whether a model of that name may be replaced.
        allow_other: whether the IDX files may hold something other than MNIST.

    Raises:
        UserError: the name is unfit or taken, the model cannot be read, converted or used, or data
            is missing or wrong.
        OSError: the models' folder cannot be written.
    """
    _check_name(identity.name, out, replace)
    check_writable(out)
    model = read(path)
    data = {
        name: load(folder, [], allow_other=allow_other, normalization=name, seed=SEED)
        for name in ([normalization] if normalization else NORMALIZATIONS)
    }
    readings = [
        _read_digits(model, name, scale, data[name].mnist.validation)
        for name in data
        for scale in PIXELS
    ]
    reading = _choose(path, readings, pixels)
    console = Console(markup=False)
    if doubt := _doubt(reading, _best(readings)):
        console.print(f"Warning: {doubt}")
    console.print(
        f"{path.name} takes pixels of {reading.pixels} and gives {reading.output}; "
        f"with the normalization {reading.normalization} it reads {reading.accuracy:.2%} of the "
        f"validation images. Exporting {identity.title}"
    )
    chosen = data[reading.normalization]
    card = publish(
        take_pixels(model, reading.pixels, identity.name),
        identity,
        reading.normalization,
        reading.output,
        BUDGET,
        _acceptance(model, reading, chosen),
        chosen.mnist.train.images[:: max(1, len(chosen.mnist.train.images) // CALIBRATION_IMAGES)],
        chosen,
        _describe(path, identity, reading, readings, chosen),
        out,
    )
    console.print(summarize(card, out))


def _acceptance(model: keras.Model, reading: Reading, data: TrainingData) -> Acceptance:
    held_out = hold_out(data, reading.normalization, SEED)
    return choose_acceptance(
        reading.output,
        [
            Answers(_answer(model, each.images, reading.pixels), each.labels)
            for each in held_out.pen
        ],
        _answer(model, held_out.non_digits, reading.pixels),
        accepted=ACCEPTED,
        right=RIGHT,
    )


def _check_name(name: str, out: Path, replace: bool) -> None:
    if not NAME.fullmatch(name):
        raise AdditionError(
            f"The name is {name!r:.60}; expected lower-case letters, digits and dashes, such as "
            "'my-model'."
        )
    if (out / name).exists() and not replace:
        raise AdditionError(
            f"There is a model in {out / name}; choose another --name, or add --replace to put "
            "yours in its place."
        )


def _read_digits(
    model: keras.Model, normalization: Normalization, pixels: Pixels, digits: Digits
) -> Reading:
    outputs = _answer(model, digits.images, pixels)
    output = tell_output(outputs)
    if not np.isfinite(outputs).all():
        return Reading(normalization, pixels, output, 0.0, np.inf)
    probabilities = softmax(outputs) if output == "logits" else outputs
    return Reading(
        normalization,
        pixels,
        output,
        float((outputs.argmax(axis=1) == digits.labels).mean()),
        _cross_entropy(probabilities, digits.labels),
    )


def _answer(model: keras.Model, images: NDArray[np.uint8], pixels: Pixels) -> NDArray[np.float32]:
    """The model's outputs, float32 (N, 10), for normalized images, uint8 (N, 28, 28)."""
    scaled = images.astype(np.float32) * (FULL_INK[pixels] / 255)
    return predict(model, scaled.reshape(-1, *model.inputs[0].shape[1:]))


def _cross_entropy(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    right = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(right, 1e-30)).mean())


def _choose(path: Path, readings: list[Reading], pixels: Pixels | None) -> Reading:
    """The reading to go by.

    Raises:
        AdditionError: the given scale is the wrong one, or the digits are not read under any.
    """
    best = {
        scale: _best([reading for reading in readings if reading.pixels == scale])
        for scale in PIXELS
    }
    found = " and ".join(
        f"{reading.accuracy:.1%} with pixels of {scale}" for scale, reading in best.items()
    )
    chosen = best[pixels] if pixels else _best(readings)
    likeliest = _best(readings)
    if likeliest.accuracy > max(LEAST_ACCURACY, chosen.accuracy + FAR):
        raise AdditionError(
            f"Of the validation images {path} reads {found}: {pixels} looks like the wrong scale; "
            "leave --pixels out, or give the other."
        )
    if chosen.accuracy < LEAST_ACCURACY:
        raise AdditionError(
            f"Of the validation images {path} reads {found}; expected at least "
            f"{LEAST_ACCURACY:.0%} of a trained classifier of the digits 0 to 9, bright ink on "
            "dark."
        )
    return chosen


def _doubt(given: Reading, likeliest: Reading) -> str:
    """What to say of a scale under which a model reads as many digits, but is far too sure of them.

    It may be the right one all the same: models that learned from raw pixels can be like that.
    """
    if given.cross_entropy <= MUCH_BETTER * likeliest.cross_entropy:
        return ""
    return (
        f"{given.pixels} looks like the wrong scale: with pixels of {likeliest.pixels} it reads "
        f"{likeliest.accuracy:.1%} for {given.accuracy:.1%} of the validation images, with a "
        f"cross-entropy of {likeliest.cross_entropy:.3f} for {given.cross_entropy:.3f}. Unless it "
        f"was trained on {given.pixels}, add it again without --pixels, and with --replace."
    )


def _best(readings: list[Reading]) -> Reading:
    highest = max(reading.accuracy for reading in readings)
    close = [reading for reading in readings if reading.accuracy >= highest - CLOSE]
    return min(close, key=lambda reading: reading.cross_entropy)


def _describe(
    path: Path,
    identity: Identity,
    chosen: Reading,
    readings: list[Reading],
    data: TrainingData,
) -> dict[str, Any]:
    """For the card."""
    options = {
        "name": identity.name,
        "title": identity.title,
        "description": identity.description,
        "pixels": chosen.pixels,
        "normalization": chosen.normalization,
    }
    words = [word for option, value in options.items() for word in (f"--{option}", value)]
    command = ["python", "-m", "convert", "add", path.name, *words, *other_data(data)]
    return {
        "commit": commit(),
        "command": shlex.join(command),
        "source": {"file": path.name, "sha256": sha256(path)},
        "data": "unknown: brought by the user",
        "pixels": chosen.pixels,
        "validation": {
            "name": data.mnist.name,
            "sha256": data.mnist.sha256,
            "images": len(data.mnist.validation.labels),
            "accuracy": [
                {
                    "normalization": reading.normalization,
                    "pixels": reading.pixels,
                    "accuracy": reading.accuracy,
                }
                for reading in readings
            ],
        },
    }
