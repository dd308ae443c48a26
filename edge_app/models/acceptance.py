"""Acceptance: when a model's answer counts, and when it should say "not sure"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Acceptance:
    """A rule that accepts answers if both of its conditions hold.

    The energy is that of W. Liu, X. Wang, J. Owens and Y. Li, "Energy-based out-of-distribution
    detection", NeurIPS 2020 (arXiv 2010.03759), at temperature 1 and with the opposite sign, so
    that more means surer. It shows what the softmax forgets: how large the logits were.
    """

    probability: float
    """The least probability of the most probable digit, 0 to 1."""
    energy: float | None
    """The least log-sum-exp of the logits, natural logarithm; None if it does not count, as for a
    model that gives probabilities."""

    def accepts(
        self, outputs: NDArray[np.float32], probabilities: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """Which answers are accepted.

        Args:
            outputs: a model's, float32 (N, 10); logits if ``energy`` is not None.
            probabilities: of the same answers, float32 (N, 10).

        Returns:
            bool (N,); False if an output or a probability is not finite.
        """
        return self.passes(certainty(outputs, probabilities))

    def passes(self, answers: Certainty) -> NDArray[np.bool_]:
        """Like :meth:`accepts`, for answers whose certainty is known: bool (N,)."""
        return answers.finite & (answers.probability >= self.probability) & self.digit_like(answers)

    def digit_like(self, answers: Certainty) -> NDArray[np.bool_]:
        """Which drawings look like a digit: their energy is enough, or does not count. bool (N,)"""
        return (
            np.ones_like(answers.finite) if self.energy is None else answers.energy >= self.energy
        )


class Certainty(NamedTuple):
    """What rules look at, for N answers, perhaps of different models."""

    finite: NDArray[np.bool_]
    """Whether all outputs and probabilities of an answer are finite, bool (N,)."""
    probability: NDArray[np.float64]
    """The largest probability, float64 (N,)."""
    energy: NDArray[np.float64]
    """That of the outputs, float64 (N,); meaningless unless they are finite logits."""

    def of(self, answer: int) -> Certainty:
        """The certainty of one answer: N is 1."""
        one = slice(answer, answer + 1)
        return Certainty(self.finite[one], self.probability[one], self.energy[one])


def certainty(outputs: NDArray[np.float32], probabilities: NDArray[np.float32]) -> Certainty:
    """How sure answers are, from their outputs and probabilities, float32 (N, 10) each."""
    # A sum is finite if every term is: float64 has room for ten of the largest float32.
    sums = outputs.sum(axis=1, dtype=np.float64) + probabilities.sum(axis=1, dtype=np.float64)
    finite = np.isfinite(sums)
    # The energy of infinities would give warnings.
    logits = outputs if finite.all() else np.where(finite[:, None], outputs, np.float32(0))
    return Certainty(finite, probabilities.max(axis=1).astype(np.float64), energy(logits))


def energy(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log-sum-exp of finite logits (N, 10): float64 (N,)."""
    exact = logits.astype(np.float64)
    largest = exact.max(axis=1)
    # No power overflows: the largest is e^0.
    return largest + np.log(np.exp(exact - largest[:, None]).sum(axis=1))
