"""Metrics against cases worked out by hand and, where one has them, against a library."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_app.models.metrics import (
    EPSILON,
    Flips,
    accuracy,
    accuracy_by_class,
    agreement,
    answers,
    flip_matrix,
    flips,
    kl_divergence,
    largest_difference,
    mcnemar,
    mean_difference,
    signal_to_noise,
    wilson_interval,
)
from probability_tables import probabilities


def tables(count: int = 200) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two tables of probabilities that are near to each other."""
    random = np.random.default_rng(7)
    original = random.dirichlet(np.full(10, 0.2), size=count)
    other = random.dirichlet(np.full(10, 0.2), size=count)
    return original, 0.8 * original + 0.2 * other


def test_answers_takes_the_lower_of_equal_probabilities() -> None:
    table = probabilities({7: 0.5, 2: 0.5}, {9: 1.0}, dict.fromkeys(range(10), 0.1))
    assert answers(table).tolist() == [2, 9, 0]


PAIRWISE = [largest_difference, mean_difference, kl_divergence, signal_to_noise]


@pytest.mark.parametrize("shape", [(0, 10), (10,), (3, 9), (1, 3, 10)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected \(N, 10\), N at least 1"):
        answers(np.zeros(shape))
    for metric in PAIRWISE:
        with pytest.raises(ValueError, match=r"expected \(N, 10\), N at least 1"):
            metric(np.full((3, 10), 0.1), np.zeros(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    wrong = probabilities({1: 1.0}, {2: value})
    with pytest.raises(ValueError, match="not finite"):
        answers(wrong)
    for metric in PAIRWISE:
        with pytest.raises(ValueError, match="not finite"):
            metric(wrong, wrong)


def test_tables_of_different_lengths_are_refused() -> None:
    for metric in PAIRWISE:
        with pytest.raises(ValueError, match="of 1 and 2 images"):
            metric(np.full((1, 10), 0.1), np.full((2, 10), 0.1))


def test_accuracy_and_agreement_are_the_part_that_is_the_same() -> None:
    for metric in (accuracy, agreement):
        assert metric([1, 2, 3, 4], [1, 2, 3, 9]) == 0.75
        assert metric([5], [5]) == 1.0
        assert metric([5], [6]) == 0.0


def test_an_interval_worked_out_by_hand() -> None:
    # 8 of 10: f = 0.8, z^2 = 3.8415; (0.8 + 0.19207 -+ sqrt(0.061463 + 0.036892)) / 1.38415.
    low, high = wilson_interval(8, 10)
    assert low == pytest.approx((0.8 + 0.192073 - math.sqrt(0.0614633 + 0.0368920)) / 1.3841459)
    assert high == pytest.approx(0.9433178)


@pytest.mark.parametrize(("right", "count"), [(0, 1), (1, 1), (0, 50), (50, 50), (9958, 10_000)])
def test_an_interval_against_a_library(right: int, count: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    expected = stats.binomtest(right, count).proportion_ci(0.95, method="wilson")
    low, high = wilson_interval(right, count)
    assert low == pytest.approx(expected.low, abs=1e-12)
    assert high == pytest.approx(expected.high)
    assert 0 <= low <= right / count <= high <= 1
    assert low < high


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
    assert flips(VARIANT, ORIGINAL, LABELS) == Flips(to_wrong=1, to_right=2)
    assert flips(ORIGINAL, ORIGINAL, LABELS) == Flips(0, 0)


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([1, 2], [1]), ([[1]], [[1]])])
def test_digits_of_other_shapes_are_refused(ours: list[Any], theirs: list[Any]) -> None:
    for metric in (accuracy, agreement, accuracy_by_class, flip_matrix):
        with pytest.raises(ValueError, match="N at least 1"):
            metric(ours, theirs)
    with pytest.raises(ValueError, match="N at least 1"):
        flips(ours, ours, theirs)


@pytest.mark.parametrize(
    ("to_wrong", "to_right", "expected"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),  # 2 * 1/2
        (0, 4, 0.125),  # 2 * 1/16
        (1, 5, 14 / 64),  # 2 * (1 + 6) / 64
        (5, 1, 14 / 64),
        (3, 3, 1.0),  # 2 * (1 + 6 + 15 + 20) / 64, which is more than 1
    ],
)
def test_mcnemar_worked_out_by_hand(to_wrong: int, to_right: int, expected: float) -> None:
    assert mcnemar(Flips(to_wrong, to_right)) == expected


@pytest.mark.parametrize(("to_wrong", "to_right"), [(6, 9), (2, 0), (40, 12), (1000, 1100)])
def test_mcnemar_against_a_library(to_wrong: int, to_right: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    expected = stats.binomtest(to_wrong, to_wrong + to_right, 0.5).pvalue
    assert mcnemar(Flips(to_wrong, to_right)) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_of_a_ruined_model_is_a_number() -> None:
    assert mcnemar(Flips(9000, 10)) == 0.0
    assert mcnemar(Flips(5000, 5000)) == 1.0


def test_differences_look_at_every_probability() -> None:
    original = probabilities({3: 0.75, 4: 0.25}, {1: 1.0})
    variant = probabilities({3: 0.5, 4: 0.5}, {1: 0.625, 2: 0.375})
    for ours, theirs in ((original, variant), (variant, original)):
        assert largest_difference(ours, theirs) == 0.375
        assert mean_difference(ours, theirs) == (0.25 + 0.25 + 0.375 + 0.375) / 20
    assert largest_difference(original, original) == mean_difference(variant, variant) == 0.0


def test_a_divergence_worked_out_by_hand() -> None:
    # Smoothed: 1 -> 513/522, 0.5 -> 257/522, 0 -> 1/522.
    original, variant = probabilities({3: 1.0}), probabilities({3: 0.5, 4: 0.5})
    expected = (513 * math.log(513 / 257) + math.log(1 / 257)) / 522
    assert kl_divergence(original, variant) == pytest.approx(expected)
    twice = [np.concatenate([table, original]) for table in (original, variant)]
    assert kl_divergence(*twice) == pytest.approx(expected / 2)


def test_a_divergence_against_a_library() -> None:
    stats = pytest.importorskip("scipy.stats")
    original, variant = tables()
    smoothed = [(table + EPSILON) / (1 + 10 * EPSILON) for table in (original, variant)]
    expected = stats.entropy(*smoothed, axis=1).mean()
    assert kl_divergence(original, variant) == pytest.approx(expected)
    assert kl_divergence(variant, original) != pytest.approx(expected)


def test_a_divergence_is_at_least_0_whatever_the_rows_sum_to() -> None:
    """An 8-bit softmax's rows sum to a few 256ths more or less than 1."""
    table, _ = tables()
    assert kl_divergence(table, table) == 0
    assert kl_divergence(table, np.rint(table * 256) / 256) > 0
    assert kl_divergence(table, table * 1.01) >= 0


def test_a_divergence_of_what_is_below_0_is_refused() -> None:
    with pytest.raises(ValueError, match=r"-0\.5 was given"):
        kl_divergence(probabilities({1: 1.0}), probabilities({1: 1.5, 2: -0.5}))


def test_a_ratio_worked_out_by_hand() -> None:
    # Signal 1 + 1, noise 0.1^2 + 0.1^2: a hundred times less.
    original = probabilities({1: 1.0}, {2: 1.0})
    variant = probabilities({1: 0.9}, {2: 0.9})
    assert signal_to_noise(original, variant) == pytest.approx(20)
    assert signal_to_noise(original, probabilities({1: 0.0}, {2: 0.0})) == pytest.approx(0)


def test_without_noise_there_is_no_ratio() -> None:
    assert signal_to_noise(*[tables()[0]] * 2) is None
    nothing = signal_to_noise(np.zeros((1, 10)), np.ones((1, 10)))
    assert nothing is not None
    assert -4000 < nothing < -3000  # And finite, which JSON asks for.


def test_a_bit_less_costs_six_decibels() -> None:
    original, _ = tables()
    ratios = [signal_to_noise(original, np.rint(original * 2**bits) / 2**bits) for bits in (8, 9)]
    assert None not in ratios
    assert np.diff(np.array(ratios, float)) == pytest.approx(6.02, abs=0.5)


def test_accuracy_of_each_class() -> None:
    expected = (0.5, 1.0, *[None] * 7, 0.0)
    assert accuracy_by_class([0, 1, 1, 8], [0, 0, 1, 9]) == expected


def test_matrix_holds_what_became_what() -> None:
    matrix = np.array(flip_matrix(ORIGINAL, VARIANT))
    expected = np.zeros((10, 10))
    expected[2, 8] = expected[3, 8] = expected[9, 4] = expected[9, 8] = 1
    assert (matrix == expected).all()
    assert (np.array(flip_matrix(VARIANT, ORIGINAL)) == expected.T).all()
    assert not np.any(flip_matrix(LABELS, LABELS))


def test_matrix_against_a_library() -> None:
    ours, theirs = np.random.default_rng(1).integers(0, 10, (2, 500))
    expected, _, _ = np.histogram2d(ours, theirs, bins=10, range=((-0.5, 9.5),) * 2)
    np.fill_diagonal(expected, 0)
    assert (np.array(flip_matrix(ours, theirs)) == expected).all()
