"""Thresholds: an acceptance rule, chosen on validation data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.data.validation import Validation
from edge_app.models.acceptance import Acceptance, Certainty, certainty
from edge_app.models.card import Output
from edge_app.models.classifier import softmax

PROBABILITIES = np.round(np.arange(0.2, 0.995, 0.01), 2)
"""The thresholds to try on the largest probability."""
ENERGIES = 40
"""How many thresholds to try on the energy."""


class _Trial(NamedTuple):
    """Fractions, 0 to 1: digits accepted, accepted digits read right, and non-digits refused."""

    rule: Acceptance
    accepted: float
    right: float
    refused: float


def choose_acceptance(
    output: Output,
    predict: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    validation: Validation,
    *,
    accepted: float,
    right: float,
) -> Acceptance:
    """The rule that best tells digits from non-digits while accepting enough digits.

    The best rule has the largest sum of the fraction of digits accepted and the fraction of
    non-digits refused (J of W. J. Youden, "Index for rating diagnostic tests", Cancer 3, 1950).
    Where no rule makes the accepted digits right often enough, the one that comes nearest is taken.

    Args:
        output: what the model gives; probabilities have no energy.
        predict: gives its outputs, float32 (N, 10), for images (N, 28, 28).
        validation: its sets of digits in ``pen``, each of which counts the same, and non-digits.
        accepted: the fraction of every set that must be accepted, 0 to 1.
        right: the fraction of the accepted digits that must be read right, 0 to 1.
    """
    answered = []
    for images, labels in validation.pen:
        outputs = predict(images)
        answered.append((_certainty(output, outputs), outputs.argmax(axis=1) == labels))
    energies: list[float | None] = [None]
    if output == "logits":
        all_digits = np.concatenate([sure.energy for sure, _ in answered])
        parts = np.linspace(0, 1 - accepted, ENERGIES)
        energies = [round(float(each), 3) for each in np.quantile(all_digits, parts)]
    foreign = _certainty(output, predict(validation.non_digits))
    trials = [
        _try(Acceptance(float(probability), least), answered, foreign)
        for probability, least in product(PROBABILITIES, energies)
    ]
    # For a model that is never sure, even the most lenient rule may be too strict.
    enough = [trial for trial in trials if trial.accepted >= accepted] or trials[:1]
    good = [trial for trial in enough if trial.right >= right]
    if not good:
        return max(enough, key=lambda trial: trial.right).rule
    return max(good, key=lambda trial: trial.accepted + trial.refused).rule


def _certainty(output: Output, outputs: NDArray[np.float32]) -> Certainty:
    return certainty(outputs, softmax(outputs) if output == "logits" else outputs)


def _try(
    rule: Acceptance,
    digits: Sequence[tuple[Certainty, NDArray[np.bool_]]],
    non_digits: Certainty,
) -> _Trial:
    passes, rights = [], []
    for sure, wins in digits:
        passed = rule.passes(sure)
        passes.append(passed.mean())
        rights.append(wins[passed].mean() if passed.any() else 0.0)
    # The set that is accepted least counts; right answers are averaged over the sets.
    return _Trial(rule, min(passes), np.mean(rights), 1 - rule.passes(non_digits).mean())
