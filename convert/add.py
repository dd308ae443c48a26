"""Addition: a user's own Keras model is read, understood, exported and published.

What its file does not tell is found out on MNIST's validation images, a part of the training set:
the model gets the scale of pixels and the normalization with which it reads them best. Among close
accuracies the lowest cross-entropy wins, since a network of ReLUs reads almost the same digits from
pixels that are 255 times as bright, with logits almost 255 times as far apart.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from convert.data.sources import load
from convert.data.validation import hold_out
from convert.export.keras_file import read, sha256, take_pixels
from convert.export.provenance import commit
from convert.export.publication import CALIBRATION_COUNT, Identity, check_writable, command, publish
from convert.export.tflite import predict
from convert.training.temperature import cross_entropy
from convert.training.thresholds import choose_acceptance
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import NORMALIZATIONS, Normalization
from edge_app.errors import UserError
from edge_app.models.card import Budget, Output
from edge_app.models.classifier import softmax
from edge_app.models.interpreter import FULL_INK, PIXELS, Pixels
from edge_app.models.metrics import accuracy
from edge_app.models.probe import tell_output

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
CLOSE = 0.02
"""Accuracies that differ by at most this are close."""
LEAST_ACCURACY = 0.3
"""Three times what guessing gets; a model below this is not a digit classifier."""
FAR = 0.1
"""A scale given by the user is refused if the other's accuracy is higher by more than this."""
MUCH_BETTER = 3
"""A scale given by the user gets a warning if its cross-entropy is more than so many times that of
the best reading."""
BUDGET = Budget(accuracy_loss_points=0.5, agreement=0.99, bytes=None)
"""Wider than the budget of the shipped models, which were made for quantization."""

ACCEPTED, RIGHT = 0.9, 0.98
"""For the acceptance rule: the fraction of drawn digits that it must accept, and the fraction of
those that should be read right."""


class AdditionError(UserError):
    """A model that is not added."""


class Reading(NamedTuple):
    """How a model reads the validation images under one normalization and one scale of pixels."""

    normalization: Normalization
    pixels: Pixels
    output: Output
    accuracy: float
    cross_entropy: float
    """Mean of -ln p of the right digits; infinite if any output is not a finite number."""


