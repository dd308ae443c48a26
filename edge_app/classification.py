"""Classification: one drawing, every model's answer. The page and the API give the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter_ns
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from edge_app.errors import UserError
from edge_app.models import Model
from edge_app.normalization import Normalization, rasterize


class VariantError(UserError):
    """A variant that there is not."""


class Answer(TypedDict):
    """What one model says of a drawing."""

    digit: int | None
    """The most probable digit, the lower one of equals; None for a blank canvas."""
    probabilities: list[float]
    """One for each digit; all 0 for a blank canvas."""
    variant: str
    latency_us: float
    """Time of the inference alone, in microseconds; 0 for a blank canvas."""


def views(
    models: Mapping[str, Model], lines: Sequence[NDArray[np.float64]]
) -> dict[Normalization, NDArray[np.uint8]]:
    """The drawing as the models see it: uint8 (28, 28) for each normalization in use."""
    return {
        normalization: rasterize(lines, normalization)
        for normalization in {model.normalization: None for model in models.values()}
    }


def classify(
    models: Mapping[str, Model], images: Mapping[Normalization, NDArray[np.uint8]], variant: str
) -> dict[str, Answer]:
    """Ask every model about one drawing.

    Args:
        models: by name.
        images: the drawing by normalization, as :func:`views` gives it.
        variant: "float32", "float16", "dynamic" or "int8".

    Returns:
        Each model's answer, by name, in the order of ``models``.

    Raises:
        VariantError: a variant that not every model has.
    """
    for model in models.values():
        if variant not in model.variants:  # Comes from outside and may be anything.
            raise VariantError(
                f"The variant is {variant!r:.40}; expected one of {', '.join(model.variants)}."
            )
    return {
        name: _answer(model, images[model.normalization], variant) for name, model in models.items()
    }


def _answer(model: Model, image: NDArray[np.uint8], variant: str) -> Answer:
    start = perf_counter_ns()
    probabilities = model.predict(image[None], variant)[0]
    latency_us = (perf_counter_ns() - start) / 1000
    if not image.any():
        return Answer(digit=None, probabilities=[0.0] * 10, variant=variant, latency_us=0.0)
    return Answer(
        digit=int(probabilities.argmax()),
        probabilities=[round(float(probability), 6) for probability in probabilities],
        variant=variant,
        latency_us=round(latency_us, 1),
    )
