"""Latency: the time of one inference, as the app calls it, and of the normalization before it.

Every call is timed alone, on an image other than the last one's. Workloads take turns in rounds: a
device that grows warm or busy slows them all, and not the one that happened to come last.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from time import perf_counter_ns
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.progress import Advance
from edge_app.models import Classifier
from edge_app.normalization import Normalization, normalize, rasterize

WARM_UP_ROUNDS = 2
"""Rounds that come first and are not counted."""
ROUNDS = 50
"""Rounds that are counted."""
TURN = 100
"""Timed calls of one workload in one round; 50 rounds of them leave 50 calls above p99."""
SETTLING = 10
"""Calls that open each turn untimed: the workload before left its own data in the caches."""

Key = TypeVar("Key")


class Workload(NamedTuple):
    """A function of one argument, and arguments to call it with, in turn and over again."""

    call: Callable[[Any], object]
    arguments: Sequence[Any]


@dataclass(frozen=True)
class Latency:
    """Percentiles of single calls' times in microseconds, and the number of calls.

    A percentile between two times is interpolated linearly, as numpy.percentile does by default.
    """

    median_us: float
    p90_us: float
    p99_us: float
    calls: int


def inference_workloads(
    models: Mapping[str, Classifier], images: Mapping[Normalization, NDArray[np.uint8]]
) -> dict[tuple[str, str], Workload]:
    """One inference, ``model.predict(image[None], variant)``, by model's and variant's name.

    Args:
        models: by name.
        images: normalized images, uint8 (N, 28, 28), for each normalization in use.
    """
    return {
        (name, variant): Workload(
            partial(model.predict, variant=variant),
            [image[None] for image in images[model.normalization]],
        )
        for name, model in models.items()
        for variant in model.variants
    }


def normalization_workloads(
    normalizations: Sequence[Normalization],
    pictures: NDArray[np.uint8],
    drawings: Sequence[Sequence[NDArray[np.float64]]],
) -> dict[tuple[str, Normalization], Workload]:
    """Normalizing one picture and one drawing, by ("normalize" or "rasterize", normalization).

    Args:
        normalizations: "moments", "box" or both.
        pictures: uint8 (N, H, W), bright ink on a dark ground.
        drawings: each a list of strokes, float64 (points, 2).
    """
    workloads: dict[tuple[str, Normalization], Workload] = {}
    for normalization in normalizations:
        workloads["normalize", normalization] = Workload(
            partial(normalize, normalization=normalization), list(pictures)
        )
        workloads["rasterize", normalization] = Workload(
            partial(rasterize, normalization=normalization), drawings
        )
    return workloads


def steps(workloads: Mapping[Key, Workload]) -> int:
    """How many steps :func:`measure_latency` will tell its ``advance`` of."""
    return (WARM_UP_ROUNDS + ROUNDS) * len(workloads)


def measure_latency(workloads: Mapping[Key, Workload], advance: Advance) -> dict[Key, Latency]:
    """Time every workload: a warm-up, then ROUNDS * TURN single calls each.

    Args:
        workloads: by any key; each has at least one argument.
        advance: told of each turn done, between the timed calls.
    """
    times: dict[Key, list[int]] = {key: [] for key in workloads}
    with _no_garbage_collection():
        for number in range(WARM_UP_ROUNDS + ROUNDS):
            for key, workload in workloads.items():
                turn = _time_turn(workload, first=number * TURN)
                if number >= WARM_UP_ROUNDS:
                    times[key] += turn
                advance(1)
    return {key: summarize(times_ns) for key, times_ns in times.items()}


def summarize(times_ns: Sequence[int]) -> Latency:
    """The percentiles of times in nanoseconds.

    Raises:
        ValueError: there are none.
    """
    if not times_ns:
        raise ValueError("No times were given; expected at least one.")
    percentiles = np.percentile(times_ns, (50, 90, 99)) / 1000
    median_us, p90_us, p99_us = percentiles.round(3).tolist()  # The clock counts nanoseconds.
    return Latency(median_us, p90_us, p99_us, calls=len(times_ns))


def _time_turn(workload: Workload, first: int) -> list[int]:
    """Times in nanoseconds of TURN calls, from the argument numbered ``first`` on."""
    call, arguments = workload
    times = []
    for number in range(first - SETTLING, first + TURN):
        argument = arguments[number % len(arguments)]
        start = perf_counter_ns()
        call(argument)
        times.append(perf_counter_ns() - start)
    return times[SETTLING:]


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A collection takes milliseconds, and would fall on whichever call comes along."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
