"""Jobs: what is timed, and in which rounds. They travel to the processes that do them as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from edge_app.device.procfs import cores
from edge_app.digits.normalization import Normalization
from edge_app.models.card import FileRecord, Output
from edge_app.models.classifier import Classifier, Model
from edge_app.models.folder import BareModel
from edge_app.models.interpreter import RUNTIMES, Pixels, find_runtime

TENSORFLOW = "tensorflow"
NORMALIZATION = "normalization"
THREADS = (1, 2, 4)
"""Those of them that the device has cores for."""
BATCHES = {1: 1, 32: 2, 1000: 5}
"""Images in a call, and in which rounds: in every one, every second, every fifth."""
PARTS = 5
"""Of a run; the medians of each are held against each other."""

Function = Literal["normalize", "rasterize"]
Call = Literal["predict", "model(x)"]


@dataclass(frozen=True)
class ModelUse:
    """A model's file, where it lies, and how it is used."""

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
    """``infer`` of so many images."""

    engine: str
    """The runtime's package."""
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
    """A run: first the starts, then rounds in which all jobs take turns."""

    jobs: tuple[Job, ...]
    starts: int
    """Fresh processes for each model's file, runtime and number of threads."""
    rounds: int
    """In each of the parts, after a round to warm up."""

    def fresh(self) -> list[InferenceJob]:
        """The jobs that stand for what is started in fresh processes."""
        return [job for job in self.jobs if isinstance(job, InferenceJob) and job.batch == 1]

    def turns(self) -> Iterator[tuple[int | None, Job]]:
        """Every turn in order of time: the number of the part, None to warm up, and the job."""
        for job in self.jobs:
            yield None, job
        for number in range(PARTS * self.rounds):
            for job in self.jobs:
                every = BATCHES[job.batch] if isinstance(job, InferenceJob) else 1
                if number % every == 0:
                    yield number // self.rounds, job

    @property
    def steps(self) -> int:
        """How many steps measuring will tell its ``advance`` of."""
        return self.starts * len(self.fresh()) + sum(1 for _ in self.turns())


def plan_latency(
    folder: Path,
    models: Mapping[str, Classifier],
    variants: Collection[str] = (),
    quick: bool = False,
) -> Plan:
    """Plan a run with everything that is installed.

    Args:
        folder: the models' folder.
        models: those of its models that are to be timed, by name.
        variants: those to be timed, by default all; a file without a card answers to every name.
        quick: the app's runtime alone, one thread, one image, no originals, fewer calls.

    Raises:
        InterpreterError: no TFLite runtime is installed.
    """
    runtimes = [find_runtime().name] if quick else installed_runtimes()
    jobs: list[Job] = [
        InferenceJob(runtime, use, batch)
        for model in models.values()
        for variant in _variants(model, variants)
        for runtime in runtimes
        for use in _uses(folder, model, variant, (1,) if quick else _threads())
        # A batch is run image by image: what more threads do to one, they do to all.
        for batch in ((1,) if quick or use.threads > 1 else BATCHES)
    ]
    if not quick and find_spec(TENSORFLOW):
        jobs += _originals(folder, models)
    for normalization in dict.fromkeys(model.normalization for model in models.values()):
        jobs += [
            NormalizingJob("normalize", normalization),
            NormalizingJob("rasterize", normalization),
        ]
    return Plan(tuple(jobs), starts=1 if quick else 3, rounds=4 if quick else 10)


def installed_runtimes() -> list[str]:
    """The packages of the runtimes that are installed, the app's choice first; none is loaded."""
    return [package for package, module in RUNTIMES.items() if find_spec(module.split(".")[0])]


def _variants(model: Classifier, wanted: Collection[str]) -> list[str]:
    chosen = {model.choose(variant) for variant in wanted or model.variants}
    return [variant for variant in model.variants if variant in chosen]


def _threads() -> list[int]:
    return [threads for threads in THREADS if threads <= len(cores())]


def _uses(
    folder: Path, model: Classifier, variant: str, threads: Collection[int]
) -> Iterator[ModelUse]:
    if isinstance(model, Model):
        file: FileRecord = model.card.variants[variant]
        folder = folder / model.name
    elif isinstance(model, BareModel):
        file = model.file
    else:
        raise TypeError(f"{model.name} comes from no file of the folder.")
    for count in threads:
        yield ModelUse(
            model=model.name,
            variant=variant,
            folder=str(folder.resolve()),
            file=FileRecord(file.file, file.bytes, file.sha256),
            normalization=model.normalization,
            pixels=model.interpreters[variant].pixels,
            output=model.output,
            threads=count,
        )


def _originals(folder: Path, models: Mapping[str, Classifier]) -> Iterator[OriginalJob]:
    calls: tuple[Call, ...] = ("predict", "model(x)")
    for model in models.values():
        if isinstance(model, Model):
            file = model.card.original
            for call in calls:
                yield OriginalJob(
                    model.name,
                    str((folder / model.name).resolve()),
                    FileRecord(file.file, file.bytes, file.sha256),
                    model.normalization,
                    call,
                )
