"""Timing's bookkeeping: which calls are made, which of them count, and what is made of them."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from benchmarks.latency import timing
from benchmarks.latency.timing import Pace, Turn, Workload, pace, summarize, take_turn

US, MS = 1_000, 1_000_000


@pytest.fixture
def workload(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Workload]:
    """Makes workloads that take a time of their own by a clock that only they move."""
    clock = 0

    def make(call_ns: int) -> Workload:
        def call(_: object) -> None:
            nonlocal clock
            clock += call_ns

        return Workload(call, range(7))

    monkeypatch.setattr(timing, "perf_counter_ns", lambda: clock)
    return make


@pytest.mark.parametrize(
    ("call_ns", "expected"),
    [
        (5 * US, Pace(settling=10, calls=100, loops=3, calls_in_loop=200)),
        (300 * US, Pace(settling=6, calls=66, loops=3, calls_in_loop=4)),
        (MS, Pace(settling=2, calls=20, loops=3, calls_in_loop=1)),
        (7 * MS, Pace(settling=0, calls=2, loops=2, calls_in_loop=1)),
        (900 * MS, Pace(settling=0, calls=1, loops=1, calls_in_loop=1)),
        (0, Pace(settling=10, calls=100, loops=3, calls_in_loop=MS)),
    ],
)
def test_loops_last_a_millisecond_and_slow_calls_are_fewer(
    workload: Callable[[int], Workload], call_ns: int, expected: Pace
) -> None:
    found = pace(workload(call_ns))
    assert found == expected
    assert found.calls_in_loop * max(1, call_ns) >= timing.LOOP_NS


def test_a_turn_times_single_calls_and_loops(workload: Callable[[int], Workload]) -> None:
    turn = take_turn(workload(5 * US), Pace(10, 100, 3, 200), number=0)
    assert turn == Turn([5 * US] * 100, [5.0 * US] * 3, 200)


def test_a_call_that_lasts_a_millisecond_is_a_loop(workload: Callable[[int], Workload]) -> None:
    turn = take_turn(workload(2 * MS), Pace(1, 4, 3, 1), number=0)
    assert turn == Turn([2 * MS] * 4, [2.0 * MS] * 4, 1)


def test_calls_that_settle_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, calls = 0, 0

    def call(_: int) -> None:
        nonlocal clock, calls
        calls += 1
        clock += MS if calls <= 10 else 5 * US

    monkeypatch.setattr(timing, "perf_counter_ns", lambda: clock)
    turn = take_turn(Workload(call, [0]), Pace(10, 100, 2, 200), number=0)
    assert set(turn.calls_ns) == {5 * US}
    assert calls == 110 + 400


def test_no_call_gets_the_argument_of_the_one_before() -> None:
    seen: list[int] = []
    for number in range(3):
        take_turn(Workload(seen.append, range(100)), Pace(10, 90, 1, 30), number)
        assert all(now != then for then, now in pairwise(seen))
        seen.clear()


def test_garbage_collection_rests_meanwhile_and_comes_back() -> None:
    seen = set()
    take_turn(Workload(lambda _: seen.add(gc.isenabled()), [0]), Pace(0, 2, 1, 2), 0)
    assert seen == {False}
    assert gc.isenabled()


def test_garbage_collection_comes_back_after_an_error() -> None:
    def fail(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_turn(Workload(fail, [0]), Pace(0, 1, 1, 1), 0)
    assert gc.isenabled()


def test_summary_by_hand() -> None:
    """Medians of parts: 2, 3 and 4 us; loops of 2, 3 and 4 us: mean 3, deviation 1."""
    found = summarize(
        [
            [Turn([US, 3 * US], [2.0 * US], 500)],
            [Turn([3 * US], [3.0 * US], 500), Turn([3 * US], [], 500)],
            [Turn([2 * US, 4 * US, 100 * US], [4.0 * US], 500)],
        ]
    )
    assert dataclasses.asdict(found) == {
        "calls": 7,
        "min_us": 1.0,
        "median_us": 3.0,
        "p90_us": None,
        "p99_us": None,
        "loops": 3,
        "calls_in_loop": 500,
        "mean_us": 3.0,
        "std_us": 1.0,
        "per_second": pytest.approx(333_333.333),
        "repeats_us": [2.0, 3.0, 4.0],
        "spread": 1.0,
    }


@pytest.mark.parametrize(
    ("calls", "p90", "p99"),
    [(99, None, None), (100, 89.1, None), (999, 898.2, None), (1000, 899.1, 989.01)],
)
def test_percentiles_interpolate_and_need_ten_calls_beyond(
    calls: int, p90: float | None, p99: float | None
) -> None:
    found = summarize([[Turn([US * (time + 1) for time in range(calls)], [1.0], 1)]])
    assert found.p90_us == (None if p90 is None else pytest.approx(p90 + 1))
    assert found.p99_us == (None if p99 is None else pytest.approx(p99 + 1))


@pytest.mark.parametrize("parts", [[], [[]], [[Turn([1], [1.0], 1)], [Turn([], [], 1)]]])
def test_a_part_without_times_is_refused(parts: Sequence[Sequence[Turn]]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        summarize(parts)
