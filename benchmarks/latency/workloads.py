"""Workloads: what jobs call, in the process that does them."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.datasets import MNIST
from benchmarks.latency.plan import (
    InferenceJob,
    Job,
    ModelUse,
    NormalizingJob,
    OriginalJob,
)
from benchmarks.latency.timing import TURN, Workload
from edge_app.digits.mnist import Digits, read_digits
from edge_app.digits.normalization import Normalization, normalize, rasterize
from edge_app.digits.samples import drawings
from edge_app.errors import UserError
from edge_app.models.card import FileRecord, read_file
from edge_app.models.classifier import Classifier
from edge_app.models.interpreter import Interpreter, find_runtime


class OriginalError(UserError):
    """An original that Keras cannot run."""


def make_workload(job: Job) -> Workload:
    """Load what a job calls, and what it calls it with.

    Raises:
        UserError: a file is missing or not as recorded, or it cannot be run.
    """
    if isinstance(job, InferenceJob):
        return _inference(job)
    if isinstance(job, OriginalJob):
        return _original(job)
    return _normalizing(job)


def load(use: ModelUse, runtime: str, content: bytes) -> Classifier:
    """One model file in one runtime. It can end the process."""
    interpreter = Interpreter(content, use.pixels, use.threads, find_runtime(runtime))
    return Classifier(
        use.model, use.model, use.normalization, use.output, {use.variant: interpreter}
    )


def _inference(job: InferenceJob) -> Workload:
    images = _images(job.use.normalization, max(TURN, job.batch))
    whole = len(images) - len(images) % job.batch
    return Workload(
        partial(_load_once(job.use, job.engine).infer, variant=job.use.variant),
        np.split(images[:whole], whole // job.batch),
    )


@cache
def _load_once(use: ModelUse, runtime: str) -> Classifier:
    return load(use, runtime, read_file(Path(use.folder), use.file))


def _original(job: OriginalJob) -> Workload:
    model = _load_original(job.folder, job.file)
    images = _images(job.normalization, TURN).astype(np.float32)
    call: Callable[[Any], object] = (
        partial(model.predict, verbose=0)
        if job.call == "predict"
        else lambda image: np.asarray(model(image))
    )
    return Workload(call, np.split(images, len(images)))


@cache
def _load_original(folder: str, file: FileRecord) -> Any:
    import keras  # noqa: PLC0415 - Installed only where models are trained.

    read_file(Path(folder), file)
    path = Path(folder) / file.file
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise OriginalError(
            f"Keras {importlib.metadata.version('keras')} cannot load {path} ({reason})."
        ) from error


def _normalizing(job: NormalizingJob) -> Workload:
    if job.function == "normalize":
        pictures = list(_digits().images[:1000])
        return Workload(partial(normalize, normalization=job.normalization), pictures)
    return Workload(partial(rasterize, normalization=job.normalization), drawings())


@cache
def _images(normalization: Normalization, count: int) -> NDArray[np.uint8]:
    """Images of the test set as a normalization gives them, uint8 (count, 28, 28)."""
    return np.stack([normalize(image, normalization) for image in _digits().images[:count]])


@cache
def _digits() -> Digits:
    return read_digits(MNIST, "t10k")
