"""One run of the benchmarks: every model measured, and a sentence for everything that is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.device import Device, describe_device
from benchmarks.drift import (
    CHUNK,
    DriftError,
    ModelDrift,
    agreement,
    budget_overrun,
    measure_drift,
    predict,
)
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
from edge_app.bare import VARIANT, BareModel, load_bare_models
from edge_app.card import CARD, Card, CardError, FileRecord, record_file
from edge_app.mnist import Digits, read_digits
from edge_app.models import Classifier, Model, ModelError, load_models
from edge_app.normalization import Normalization, normalize
from edge_app.samples import drawings

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
class BareResults:
    """A file without a card: its accuracy, 0 to 1, and no drift, as its original is unknown."""

    title: str
    file: FileRecord
    normalization: Normalization
    accuracy: float
    latency: Latency


@dataclass(frozen=True)
class Results:
    """Everything that one run found out: ``models`` with a card and ``bare`` ones without, by name,
    and ``problems`` as sentences."""

    device: Device
    dataset_sha256: str
    images: int
    models: Mapping[str, ModelResults]
    bare: Mapping[str, BareResults]
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
    bare = load_bare_models(folder, models, problems.append)
    everything: dict[str, Classifier] = {**models, **bare}
    if not everything:
        nothing = f"No model in {folder} can be measured; expected a folder per model, each whole."
        raise ModelError("\n".join([*problems, nothing]))
    images = _normalize(digits, {model.normalization: None for model in everything.values()})
    drift = _measure_drift(models, folder, digits, images, problems)
    accuracies = _measure_accuracy(bare, digits, images)
    inference = _measure_latency("Latency of inference", inference_workloads(everything, images))
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
        bare={
            name: BareResults(
                title=model.title,
                file=model.file,
                normalization=model.normalization,
                accuracy=accuracies[name],
                latency=inference[name, VARIANT],
            )
            for name, model in bare.items()
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


def _measure_accuracy(
    models: Mapping[str, BareModel],
    digits: Digits,
    images: Mapping[Normalization, NDArray[np.uint8]],
) -> dict[str, float]:
    with progress_bar("Accuracy without a card", len(digits.images) * len(models)) as advance:
        outputs = {
            name: predict(model, VARIANT, images[model.normalization], advance)
            for name, model in models.items()
        }
    return {
        name: agreement(probabilities.argmax(axis=1), digits.labels)
        for name, probabilities in outputs.items()
    }


def _measure_latency(description: str, workloads: Mapping[Key, Workload]) -> dict[Key, Latency]:
    with progress_bar(description, steps(workloads)) as advance:
        return measure_latency(workloads, advance)
