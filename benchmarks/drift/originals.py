"""Originals: what the ``.keras`` files give, computed by TensorFlow where it is installed.

TensorFlow runs in a process of its own, :mod:`benchmarks.drift.keras_answers`: it takes seconds and
hundreds of megabytes, which shall not be in what is measured here.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np

from benchmarks.drift.datasets import LabelledSet
from benchmarks.drift.drift import DriftError, Original
from edge_app.models.card import CardError, read_file
from edge_app.models.classifier import Model, softmax
from edge_app.paths import ROOT

ERRORS = "errors.json"
"""What the process leaves beside the outputs: a sentence for each model that it cannot run."""


def recompute(
    models: Mapping[str, Model],
    folder: Path,
    sets: Collection[LabelledSet],
    report: Callable[[str], object],
) -> dict[str, dict[str, Original]]:
    """The originals' probabilities on labelled sets, from their ``.keras`` files.

    Args:
        models: by name.
        folder: the models' folder.
        sets: with every normalization of the models.
        report: called with a sentence for each model that is left out, since its original is
            damaged, or has Python code that is not here.

    Returns:
        The originals by the set's name, then by the model's.

    Raises:
        DriftError: TensorFlow is not installed, or ended without an answer.
    """
    check_installed()
    whole = {}
    for name, model in models.items():
        try:
            read_file(folder / name, model.card.original)
        except CardError as error:
            report(str(error))
        else:
            whole[name] = model
    with tempfile.TemporaryDirectory() as exchange:
        errors = _run(whole, folder, sets, Path(exchange))
        for sentence in errors.values():
            report(sentence)
        return {
            each.name: {
                name: _read(Path(exchange) / f"{each.name}-{name}.npy", model)
                for name, model in whole.items()
                if name not in errors
            }
            for each in sets
        }


def check_installed() -> None:
    """Find out, before anything is measured, whether originals can run here.

    Raises:
        DriftError: TensorFlow is not installed.
    """
    if not all(importlib.util.find_spec(package) for package in ("tensorflow", "keras")):
        raise DriftError(
            "The originals cannot be computed again: TensorFlow is not installed. Leave "
            "--originals out, and the outputs kept in the models' folders stand for them; or run: "
            "pip install -r requirements-dev.txt"
        )


def _run(
    models: Mapping[str, Model], folder: Path, sets: Collection[LabelledSet], exchange: Path
) -> dict[str, str]:
    """Have all outputs written into a folder; sentences on the models that failed, by name."""
    jobs = []
    for each in sets:
        for normalization in {model.normalization for model in models.values()}:
            np.save(
                exchange / f"{each.name}-{normalization}-images.npy", each.images[normalization]
            )
        jobs += [
            {
                "model": name,
                "original": str((folder / name / model.card.original.file).resolve()),
                "images": f"{each.name}-{model.normalization}-images.npy",
                "outputs": f"{each.name}-{name}.npy",
            }
            for name, model in models.items()
        ]
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.drift.keras_answers", str(exchange)],
        cwd=ROOT,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"},
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        reason = (process.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise DriftError(
            f"The originals cannot be computed again: TensorFlow's process ended with status "
            f"{process.returncode} ({reason}); leave --originals out, or install "
            "requirements-dev.txt afresh."
        )
    return dict(json.loads((exchange / ERRORS).read_text(encoding="utf-8")))


def _read(path: Path, model: Model) -> Original:
    outputs = np.load(path)
    return Original(softmax(outputs) if model.output == "logits" else outputs, "recomputed")
