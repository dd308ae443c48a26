"""Calibration: whether a model is right as often as it is sure.

Source: C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
ICML 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 15


@dataclass(frozen=True)
class Bin:
    """The images whose confidence, the largest probability, lies in one of M equal parts of 0 to 1.

    ``count`` is how many there are, ``confidence`` their mean confidence and ``accuracy`` the part
    of them that is read right, both 0 to 1 and None where there are none.
    """

    count: int
    confidence: float | None
    accuracy: float | None


def reliability(probabilities: ArrayLike, labels: ArrayLike, bins: int = BINS) -> tuple[Bin, ...]:
    """The bins of a reliability diagram, the least sure first.

    An image's confidence is c = max_k p[i, k]; bin b of M holds those with
    (b - 1) / M < c <= b / M.

    Args:
        probabilities: p, (N, K), N at least 1; of equal ones the first is the answer.
        labels: whole numbers (N,), 0 to K - 1.
        bins: M, how many of equal width.

    Raises:
        ValueError: other shapes or labels, values that are not finite, or no bins.
    """
    table, right = check_outputs(probabilities, labels)
    if bins < 1:
        raise ValueError(f"{bins} bins were given; expected at least 1")
    confidence = table.max(axis=1)
    wins = table.argmax(axis=1) == right
    # Rounding can carry a confidence a little past 1, and 0 belongs to the first bin.
    numbers = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(numbers, minlength=bins)
    sure = np.bincount(numbers, weights=confidence, minlength=bins)
    won = np.bincount(numbers, weights=wins, minlength=bins)
    return tuple(
        Bin(int(n), float(c / n), float(w / n)) if n else Bin(0, None, None)
        for n, c, w in zip(counts, sure, won, strict=True)
    )


def expected_calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, bins: int = BINS
) -> float:
    """How far confidence and accuracy lie apart, 0 to 1.

    That is sum_b n_b / N * |accuracy_b - confidence_b|, over bins b of n_b images each. The
    arguments, the bins and the errors are those of :func:`reliability`.
    """
    return calibration_error(reliability(probabilities, labels, bins))


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """The expected calibration error, 0 to 1, of bins that :func:`reliability` has filled."""
    gaps = (
        each.count * abs(each.accuracy - each.confidence)
        for each in bins
        if each.accuracy is not None and each.confidence is not None
    )
    return sum(gaps) / sum(each.count for each in bins)


def check_outputs(
    outputs: ArrayLike, labels: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Outputs, (N, K), as float64, and the labels that belong to them, (N,).

    Raises:
        ValueError: other shapes, outputs that are not finite, or labels outside of 0 to K - 1.
    """
    table, right = np.asarray(outputs, np.float64), np.asarray(labels, np.intp)
    if table.ndim != 2 or not len(table) or right.shape != table.shape[:1]:
        raise ValueError(
            f"outputs of shape {table.shape} and labels of shape {right.shape} were given; "
            "expected (N, K) and (N,), N at least 1"
        )
    if not np.isfinite(table).all():
        raise ValueError("some outputs are not finite numbers")
    if right.min() < 0 or right.max() >= table.shape[1]:
        raise ValueError(
            f"labels of {right.min()} to {right.max()} were given; "
            f"expected 0 to {table.shape[1] - 1}"
        )
    return table, right
