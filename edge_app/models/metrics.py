"""Metrics: how well a model reads labelled images, and how far a variant is from its original.

N images, K = 10 digits. p[i, k] is the original's probability of digit k for image i, q[i, k] the
variant's; an answer is the digit with the largest probability.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge_app.models.interpreter import CLASSES

BINS = 15
"""Bins of a reliability diagram."""
Z95 = 1.959963984540054
"""The standard normal distribution's 97.5th percentile: 95% lie within that many deviations."""
EPSILON = 1 / 512
"""Half a step of an 8-bit probability: what a quantized 0 may have stood for."""


class Flips(NamedTuple):
    """Images where the original was right and the variant is wrong, and the reverse."""

    to_wrong: int
    to_right: int


def answers(probabilities: ArrayLike) -> NDArray[np.intp]:
    """The most probable digits, (N,): argmax_k p[i, k], the lower digit of equals.

    Args:
        probabilities: p, (N, 10), N at least 1.

    Raises:
        ValueError: another shape, or values that are not finite.
    """
    return _table(probabilities).argmax(axis=1)


def accuracy(answers: ArrayLike, labels: ArrayLike) -> float:
    """Part of the digits that were read right: mean(answer[i] == label[i]), 0 to 1.

    Args:
        answers, labels: digits, (N,), N at least 1.

    Raises:
        ValueError: other shapes.
    """
    return float(_same(answers, labels).mean())


def agreement(original: ArrayLike, variant: ArrayLike) -> float:
    """Top-1 agreement: part of the images with the same answer, mean(a[i] == b[i]), 0 to 1.

    Source: the name that MLPerf's and TFLite's comparisons of quantized models use. It does not
    say whether the answers are right.

    Args:
        original, variant: answers, (N,), N at least 1.

    Raises:
        ValueError: other shapes.
    """
    return float(_same(original, variant).mean())


def wilson_interval(right: int, count: int) -> tuple[float, float]:
    """The 95% confidence interval of an accuracy measured on a sample: low and high, 0 to 1.

    With f = right / count, n = count and z = 1.96:
    (f + z^2 / 2n -+ z sqrt(f (1 - f) / n + z^2 / 4n^2)) / (1 + z^2 / n). Unlike f -+ z sd, it stays
    between 0 and 1, and it has a width even if all or none are right.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    J. Am. Stat. Assoc. 22 (1927).

    Args:
        right: how many of ``count`` images, at least 1, were read right.

    Raises:
        ValueError: there are no images, or more right ones than images.
    """
    if not 0 <= right <= count or not count:
        raise ValueError(f"{right} right of {count} were given; expected 0 to N of N, N at least 1")
    part, square = right / count, Z95**2 / count
    middle = part + square / 2
    reach = sqrt(part * (1 - part) * square + square**2 / 4)
    # If none or all are right, the ends are exactly 0 or 1; rounding would miss that.
    low = 0.0 if right == 0 else (middle - reach) / (1 + square)
    high = 1.0 if right == count else (middle + reach) / (1 + square)
    return low, high


