"""Thresholds: an acceptance rule, chosen on validation data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_app.models.acceptance import Acceptance, energy
from edge_app.models.card import Output
from edge_app.models.classifier import softmax

PROBABILITIES = np.round(np.arange(0.2, 0.995, 0.01), 2)
"""The thresholds that are tried on the largest probability."""
ENERGIES = 40
"""How many are tried on the energy."""


class Answers(NamedTuple):
    """A model's outputs, float32 (N, 10), and the right digits (N,)."""

    outputs: NDArray[np.float32]
    labels: NDArray[np.uint8]


class _Trial(NamedTuple):
    rule: Acceptance
    accepted: float
    """Of the set of digits of which it accepts the smallest part."""
    right: float
    """Of what is accepted, mean over the sets."""
    refused: float


def choose_acceptance(
    output: Output,
    digits: Sequence[Answers],
    non_digits: NDArray[np.float32],
    *,
    accepted: float,
    right: float,
) -> Acceptance:
    """The rule that tells digits from what is none best, among those that let enough digits pass.

    Best is the largest part of digits accepted plus part of the others refused (J of W. J. Youden,
    "Index for rating diagnostic tests", Cancer 3, 1950). Where no rule makes the accepted digits
    right often enough, the one that comes nearest is taken.

    Args:
        output: what the model gives; of probabilities there is no energy.
        digits: its answers to one set of digits or more, each of which counts the same.
        non_digits: its outputs, float32 (M, 10), for what is no digit.
        accepted: the part of every set that must be accepted, 0 to 1.
        right: the part of the accepted digits that must be read right, 0 to 1.
    """
    energies: list[float | None] = [None]
    if output == "logits":
        all_digits = energy(np.concatenate([each.outputs for each in digits]))
        parts = np.linspace(0, 1 - accepted, ENERGIES)
        energies = [round(float(each), 3) for each in np.quantile(all_digits, parts)]
    trials = [
        _try(Acceptance(float(probability), least), output, digits, non_digits)
        for probability, least in product(PROBABILITIES, energies)
    ]
    # The most lenient rule may still be too strict for a model that is never sure.
    enough = [trial for trial in trials if trial.accepted >= accepted] or trials[:1]
    good = [trial for trial in enough if trial.right >= right]
    if not good:
        return max(enough, key=lambda trial: trial.right).rule
    return max(good, key=lambda trial: trial.accepted + trial.refused).rule


def _try(
    rule: Acceptance,
    output: Output,
    digits: Sequence[Answers],
    non_digits: NDArray[np.float32],
) -> _Trial:
    passes, rights = [], []
    for each in digits:
        passed = _accepts(rule, output, each.outputs)
        wins = each.outputs.argmax(axis=1) == each.labels
        passes.append(passed.mean())
        rights.append(wins[passed].mean() if passed.any() else 0.0)
    refused = 1 - _accepts(rule, output, non_digits).mean()
    return _Trial(rule, float(min(passes)), float(np.mean(rights)), float(refused))


def _accepts(rule: Acceptance, output: Output, outputs: NDArray[np.float32]) -> NDArray[np.bool_]:
    return rule.accepts(outputs, softmax(outputs) if output == "logits" else outputs)
