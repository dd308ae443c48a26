"""The process in which TensorFlow runs the originals.

It is started as ``python -m benchmarks.drift.keras_answers DIR``.

Standard input is a JSON list of jobs, ``{"model", "original", "images", "outputs"}``: a name, a
``.keras`` file, and two ``.npy`` files in the folder, the first with uint8 (N, 28, 28), the second
to be written, float32 (N, 10). The sentences on models that fail go into the folder, too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.drift.originals import ERRORS
from edge_app.errors import UserError

BATCH = 1000


class KerasError(UserError):
    """An original that cannot be loaded or run here."""


def answer(jobs: list[dict[str, str]], folder: Path) -> dict[str, str]:
    """Do all jobs; returns a sentence for each model that cannot be loaded or run, by its name."""
    originals: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for job in jobs:
        name = job["model"]
        if name in errors:
            continue
        try:
            _answer(job, folder, originals)
        except KerasError as error:
            errors[name] = str(error)
    return errors


def _answer(job: dict[str, str], folder: Path, originals: dict[str, Any]) -> None:
    name, path = job["model"], job["original"]
    try:
        if name not in originals:
            originals[name] = keras.models.load_model(path, compile=False)
        outputs = originals[name].predict(np.load(folder / job["images"]), BATCH, verbose=0)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise KerasError(
            f"The original of {name} cannot be computed again: Keras {keras.__version__} cannot "
            f"run {path} ({reason}); leave --originals out, or convert the model again."
        ) from error
    np.save(folder / job["outputs"], np.asarray(outputs, np.float32))


if __name__ == "__main__":
    exchange = Path(sys.argv[1])
    found = answer(json.load(sys.stdin), exchange)
    (exchange / ERRORS).write_text(json.dumps(found), encoding="utf-8")
