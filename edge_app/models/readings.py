"""Readings: what every variant of every model reads in drawings, each classified once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.normalization import views
from edge_app.models.answers import choices
from edge_app.models.cardless import NoAnswerError
from edge_app.models.classifier import Classifier, normalizations

NOT_SURE = 10
"""Stands for an answer that is not accepted, where digits stand for those that are."""
NONE = 255
"""Stands for no answer: the model has no such variant, or failed."""


class Readings:
    """What models read in drawings, by names of the drawings; a byte for each reading.

    Args:
        models: by name.
    """

    def __init__(self, models: Mapping[str, Classifier]) -> None:
        self.models = models
        self.variants = choices(models)
        """The columns of a drawing's readings; its rows are the models."""
        self._normalizations = normalizations(models.values())
        self._known: dict[int, bytes] = {}

    def __contains__(self, name: int) -> bool:
        return name in self._known

    def of(self, names: Sequence[int]) -> NDArray[np.uint8]:
        """Those of some drawings: uint8 (N, models, variants), 0 to 9, ``NOT_SURE`` or ``NONE``;
        only ``NONE`` for a drawing that is not classified."""
        shape = (len(self.models), len(self.variants))
        unknown = bytes([NONE]) * (shape[0] * shape[1])
        found = b"".join([self._known.get(name, unknown) for name in names])
        return np.frombuffer(found, np.uint8).reshape(-1, *shape)

    def add(self, name: int, drawing: LabelledDrawing | None) -> None:
        """Classify a drawing; None stands for one that cannot be read, and is counted as done."""
        readings = np.full((len(self.models), len(self.variants)), NONE, np.uint8)
        if drawing:
            images = views(drawing.strokes, self._normalizations)
            for model, row in zip(self.models.values(), readings, strict=True):
                _read(model, images[model.normalization], self.variants, row)
        self._known[name] = readings.tobytes()

    def keep(self, names: Collection[int]) -> None:
        """Forget all others."""
        if len(self._known) > len(names):
            self._known = {name: self._known[name] for name in names if name in self._known}


def _read(
    model: Classifier, image: NDArray[np.uint8], variants: Sequence[str], row: NDArray[np.uint8]
) -> None:
    answers: dict[str, int] = {}
    for column, variant in enumerate(variants):
        chosen = model.choose(variant)
        if chosen not in model.variants:
            continue
        if chosen not in answers:
            answers[chosen] = _answer(model, image, chosen)
        row[column] = answers[chosen]


def _answer(model: Classifier, image: NDArray[np.uint8], variant: str) -> int:
    if not image.any():
        return NOT_SURE
    try:
        prediction = model.answer(image[None], variant)
    except NoAnswerError:
        return NONE
    return int(prediction.probabilities[0].argmax()) if prediction.accepted[0] else NOT_SURE
