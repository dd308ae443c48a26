"""Metrics in cases worked out by hand, or by SciPy."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_app.models.metrics import (
    Bin,
    Flips,
    accuracy,
    agreement,
    answers,
    calibration_error,
    flips,
    kl_divergence,
    largest_difference,
    mcnemar,
    mean_difference,
    reliability,
    signal_to_noise,
    wilson_interval,
)
from probability_tables import probabilities


def test_answers_takes_the_lower_of_equal_probabilities() -> None:
    assert answers(probabilities({7: 0.5, 2: 0.5}, {9: 1.0})).tolist() == [2, 9]


PAIRWISE = [largest_difference, mean_difference, kl_divergence, signal_to_noise]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (np.zeros((0, 10)), r"expected \(N, 10\), N at least 1"),
        (np.zeros(10), r"expected \(N, 10\), N at least 1"),
        (np.zeros((3, 9)), r"expected \(N, 10\), N at least 1"),
        (probabilities({1: 1.0}, {2: np.nan}), "not finite"),
        (probabilities({1: 1.0}, {2: -np.inf}), "not finite"),
    ],
)
def test_outputs_that_are_no_table_of_probabilities_are_refused(
    table: NDArray[np.float64], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        answers(table)
    for metric in PAIRWISE:
        with pytest.raises(ValueError, match=reason):
            metric(np.full((2, 10), 0.1), table)
        with pytest.raises(ValueError, match="of 1 and 2 images"):
            metric(np.full((1, 10), 0.1), np.full((2, 10), 0.1))


def test_accuracy_and_agreement_are_the_part_that_is_the_same() -> None:
    for metric in (accuracy, agreement):
        assert metric([1, 2, 3, 4], [1, 2, 3, 9]) == 0.75


@pytest.mark.parametrize(
    ("right", "count", "interval"),
    [
        (0, 1, (0, 0.7934506856227626)),
        (8, 10, (0.4901624715366418, 0.9433178485456248)),
        (50, 50, (0.9286524008666412, 1)),
        (9958, 10_000, (0.9943281041837756, 0.9968911230318614)),
    ],
)
def test_an_interval_is_the_one_that_scipy_gives(
    right: int, count: int, interval: tuple[float, float]
) -> None:
    low, high = wilson_interval(right, count)
    assert (low, high) == pytest.approx(interval, abs=1e-12)
    assert 0 <= low <= right / count <= high <= 1


@pytest.mark.parametrize(("right", "count"), [(0, 0), (2, 1), (-1, 1)])
def test_an_interval_of_nothing_is_refused(right: int, count: int) -> None:
    with pytest.raises(ValueError, match="0 to N of N"):
        wilson_interval(right, count)


#                to right twice, to wrong twice, to right once, wrong the same, wrong another way
LABELS = [0, 1, 2, 3, 4, 5, 6]
ORIGINAL = [0, 1, 2, 3, 9, 9, 9]
VARIANT = [0, 1, 8, 8, 4, 9, 8]


def test_flips_counts_each_direction() -> None:
    assert flips(ORIGINAL, VARIANT, LABELS) == Flips(to_wrong=2, to_right=1)


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([1, 2], [1]), ([[1]], [[1]])])
def test_digits_of_other_shapes_are_refused(ours: list[Any], theirs: list[Any]) -> None:
    for metric in (accuracy, agreement):
        with pytest.raises(ValueError, match="N at least 1"):
            metric(ours, theirs)
    with pytest.raises(ValueError, match="N at least 1"):
        flips(ours, ours, theirs)


@pytest.mark.parametrize(
    ("to_wrong", "to_right", "expected"),
    [
        (0, 0, 1.0),
        (0, 4, 0.125),  # 2 * 1/16
        (1, 5, 14 / 64),  # 2 * (1 + 6) / 64
        (3, 3, 1.0),  # 2 * (1 + 6 + 15 + 20) / 64, which is more than 1
        (1000, 1100, 0.03072070786424249),  # As SciPy says.
        (9000, 10, 0.0),  # Less than the smallest float.
    ],
)
def test_mcnemar_worked_out_by_hand(to_wrong: int, to_right: int, expected: float) -> None:
    assert mcnemar(Flips(to_wrong, to_right)) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(Flips(to_right, to_wrong)) == pytest.approx(expected, rel=1e-9)


def test_differences_look_at_every_probability() -> None:
    original = probabilities({3: 0.75, 4: 0.25}, {1: 1.0})
    variant = probabilities({3: 0.5, 4: 0.5}, {1: 0.625, 2: 0.375})
    for ours, theirs in ((original, variant), (variant, original)):
        assert largest_difference(ours, theirs) == 0.375
        assert mean_difference(ours, theirs) == (0.25 + 0.25 + 0.375 + 0.375) / 20
    assert largest_difference(original, original) == mean_difference(variant, variant) == 0.0


def test_a_divergence_worked_out_by_hand() -> None:
    # Smoothed: 1 -> 513/522, 0.5 -> 257/522, 0 -> 1/522. The second image has none.
    original, variant = probabilities({3: 1.0}, {7: 1.0}), probabilities({3: 0.5, 4: 0.5}, {7: 1.0})
    expected = (513 * math.log(513 / 257) + math.log(1 / 257)) / 522
    assert kl_divergence(original, variant) == pytest.approx(expected / 2)


def test_a_divergence_is_at_least_0_whatever_the_rows_sum_to() -> None:
    """An 8-bit softmax's rows sum to a few 256ths more or less than 1."""
    table = np.random.default_rng(7).dirichlet(np.full(10, 0.2), size=200)
    assert kl_divergence(table, table) == 0
    assert kl_divergence(table, table * 1.01) >= 0
    with pytest.raises(ValueError, match=r"-0\.5 was given"):
        kl_divergence(table[:1], probabilities({1: 1.5, 2: -0.5}))


