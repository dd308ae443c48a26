"""Logits of many images, without keeping those who draw waiting for their answers."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from edge_app.models.cardless import NoAnswerError
from edge_app.models.classifier import Classifier
from edge_app.models.interpreter import CLASSES

TURN_S = 2e-3
"""After so long, in seconds, others have a turn,"""
PAUSE_S = 1e-4
"""for which there is a pause of so long."""
LONGEST_S = 5
"""Seconds for all images: a file without a card may take up to one for each."""


def logits(model: Classifier, images: NDArray[np.uint8], variant: str) -> NDArray[np.float64]:
    """The logits of images, uint8 (N, 28, 28): float64 (N, 10).

    If the model's outputs are probabilities, their logarithms, with a mean of 0 for each image.

    Raises:
        NoAnswerError: a file without a card gives no answer, or the images take too long.
    """
    outputs = np.empty((len(images), CLASSES))
    start = turn = time.monotonic()
    for number in range(len(images)):
        now = time.monotonic()
        if now - start > LONGEST_S:
            raise NoAnswerError(f"{model.name} takes longer than {LONGEST_S} seconds.")
        if now - turn > TURN_S:
            time.sleep(PAUSE_S)
            turn = time.monotonic()
        outputs[number] = model.infer(images[number : number + 1], variant)
    if model.output == "logits":
        return outputs
    outputs = np.log(np.maximum(outputs, np.finfo(np.float32).tiny))
    return outputs - outputs.mean(axis=1, keepdims=True)
