"""Latency: how long the models take on this device, by runtime, threads and images at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from time import monotonic

from benchmarks.latency.device import Conditions, others_cores, read_conditions, read_cpu_time
from benchmarks.latency.engine import Engines
from benchmarks.latency.noise import judge
from benchmarks.latency.plan import PARTS, InferenceJob, Job, OriginalJob, Plan
from benchmarks.latency.timing import Times, Turn, summarize
from benchmarks.latency.workloads import OneStart, start_once, time_turn
from edge_app.models.interpreter import find_runtime


@dataclass(frozen=True)
class MeasuredFile:
    """What was measured: a file, the package and version of the runtime ("tflite-runtime 2.14.0"),
    and its threads."""

    model: str
    variant: str
    runtime: str
    threads: int


@dataclass(frozen=True)
class Startup(MeasuredFile):
    """A model's file in a process that has loaded its runtime but no model yet.

    ``load_ms``, from the file's bytes to an interpreter that is ready, and ``first_us``, the first
    inference, are medians over ``starts`` such processes. ``memory_bytes`` is the resident memory
    of one more copy of the model, its file's bytes included; None if unknown.
    """

    starts: int
    load_ms: float
    first_us: float
    memory_bytes: int | None


@dataclass(frozen=True)
class Inference(MeasuredFile):
    """``model.infer(images, variant)`` as the app calls it: pixels in, logits or probabilities out.

    The files take one image at a time: a ``batch`` of images is run image by image within one call.
    ``times`` are those of calls; ``image_us`` is the mean time of one image.
    """

    batch: int
    times: Times
    image_us: float
    images_per_second: float


@dataclass(frozen=True)
class KerasTiming:
    """The original in Keras ("tensorflow 2.19.1, keras 3.15.1"), one image per call ("predict" or
    "model(x)"), the output read back as an array."""

    model: str
    call: str
    runtime: str
    times: Times


@dataclass(frozen=True)
class Normalizing:
    """A call of a normalization, which comes before inference: "normalize" for pictures of the test
    set, or "rasterize" for ten synthetic drawings."""

    function: str
    normalization: str
    times: Times


@dataclass(frozen=True)
class Latency:
    """The timings of one run, and how far to trust them.

    ``inference`` is in the order of models, variants, runtimes, threads, batches. ``originals`` is
    empty where TensorFlow is not installed, or in a quick run. ``conditions`` are those before the
    run and after each part of it; ``others_cores`` is how many cores other programs kept busy
    meanwhile, on average (None if unknown); ``seconds`` is how long the run took. In sentences,
    ``warnings`` are reasons not to trust the times, ``problems`` are failures that concern the app,
    and ``notes`` failures of other runtimes and of Keras.
    """

    inference: list[Inference]
    starts: list[Startup]
    originals: list[KerasTiming]
    normalization: list[Normalizing]
    conditions: list[Conditions]
    others_cores: float | None
    seconds: float
    warnings: list[str]
    problems: list[str]
    notes: list[str]

    def app(self, model: str, variant: str) -> Inference | None:
        """The measurement closest to the app's use: its runtime, one thread, one image."""
        for each in self.inference:
            if (each.model, each.variant, each.threads, each.batch) == (model, variant, 1, 1):
                return each
        return None


def measure_latency(plan: Plan, advance: Callable[[int], object]) -> Latency:
    """Time everything that is planned.

    All jobs take turns in rounds, so that a device that grows warm or busy slows all of them and
    not just the last. Each runtime, Keras and the normalization have a process of their own, and
    only one of them runs at a time. A job that fails becomes a problem; the others continue.

    Args:
        plan: from :func:`benchmarks.latency.plan.plan_latency`.
        advance: called with 1 after each of ``plan.steps``.
    """
    began, cpu_time = monotonic(), read_cpu_time()
    conditions = [read_conditions()]
    with Engines(find_runtime().name) as engines:
        starts = _start_all(plan, engines, advance)
        turns = _take_turns(plan, engines, advance, conditions)
    others = others_cores(cpu_time, read_cpu_time())  # The engines' processes have ended.
    times = {job: summarize(parts) for job, parts in turns.items() if len(parts) == PARTS}
    latency = Latency(
        inference=[],
        starts=starts,
        originals=[],
        normalization=[],
        conditions=conditions,
        others_cores=others,
        seconds=round(monotonic() - began, 3),
        warnings=judge({str(job): measured for job, measured in times.items()}, conditions, others),
        problems=engines.problems,
        notes=engines.notes,
    )
    for job, measured in times.items():
        runtime = engines.version(job)
        if isinstance(job, InferenceJob):
            image_us = round(measured.mean_us / job.batch, 3)
            per_second = round(measured.per_second * job.batch, 3)
            latency.inference.append(
                Inference(*_file(job, runtime), job.batch, measured, image_us, per_second)
            )
        elif isinstance(job, OriginalJob):
            latency.originals.append(KerasTiming(job.model, job.call, runtime, measured))
        else:
            latency.normalization.append(Normalizing(job.function, job.normalization, measured))
    return latency


def _start_all(plan: Plan, engines: Engines, advance: Callable[[int], object]) -> list[Startup]:
    answers: dict[InferenceJob, list[OneStart]] = {job: [] for job in plan.fresh()}
    for _ in range(plan.starts):
        for job, started in answers.items():
            if answer := engines.run(start_once, job):
                started.append(answer)
            advance(1)
    return [
        Startup(
            *_file(job, engines.version(job)),
            starts=len(started),
            load_ms=round(median(one.load_ns for one in started) / 1e6, 3),
            first_us=round(median(one.first_ns for one in started) / 1e3, 3),
            memory_bytes=started[0].memory_bytes,
        )
        for job, started in answers.items()
        if started
    ]


def _take_turns(
    plan: Plan, engines: Engines, advance: Callable[[int], object], conditions: list[Conditions]
) -> dict[Job, list[list[Turn]]]:
    """Each job's turns by part; the conditions are read at the end of each part."""
    turns: dict[Job, list[list[Turn]]] = {job: [] for job in plan.jobs}
    number = Counter[Job]()
    for part, of_part in groupby(plan.turns(), key=lambda turn: turn[0]):
        for _, job in of_part:
            turn = engines.run(time_turn, job, number[job])
            number[job] += 1
            if turn and part is not None:
                if len(turns[job]) == part:
                    turns[job].append([])
                turns[job][-1].append(turn)
            advance(1)
        if part is not None:
            conditions.append(read_conditions())
    return turns


def _file(job: InferenceJob, runtime: str) -> tuple[str, str, str, int]:
    return job.use.model, job.use.variant, runtime, job.use.threads
