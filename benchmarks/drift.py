"""Drift: how far a model's variants have moved away from the original that they were made from.

The original is not run: its outputs on MNIST's test images are kept in the model's folder, in
``reference.npz``, with the hash of the images and labels that they belong to.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.progress import Advance
from edge_app.card import PROBABILITIES, Card, read_file
from edge_app.errors import UserError
from edge_app.interpreter import CLASSES
from edge_app.mnist import Digits
from edge_app.models import Classifier, Model

SUM_TOLERANCE = 1e-3
"""A row of the reference may sum to 1 with this error: float32 rounding stays far below it, and
logits stored by mistake do not."""
CHUNK = 500
"""Images between two steps of the progress bar."""


class DriftError(UserError):
    """Drift that cannot be measured."""


class Flips(NamedTuple):
    """Images where the original was right and the variant is wrong, and the reverse."""

    to_wrong: int
    to_right: int


@dataclass(frozen=True)
class Drift:
    """One variant against the original, on the same labelled images.

    ``accuracy``, ``agreement`` and ``largest_difference`` are 0 to 1, the flips are numbers of
    images, and the loss is in percentage points, below 0 where the variant does better. Images on
    which the two disagree and that neither flip counts are read wrong by both.
    """

    accuracy: float
    accuracy_loss_points: float
    agreement: float
    flips_to_wrong: int
    flips_to_right: int
    largest_difference: float


@dataclass(frozen=True)
class ModelDrift:
    """The original's accuracy, 0 to 1, and the drift of each variant by its name."""

    original_accuracy: float
    variants: Mapping[str, Drift]


def answers(probabilities: ArrayLike) -> NDArray[np.intp]:
    """The most probable digits, (N,): argmax_k p[i, k], the lower digit of equals.

    Args:
        probabilities: p, (N, 10), N at least 1.

    Raises:
        ValueError: another shape, or values that are not finite.
    """
    outputs = np.asarray(probabilities)
    if outputs.ndim != 2 or outputs.shape[1] != CLASSES or not len(outputs):
        raise ValueError(
            f"outputs of shape {outputs.shape} were given; expected (N, {CLASSES}), N at least 1"
        )
    if not np.isfinite(outputs).all():
        raise ValueError("some outputs are not finite numbers; expected probabilities")
    return outputs.argmax(axis=1)


def agreement(ours: ArrayLike, theirs: ArrayLike) -> float:
    """Part of the digits that are the same: mean(ours[i] == theirs[i]), 0 to 1.

    Of a model's answers and the labels this is its accuracy; of two models' answers it is their
    top-1 agreement.

    Args:
        ours, theirs: digits, (N,), N at least 1.

    Raises:
        ValueError: other shapes.
    """
    return float(_same(ours, theirs).mean())


def flips(original: ArrayLike, variant: ArrayLike, labels: ArrayLike) -> Flips:
    """Count right answers turned wrong and wrong ones turned right.

    ``to_wrong`` = #{i: original[i] == label[i] != variant[i]},
    ``to_right`` = #{i: original[i] != label[i] == variant[i]}.

    Args:
        original, variant, labels: digits, (N,), N at least 1.

    Raises:
        ValueError: other shapes.
    """
    was_right, is_right = _same(original, labels), _same(variant, labels)
    return Flips(
        to_wrong=int((was_right & ~is_right).sum()), to_right=int((~was_right & is_right).sum())
    )


def largest_difference(original: ArrayLike, variant: ArrayLike) -> float:
    """The largest difference of any probability, 0 to 1: max_ik |p[i, k] - q[i, k]|.

    Args:
        original, variant: p and q, (N, 10), N at least 1.
    """
    return float(np.abs(np.subtract(original, variant, dtype=np.float64)).max())


def compare(original: ArrayLike, variant: ArrayLike, labels: ArrayLike) -> Drift:
    """All of the above for one variant.

    The accuracy lost, in percentage points, is 100 * (to_wrong - to_right) / N: the difference of
    the two accuracies without their rounding, so that a loss of just the budget stays within it.

    Args:
        original, variant: probabilities, (N, 10), N at least 1.
        labels: digits, (N,).

    Raises:
        ValueError: other shapes, or probabilities that are not finite.
    """
    before, after = answers(original), answers(variant)
    moved = flips(before, after, labels)
    return Drift(
        accuracy=agreement(after, labels),
        accuracy_loss_points=100 * (moved.to_wrong - moved.to_right) / len(after),
        agreement=agreement(before, after),
        flips_to_wrong=moved.to_wrong,
        flips_to_right=moved.to_right,
        largest_difference=largest_difference(original, variant),
    )


