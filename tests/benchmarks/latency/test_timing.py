"""Timing: which calls are made, which of them count, and their statistics."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from itertools import pairwise

import pytest

from benchmarks.latency import timing
from benchmarks.latency.timing import Pace, Turn, Workload, pace, summarize, take_turn

US, MS = 1_000, 1_000_000


def slow(monkeypatch: pytest.MonkeyPatch, *calls_ns: int) -> tuple[Workload, list[int]]:
    """A workload by a clock that only its calls move, and its arguments so far.

    The last of ``calls_ns`` is the duration of all further calls.
    """
    seen: list[int] = []
    clock = 0

    def call(argument: int) -> None:
        nonlocal clock
        clock += calls_ns[min(len(seen), len(calls_ns) - 1)]
        seen.append(argument)

    monkeypatch.setattr(timing, "perf_counter_ns", lambda: clock)
    return Workload(call, range(7)), seen


@pytest.mark.parametrize("call_ns", [0, 5 * US, 300 * US, MS, 7 * MS, 900 * MS])
def test_loops_last_a_millisecond_and_slow_workloads_get_fewer_calls(
    call_ns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = pace(slow(monkeypatch, call_ns)[0])
    assert found.calls_in_loop * max(1, call_ns) >= timing.LOOP_NS
    assert (found.calls_in_loop - 1) * max(1, call_ns) < timing.LOOP_NS
    assert 1 <= found.calls <= timing.TURN
    assert 1 <= found.loops <= timing.LOOPS
    limit = max(timing.TURN_NS, call_ns)
    for calls in (found.calls, found.loops * found.calls_in_loop, found.settling):
        assert calls * call_ns <= limit
    if call_ns <= 5 * US:
        assert (found.settling, found.calls, found.loops) == (10, 100, 3)
    if call_ns >= 7 * MS:
        assert found.settling == 0


def test_a_turn_leaves_out_the_calls_that_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    workload, seen = slow(monkeypatch, *[MS] * 10, 5 * US)
    turn = take_turn(workload, Pace(10, 100, 2, 200), number=0)
    assert turn == Turn([5 * US] * 100, [5.0 * US] * 2, 200)
    assert len(seen) == 110 + 400
    workload, _ = slow(monkeypatch, 2 * MS)  # Such a call is a loop of its own.
    turn = take_turn(workload, Pace(1, 4, 3, 1), number=0)
    assert turn == Turn([2 * MS] * 4, [2.0 * MS] * 4, 1)


def test_each_call_gets_the_argument_after_that_of_the_call_before() -> None:
    seen: list[int] = []
    for number in range(2):
        take_turn(Workload(seen.append, range(100)), Pace(2, 3, 1, 4), number)
    assert seen[:5] == [0, 1, 2, 3, 4]
    assert seen[9:14] == [5, 6, 7, 8, 9]
    seen.clear()
    for number in range(3):
        take_turn(Workload(seen.append, range(100)), Pace(10, 90, 2, 101), number)
    assert len(seen) == 3 * (10 + 90 + 2 * 101)
    assert all(now != before for before, now in pairwise(seen))


def test_garbage_collection_rests_meanwhile_and_comes_back_after_an_error() -> None:
    seen = set()

    def fail(_: int) -> None:
        seen.add(gc.isenabled())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_turn(Workload(fail, [0]), Pace(0, 1, 1, 1), 0)
    assert seen == {False}
    assert gc.isenabled()


def test_a_summary_worked_out_by_hand() -> None:
    """Medians of parts: 2, 3 and 4 us; loops of 2, 3 and 4 us: mean 3, deviation 1."""
    found = summarize(
        [
            [Turn([US, 3 * US], [2.0 * US], 500)],
            [Turn([3 * US], [3.0 * US], 500), Turn([3 * US], [], 500)],
            [Turn([2 * US, 4 * US, 100 * US], [4.0 * US], 500)],
        ]
    )
    assert (found.calls, found.min_us, found.median_us) == (7, 1.0, 3.0)
    assert (found.loops, found.calls_in_loop) == (3, 500)
    assert (found.mean_us, found.std_us, found.per_second) == (3.0, 1.0, 333_333.333)
    assert (found.repeats_us, found.spread) == ([2.0, 3.0, 4.0], 1.0)


@pytest.mark.parametrize(
    ("calls", "p90", "p99"),
    [(99, None, None), (100, 90.1, None), (999, 899.2, None), (1000, 900.1, 990.01)],
)
def test_percentiles_interpolate_and_need_ten_calls_beyond(
    calls: int, p90: float | None, p99: float | None
) -> None:
    found = summarize([[Turn([US * (time + 1) for time in range(calls)], [1.0], 1)]])
    assert (found.p90_us, found.p99_us) == (p90, p99)


@pytest.mark.parametrize("parts", [[], [[]], [[Turn([1], [1.0], 1)], [Turn([], [], 1)]]])
def test_a_part_without_times_is_refused(parts: Sequence[Sequence[Turn]]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        summarize(parts)
