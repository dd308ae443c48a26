"""Validation data: what choices are made on, and no model is trained on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.data.pool import render, trace
from convert.data.sources import TrainingData
from convert.strokes.outliers import draw_outliers
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import Normalization

NON_DIGITS = 2000
ENOUGH = 200
"""Of a source's validation digits: fewer say too little to count for as much as another source."""


class Validation(NamedTuple):
    """Normalized images.

    ``sources`` are every source's digits as it has them, MNIST's pictures first; ``pen`` are digits
    as people draw them on the device: each drawn source's, and MNIST's, traced and drawn with the
    pen. Either way, each set counts for as much as another, so that a source that has not
    :data:`ENOUGH` is put to MNIST's. ``non_digits`` are uint8 (M, 28, 28).
    """

    sources: list[Digits]
    pen: list[Digits]
    non_digits: NDArray[np.uint8]

    @property
    def digits(self) -> Digits:
        """All sources' in one."""
        return _join(self.sources)


def hold_out(data: TrainingData, normalization: Normalization, seed: int) -> Validation:
    """Gather validation data, under progress bars."""
    pictures = data.pictures.validation
    traces = trace(pictures.images, pictures.labels, f"{data.mnist.name}, validation")
    digits = [
        LabelledDrawing(int(label), strokes)
        for strokes, label in zip(traces, pictures.labels, strict=True)
        if strokes
    ]
    outliers = draw_outliers(NON_DIGITS, digits, np.random.default_rng((seed, NON_DIGITS)))
    traced = Digits(
        render([digit.strokes for digit in digits], normalization, "Drawing them"),
        np.array([digit.label for digit in digits], np.uint8),
    )
    drawn = [source.validation for source in data.drawn]
    few = [digits for digits in drawn if len(digits.labels) < ENOUGH]
    many = [digits for digits in drawn if len(digits.labels) >= ENOUGH]
    return Validation(
        sources=[_join([data.mnist.validation, *few]), *many],
        pen=[_join([traced, *few]), *many],
        non_digits=render(outliers, normalization, "Drawing what is no digit"),
    )


def _join(sets: list[Digits]) -> Digits:
    return Digits(
        np.concatenate([digits.images for digits in sets]),
        np.concatenate([digits.labels for digits in sets]),
    )
