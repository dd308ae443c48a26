"""Temperature: makes a model as sure as it is right, by dividing its logits.

Source: C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
ICML 2017.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from edge_app.models.metrics import check_outputs

COLDEST, HOTTEST = 0.05, 20.0
"""The limits of a temperature. Without them, digits that are all read right would drive it to 0."""
TOLERANCE = 1e-4
"""Of the logarithm of a temperature."""


def cross_entropy(probabilities: NDArray[Any], labels: NDArray[np.uint8]) -> float:
    """The mean of -ln p[i, label[i]], with p at least 1e-30.

    Args:
        probabilities: p, (N, 10), N at least 1.
        labels: the right digits, (N,).
    """
    right = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(right, 1e-30)).mean())


def fit_temperature(
    logits: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """The temperature T for which softmax(logits / T) is as sure as it is right.

    T minimizes the negative log-likelihood of the labels, mean(-ln softmax(logits / T)[label]),
    between COLDEST and HOTTEST. It is convex in 1 / T, so there is one valley along ln T. Where the
    mean is 0 for a range of T, the warmest of them counts.

    Args:
        logits: (N, K), N at least 1.
        labels: whole numbers (N,), 0 to K - 1.
        weights: (N,), above 0, how much each sample counts; None lets all count the same.

    Raises:
        ValueError: wrong shapes or labels, or values that are not finite.
    """
    table, right = check_outputs(logits, labels)
    shares = np.ones(len(table)) if weights is None else np.asarray(weights, np.float64)
    # Relative to its label's logit, each sample's loss is the logarithm of a sum of powers.
    margins = table - table[np.arange(len(table)), right][:, None]

    def loss(log_temperature: float) -> float:
        losses = np.logaddexp.reduce(margins / np.exp(log_temperature), axis=1)
        # Where it is 0 for a range of temperatures, values below 0 lead to the warmest of them.
        return float(losses @ shares) or limits[0] - log_temperature

    limits = np.log((COLDEST, HOTTEST))
    found = minimize_scalar(loss, bounds=limits, method="bounded", options={"xatol": TOLERANCE})
    return float(np.exp(found.x))