def add(
    path: Path,
    folder: Path | None,
    out: Path,
    *,
    name: str,
    title: str | None,
    description: str | None,
    pixels: Pixels | None,
    normalization: Normalization | None,
    replace: bool,
    allow_other: bool,
) -> None:
    """Add a model to a models' folder.

    Args:
        path: a .keras or .h5 file, or a SavedModel folder.
        folder: MNIST's IDX files; None downloads them.
        out: the models' folder.
        name: what programs call it.
        title: what people call it; None takes the name.
        description: a sentence for its card; None names the file.
        pixels: the scale of the pixels that the model takes; None finds out.
        normalization: what its images go through; None finds out.
        replace: whether to replace a model of that name.
        allow_other: whether the IDX files may hold something other than MNIST.

    Raises:
        UserError: the name is invalid or taken, the model cannot be read, converted or used, or
            data is missing or wrong.
        OSError: the models' folder cannot be written.
    """
    if not NAME.fullmatch(name):
        raise AdditionError(
            f"The name is {name!r:.60}; expected lower-case letters, digits and dashes, "
            "such as 'my-model'."
        )
    if (out / name).exists() and not replace:
        raise AdditionError(
            f"There is a model in {out / name} already; choose another --name, or add "
            "--replace to replace it."
        )
    check_writable(out)
    model = read(path)
    data = {
        each: load(folder, [], allow_other=allow_other, normalization=each)
        for each in ([normalization] if normalization else NORMALIZATIONS)
    }
    readings = [
        _read_digits(model, each, scale, parts.mnist.validation)
        for each, parts in data.items()
        for scale in PIXELS
    ]
    identity = Identity(name, title or name, description or f"Added from {path.name}.")
    reading = _choose(path, readings, pixels)
    print(
        f"{path.name} takes pixels of {reading.pixels} and gives {reading.output}; "
        f"with the normalization {reading.normalization} it reads {reading.accuracy:.2%} of the "
        f"validation images. Exporting {identity.title}",
        flush=True,
    )
    chosen = data[reading.normalization]
    original = take_pixels(model, reading.pixels, name)
    images = chosen.mnist.train.images
    told = {"pixels": reading.pixels, "normalization": reading.normalization}
    given = [(f"--{name}", value) for name, value in (identity._asdict() | told).items()]
    publish(
        original,
        identity,
        reading.output,
        BUDGET,
        choose_acceptance(
            reading.output,
            partial(predict, original),
            hold_out(chosen),
            accepted=ACCEPTED,
            right=RIGHT,
        ),
        images[:: max(1, len(images) // CALIBRATION_COUNT)],
        chosen,
        {
            "commit": commit(),
            "command": command(chosen, "add", path.name, *chain.from_iterable(given)),
            "source": {"file": path.name, "sha256": sha256(path)},
            "data": "unknown: brought by the user",
            "pixels": reading.pixels,
            "validation": {
                "name": chosen.mnist.name,
                "sha256": chosen.mnist.sha256,
                "images": len(chosen.mnist.validation.labels),
                "accuracy": [
                    {key: getattr(each, key) for key in ("normalization", "pixels", "accuracy")}
                    for each in readings
                ],
            },
        },
        out,
    )


def _read_digits(
    model: keras.Model, normalization: Normalization, pixels: Pixels, digits: Digits
) -> Reading:
    scaled = digits.images.astype(np.float32) * (FULL_INK[pixels] / 255)
    outputs = predict(model, scaled.reshape(-1, *model.inputs[0].shape[1:]))
    output = tell_output(outputs)
    right, loss = 0.0, np.inf
    if np.isfinite(outputs).all():
        right = accuracy(outputs.argmax(axis=1), digits.labels)
        loss = cross_entropy(softmax(outputs) if output == "logits" else outputs, digits.labels)
    return Reading(normalization, pixels, output, right, loss)


def _choose(path: Path, readings: list[Reading], pixels: Pixels | None) -> Reading:
    """The best reading, with the given scale of pixels if there is one; warns of a doubtful one.

    Raises:
        AdditionError: the given scale is wrong, or the digits are read under no reading.
    """
    best = {scale: _best([each for each in readings if each.pixels == scale]) for scale in PIXELS}
    likeliest = _best(readings)
    chosen = best[pixels] if pixels else likeliest
    found = f"{path} reads " + " and ".join(
        f"{reading.accuracy:.1%} of the validation images with pixels of {scale}"
        for scale, reading in best.items()
    )
    if likeliest.accuracy > max(LEAST_ACCURACY, chosen.accuracy + FAR):
        raise AdditionError(
            f"{found}: {pixels} looks like the wrong scale; leave --pixels out, or give the other."
        )
    if chosen.accuracy < LEAST_ACCURACY:
        raise AdditionError(
            f"{found}; expected at least {LEAST_ACCURACY:.0%} from a trained classifier of the "
            "digits 0 to 9, bright ink on dark."
        )
    # It reads as many digits but is far too sure of them. The scale may still be right: models that
    # learned from raw pixels can be like that.
    if chosen.cross_entropy > MUCH_BETTER * likeliest.cross_entropy:
        print(
            f"Warning: {pixels} looks like the wrong scale. With pixels of {likeliest.pixels} the "
            f"model reads {likeliest.accuracy:.1%} of the validation images instead of "
            f"{chosen.accuracy:.1%}, with a cross-entropy of {likeliest.cross_entropy:.3f} instead "
            f"of {chosen.cross_entropy:.3f}. Unless it was trained on pixels of {pixels}, add it "
            "again without --pixels, and with --replace."
        )
    return chosen


def _best(readings: list[Reading]) -> Reading:
    highest = max(reading.accuracy for reading in readings)
    close = [reading for reading in readings if reading.accuracy >= highest - CLOSE]
    return min(close, key=lambda reading: reading.cross_entropy)