def flips(original: ArrayLike, variant: ArrayLike, labels: ArrayLike) -> Flips:
    """Count right answers that turned wrong, and wrong ones that turned right.

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


def mcnemar(flips: Flips) -> float:
    """McNemar's exact test: the probability of flips at least this lopsided by chance, 0 to 1.

    With n = to_wrong + to_right and m the smaller of them, p = min(1, 2 sum_{j<=m} C(n, j) / 2^n):
    two-sided and binomial. Only images that flipped count, which makes the test much sharper than
    a comparison of two accuracies. 1 if nothing flipped.

    Source: Q. McNemar, "Note on the sampling error of the difference between correlated
    proportions or percentages", Psychometrika 12 (1947).
    """
    count = sum(flips)
    # Integers of any size: nothing is rounded before the one division.
    outcomes = ways = 1
    for number in range(min(flips)):
        ways = ways * (count - number) // (number + 1)  # C(n, j + 1) of C(n, j).
        outcomes += ways
    return 1.0 if 2 * outcomes >= 2**count else 2 * outcomes / 2**count


def largest_difference(original: ArrayLike, variant: ArrayLike) -> float:
    """The largest difference of any probability, 0 to 1: max_ik |p[i, k] - q[i, k]|.

    Args:
        original, variant: p and q, (N, 10), N at least 1.

    Raises:
        ValueError: other shapes, or values that are not finite.
    """
    before, after = _tables(original, variant)
    return float(np.abs(before - after).max())


def mean_difference(original: ArrayLike, variant: ArrayLike) -> float:
    """The mean absolute difference of the probabilities, 0 to 1: mean_ik |p[i, k] - q[i, k]|.

    Args and errors are those of :func:`largest_difference`.
    """
    before, after = _tables(original, variant)
    return float(np.abs(before - after).mean())


def kl_divergence(original: ArrayLike, variant: ArrayLike) -> float:
    """The mean Kullback-Leibler divergence of the variant from the original, in nats, at least 0.

    mean_i sum_k p'[i, k] ln(p'[i, k] / q'[i, k]), where both are smoothed the same way:
    p'[i, k] = (p[i, k] + e) / sum_j (p[i, j] + e), e = 1/512, which is (p[i, k] + e) / (1 + 10 e)
    for probabilities that sum to 1. Without it, a quantized probability of 0 makes it infinite.

    Source: S. Kullback, R. A. Leibler, "On information and sufficiency", Ann. Math. Stat. 22
    (1951); the smoothing is Lidstone's, of 1920.

    Args:
        original, variant: p and q, (N, 10), 0 to 1, N at least 1.

    Raises:
        ValueError: other shapes, or values that are not finite or below 0.
    """
    before, after = (_smooth(table) for table in _tables(original, variant))
    divergence = float((before * np.log(before / after)).sum(axis=1).mean())
    return max(0.0, divergence)  # Of equals, rounding can leave it below.


def signal_to_noise(original: ArrayLike, variant: ArrayLike) -> float | None:
    """The probabilities' signal-to-noise ratio in dB: 10 log10(sum_ik p^2 / sum_ik (p - q)^2).

    None if there is no noise, because the ratio is infinite then. About 6 dB are one bit.

    Source: the usual ratio of powers, applied to rounding by B. Widrow, I. Kollar, "Quantization
    noise", Cambridge 2008.

    Args and errors are those of :func:`largest_difference`.
    """
    before, after = _tables(original, variant)
    return ratio_db(before, before - after)


def ratio_db(signal: NDArray[np.floating[Any]], error: NDArray[np.floating[Any]]) -> float | None:
    """The ratio of the powers of a signal x and an error e, 10 log10(sum x^2 / sum e^2) dB.

    None if there is no error.
    """
    noise = np.square(error, dtype=np.float64).sum()
    if not noise:
        return None
    power = np.square(signal, dtype=np.float64).sum()
    # A signal of zero would give minus infinity, which JSON does not have. The quotient itself can
    # be too small for a processor that flushes to zero, as tflite-runtime makes those of ARM do;
    # there np.finfo warns.
    return float(10 * (np.log10(max(power, sys.float_info.min)) - np.log10(noise)))


@dataclass(frozen=True)
class Bin:
    """The images whose confidence, the largest probability, is in one of M equal parts of 0 to 1.

    ``count`` is their number, ``confidence`` their mean confidence and ``accuracy`` the part of
    them that was read right; both are 0 to 1, or None if there are no images.
    """

    count: int
    confidence: float | None
    accuracy: float | None


def reliability(probabilities: ArrayLike, labels: ArrayLike, bins: int = BINS) -> tuple[Bin, ...]:
    """The bins of a reliability diagram, the least confident first.

    Source: C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural
    networks", ICML 2017.

    An image's confidence is c = max_k p[i, k]; bin b of M holds those with
    (b - 1) / M < c <= b / M.

    Args:
        probabilities: p, (N, K), N at least 1; the first of equals is the answer.
        labels: whole numbers (N,), 0 to K - 1.
        bins: M, the number of bins of equal width.

    Raises:
        ValueError: other shapes or labels, values that are not finite, or fewer bins than 1.
    """
    table, right = check_outputs(probabilities, labels)
    if bins < 1:
        raise ValueError(f"{bins} bins were given; expected at least 1")
    confidence = table.max(axis=1)
    wins = table.argmax(axis=1) == right
    # Rounding can push a confidence just past 1, and 0 belongs to the first bin.
    numbers = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(numbers, minlength=bins)
    sure = np.bincount(numbers, weights=confidence, minlength=bins)
    won = np.bincount(numbers, weights=wins, minlength=bins)
    return tuple(
        Bin(int(n), float(c / n), float(w / n)) if n else Bin(0, None, None)
        for n, c, w in zip(counts, sure, won, strict=True)
    )


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """The expected calibration error: the mean distance of confidence and accuracy, 0 to 1.

    That is sum_b n_b / N * |accuracy_b - confidence_b|, over the bins of :func:`reliability`.
    """
    gaps = (
        each.count * abs(each.accuracy - each.confidence)
        for each in bins
        if each.accuracy is not None and each.confidence is not None
    )
    return sum(gaps) / sum(each.count for each in bins)


def check_outputs(
    outputs: ArrayLike, labels: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Check outputs, (N, K), and their labels, (N,); returns the outputs as float64.

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


def _table(probabilities: ArrayLike) -> NDArray[np.float64]:
    outputs = np.asarray(probabilities, np.float64)
    if outputs.ndim != 2 or outputs.shape[1] != CLASSES or not len(outputs):
        raise ValueError(
            f"outputs of shape {outputs.shape} were given; expected (N, {CLASSES}), N at least 1"
        )
    if not np.isfinite(outputs).all():
        raise ValueError("some outputs are not finite numbers; expected probabilities")
    return outputs


def _tables(
    original: ArrayLike, variant: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    before, after = _table(original), _table(variant)
    if len(before) != len(after):
        raise ValueError(f"outputs of {len(before)} and {len(after)} images were given")
    return before, after


def _smooth(table: NDArray[np.float64]) -> NDArray[np.float64]:
    if table.min() < 0:
        raise ValueError(f"an output of {table.min():g} was given; expected probabilities, 0 to 1")
    raised = table + EPSILON
    return raised / raised.sum(axis=1, keepdims=True)


def _same(ours: ArrayLike, theirs: ArrayLike) -> NDArray[np.bool_]:
    left, right = np.asarray(ours), np.asarray(theirs)
    if left.ndim != 1 or left.shape != right.shape or not len(left):
        raise ValueError(
            f"digits of shapes {left.shape} and {right.shape} were given; expected (N,) twice, "
            "N at least 1"
        )
    return left == right
