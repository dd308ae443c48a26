"""Latency's bookkeeping: which calls are made, which of them count, and what is made of them."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks import latency
from benchmarks.latency import (
    Latency,
    Workload,
    inference_workloads,
    measure_latency,
    normalization_workloads,
    steps,
    summarize,
)
from edge_app.models import load_models
from edge_app.normalization import SIZE, rasterize
from edge_app.samples import drawings

MODELS = Path(__file__).parents[1] / "models"


@pytest.mark.parametrize(
    ("times_ns", "expected"),
    [
        ([1000], Latency(1.0, 1.0, 1.0, 1)),
        ([3000, 1000], Latency(2.0, 2.8, 2.98, 2)),
        ([1000 * time for time in range(101)], Latency(50.0, 90.0, 99.0, 101)),
    ],
)
def test_summarize_interpolates_linearly(times_ns: Sequence[int], expected: Latency) -> None:
    assert summarize(times_ns) == expected


def test_summarize_refuses_no_times() -> None:
    with pytest.raises(ValueError, match="at least one"):
        summarize([])


def test_each_workload_gets_its_calls_in_turns() -> None:
    calls: list[str] = []
    arguments: dict[str, list[int]] = {"a": [], "b": []}

    def call(name: str, argument: int) -> None:
        calls.append(name)
        arguments[name].append(argument)

    workloads = {
        "a": Workload(lambda argument: call("a", argument), range(7)),
        "b": Workload(lambda argument: call("b", argument), range(100_000)),
    }
    done: list[int] = []
    found = measure_latency(workloads, done.append)

    assert set(found) == {"a", "b"}
    assert all(measured.calls == latency.ROUNDS * latency.TURN for measured in found.values())
    assert sum(done) == steps(workloads)
    turn = latency.SETTLING + latency.TURN
    rounds = latency.WARM_UP_ROUNDS + latency.ROUNDS
    assert calls == (["a"] * turn + ["b"] * turn) * rounds
    assert set(arguments["a"]) == set(range(7))
    assert all(now != then for then, now in zip(arguments["b"], arguments["b"][1:], strict=False))


def test_enough_calls_are_made_for_a_99th_percentile() -> None:
    assert latency.ROUNDS * latency.TURN >= 1000
    assert latency.WARM_UP_ROUNDS * latency.TURN >= 200


def test_only_counted_calls_are_in_the_percentiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that each call moves: by 1 ms while warming up or settling, else by 5 us."""
    clock, number = 0, Counter[str]()

    def call(_: int) -> None:
        nonlocal clock
        turn, place = divmod(number["calls"], latency.SETTLING + latency.TURN)
        counted = turn >= latency.WARM_UP_ROUNDS and place >= latency.SETTLING
        clock += 5_000 if counted else 1_000_000
        number["calls"] += 1

    monkeypatch.setattr(latency, "perf_counter_ns", lambda: clock)
    found = measure_latency({"only": Workload(call, [0])}, lambda _: None)
    assert found["only"] == Latency(5.0, 5.0, 5.0, latency.ROUNDS * latency.TURN)


def test_garbage_collection_rests_meanwhile_and_comes_back() -> None:
    seen = set()
    measure_latency({0: Workload(lambda _: seen.add(gc.isenabled()), [0])}, lambda _: None)
    assert seen == {False}
    assert gc.isenabled()


def test_garbage_collection_comes_back_after_an_error() -> None:
    def fail(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_latency({0: Workload(fail, [0])}, lambda _: None)
    assert gc.isenabled()


def test_inference_is_what_the_app_calls() -> None:
    models = load_models(MODELS)
    images = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE), dtype=np.uint8)
    workloads = inference_workloads(
        models, {model.normalization: images for model in models.values()}
    )
    assert set(workloads) == {
        (name, variant) for name, model in models.items() for variant in model.variants
    }
    for (name, variant), (call, arguments) in workloads.items():
        assert len(arguments) == 3
        expected = models[name].predict(images[2][None], variant)
        np.testing.assert_array_equal(np.asarray(call(arguments[2])), expected)


def test_normalization_is_timed_on_pictures_and_drawings() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 40, 30), dtype=np.uint8)
    workloads = normalization_workloads(["moments", "box"], pictures, drawings())
    assert set(workloads) == {
        (function, normalization)
        for function in ("normalize", "rasterize")
        for normalization in ("moments", "box")
    }
    for call, arguments in workloads.values():
        assert np.asarray(call(arguments[0])).shape == (SIZE, SIZE)


def test_drawings_are_ten_digits_that_the_models_read() -> None:
    for model in load_models(MODELS).values():
        images = np.stack([rasterize(strokes, model.normalization) for strokes in drawings()])
        assert (model.predict(images).argmax(axis=1) == np.arange(10)).sum() >= 9
