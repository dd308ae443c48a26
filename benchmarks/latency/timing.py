"""Timing one workload, and the statistics of its times.

Two kinds of times are taken, since one kind cannot serve both ends:

- *Single calls*, each between two readings of the clock. Only these show what one user waits for,
  so the minimum, the median and the percentiles are theirs.
- *Loops*: so many calls in a row between two readings that they last at least a millisecond, as
  pyperf does (https://pyperf.readthedocs.io, "loops"). The clock's resolution and the time that
  reading it takes do not matter to these, so the mean, the standard deviation and the calls per
  second are theirs. A single call that lasts a millisecond is a loop of one, timed once for both.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LOOP_NS = 1_000_000
"""A loop lasts at least this long: a million times what the clock resolves on Linux."""
TURN = 100
"""Single calls of one workload in one turn, where they are quick enough."""
TURN_NS = 20_000_000
"""A turn's single calls shall not take longer, nor its loops: of slow ones there are fewer."""
LOOPS = 3
"""Loops of one workload in one turn, where its calls are quick enough."""
SETTLING = 10
"""Calls that open a turn untimed, where they are quick: the workload before left its own data in
the caches."""
WARM_UP_NS = 50_000_000
WARM_UP_CALLS = 50
"""A workload is warm after so many calls, or so long; see :func:`pace`."""
CALLS_BEYOND = 10
"""A percentile is told where at least so many calls lie beyond it: p99 takes 1,000 calls."""


class Workload(NamedTuple):
    """A function of one argument, and arguments to call it with, in turn and over again."""

    call: Callable[[Any], object]
    arguments: Sequence[Any]


class Pace(NamedTuple):
    """How a workload's turns are made up: single calls, loops, and the calls in each loop."""

    settling: int
    calls: int
    loops: int
    calls_in_loop: int


class Turn(NamedTuple):
    """Times of one turn in nanoseconds: of single calls, and of a call in each loop on average."""

    calls_ns: list[int]
    loops_ns: list[float]
    calls_in_loop: int


@dataclass(frozen=True)
class Times:
    """Statistics of one workload's times, in microseconds a call.

    See :mod:`benchmarks.latency.timing` for the two kinds of times. A percentile between two times
    is interpolated linearly, as numpy.percentile does by default.
    """

    calls: int
    """Single calls."""
    min_us: float
    """Of single calls, as are the next three."""
    median_us: float
    p90_us: float | None
    """None where fewer than ten calls lie beyond it: with fewer than 100 calls."""
    p99_us: float | None
    """None with fewer than 1,000 calls."""
    loops: int
    """Loops timed."""
    calls_in_loop: int
    mean_us: float
    """Of loops, as are the next two."""
    std_us: float
    """The sample standard deviation of loops' times a call; 0 where there is one loop."""
    per_second: float
    """Calls per second: 1e6 / mean."""
    repeats_us: list[float]
    """The median of single calls in each of the run's parts, in order of time."""
    spread: float
    """How far the repeated medians lie apart: the largest divided by the smallest, less 1."""


def pace(workload: Workload) -> Pace:
    """Warm a workload up, and choose what its turns are made of by its fastest call."""
    call_ns = max(1, min(_warm_up(workload)))
    calls_in_loop = -(-LOOP_NS // call_ns)
    return Pace(
        settling=min(SETTLING, TURN_NS // 10 // call_ns),
        calls=min(TURN, TURN_NS // call_ns) or 1,
        loops=min(LOOPS, TURN_NS // (calls_in_loop * call_ns)) or 1,
        calls_in_loop=calls_in_loop,
    )


def take_turn(workload: Workload, pace: Pace, number: int) -> Turn:
    """Time the turn of that number: its single calls, then its loops.

    Each call gets another argument than the one before, where there are several.
    """
    first = number * (pace.settling + pace.calls)
    with _no_garbage_collection():
        calls = _time_calls(workload, first, pace.settling + pace.calls)[pace.settling :]
        if pace.calls_in_loop == 1:
            return Turn(calls, [float(time) for time in calls], 1)
        loops = [
            _time_loop(workload, first + loop * pace.calls_in_loop, pace.calls_in_loop)
            for loop in range(pace.loops)
        ]
    return Turn(calls, loops, pace.calls_in_loop)


def summarize(parts: Sequence[Sequence[Turn]]) -> Times:
    """The statistics of a workload's turns.

    Args:
        parts: its turns in each part of the run, in order of time; a part has at least one.

    Raises:
        ValueError: there are no parts, or no times in one.
    """
    calls = [[time for turn in part for time in turn.calls_ns] for part in parts]
    loops = np.array([time for part in parts for turn in part for time in turn.loops_ns])
    if not all(calls) or not len(loops):
        raise ValueError("Parts without times were given; expected at least one time in each.")
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
    """Call until it is warm, once more than needed: the first call's time is left out."""
    times: list[int] = []
    started = perf_counter_ns()
    while len(times) < 2 or (
        len(times) < WARM_UP_CALLS and perf_counter_ns() - started < WARM_UP_NS
    ):
        times += _time_calls(workload, len(times), 1)
    return times[1:]


def _time_calls(workload: Workload, first: int, count: int) -> list[int]:
    """Times in nanoseconds of single calls, from the argument numbered ``first`` on."""
    call, arguments = workload
    times = []
    for number in range(first, first + count):
        argument = arguments[number % len(arguments)]
        start = perf_counter_ns()
        call(argument)
        times.append(perf_counter_ns() - start)
    return times


def _time_loop(workload: Workload, first: int, count: int) -> float:
    """The time in nanoseconds of a call, on average of ``count`` in a row."""
    call, arguments = workload
    chosen = [arguments[number % len(arguments)] for number in range(first, first + count)]
    start = perf_counter_ns()
    for argument in chosen:
        call(argument)
    return (perf_counter_ns() - start) / count


def _percentile_us(times_ns: NDArray[np.int64], percent: int) -> float | None:
    if len(times_ns) * (100 - percent) < 100 * CALLS_BEYOND:
        return None
    return _us(float(np.percentile(times_ns, percent)))


def _us(time_ns: float) -> float:
    return round(time_ns / 1000, 3)  # The clock counts nanoseconds.


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A collection takes milliseconds, and would fall on whichever call comes along."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
