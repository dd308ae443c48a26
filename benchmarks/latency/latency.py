"""Latency: how long the models take on this device, by runtime, threads and images at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from time import monotonic

from benchmarks.latency.conditions import Conditions, others_cores, read_conditions, read_cpu_time
from benchmarks.latency.noise import judge
from benchmarks.latency.plan import PARTS, InferenceJob, Job, NormalizingJob, OriginalJob, Plan
from benchmarks.latency.startup import OneStart
from benchmarks.latency.team import Team
from benchmarks.latency.timing import Times, Turn, summarize
from benchmarks.progress import Advance
from edge_app.models.interpreter import find_runtime


@dataclass(frozen=True)
class Start:
    """A model's file in a process that has loaded its runtime and nothing else yet.

    ``load_ms`` and ``first_us`` are medians of ``starts`` such processes.
    """

    model: str
    variant: str
    runtime: str
    """Package and version: "tflite-runtime 2.14.0"."""
    threads: int
    starts: int
    load_ms: float
    """From the file's bytes to an interpreter that is ready."""
    first_us: float
    """The first inference, in microseconds."""
    memory_bytes: int | None
    """Resident memory that a copy of the model takes in a process that has run another already: the
    file's bytes, and what the runtime makes of them; None where unknown."""


@dataclass(frozen=True)
class Inference:
    """``model.infer(images, variant)`` as the app calls it: pixels in, logits or probabilities out.

    The files take one image at a time: a batch is run image by image within one call.
    """

    model: str
    variant: str
    runtime: str
    threads: int
    batch: int
    """Images in a call."""
    times: Times
    """Of calls."""
    image_us: float
    """Mean time of one image: ``times.mean_us / batch``."""
    images_per_second: float


@dataclass(frozen=True)
class Original:
    """The original in Keras, one image a call, the output read back as an array."""

    model: str
    call: str
    """"predict", or "model(x)": the model called like a function."""
    runtime: str
    """"tensorflow 2.19.1, keras 3.15.1"."""
    times: Times


@dataclass(frozen=True)
class Normalizing:
    """What comes before inference."""

    function: str
    """"normalize", of pictures of the test set, or "rasterize", of ten synthetic drawings."""
    normalization: str
    """"moments" or "box"."""
    times: Times


@dataclass(frozen=True)
class Latency:
    """Everything that was timed in one run, and how far to trust it."""

    inference: list[Inference]
    """By model and variant in the order of the models, runtime, threads, batch."""
    starts: list[Start]
    originals: list[Original]
    """Empty where TensorFlow is not installed, or in a quick run."""
    normalization: list[Normalizing]
    conditions: list[Conditions]
    """Of the device before, after each part of the run, and at its end."""
    others_cores: float | None
    """Cores that other programs kept busy meanwhile, on average; None where unknown."""
    seconds: float
    """How long it all took."""
    warnings: list[str]
    """Why not to trust the times: a sentence each, with what was found and the limit."""
    problems: list[str]
    """What of the models and the normalization could not be measured: a sentence each."""
    notes: list[str]
    """What else could not, in other runtimes than the app's and of the originals in Keras."""

    def app(self, model: str, variant: str) -> Inference | None:
        """The measurement that is nearest to the app's use: its runtime, one thread, one image."""
        return next(
            (
                each
                for each in self.inference
                if (each.model, each.variant, each.threads, each.batch) == (model, variant, 1, 1)
            ),
            None,
        )


def measure_latency(plan: Plan, advance: Advance) -> Latency:
    """Time everything that is planned.

    Jobs take turns in rounds, whatever they are of: a device that grows warm or busy slows them
    all, and not the one that happened to come last. Each runtime has a process of its own, and so
    have the originals and normalization; of them only one runs at a time. A job that cannot be done
    is a problem, and all others go on.

    Args:
        plan: from :func:`benchmarks.latency.plan.plan_latency`.
        advance: told of each of ``plan.steps``, between the timed calls.
    """
    began, cpu_time = monotonic(), read_cpu_time()
    conditions = [read_conditions()]
    with Team(find_runtime().name) as team:
        starts = _start_all(plan, team, advance)
        turns = _take_turns(plan, team, advance, conditions)
    others = others_cores(cpu_time, read_cpu_time())  # The team's processes have ended.
    times = {job: summarize(parts) for job, parts in turns.items() if len(parts) == PARTS}
    return Latency(
        inference=[
            _inference(job, team.version(job), measured)
            for job, measured in times.items()
            if isinstance(job, InferenceJob)
        ],
        starts=starts,
        originals=[
            Original(job.model, job.call, team.version(job), measured)
            for job, measured in times.items()
            if isinstance(job, OriginalJob)
        ],
        normalization=[
            Normalizing(job.function, job.normalization, measured)
            for job, measured in times.items()
            if isinstance(job, NormalizingJob)
        ],
        conditions=conditions,
        others_cores=others,
        seconds=round(monotonic() - began, 3),
        warnings=judge({str(job): measured for job, measured in times.items()}, conditions, others),
        problems=team.problems,
        notes=team.notes,
    )


def _start_all(plan: Plan, team: Team, advance: Advance) -> list[Start]:
    answers: dict[InferenceJob, list[OneStart]] = {job: [] for job in plan.fresh()}
    for _ in range(plan.starts):
        for job, started in answers.items():
            if answer := team.ask(job, "start"):
                started.append(OneStart(**answer))
            advance(1)
    return [
        Start(
            model=job.use.model,
            variant=job.use.variant,
            runtime=team.version(job),
            threads=job.use.threads,
            starts=len(started),
            load_ms=round(median(one.load_ns for one in started) / 1e6, 3),
            first_us=round(median(one.first_ns for one in started) / 1e3, 3),
            memory_bytes=started[0].memory_bytes,
        )
        for job, started in answers.items()
        if started
    ]


def _take_turns(
    plan: Plan, team: Team, advance: Advance, conditions: list[Conditions]
) -> dict[Job, list[list[Turn]]]:
    """Each job's turns, by part; the conditions are read at each part's end."""
    turns: dict[Job, list[list[Turn]]] = {job: [] for job in plan.jobs}
    number = Counter[Job]()
    for part, of_part in groupby(plan.turns(), key=lambda turn: turn[0]):
        for _, job in of_part:
            answer = team.ask(job, "turn", number[job])
            number[job] += 1
            if answer and part is not None:
                if len(turns[job]) == part:
                    turns[job].append([])
                turns[job][-1].append(Turn(**answer))
            advance(1)
        if part is not None:
            conditions.append(read_conditions())
    return turns


def _inference(job: InferenceJob, runtime: str, times: Times) -> Inference:
    use = job.use
    return Inference(
        model=use.model,
        variant=use.variant,
        runtime=runtime,
        threads=use.threads,
        batch=job.batch,
        times=times,
        image_us=round(times.mean_us / job.batch, 3),
        images_per_second=round(times.per_second * job.batch, 3),
    )
