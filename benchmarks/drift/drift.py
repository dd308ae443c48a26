"""Drift: how far a model's variants are from the original that they were converted from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.drift.datasets import LabelledSet
from benchmarks.drift.predictions import Advance, Predictions, predict
from edge_app.errors import UserError
from edge_app.models import metrics
from edge_app.models.classifier import Model
from edge_app.models.metrics import Bin, calibration_error, reliability

Origin = Literal["stored", "float32"]
"""Where the original's outputs come from: the model's folder, or its most exact variant, which
stands in where the folder has none."""
STAND_IN: Literal["float32"] = "float32"


class DriftError(UserError):
    """The drift of a model cannot be measured."""


@dataclass(frozen=True)
class Quality:
    """How well a model's file, or its original, reads labelled images.

    ``accuracy``, its 95% confidence interval (low, high; Wilson) and the expected
    ``calibration_error`` (15 bins) are 0 to 1. ``reliability`` has the bins of the calibration
    error, the least confident first. ``wrong`` lists the indices of misread images, rising.
    """

    accuracy: float
    accuracy_interval: tuple[float, float]
    calibration_error: float
    reliability: tuple[Bin, ...]
    wrong: tuple[int, ...]


@dataclass(frozen=True)
class Flip:
    """An image that original and variant read differently: its index in the set, its label, and
    both answers with the probability, 0 to 1, that each gave to its own answer."""

    index: int
    label: int
    original: int
    original_probability: float
    variant: int
    variant_probability: float


@dataclass(frozen=True)
class Drift(Quality):
    """A variant compared with the original on the same labelled images.

    ``accuracy_loss_points`` is in percentage points, negative if the variant does better.
    ``agreement`` (top-1), ``mcnemar_p`` (exact, two-sided: how likely such flips are by chance),
    ``largest_difference`` and ``mean_difference`` (of probabilities) are 0 to 1.
    ``flips_to_wrong`` and ``flips_to_right`` count images. ``kl_divergence`` is in nats, at least
    0; ``signal_to_noise_db`` is in dB, None without any noise. ``flips`` lists every image with
    different answers, in the set's order, including those that both read wrong.
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
    flips: tuple[Flip, ...]


@dataclass(frozen=True)
class ModelDrift:
    """A model on one labelled set: the number of images, the origin of the original's outputs,
    how well the original reads, and the drift of each variant by name. If float32 stands in for
    the original, it has no drift of its own."""

    images: int
    origin: Origin
    original: Quality
    variants: Mapping[str, Drift]


@dataclass(frozen=True)
class Original:
    """The original's probabilities on a set, float32 (N, 10), and their origin."""

    probabilities: NDArray[np.float32]
    origin: Origin


def measure_drift(
    models: Mapping[str, Model],
    labelled: LabelledSet,
    originals: Mapping[str, Original],
    advance: Advance,
    report: Callable[[str], object],
) -> dict[str, ModelDrift]:
    """Run every variant of every model on a labelled set and compare it with its original.

    Args:
        models: by name.
        labelled: the set, with every normalization of the models.
        originals: by the models' names; float32 stands in for a missing one.
        advance: called as images are done; see :func:`benchmarks.drift.predictions.steps`.
        report: called with a sentence for each model whose outputs are not finite numbers; such a
            model is left out.
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
    """Compare all variants of a model with its original.

    Args:
        name: the model's name, for errors.
        original: the original's outputs, (N, 10).
        predictions: the variants' outputs, (N, 10), by name.
        labels: digits, (N,), N at least 1.

    Raises:
        DriftError: outputs that are not probabilities, or of other shapes.
    """
    variant, drift = "original", {}
    try:
        quality = measure_quality(original.probabilities, labels)
        for variant, outputs in predictions.items():
            if (variant, original.origin) != (STAND_IN, STAND_IN):
                drift[variant] = compare(original.probabilities, outputs, labels)
    except ValueError as error:
        raise DriftError(
            f"The drift of {name}'s {variant} is unknown: {error}. Convert the model again."
        ) from error
    return ModelDrift(len(original.probabilities), original.origin, quality, drift)


def measure_quality(probabilities: ArrayLike, labels: ArrayLike) -> Quality:
    """Measure how well labelled images are read.

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
        calibration_error=calibration_error(bins),
        reliability=bins,
        wrong=tuple(np.flatnonzero(read != np.asarray(labels)).tolist()),
    )


def compare(original: ArrayLike, variant: ArrayLike, labels: ArrayLike) -> Drift:
    """Compute all metrics of one variant.

    The accuracy loss in percentage points is 100 * (to_wrong - to_right) / N: unlike a difference
    of two accuracies it is not rounded, so a loss of exactly the budget stays within it.

    Args:
        original, variant: probabilities, (N, 10), N at least 1.
        labels: digits, (N,).

    Raises:
        ValueError: other shapes, or probabilities that are negative or not finite.
    """
    p, q, right = np.asarray(original), np.asarray(variant), np.asarray(labels)
    before, after = metrics.answers(p), metrics.answers(q)
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
        flips=tuple(
            Flip(
                index=index,
                label=int(right[index]),
                original=int(before[index]),
                original_probability=float(p[index].max()),
                variant=int(after[index]),
                variant_probability=float(q[index].max()),
            )
            for index in np.flatnonzero(before != after).tolist()
        ),
    )
