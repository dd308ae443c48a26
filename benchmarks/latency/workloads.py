"""Workloads: what the process of an engine runs for each job.

The process is a fork of one that has imported the runtime: importing it anew takes seconds on a
Raspberry Pi. A fork starts without the runtime's memory pages and fetches the ones it uses. The
first copy of a model pays for these, so the memory is measured on a second copy.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from time import perf_counter_ns
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.datasets import MNIST
from benchmarks.latency import plan
from benchmarks.latency.plan import InferenceJob, Job, ModelUse, OriginalJob
from benchmarks.latency.timing import TURN, Pace, Turn, Workload, pace, take_turn
from benchmarks.process import Worker
from edge_app.device import procfs
from edge_app.digits.mnist import Digits, read_digits
from edge_app.digits.normalization import Normalization, normalize, rasterize
from edge_app.digits.samples import drawings
from edge_app.errors import UserError
from edge_app.models.card import FileRecord, read_file
from edge_app.models.classifier import Classifier
from edge_app.models.interpreter import Interpreter, find_runtime

START_PATIENCE_S = 60
"""A model that has not answered after this many seconds of its start is left out."""


class OneStart(NamedTuple):
    """Times in nanoseconds, and the resident memory in bytes of a second copy of the model after
    one inference; None if the kernel or the C library does not tell."""

    load_ns: int
    first_ns: int
    memory_bytes: int | None


class KerasError(UserError):
    """An original that Keras cannot load."""


def describe_engine(engine: str) -> str:
    """Import a TFLite runtime's package, "tensorflow" or "normalization"; its name and version.

    Raises:
        InterpreterError: the runtime does not work.
    """
    if engine == plan.NORMALIZATION:
        return f"numpy {importlib.metadata.version('numpy')}"
    if engine == plan.TENSORFLOW:
        # Installed only where models are trained, under several package names.
        import keras  # noqa: PLC0415
        import tensorflow  # noqa: PLC0415

        return f"tensorflow {tensorflow.__version__}, keras {keras.__version__}"
    runtime = find_runtime(engine)
    return f"{runtime.name} {runtime.version}"


def start_once(job: InferenceJob) -> OneStart:
    """Load a model and run it once in a fork of this process.

    Raises:
        UserError: a file is not as recorded, or the model does not run.
        ProcessEndedError: the model crashes or hangs the process.
    """
    image = rasterize(drawings()[0], job.use.normalization)[None]
    content = read_file(Path(job.use.folder), job.use.file)
    with Worker("fork") as worker:
        return worker.call(_start, job, content, image, patience_s=START_PATIENCE_S)


def time_turn(job: Job, number: int) -> Turn:
    """Time the turn of a job with that number; the first one loads and warms it up.

    Raises:
        UserError: a file is missing or not as recorded, or it cannot be run.
    """
    return take_turn(*_prepare(job), number)


def make_workload(job: Job) -> Workload:
    """Load what a job calls and the arguments to call it with.

    Raises:
        UserError: a file is missing or not as recorded, or it cannot be run.
    """
    if isinstance(job, InferenceJob):
        images = _images(job.use.normalization, max(TURN, job.batch))
        whole = len(images) - len(images) % job.batch
        infer = partial(_load_once(job.use, job.engine).infer, variant=job.use.variant)
        return Workload(infer, np.split(images[:whole], whole // job.batch))
    if isinstance(job, OriginalJob):
        return _original(job)
    if job.function == "normalize":
        pictures = list(_digits().images[:1000])
        return Workload(partial(normalize, normalization=job.normalization), pictures)
    return Workload(partial(rasterize, normalization=job.normalization), drawings())


@cache
def _prepare(job: Job) -> tuple[Workload, Pace]:
    workload = make_workload(job)
    return workload, pace(workload)


@cache
def _load_once(use: ModelUse, runtime: str) -> Classifier:
    return _load(use, runtime, read_file(Path(use.folder), use.file))


def _load(use: ModelUse, runtime: str, content: bytes) -> Classifier:
    """Load the bytes of a model's file in a runtime; a broken file can end the process."""
    interpreter = Interpreter(content, use.pixels, use.threads, find_runtime(runtime))
    return Classifier(
        use.model, use.model, use.normalization, use.output, {use.variant: interpreter}
    )


def _original(job: OriginalJob) -> Workload:
    model = _load_original(job.folder, job.file)
    images = _images(job.normalization, TURN).astype(np.float32)
    calls: dict[str, Callable[[Any], object]] = {
        "predict": partial(model.predict, verbose=0),
        "model(x)": lambda image: np.asarray(model(image)),
    }
    return Workload(calls[job.call], np.split(images, len(images)))


@cache
def _load_original(folder: str, file: FileRecord) -> Any:
    import keras  # noqa: PLC0415 - Installed only where models are trained.

    read_file(Path(folder), file)  # Checks its hash.
    path = Path(folder) / file.file
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise KerasError(f"Keras {keras.__version__} cannot load {path} ({reason}).") from error


@cache
def _images(normalization: Normalization, count: int) -> NDArray[np.uint8]:
    """The first test images, normalized, uint8 (count, 28, 28)."""
    return np.stack([normalize(image, normalization) for image in _digits().images[:count]])


@cache
def _digits() -> Digits:
    return read_digits(MNIST, "t10k")


def _start(job: InferenceJob, content: bytes, image: NDArray[np.uint8]) -> OneStart:
    _resident_bytes()  # Its own first call takes memory, too.
    begun = perf_counter_ns()
    first = _load(job.use, job.engine, content)
    loaded = perf_counter_ns()
    first.infer(image, job.use.variant)
    answered = perf_counter_ns()
    before = _resident_bytes()
    # A copy of its own, as each model holds its file.
    second = _load(job.use, job.engine, bytes(bytearray(content)))
    second.infer(image, job.use.variant)
    after = _resident_bytes()
    memory = None if before is None or after is None else after - before
    return OneStart(loaded - begun, answered - loaded, memory)


def _resident_bytes() -> int | None:
    """Resident memory after freed memory was given back, which a second copy would reuse.

    Source: glibc's malloc_trim(3).
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return None
    trim(0)
    return procfs.resident_bytes()
