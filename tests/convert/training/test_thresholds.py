"""Thresholds: acceptance rules for answers whose best rule is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.training.thresholds import PROBABILITIES, Answers, choose_acceptance
from edge_app.models.acceptance import Acceptance, energy
from edge_app.models.classifier import softmax


def sure(*surenesses: float) -> NDArray[np.float32]:
    """Probabilities (N, 10) of a 3, each as sure as is given."""
    rows = np.full((len(surenesses), 10), 0.0)
    rows[:] = (1 - np.array(surenesses)[:, None]) / 9
    rows[:, 3] = surenesses
    return rows.astype(np.float32)


def strong(*energies: float) -> NDArray[np.float32]:
    """Logits (N, 10) of a 3, each equally sure and of the energy that is given."""
    logits = 5.0 * np.eye(10)[[3] * len(energies)]
    shifts = np.array(energies) - energy(logits[:1].astype(np.float32))
    return (logits + shifts[:, None]).astype(np.float32)


def threes(outputs: NDArray[np.float32], wrong: int = 0) -> Answers:
    """Answers of which the last ones are wrong."""
    labels = np.full(len(outputs), 3, np.uint8)
    labels[len(labels) - wrong :] = 4
    return Answers(outputs, labels)


def accepted(rule: Acceptance, outputs: NDArray[np.float32]) -> float:
    return float(rule.accepts(outputs, softmax(outputs)).mean())


def test_the_lowest_probability_that_refuses_all_others_and_every_error_is_chosen() -> None:
    digits = threes(sure(*[0.95] * 9, 0.55), wrong=1)
    others = sure(0.5, 0.705)
    rule = choose_acceptance("probabilities", [digits], others, accepted=0.9, right=0.99)
    assert rule == Acceptance(0.71, None)


@pytest.mark.parametrize(("right", "probability"), [(0.85, 0.51), (0.95, 0.56)])
def test_an_error_passes_only_where_it_may(right: float, probability: float) -> None:
    digits = threes(sure(*[0.95] * 9, 0.55), wrong=1)
    others = sure(0.5, 0.3)
    rule = choose_acceptance("probabilities", [digits], others, accepted=0.9, right=right)
    assert rule == Acceptance(probability, None)


def test_where_an_error_is_surest_the_others_are_refused_all_the_same() -> None:
    digits = threes(sure(*[0.95] * 8, 0.55, 0.96), wrong=2)
    others = sure(0.5, 0.3)
    rule = choose_acceptance("probabilities", [digits], others, accepted=0.9, right=0.99)
    assert rule == Acceptance(0.56, None)


def test_what_digits_lose_and_others_gain_counts_the_same() -> None:
    # Refusing 0.6 costs a tenth of the digits, and gains a fifth of the others, or a twentieth.
    digits = threes(sure(*[0.9] * 9, 0.6))
    for count, probability in ((5, 0.61), (20, 0.31)):
        others = sure(0.6, *[0.3] * (count - 1))
        rule = choose_acceptance("probabilities", [digits], others, accepted=0.9, right=0.5)
        assert rule == Acceptance(probability, None)


def test_enough_digits_of_every_set_pass_whatever_the_others_do() -> None:
    easy, hard = threes(sure(*[0.99] * 100)), threes(sure(*np.linspace(0.5, 0.99, 100)))
    others = sure(*[0.9] * 100)
    for least in (0.3, 0.6, 0.9):
        rule = choose_acceptance("probabilities", [easy, hard], others, accepted=least, right=0)
        passed = (hard.outputs.max(axis=1) >= rule.probability).mean()
        assert passed >= least
        assert rule.probability <= 0.91
    # A tenth may not pass: 0.9 would refuse nearly four fifths.
    assert rule.probability < 0.55


def test_energy_tells_apart_what_is_equally_sure() -> None:
    digits, others = strong(*np.linspace(7, 9, 50)), strong(*np.linspace(3, 6, 50))
    rule = choose_acceptance("logits", [threes(digits)], others, accepted=0.95, right=0.99)
    assert rule.energy is not None
    assert 6 < rule.energy < 7.2
    assert accepted(rule, digits) >= 0.95
    assert accepted(rule, others) == 0


def test_probabilities_have_no_energy() -> None:
    rule = choose_acceptance("probabilities", [threes(sure(0.9))], sure(0.3), accepted=1, right=1)
    assert rule.energy is None


@pytest.fixture(scope="module")
def noisy() -> tuple[list[Answers], NDArray[np.float32]]:
    """Two sets of digits, the surer the more often right, and what is none."""
    random = np.random.default_rng(0)

    def answers(count: int, strength: float) -> Answers:
        labels = random.integers(10, size=count)
        strengths = random.normal(strength, 2, (count, 1))
        logits = random.normal(0, 1, (count, 10)) + strengths * np.eye(10)[labels]
        return Answers(logits.astype(np.float32), labels.astype(np.uint8))

    others = random.normal(0, 1.5, (500, 10)).astype(np.float32)
    return [answers(800, 7), answers(400, 5)], others


def parts(rule: Acceptance, digits: Sequence[Answers]) -> tuple[float, float]:
    """Accepted, of the set of which the least is; and right of that, mean over the sets."""
    passed = [rule.accepts(each.outputs, softmax(each.outputs)) for each in digits]
    rights = [
        (each.outputs.argmax(axis=1) == each.labels)[passes].mean()
        for each, passes in zip(digits, passed, strict=True)
    ]
    return float(min(passes.mean() for passes in passed)), float(np.mean(rights))


def test_both_conditions_hold_where_they_can(
    noisy: tuple[list[Answers], NDArray[np.float32]],
) -> None:
    digits, others = noisy
    anything = parts(Acceptance(0, None), digits)
    assert anything[1] < 0.98
    rule = choose_acceptance("logits", digits, others, accepted=0.75, right=0.99)
    found = parts(rule, digits)
    assert found[0] >= 0.75
    assert found[1] >= 0.99
    assert accepted(rule, others) < 0.3


def test_where_too_many_errors_are_left_the_rule_with_the_fewest_is_taken(
    noisy: tuple[list[Answers], NDArray[np.float32]],
) -> None:
    digits, others = noisy
    rule = choose_acceptance("logits", digits, others, accepted=0.97, right=1.0)
    found = parts(rule, digits)
    assert found[0] >= 0.97
    assert parts(Acceptance(0.2, None), digits)[1] < found[1] < 1


def test_where_a_model_is_never_sure_the_most_lenient_rule_is_taken() -> None:
    digits = threes(sure(*[0.15] * 9, 0.5))
    rule = choose_acceptance("probabilities", [digits], sure(0.9), accepted=0.9, right=0.9)
    assert rule == Acceptance(float(PROBABILITIES[0]), None)
