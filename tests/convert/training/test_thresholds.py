"""Thresholds: acceptance rules for answers whose best rule is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.data.validation import Validation
from convert.training.thresholds import PROBABILITIES, choose_acceptance
from edge_app.digits.mnist import Digits
from edge_app.models.acceptance import Acceptance, energy
from edge_app.models.card import Output
from edge_app.models.classifier import softmax


def choose(
    output: Output, digits: list[Digits], others: NDArray[Any], accepted: float, right: float
) -> Acceptance:
    """The rule for a model whose outputs stand in the place of images."""
    validation = Validation([], digits, others)
    return choose_acceptance(output, np.asarray, validation, accepted=accepted, right=right)


def sure(*surenesses: float) -> NDArray[Any]:
    """Probabilities (N, 10) of a 3, each as sure as is given."""
    rows = (1 - np.array(surenesses)[:, None]) / 9 * np.ones(10)
    rows[:, 3] = surenesses
    return rows.astype(np.float32)


def strong(*energies: float) -> NDArray[Any]:
    """Logits (N, 10) of a 3, each equally sure and of the energy that is given."""
    logits = 5.0 * np.eye(10)[[3] * len(energies)]
    shifts = np.array(energies) - energy(logits[:1].astype(np.float32))
    return (logits + shifts[:, None]).astype(np.float32)


def threes(outputs: NDArray[Any], wrong: int = 0) -> Digits:
    """Answers of which the last ones are wrong."""
    labels = np.full(len(outputs), 3, np.uint8)
    labels[len(labels) - wrong :] = 4
    return Digits(outputs, labels)


def accepted(rule: Acceptance, outputs: NDArray[np.float32]) -> float:
    return float(rule.accepts(outputs, softmax(outputs)).mean())


@pytest.mark.parametrize(
    ("read", "wrong", "others", "right", "probability"),
    [
        pytest.param([*[0.95] * 9, 0.55], 1, [0.5, 0.705], 0.99, 0.71, id="all others and errors"),
        pytest.param([*[0.95] * 9, 0.55], 1, [0.5, 0.3], 0.95, 0.56, id="an error"),
        pytest.param([*[0.95] * 9, 0.55], 1, [0.5, 0.3], 0.85, 0.51, id="an error may pass"),
        pytest.param([*[0.95] * 8, 0.55, 0.96], 2, [0.5, 0.3], 0.99, 0.56, id="an error is surest"),
        # Refusing 0.6 costs a tenth of the digits and gains a fifth of the others...
        pytest.param([*[0.9] * 9, 0.6], 0, [0.6, *[0.3] * 4], 0.5, 0.61, id="worth it"),
        # ... or a twentieth.
        pytest.param([*[0.9] * 9, 0.6], 0, [0.6, *[0.3] * 19], 0.5, 0.31, id="not worth it"),
        pytest.param([*[0.15] * 9, 0.5], 0, [0.9], 0.9, PROBABILITIES[0], id="never sure"),
    ],
)
def test_the_best_probability_is_chosen(
    read: list[float], wrong: int, others: list[float], right: float, probability: float
) -> None:
    rule = choose("probabilities", [threes(sure(*read), wrong)], sure(*others), 0.9, right)
    assert rule == Acceptance(float(probability), None)


def test_energy_tells_apart_what_is_equally_sure() -> None:
    digits, others = strong(*np.linspace(7, 9, 50)), strong(*np.linspace(3, 6, 50))
    rule = choose("logits", [threes(digits)], others, 0.95, 0.99)
    assert rule.energy is not None
    assert 6 < rule.energy < 7.2
    assert accepted(rule, digits) >= 0.95
    assert accepted(rule, others) == 0


def parts(rule: Acceptance, digits: Sequence[tuple[Any, NDArray[Any]]]) -> tuple[float, float]:
    """The smallest part of a set that is accepted, and the mean part of that which is right."""
    passes, rights = [], []
    for outputs, labels in digits:
        passed = rule.accepts(outputs, softmax(outputs))
        passes.append(passed.mean())
        rights.append((outputs.argmax(axis=1) == labels)[passed].mean())
    return float(min(passes)), float(np.mean(rights))


def test_both_conditions_hold_where_they_can_and_else_the_fewest_errors_pass() -> None:
    random = np.random.default_rng(0)

    def answers(count: int, strength: float) -> Digits:
        labels = random.integers(10, size=count)
        strengths = random.normal(strength, 2, (count, 1))
        logits: Any = random.normal(0, 1, (count, 10)) + strengths * np.eye(10)[labels]
        return Digits(logits.astype(np.float32), labels.astype(np.uint8))

    # Digits are right more often when surer.
    digits = [answers(800, 7), answers(400, 5)]
    others = random.normal(0, 1.5, (500, 10)).astype(np.float32)
    assert parts(Acceptance(0, None), digits)[1] < 0.98
    rule = choose("logits", digits, others, 0.75, 0.99)
    enough, right = parts(rule, digits)
    assert enough >= 0.75
    assert right >= 0.99
    assert accepted(rule, others) < 0.3
    rule = choose("logits", digits, others, 0.97, 1.0)
    enough, right = parts(rule, digits)
    assert enough >= 0.97
    assert parts(Acceptance(0.2, None), digits)[1] < right < 1
