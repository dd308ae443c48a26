"""Predictions of many models and variants on many images, on all cores."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.normalization import Normalization
from edge_app.models.classifier import Classifier

CHUNK = 250  # Images between two updates of the progress bar.

Advance = Callable[[int], object]
"""Moves a progress bar on by a number of steps."""
Images = Mapping[Normalization, NDArray[np.uint8]]
"""The same N images under each normalization, uint8 (N, 28, 28)."""
Predictions = dict[str, NDArray[np.float32]]
"""A model's probabilities by variant, float32 (N, 10)."""


def predict(
    models: Mapping[str, Classifier], images: Images, advance: Advance
) -> dict[str, Predictions]:
    """Every variant's probabilities on every image, by the model's name.

    One thread per core, each with a file of its own; the interpreter releases the GIL. The files
    take one image at a time, as they do in the app.

    Args:
        models: by name.
        images: with every normalization of the models.
        advance: called as images are done; every variant counts, see :func:`steps`.
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
        # The slowest models come last in the mapping; started last, they would run alone.
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
        except BaseException:  # Above all Ctrl-C: start nothing more.
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def steps(models: Mapping[str, Classifier], images: Images) -> int:
    """How many steps :func:`predict` will advance."""
    return sum(len(images[model.normalization]) * len(model.variants) for model in models.values())
