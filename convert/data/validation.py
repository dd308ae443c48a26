"""Validation data: what choices are made on, and no model is trained on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.data.pool import trace
from convert.data.sources import SEED, TrainingData, render, render_labelled
from convert.strokes.outliers import draw_outliers
from edge_app.digits.mnist import Digits

NON_DIGITS = 2000
"""How many non-digits are drawn."""
ENOUGH = 200
"""Validation digits that a source needs to count as much as another source."""


class Validation(NamedTuple):
    """Normalized images.

    ``sources`` are each source's digits as they are, MNIST's pictures first. ``pen`` are digits as
    people draw them on the device: MNIST's traced and drawn with the pen, then each drawn source's.
    Each set counts the same; sources with fewer than :data:`ENOUGH` digits are merged with MNIST's.
    ``non_digits`` are uint8 (M, 28, 28).
    """

    sources: list[Digits]
    pen: list[Digits]
    non_digits: NDArray[np.uint8]

    @property
    def digits(self) -> Digits:
        """The digits of all sources in one set."""
        return _joined(self.sources)


def hold_out(data: TrainingData) -> Validation:
    """Gather the validation data, under progress bars."""
    traces = trace(data.pictures.validation, f"{data.mnist.name}, validation")
    digits = [digit for digit in traces if digit.strokes]
    outliers = draw_outliers(NON_DIGITS, digits, np.random.default_rng((SEED, NON_DIGITS)))
    traced = render_labelled(digits, data.normalization, "Drawing traced digits")
    drawn = [source.validation for source in data.drawn]
    few = [digits for digits in drawn if len(digits.labels) < ENOUGH]
    many = [digits for digits in drawn if len(digits.labels) >= ENOUGH]
    return Validation(
        sources=[_joined([data.mnist.validation, *few]), *many],
        pen=[_joined([traced, *few]), *many],
        non_digits=render(outliers, data.normalization, "Drawing non-digits"),
    )


def _joined(sets: list[Digits]) -> Digits:
    return Digits(*map(np.concatenate, zip(*sets, strict=True)))
