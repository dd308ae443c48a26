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
        (rows({}), math.log(10)),  # Ten times e^0.
        (rows({3: math.log(2)}), math.log(11)),
        (rows({3: math.log(7), 5: math.log(85)}), math.log(100)),
        (rows({}) - 5, math.log(10) - 5),
        (rows({}) + 1000, math.log(10) + 1000),  # e^1000 is more than a float64 holds.
        (rows({}) - 1000, math.log(10) - 1000),  # And e^-1000 less.
        (rows({8: 1000}), 1000.0),
    ],
)
def test_energy_is_the_log_of_the_powers_sum(logits: NDArray[np.float32], energy: float) -> None:
    assert accepts(Acceptance(0, energy - 1e-4), logits) == [True]
    assert accepts(Acceptance(0, energy + 1e-4), logits) == [False]


def test_energy_of_just_the_threshold_is_accepted() -> None:
    assert accepts(Acceptance(0, 1000), rows({8: 1000})) == [True]


@pytest.mark.parametrize("energy", [None, NEVER])
def test_the_largest_probability_must_reach_its_threshold(energy: float | None) -> None:
    probabilities = rows({4: 0.75, 9: 0.25}, {4: 0.5, 9: 0.5}, {4: 0.25, 9: 0.5, 1: 0.25})
    found = Acceptance(0.5, energy).accepts(np.log(probabilities + 1e-9), probabilities)
    assert found.tolist() == [True, True, True]
    found = Acceptance(0.5001, energy).accepts(np.log(probabilities + 1e-9), probabilities)
    assert found.tolist() == [True, False, False]


def test_both_conditions_must_hold() -> None:
    # e^3 / (e^3 + 9) = 0.69, energy log(e^3 + 9) = 3.37.
    sure_and_strong, sure_and_weak = rows({2: 3})[0], rows({2: 3})[0] - 2
    torn_and_strong, torn_and_weak = rows({2: 3, 3: 3})[0], rows({2: 3, 3: 3})[0] - 3
    logits = np.stack([sure_and_strong, sure_and_weak, torn_and_strong, torn_and_weak])
    assert accepts(Acceptance(0.6, 3), logits) == [True, False, False, False]
    assert accepts(Acceptance(0.6, None), logits) == [True, True, False, False]
    assert accepts(Acceptance(0, 3), logits) == [True, False, True, False]
    assert accepts(Acceptance(0, None), logits) == [True, True, True, True]


@pytest.mark.parametrize("energy", [None, NEVER])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.filterwarnings("error")
def test_what_is_not_finite_is_not_accepted(value: float, energy: float | None) -> None:
    logits = rows({1: 9}, {1: 9, 2: value}, {1: 9})
    assert accepts(Acceptance(0, energy), logits) == [True, False, True]
    probabilities = rows({1: 1}, {1: 1}, {1: 1, 2: value})
    found = Acceptance(0, energy).accepts(rows({1: 9}, {1: 9}, {1: 9}), probabilities)
    assert found.tolist() == [True, True, False]


def test_of_no_answers_none_is_accepted() -> None:
    nothing = np.empty((0, 10), np.float32)
    assert Acceptance(0.5, 3).accepts(nothing, nothing).tolist() == []
