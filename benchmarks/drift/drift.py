"""Drift: how far a model's variants are from the original that they were converted from, and the
gate: whether int8 is within the budget of its model's card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.drift.predictions import Predictions
from edge_app.errors import UserError
from edge_app.models import metrics
from edge_app.models.card import Card
from edge_app.models.metrics import Bin, calibration_error, reliability

Origin = Literal["stored", "float32"]
"""Where the original's outputs come from: the model's folder, or its most exact variant, which
stands in where the folder has none."""
STAND_IN: Literal["float32"] = "float32"
GATED = "int8"
"""The variant that the budget applies to and that the app serves."""


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


def failures(card: Card, drift: ModelDrift) -> list[str]:
    """A sentence with both numbers for each limit of the card's budget that int8 exceeds on the
    test set; none if it was not measured."""
    int8, budget, failed = drift.variants.get(GATED), card.budget, []
    if int8 is None:
        return []
    size = card.variants[GATED].bytes
    # Both comparisons also fail for NaN.
    if not int8.accuracy_loss_points <= budget.accuracy_loss_points:
        failed.append(
            f"int8 lost {int8.accuracy_loss_points:.2f} percentage points of accuracy "
            f"({drift.original.accuracy:.2%} -> {int8.accuracy:.2%}); its card allows "
            f"{budget.accuracy_loss_points:g}"
        )
    if not int8.agreement >= budget.agreement:
        failed.append(
            f"int8 gives the original's answer for {int8.agreement:.2%} of {drift.images:,} "
            f"images; its card asks for {budget.agreement:.2%}"
        )
    if budget.bytes is not None and size > budget.bytes:
        failed.append(f"int8 has {size:,} bytes; its card allows {budget.bytes:,}")
    return [
        f"Model {card.name!r} exceeds its budget: {reason}. Convert it again, or serve another "
        "variant."
        for reason in failed
    ]
