"""Jobs: what is timed, and in which rounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from edge_app.device.procfs import cores
from edge_app.digits.normalization import Normalization
from edge_app.models.card import FileRecord, Output
from edge_app.models.classifier import Classifier, Model, normalizations
from edge_app.models.interpreter import RUNTIMES, Pixels, find_runtime

TENSORFLOW = "tensorflow"
NORMALIZATION = "normalization"
THREADS = (1, 2, 4)
"""As far as the device has cores for them."""
BATCHES = {1: 1, 32: 2, 1000: 5}
"""Images per call, and how often such jobs take part: every round, every second, every fifth."""
PARTS = 5
"""Of a run; their medians are compared with each other."""

Function = Literal["normalize", "rasterize"]
Call = Literal["predict", "model(x)"]


@dataclass(frozen=True)
class ModelUse:
    """A model's file, its folder, and how it is used."""

    model: str
    variant: str
    folder: str
    file: FileRecord
    normalization: Normalization
    pixels: Pixels
    output: Output
    threads: int


@dataclass(frozen=True)
class InferenceJob:
    """``infer`` of ``batch`` images; the engine is the runtime's package."""

    engine: str
    use: ModelUse
    batch: int

    def __str__(self) -> str:
        use = self.use
        threads = "1 thread" if use.threads == 1 else f"{use.threads} threads"
        images = "" if self.batch == 1 else f", {self.batch} images"
        return f"{use.model} {use.variant} ({self.engine}, {threads}{images})"


@dataclass(frozen=True)
class OriginalJob:
    """A call of the original in Keras with one image."""

    model: str
    folder: str
    file: FileRecord
    normalization: Normalization
    call: Call
    engine: str = TENSORFLOW

    def __str__(self) -> str:
        return f"{self.model} original (Keras, {self.call})"


@dataclass(frozen=True)
class NormalizingJob:
    """A call of a function of :mod:`edge_app.digits.normalization`."""

    function: Function
    normalization: Normalization
    engine: str = NORMALIZATION

    def __str__(self) -> str:
        return f"{self.function} ({self.normalization})"


Job = InferenceJob | OriginalJob | NormalizingJob


@dataclass(frozen=True)
class Plan:
    """A run: first ``starts`` fresh processes for each model file, runtime and number of threads,
    then a warm-up round and ``rounds`` per part, in which all jobs take turns."""

    jobs: tuple[Job, ...]
    starts: int
    rounds: int

    def fresh(self) -> list[InferenceJob]:
        """One job for each file, runtime and number of threads to start in fresh processes."""
        return [job for job in self.jobs if isinstance(job, InferenceJob) and job.batch == 1]

    def turns(self) -> Iterator[tuple[int | None, Job]]:
        """Every turn in order of time: the number of its part (None to warm up) and its job."""
        for job in self.jobs:
            yield None, job
        for number in range(PARTS * self.rounds):
            for job in self.jobs:
                every = BATCHES[job.batch] if isinstance(job, InferenceJob) else 1
                if number % every == 0:
                    yield number // self.rounds, job

    @property
    def steps(self) -> int:
        """How many steps :func:`benchmarks.latency.latency.measure_latency` will advance."""
        return self.starts * len(self.fresh()) + sum(1 for _ in self.turns())


def plan_latency(folder: Path, models: Mapping[str, Classifier], quick: bool = False) -> Plan:
    """Plan a run with all installed runtimes.

    Args:
        folder: the models' folder.
        models: the models to time, with the variants to time, by name.
        quick: only the app's runtime, one thread, one image, no originals, fewer rounds.

    Raises:
        InterpreterError: no TFLite runtime is installed.
    """
    runtimes = [find_runtime().name] if quick else installed_runtimes()
    jobs: list[Job] = [
        InferenceJob(runtime, use, batch)
        for model in models.values()
        for variant in model.variants
        for runtime in runtimes
        for use in _uses(folder, model, variant, quick)
        # Batches run image by image, so more threads do the same to them as to one image.
        for batch in ((1,) if quick or use.threads > 1 else BATCHES)
    ]
    if not quick and find_spec(TENSORFLOW):
        jobs += _originals(folder, models)
    jobs += [
        NormalizingJob(function, normalization)
        for normalization in normalizations(models.values())
        for function in get_args(Function)
    ]
    return Plan(tuple(jobs), starts=1 if quick else 3, rounds=4 if quick else 10)


def installed_runtimes() -> list[str]:
    """The packages of the installed runtimes, the app's choice first; no other one is loaded."""
    first = find_runtime().name
    others = [package for package in RUNTIMES if package != first]
    return [first, *(each for each in others if find_spec(RUNTIMES[each].split(".")[0]))]


def _uses(folder: Path, model: Classifier, variant: str, quick: bool) -> Iterator[ModelUse]:
    """The uses of a file, by number of threads."""
    if isinstance(model, Model):
        folder = folder / model.name
    for threads in THREADS:
        if threads == 1 or (not quick and threads <= len(cores())):
            yield ModelUse(
                model=model.name,
                variant=variant,
                folder=str(folder.resolve()),
                file=model.files[variant],
                normalization=model.normalization,
                pixels=model.interpreters[variant].pixels,
                output=model.output,
                threads=threads,
            )


def _originals(folder: Path, models: Mapping[str, Classifier]) -> Iterator[OriginalJob]:
    for model in models.values():
        if isinstance(model, Model):
            place = str((folder / model.name).resolve())
            for call in get_args(Call):
                yield OriginalJob(model.name, place, model.card.original, model.normalization, call)
