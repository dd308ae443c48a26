"""Drift: how far a model's variants have moved away from the original that they were made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.drift.datasets import LabelledSet
from benchmarks.drift.predictions import Predictions, predict
from benchmarks.progress import Advance
from edge_app.errors import UserError
from edge_app.models import metrics
from edge_app.models.classifier import Model
from edge_app.models.metrics import Bin, calibration_error, reliability

Origin = Literal["stored", "recomputed", "float32"]
"""Where the original's outputs are from: the model's folder, TensorFlow, or the variant nearest to
it, which stands in where neither is there."""
STAND_IN: Literal["float32"] = "float32"


class DriftError(UserError):
    """Drift that cannot be measured."""


@dataclass(frozen=True)
class Quality:
    """How well one model's file, or the original, reads labelled images.

    ``accuracy`` and its 95% confidence interval (low, high) after Wilson, ``calibration_error``
    (expected, 15 bins) and ``accuracy_by_class`` (digits 0 to 9; None without an image of it) are
    0 to 1. ``reliability`` is what the calibration error is made of, the least sure bin first.
    ``wrong`` has the numbers of the images that are read wrong, in the set's order, from 0.
    """

    accuracy: float
    accuracy_interval: tuple[float, float]
    accuracy_by_class: tuple[float | None, ...]
    calibration_error: float
    reliability: tuple[Bin, ...]
    wrong: tuple[int, ...]


@dataclass(frozen=True)
class Flip:
    """An image that the two read differently: its number in the set, its label, and each one's
    digit with the probability, 0 to 1, that it gave to it."""

    index: int
    label: int
    original: int
    original_probability: float
    variant: int
    variant_probability: float


@dataclass(frozen=True)
class Drift(Quality):
    """One variant against the original, on the same labelled images.

    ``accuracy_loss_points`` is in percentage points, below 0 where the variant does better.
    ``agreement`` (top-1), ``mcnemar_p`` (exact, two-sided: how likely such flips are by chance),
    ``largest_difference`` and ``mean_difference`` (of probabilities) are 0 to 1.
    ``flips_to_wrong`` and ``flips_to_right`` are numbers of images; images on which the two
    disagree and that neither counts are read wrong by both. ``kl_divergence`` is in nats, at least
    0; ``signal_to_noise_db`` in dB, None where there is no noise at all. ``flip_matrix`` counts the
    disagreements by the original's answer (row) and the variant's (column), 0 on the diagonal, and
    ``flips`` are those images, in the set's order.
    """

    accuracy_loss_points: float
    agreement: float
    flips_to_wrong: int
    flips_to_right: int
    mcnemar_p: float
    largest_difference: float
    mean_difference: float
    kl_divergence: float
    signal_to_noise_db: float | None
    flip_matrix: tuple[tuple[int, ...], ...]
    flips: tuple[Flip, ...]


@dataclass(frozen=True)
class ModelDrift:
    """A model on one labelled set: the number of images, where the original's outputs are from
    ("stored", "recomputed" or "float32"), how well it reads, and each variant's drift from it by
    name. Where float32 stands in, it has no drift of its own."""

    images: int
    origin: Origin
    original: Quality
    variants: Mapping[str, Drift]


@dataclass(frozen=True)
class Original:
    """The original's probabilities on a set, float32 (N, 10), and where they are from."""

    probabilities: NDArray[np.float32]
    origin: Origin


def measure_drift(
    models: Mapping[str, Model],
    labelled: LabelledSet,
    originals: Mapping[str, Original],
    advance: Advance,
    report: Callable[[str], object],
) -> dict[str, ModelDrift]:
    """Run every variant of every model on a labelled set, and hold it against its original.

    Args:
        models: by name.
        labelled: the set, with every normalization of the models.
        originals: by the models' names; where one is missing, float32 stands in for it.
        advance: told of each image done, once for each variant:
            :func:`benchmarks.drift.predictions.steps` of them.
        report: called with a sentence for each model that is left out, since its outputs are not
            numbers.
    """
    drift = {}
    predictions = predict(models, labelled.images, advance)
    for name, outputs in predictions.items():
        original = originals.get(name) or Original(outputs[STAND_IN], STAND_IN)
        try:
            drift[name] = compare_model(name, original, outputs, labelled.labels)
        except DriftError as error:
            report(str(error))
    return drift


