"""Acceptance: which answers count, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_app.models.acceptance import Acceptance
from edge_app.models.classifier import softmax

NEVER = -1e9
"""An energy that every answer has."""


def rows(*values: dict[int, float]) -> NDArray[np.float32]:
    """float32 (N, 10): for each row the values that are not 0, by digit."""
    return np.array([[row.get(digit, 0) for digit in range(10)] for row in values], np.float32)


def accepts(rule: Acceptance, logits: NDArray[np.float32]) -> list[bool]:
    with np.errstate(invalid="ignore"):  # Softmax of what is not finite.
        probabilities = softmax(logits)
    accepted = rule.accepts(logits, probabilities)
    assert accepted.dtype == np.bool_
    assert accepted.shape == (len(logits),)
    return accepted.tolist()


@pytest.mark.parametrize(
    ("logits", "energy"),
    [
        (rows({3: math.log(7), 5: math.log(85)}), math.log(100)),  # Eight of them are e^0.
        (rows({}) + 1000, math.log(10) + 1000),  # e^1000 is more than a float64 holds.
        (rows({}) - 1000, math.log(10) - 1000),  # And e^-1000 less.
        (rows({8: 1000}), 1000.0),
    ],
)
def test_energy_is_the_log_of_the_powers_sum(logits: NDArray[np.float32], energy: float) -> None:
    assert accepts(Acceptance(0, energy - 1e-4), logits) == [True]
    assert accepts(Acceptance(0, energy + 1e-4), logits) == [False]
    assert accepts(Acceptance(0, 1000), rows({8: 1000})) == [True]  # Just the threshold.


@pytest.mark.parametrize("energy", [None, NEVER])
def test_the_largest_probability_must_reach_its_threshold(energy: float | None) -> None:
    probabilities = rows({4: 0.75, 9: 0.25}, {4: 0.5, 9: 0.5}, {4: 0.25, 9: 0.5, 1: 0.25})
    for threshold, expected in ((0.5, [True, True, True]), (0.5001, [True, False, False])):
        found = Acceptance(threshold, energy).accepts(np.log(probabilities + 1e-9), probabilities)
        assert found.tolist() == expected


def test_both_conditions_must_hold() -> None:
    # e^3 / (e^3 + 9) = 0.69, energy log(e^3 + 9) = 3.37; the second halves of the pairs are weak.
    sure, torn = rows({2: 3}), rows({2: 3, 3: 3})
    logits = np.concatenate([sure, sure - 2, torn, torn - 3])
    assert accepts(Acceptance(0.6, 3), logits) == [True, False, False, False]
    assert accepts(Acceptance(0.6, None), logits) == [True, True, False, False]
    assert accepts(Acceptance(0, 3), logits) == [True, False, True, False]


@pytest.mark.parametrize("energy", [None, NEVER])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.filterwarnings("error")
def test_answers_that_are_not_finite_are_not_accepted(value: float, energy: float | None) -> None:
    logits = rows({1: 9}, {1: 9, 2: value}, {1: 9})
    assert accepts(Acceptance(0, energy), logits) == [True, False, True]
    probabilities = rows({1: 1}, {1: 1}, {1: 1, 2: value})
    found = Acceptance(0, energy).accepts(rows({1: 9}, {1: 9}, {1: 9}), probabilities)
    assert found.tolist() == [True, True, False]
