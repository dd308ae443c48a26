"""One run of the benchmarks: every model measured, and a sentence for everything that is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.device import Device, describe_device
from benchmarks.drift import CHUNK, DriftError, ModelDrift, budget_overrun, measure_drift
from benchmarks.latency import (
    Key,
    Latency,
    Workload,
    inference_workloads,
    measure_latency,
    normalization_workloads,
    steps,
)
from benchmarks.progress import progress_bar
from benchmarks.strokes import drawings
from edge_app.card import CARD, Card, CardError, record_file
from edge_app.mnist import Digits, read_digits
from edge_app.models import Model, ModelError, load_models
from edge_app.normalization import Normalization, normalize

MNIST = Path(__file__).parent / "mnist"
"""The folder of the test set."""


@dataclass(frozen=True)
class ModelResults:
    """One model: its card, that file's SHA-256, its drift unless unknown, latency by variant."""

    card: Card
    card_sha256: str
    drift: ModelDrift | None
    latency: Mapping[str, Latency]


@dataclass(frozen=True)
class Results:
    """Everything that one run found out; ``models`` by name, ``problems`` as sentences."""

    device: Device
    dataset_sha256: str
    images: int
    models: Mapping[str, ModelResults]
    normalize: Mapping[Normalization, Latency]
    rasterize: Mapping[Normalization, Latency]
    problems: list[str]


def measure(folder: Path) -> Results:
    """Measure every model of a folder; on a terminal, show how far it is.

    A model that cannot be loaded, or whose drift is unknown or past its budget, becomes a sentence
    in ``problems``; the others are measured all the same.

    Raises:
        ModelError: the folder cannot be read, or no model in it can be loaded.
        InterpreterError: no TFLite runtime is installed.
        DataError: the test set is missing or damaged.
    """
    digits = read_digits(MNIST, "t10k")
    problems: list[str] = []
    models = load_models(folder, report=problems.append)
    if not models:
        nothing = f"No model in {folder} can be measured; expected a folder per model, each whole."
        raise ModelError("\n".join([*problems, nothing]))
    images = _normalize(digits, {model.normalization: None for model in models.values()})
    drift = _measure_drift(models, folder, digits, images, problems)
    inference = _measure_latency("Latency of inference", inference_workloads(models, images))
    normalization = _measure_latency(
        "Latency of normalization", normalization_workloads(list(images), digits.images, drawings())
    )
    return Results(
        device=describe_device(),
        dataset_sha256=digits.sha256(),
        images=len(digits.images),
        models={
            name: ModelResults(
                card=model.card,
                card_sha256=record_file(folder / name / CARD).sha256,
                drift=drift.get(name),
                latency={variant: inference[name, variant] for variant in model.variants},
            )
            for name, model in models.items()
        },
        normalize={name: normalization["normalize", name] for name in images},
        rasterize={name: normalization["rasterize", name] for name in images},
        problems=problems,
    )


def _normalize(
    digits: Digits, normalizations: Collection[Normalization]
) -> dict[Normalization, NDArray[np.uint8]]:
    """The test images, uint8 (N, 28, 28), as each normalization gives them."""
    images = {}
    with progress_bar("Normalization", len(digits.images) * len(normalizations)) as advance:
        for name in normalizations:
            images[name] = np.empty_like(digits.images)
            for start in range(0, len(digits.images), CHUNK):
                chunk = slice(start, start + CHUNK)
                images[name][chunk] = [normalize(image, name) for image in digits.images[chunk]]
                advance(len(digits.images[chunk]))
    return images


def _measure_drift(
    models: Mapping[str, Model],
    folder: Path,
    digits: Digits,
    images: Mapping[Normalization, NDArray[np.uint8]],
    problems: list[str],
) -> dict[str, ModelDrift]:
    drift = {}
    inferences = len(digits.images) * sum(len(model.variants) for model in models.values())
    with progress_bar("Drift", inferences) as advance:
        for name, model in models.items():
            try:
                drift[name] = measure_drift(
                    model, folder / name, digits, images[model.normalization], advance
                )
            except (CardError, DriftError) as error:
                problems.append(str(error))
    overruns = [budget_overrun(models[name].card, measured) for name, measured in drift.items()]
    problems += filter(None, overruns)
    return drift


def _measure_latency(description: str, workloads: Mapping[Key, Workload]) -> dict[Key, Latency]:
    with progress_bar(description, steps(workloads)) as advance:
        return measure_latency(workloads, advance)