def measure_drift(
    model: Model,
    folder: Path,
    digits: Digits,
    images: NDArray[np.uint8],
    advance: Advance,
) -> ModelDrift:
    """Run every variant of a model on the test images.

    Args:
        model: a loaded model.
        folder: its folder, which holds the reference.
        digits: the test set as it is published.
        images: its images, uint8 (N, 28, 28), as the model's normalization gives them.
        advance: told of each image done, once for each variant.

    Raises:
        CardError, DriftError: the reference is unusable or belongs to other images, or a variant's
            outputs are not numbers.
    """
    original = read_reference(folder, model.card, digits)
    variants = {}
    for variant in model.variants:
        outputs = predict(model, variant, images, advance)
        try:
            variants[variant] = compare(original, outputs, digits.labels)
        except ValueError as error:
            raise DriftError(
                f"The drift of {model.name}'s {variant} is unknown: {error}."
            ) from error
    return ModelDrift(agreement(answers(original), digits.labels), variants)


def read_reference(folder: Path, card: Card, digits: Digits) -> NDArray[np.float32]:
    """Read the original's probabilities on the test set, float32 (N, 10).

    Raises:
        CardError: the file is not as its card says.
        DriftError: it is not about these images, or holds something else.
    """
    path = folder / card.reference.file
    found, expected = digits.sha256(), card.reference.dataset_sha256
    if found != expected:
        raise DriftError(
            f"The drift of {card.name} is unknown: {path} belongs to {card.reference.dataset} with "
            f"SHA-256 {expected[:12]}..., but the test set here has {found[:12]}...; restore "
            "benchmarks/mnist or convert the model again."
        )
    content = read_file(folder, card.reference)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            probabilities = arrays[PROBABILITIES]
    except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DriftError(
            f"The drift of {card.name} is unknown: {path} holds no array {PROBABILITIES!r} "
            f"({error}); convert the model again."
        ) from error
    _check_reference(path, probabilities, len(digits.labels))
    return np.asarray(probabilities, dtype=np.float32)


def budget_overrun(card: Card, drift: ModelDrift) -> str | None:
    """A sentence when int8 lost more accuracy than the card's budget, else None."""
    int8, budget = drift.variants["int8"], card.budget.accuracy_loss_points
    if int8.accuracy_loss_points <= budget:
        return None
    return (
        f"Model {card.name!r} drifted past its budget: int8 lost {int8.accuracy_loss_points:.2f} "
        f"percentage points of accuracy ({drift.original_accuracy:.2%} -> {int8.accuracy:.2%}), "
        f"and its card allows {budget:g}; convert it again, or serve another variant."
    )


def predict(
    model: Classifier, variant: str, images: NDArray[np.uint8], advance: Advance
) -> NDArray[np.float32]:
    """A variant's probabilities, float32 (N, 10); tells ``advance`` of each image done."""
    outputs = []
    for start in range(0, len(images), CHUNK):
        chunk = images[start : start + CHUNK]
        outputs.append(model.predict(chunk, variant))
        advance(len(chunk))
    return np.concatenate(outputs)


def _check_reference(path: Path, probabilities: NDArray[np.generic], count: int) -> None:
    shape = (count, CLASSES)
    if probabilities.shape != shape or probabilities.dtype != np.float32:
        raise DriftError(
            f"{path} holds {probabilities.dtype} of shape {probabilities.shape}; "
            f"expected float32 {shape}; convert the model again."
        )
    # Written so that NaN fails.
    if not (np.abs(probabilities.sum(axis=1) - 1) <= SUM_TOLERANCE).all():
        raise DriftError(
            f"{path} holds rows that do not sum to 1; expected probabilities, not logits; "
            "convert the model again."
        )


def _same(ours: ArrayLike, theirs: ArrayLike) -> NDArray[np.bool_]:
    left, right = np.asarray(ours), np.asarray(theirs)
    if left.ndim != 1 or left.shape != right.shape or not len(left):
        raise ValueError(
            f"digits of shapes {left.shape} and {right.shape} were given; expected (N,) twice, "
            "N at least 1"
        )
    return left == right
