"""Calibration: whether a model is right as often as it is sure, and the temperature that mends it.

Both as in C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
ICML 2017.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 15
COLDEST, HOTTEST = 0.05, 20.0
"""Where a temperature is looked for: digits that are all read right would drive it to 0."""
TOLERANCE = 1e-4
"""Of the logarithm of a temperature."""


def expected_calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, bins: int = BINS
) -> float:
    """How far confidence and accuracy lie apart, 0 to 1.

    That is sum_b n_b / N * |accuracy_b - confidence_b|. An image's confidence c is its largest
    probability; bin b of M holds the n_b images with (b - 1) / M < c <= b / M.

    Args:
        probabilities: (N, K), N at least 1; of equal ones the first is the answer.
        labels: whole numbers (N,), 0 to K - 1.
        bins: M, how many of equal width.

    Raises:
        ValueError: other shapes or labels, values that are not finite, or no bins.
    """
    table, right = _check(probabilities, labels)
    if bins < 1:
        raise ValueError(f"{bins} bins were given; expected at least 1")
    confidence = table.max(axis=1)
    wins = table.argmax(axis=1) == right
    # Rounding can carry a confidence a little past 1, and 0 belongs to the first bin.
    numbers = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(numbers, weights=wins - confidence)
    return float(np.abs(gaps).sum() / len(table))


def fit_temperature(
    logits: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """The temperature T by which to divide logits, so that their softmax is as sure as it is right.

    T minimizes the negative log-likelihood of the labels, mean(-ln softmax(logits / T)[label]),
    between COLDEST and HOTTEST. It is convex in 1 / T, so there is one valley along ln T.

    Args:
        logits: (N, K), N at least 1.
        labels: whole numbers (N,), 0 to K - 1.
        weights: (N,), how much each sample counts; None lets all count the same.

    Raises:
        ValueError: other shapes or labels, values that are not finite, or weights that are
            below 0 or all 0.
    """
    table, right = _check(logits, labels)
    shares = np.ones(len(table)) if weights is None else np.asarray(weights, np.float64)
    # Written so that NaN fails.
    if shares.shape != right.shape or not (shares >= 0).all() or not 0 < shares.sum() < np.inf:
        raise ValueError(
            f"weights of shape {shares.shape} were given; expected finite ones of {right.shape}, "
            "none below 0 and not all 0"
        )
    # The label's logit as zero: what is left of the likelihood is one sum of powers.
    margins = table - table[np.arange(len(table)), right][:, None]

    def loss(log_temperature: float) -> float:
        losses = np.logaddexp.reduce(margins / np.exp(log_temperature), axis=1)
        return float(losses @ shares)

    return float(np.exp(_lowest(loss, np.log(COLDEST), np.log(HOTTEST))))


def _check(outputs: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
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


def _lowest(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function of one valley is lowest, by golden sections; of a flat, its upper end."""
    ratio = (5**0.5 - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > TOLERANCE:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return (low + high) / 2