def compare_model(
    name: str, original: Original, predictions: Predictions, labels: ArrayLike
) -> ModelDrift:
    """Hold all of a model's variants against its original.

    Args:
        name: the model's, for errors.
        original: its original's outputs, (N, 10).
        predictions: its variants' outputs, (N, 10), by name.
        labels: digits, (N,), N at least 1.

    Raises:
        DriftError: outputs that are no probabilities, or of other shapes.
    """
    drifting = {
        variant: outputs
        for variant, outputs in predictions.items()
        if (variant, original.origin) != (STAND_IN, STAND_IN)
    }
    variant = "original"
    try:
        quality = measure_quality(original.probabilities, labels)
        drift = {}
        for variant, outputs in drifting.items():
            drift[variant] = compare(original.probabilities, outputs, labels)
    except ValueError as error:
        raise DriftError(
            f"The drift of {name}'s {variant} is unknown: {error}; convert the model again."
        ) from error
    return ModelDrift(len(original.probabilities), original.origin, quality, drift)


def measure_quality(probabilities: ArrayLike, labels: ArrayLike) -> Quality:
    """How well labelled images are read.

    Args:
        probabilities: (N, 10), N at least 1.
        labels: digits, (N,).

    Raises:
        ValueError: other shapes, or probabilities that are not finite.
    """
    read = metrics.answers(probabilities)
    bins = reliability(probabilities, labels)
    return Quality(
        accuracy=metrics.accuracy(read, labels),
        accuracy_interval=metrics.wilson_interval(int((read == labels).sum()), len(read)),
        accuracy_by_class=metrics.accuracy_by_class(read, labels),
        calibration_error=calibration_error(bins),
        reliability=bins,
        wrong=tuple(np.flatnonzero(read != np.asarray(labels)).tolist()),
    )


def compare(original: ArrayLike, variant: ArrayLike, labels: ArrayLike) -> Drift:
    """All metrics for one variant.

    The accuracy lost, in percentage points, is 100 * (to_wrong - to_right) / N: the difference of
    the two accuracies without their rounding, so that a loss of just the budget stays within it.

    Args:
        original, variant: probabilities, (N, 10), N at least 1.
        labels: digits, (N,).

    Raises:
        ValueError: other shapes, or probabilities that are not finite or below 0.
    """
    before, after = metrics.answers(original), metrics.answers(variant)
    moved = metrics.flips(before, after, labels)
    return Drift(
        **vars(measure_quality(variant, labels)),
        accuracy_loss_points=100 * (moved.to_wrong - moved.to_right) / len(after),
        agreement=metrics.agreement(before, after),
        flips_to_wrong=moved.to_wrong,
        flips_to_right=moved.to_right,
        mcnemar_p=metrics.mcnemar(moved),
        largest_difference=metrics.largest_difference(original, variant),
        mean_difference=metrics.mean_difference(original, variant),
        kl_divergence=metrics.kl_divergence(original, variant),
        signal_to_noise_db=metrics.signal_to_noise(original, variant),
        flip_matrix=metrics.flip_matrix(before, after),
        flips=_flips(np.asarray(original), np.asarray(variant), labels),
    )


def _flips(
    original: NDArray[np.generic], variant: NDArray[np.generic], labels: ArrayLike
) -> tuple[Flip, ...]:
    right = np.asarray(labels)
    before, after = metrics.answers(original), metrics.answers(variant)
    return tuple(
        Flip(
            index=int(index),
            label=int(right[index]),
            original=int(before[index]),
            original_probability=float(original[index, before[index]]),
            variant=int(after[index]),
            variant_probability=float(variant[index, after[index]]),
        )
        for index in np.flatnonzero(before != after)
    )
