"""Calibration: the temperature that makes a model as sure as it is right.

Source: C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
ICML 2017.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from edge_app.models.metrics import check_outputs

COLDEST, HOTTEST = 0.05, 20.0
"""Where a temperature is looked for: digits that are all read right would drive it to 0."""
TOLERANCE = 1e-4
"""Of the logarithm of a temperature."""


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
    table, right = check_outputs(logits, labels)
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
