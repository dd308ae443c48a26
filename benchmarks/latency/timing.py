"""Timing one workload, and the statistics of its times.

Two kinds of times are taken:

- *Single calls*, each between two readings of the clock. They show what one user waits for, so
  they give the minimum, the median and the percentiles.
- *Loops* of enough calls to last at least a millisecond, as in pyperf
  (https://pyperf.readthedocs.io, "loops"). The clock's resolution and the time to read it do not
  matter here, so they give the mean, the standard deviation and the calls per second. A single
  call that lasts a millisecond is a loop of one, timed once for both.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LOOP_NS = 1_000_000
"""The least duration of a loop: a million times the clock's resolution on Linux."""
TURN = 100  # The most single calls of a workload in one turn.
TURN_NS = 20_000_000
"""The time for a turn's single calls, and for its loops: slow workloads get fewer of them."""
LOOPS = 3  # The most loops of a workload in one turn.
SETTLING = 10
"""The most untimed calls at the start of a turn, as the caches hold another workload's data."""
WARM_UP_NS = 50_000_000
WARM_UP_CALLS = 50
"""A workload is warm after this many calls, or this long; see :func:`pace`."""
CALLS_BEYOND = 10
"""A percentile is given if at least this many calls lie beyond it: p99 takes 1,000 calls."""


class Workload(NamedTuple):
    """A function of one argument, and the arguments to call it with, over and over again."""

    call: Callable[[Any], object]
    arguments: Sequence[Any]


class Pace(NamedTuple):
    """The number of untimed calls, single calls and loops in a turn, and of calls in a loop."""

    settling: int
    calls: int
    loops: int
    calls_in_loop: int


class Turn(NamedTuple):
    """Times of one turn in nanoseconds: of single calls, and the mean of a call in each loop."""

    calls_ns: list[int]
    loops_ns: list[float]
    calls_in_loop: int


@dataclass(frozen=True)
class Times:
    """Statistics of one workload's times, in microseconds per call.

    See :mod:`benchmarks.latency.timing` for the two kinds of times. Of single calls, ``calls`` in
    number, are the minimum, the median, the percentiles (linearly interpolated; None with fewer
    than 100 or 1,000 calls), and ``repeats_us``, the median in each part of the run, in order of
    time; ``spread`` is the largest of these divided by the smallest, minus 1. Of ``loops`` of
    ``calls_in_loop`` calls are the mean, the sample standard deviation of a loop's time per call (0
    with one loop), and the calls per second, 1e6 / mean.
    """

    calls: int
    min_us: float
    median_us: float
    p90_us: float | None
    p99_us: float | None
    loops: int
    calls_in_loop: int
    mean_us: float
    std_us: float
    per_second: float
    repeats_us: list[float]
    spread: float


def pace(workload: Workload) -> Pace:
    """Warm a workload up and size its turns by its fastest call."""
    call_ns = max(1, min(_warm_up(workload)))
    calls_in_loop = -(-LOOP_NS // call_ns)
    return Pace(
        settling=min(SETTLING, TURN_NS // 10 // call_ns),
        calls=min(TURN, TURN_NS // call_ns) or 1,
        loops=min(LOOPS, TURN_NS // (calls_in_loop * call_ns)) or 1,
        calls_in_loop=calls_in_loop,
    )


def take_turn(workload: Workload, pace: Pace, number: int) -> Turn:
    """Time a workload's turn with the given number: its single calls, then its loops.

    If there are several arguments, each call gets another one than the call before.
    """
    first = number * (pace.settling + pace.calls)
    gc.disable()  # A collection takes milliseconds and would hit a random call.
    try:
        calls = _time_calls(workload, first, pace.settling + pace.calls)[pace.settling :]
        if pace.calls_in_loop == 1:
            return Turn(calls, [float(time) for time in calls], 1)
        loops = [
            _time_loop(workload, first + loop * pace.calls_in_loop, pace.calls_in_loop)
            for loop in range(pace.loops)
        ]
    finally:
        gc.enable()
    return Turn(calls, loops, pace.calls_in_loop)


def summarize(parts: Sequence[Sequence[Turn]]) -> Times:
    """Compute the statistics of a workload's turns.

    Args:
        parts: the turns of each part of the run, in order of time.

    Raises:
        ValueError: there are no parts, or a part without times.
    """
    calls = [[time for turn in part for time in turn.calls_ns] for part in parts]
    loops = np.array([time for part in parts for turn in part for time in turn.loops_ns])
    if not all(calls) or not len(loops):
        raise ValueError("A part has no times; expected at least one time in each part.")
    singles = np.concatenate(calls)
    mean = float(loops.mean())
    repeats = [float(np.median(part)) for part in calls]
    return Times(
        calls=len(singles),
        min_us=_us(float(singles.min())),
        median_us=_us(float(np.median(singles))),
        p90_us=_percentile_us(singles, 90),
        p99_us=_percentile_us(singles, 99),
        loops=len(loops),
        calls_in_loop=parts[0][0].calls_in_loop,
        mean_us=_us(mean),
        std_us=_us(float(loops.std(ddof=1))) if len(loops) > 1 else 0.0,
        per_second=round(1e9 / mean, 3),
        repeats_us=[_us(median) for median in repeats],
        spread=round(max(repeats) / min(repeats) - 1, 6),
    )


def _warm_up(workload: Workload) -> list[int]:
    """Call until warm; the first call's time is left out."""
    times: list[int] = []
    started = perf_counter_ns()
    while len(times) < 2 or (
        len(times) < WARM_UP_CALLS and perf_counter_ns() - started < WARM_UP_NS
    ):
        times += _time_calls(workload, len(times), 1)
    return times[1:]


def _time_calls(workload: Workload, first: int, count: int) -> list[int]:
    """Time single calls in nanoseconds, starting with the argument at ``first``."""
    call, arguments = workload
    times = []
    for number in range(first, first + count):
        argument = arguments[number % len(arguments)]
        start = perf_counter_ns()
        call(argument)
        times.append(perf_counter_ns() - start)
    return times


def _time_loop(workload: Workload, first: int, count: int) -> float:
    """The mean time in nanoseconds of ``count`` calls in a row."""
    call, arguments = workload
    chosen = [arguments[number % len(arguments)] for number in range(first, first + count)]
    start = perf_counter_ns()
    for argument in chosen:
        call(argument)
    return (perf_counter_ns() - start) / count


def _percentile_us(times_ns: NDArray[np.int64], percent: int) -> float | None:
    is_known = len(times_ns) * (100 - percent) >= 100 * CALLS_BEYOND
    return _us(float(np.percentile(times_ns, percent))) if is_known else None


def _us(time_ns: float) -> float:
    return round(time_ns / 1000, 3)  # The clock has nanoseconds.
