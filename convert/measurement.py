"""Measurement: a model's figures, taken from its files as they are.

The card tells what the files are called, take and give, and none of the numbers. The original
answers by TensorFlow, int8 by the edge's interpreter.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.export.keras_file import load_keras
from convert.export.tflite import predict
from edge_app.digits.mnist import Digits
from edge_app.models.classifier import Classifier, Model, softmax
from edge_app.models.interpreter import Interpreter
from edge_app.models.metrics import expected_calibration_error

VARIANT = "int8"
"""The variant that is held against the original."""
WARM_UP, CALLS = 200, 2000
"""Single inferences that are not timed, and those that are."""


class Images(NamedTuple):
    """What a model is measured on, normalized as its contract says."""

    mnist: Digits
    """The test set."""
    drawn: Digits | None
    """Drawn digits that it was not trained on; None where there are no drawings."""
    non_digits: NDArray[np.uint8]
    """Drawings of other things, uint8 (N, 28, 28), N at least 1."""


@dataclass(frozen=True)
class Comparison:
    """int8 beside its original, on the same labelled images.

    Accuracies, agreement and calibration errors are 0 to 1, the flips are numbers of images, and
    the loss is in percentage points, below 0 where int8 does better.
    """

    accuracy: float
    original_accuracy: float
    lost_points: float
    agreement: float
    flips_to_wrong: int
    flips_to_right: int
    calibration_error: float
    original_calibration_error: float


@dataclass(frozen=True)
class Selection:
    """What a model's rule lets pass, in parts of 0 to 1; None without a rule, or of nothing."""

    drawn_accepted: float | None
    accepted_right: float | None
    """Of the drawn digits that are accepted."""
    non_digits_refused: float | None


@dataclass(frozen=True)
class Figures:
    """What was measured of one model; ``drawn`` is None where there were no drawings."""

    title: str
    mnist: Comparison
    drawn: Comparison | None
    selection: Selection
    parameters: int
    int8_bytes: int
    original_bytes: int
    latency_us: float


def measure(model: Model, folder: Path, images: Images) -> Figures:
    """Measure one model.

    Args:
        model: as it was loaded from ``folder``.
        folder: the model's own, with the files that its card names.
        images: what to measure it on.

    Raises:
        UserError: the original cannot be loaded.
    """
    card = model.card
    # Before TensorFlow has work for its threads.
    latency_us = median_latency_us(model.interpreters[VARIANT], images.mnist.images)
    original_path = folder / card.original.file
    original = load_keras(original_path)

    def on(digits: Digits) -> Comparison:
        outputs = predict(original, digits.images)
        probabilities = softmax(outputs) if model.output == "logits" else outputs
        return compare(model.predict(digits.images, VARIANT), probabilities, digits.labels)

    return Figures(
        title=model.title,
        mnist=on(images.mnist),
        drawn=on(images.drawn) if images.drawn else None,
        selection=select(model, images.drawn, images.non_digits),
        parameters=original.count_params(),
        int8_bytes=(folder / card.variants[VARIANT].file).stat().st_size,
        original_bytes=original_path.stat().st_size,
        latency_us=latency_us,
    )


def compare(
    int8: NDArray[np.float32], original: NDArray[np.float32], labels: NDArray[np.uint8]
) -> Comparison:
    """Hold int8's probabilities against the original's, (N, 10) each, and the labels, (N,).

    The answer is the most probable digit, the lower one of equals. N is at least 1.
    """
    answers, original_answers = int8.argmax(axis=1), original.argmax(axis=1)
    is_right, was_right = answers == labels, original_answers == labels
    to_wrong, to_right = int((was_right & ~is_right).sum()), int((is_right & ~was_right).sum())
    return Comparison(
        accuracy=float(is_right.mean()),
        original_accuracy=float(was_right.mean()),
        lost_points=100 * (to_wrong - to_right) / len(labels),
        agreement=float((answers == original_answers).mean()),
        flips_to_wrong=to_wrong,
        flips_to_right=to_right,
        calibration_error=expected_calibration_error(int8, labels),
        original_calibration_error=expected_calibration_error(original, labels),
    )


def select(model: Classifier, drawn: Digits | None, non_digits: NDArray[np.uint8]) -> Selection:
    """What int8 accepts of drawn digits and refuses of other things.

    Args:
        model: any classifier.
        drawn, non_digits: as in :class:`Images`.
    """
    if model.acceptance is None:
        return Selection(None, None, None)
    refused = ~model.answer(non_digits, VARIANT).accepted
    if drawn is None:
        return Selection(None, None, float(refused.mean()))
    answers = model.answer(drawn.images, VARIANT)
    right = (answers.probabilities.argmax(axis=1) == drawn.labels)[answers.accepted]
    return Selection(
        drawn_accepted=float(answers.accepted.mean()),
        accepted_right=float(right.mean()) if len(right) else None,
        non_digits_refused=float(refused.mean()),
    )


def median_latency_us(interpreter: Interpreter, images: NDArray[np.uint8]) -> float:
    """The median time in microseconds of one int8 inference: pixels in, invoke, outputs out.

    Softmax and acceptance rule, which follow in Python, are not in it.

    Args:
        interpreter: of the int8 file; it uses one thread.
        images: normalized, uint8 (N, 28, 28), N at least 1; each call takes the next.
    """
    times = []
    for number in range(WARM_UP + CALLS):
        image = images[number % len(images)][None]
        start = perf_counter_ns()
        interpreter.run(image)
        times.append(perf_counter_ns() - start)
    return float(np.median(times[WARM_UP:])) / 1000
