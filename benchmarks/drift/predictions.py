"""Predictions: many models and variants on many images, on all cores."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from benchmarks.progress import Advance
from edge_app.digits.normalization import Normalization
from edge_app.models.classifier import Classifier

CHUNK = 250
"""Images between two steps of the progress bar."""

Images = Mapping[Normalization, NDArray[np.uint8]]
"""The same N images as each normalization gives them, uint8 (N, 28, 28)."""
Predictions = dict[str, NDArray[np.float32]]
"""A model's probabilities by variant, float32 (N, 10)."""


def predict(
    models: Mapping[str, Classifier], images: Images, advance: Advance
) -> dict[str, Predictions]:
    """Every variant's probabilities on every image, by the model's name.

    A thread a core, each on a file of its own: while the interpreter works it lets others run.
    The images go in one by one, since the files take no more at a time; so it is on the device.

    Args:
        models: by name.
        images: as the models' normalizations give them.
        advance: told of each image done, once for each variant.
    """
    stopped, turn = threading.Event(), threading.Lock()

    def run(name: str, variant: str) -> NDArray[np.float32]:
        model, outputs = models[name], []
        of_model = images[model.normalization]
        for start in range(0, len(of_model), CHUNK):
            if stopped.is_set():
                break
            chunk = of_model[start : start + CHUNK]
            outputs.append(model.predict(chunk, variant))
            with turn:
                advance(len(chunk))
        return np.concatenate(outputs)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # Models come with the slowest last; begun last, one of those would keep others waiting.
        jobs = {
            (name, variant): pool.submit(run, name, variant)
            for name, model in reversed(list(models.items()))
            for variant in model.variants
        }
        try:
            return {
                name: {variant: jobs[name, variant].result() for variant in model.variants}
                for name, model in models.items()
            }
        except BaseException:  # Ctrl-C, above all: what has not begun shall not begin.
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def steps(models: Mapping[str, Classifier], images: Images) -> int:
    """How many images :func:`predict` will tell of."""
    return sum(len(images[model.normalization]) * len(model.variants) for model in models.values())