def test_a_ratio_worked_out_by_hand() -> None:
    # Signal 1 + 1, noise 0.1^2 + 0.1^2: a hundred times less.
    original, variant = probabilities({1: 1.0}, {2: 1.0}), probabilities({1: 0.9}, {2: 0.9})
    assert signal_to_noise(original, variant) == pytest.approx(20)
    assert signal_to_noise(original, original) is None
    nothing = signal_to_noise(np.zeros((1, 10)), np.ones((1, 10)))
    assert nothing is not None
    assert -4000 < nothing < -3000  # And finite, which JSON asks for.


def test_reliability_worked_out_by_hand() -> None:
    table = probabilities({0: 0.625, 3: 0.375}, {1: 0.75, 2: 0.25}, {2: 1.0}, {4: 0.5, 5: 0.5})
    # The answers are 0, 1, 2 and 4; the last two are wrong. Half belongs to the lower bin.
    low, high = bins = reliability(table, [0, 1, 3, 5], bins=2)
    assert low == Bin(1, 0.5, 0.0)
    assert dataclasses.astuple(high) == pytest.approx((3, 2.375 / 3, 2 / 3))
    assert len(reliability(table, [0, 1, 3, 5])) == 15
    expected = (1 * 0.5 + 3 * (2.375 / 3 - 2 / 3)) / 4
    assert calibration_error(bins) == pytest.approx(expected)
    # Confidences at the edges.
    assert reliability([[1 + 1e-7, 0.0]], [0], bins=2)[0] == Bin(0, None, None)
    assert [each.count for each in reliability([[0.0, 0.0]], [0], bins=2)] == [1, 0]


@pytest.mark.parametrize(
    ("table", "labels", "reason"),
    [
        ([[1.0, 0.0]], [0, 1], "shape"),
        ([1.0, 0.0], [0], "shape"),
        (np.empty((0, 10)), [], "N at least 1"),
        ([[np.nan, 0.0]], [0], "not finite"),
        ([[1.0, 0.0]], [2], "expected 0 to 1"),
        ([[1.0, 0.0]], [-1], "expected 0 to 1"),
    ],
)
def test_outputs_and_labels_that_do_not_match_are_refused(
    table: Any, labels: list[int], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        reliability(table, labels)
    with pytest.raises(ValueError, match="at least 1"):
        reliability([[1.0]], [0], bins=0)
