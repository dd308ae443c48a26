"""Latency, measured for real with few calls: what is measured is tested, not how fast it is."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks.latency.device import Conditions
from benchmarks.latency.engine import Engines
from benchmarks.latency.latency import measure_latency
from benchmarks.latency.plan import (
    BATCHES,
    PARTS,
    InferenceJob,
    NormalizingJob,
    OriginalJob,
    Plan,
    installed_runtimes,
    plan_latency,
)
from benchmarks.latency.workloads import make_workload, time_turn
from benchmarks.process import Worker
from edge_app.digits.normalization import SIZE
from edge_app.models.card import VARIANTS, record_file
from edge_app.models.classifier import Model
from edge_app.models.folder import load_models
from edge_app.models.interpreter import find_runtime
from edge_app.paths import MODELS
from made_results import CARD

RUNTIME = f"{find_runtime().name} {find_runtime().version}"


def plan(folder: Path, *variants: str, quick: bool = True) -> Plan:
    """A plan for the dense model, or for some of its variants."""
    model = load_models(folder)["dense"]
    chosen = {each: model.interpreters[each] for each in variants or VARIANTS}
    return plan_latency(folder, {"dense": Model(model.card, chosen)}, quick)


def inference(planned: Plan) -> tuple[InferenceJob, ...]:
    return tuple(job for job in planned.jobs if isinstance(job, InferenceJob))


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    """A folder with the dense model alone."""
    shutil.copytree(MODELS / "dense", tmp_path / "dense")
    return tmp_path


@pytest.mark.slow
def test_a_quick_run_beside_busy_programs_measures_every_variant_and_warns() -> None:
    quick = dataclasses.replace(plan(MODELS), rounds=1)
    steps: list[int] = []
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        latency = measure_latency(quick, steps.append)
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    assert sum(steps) == quick.steps == len(steps)
    assert latency.problems == []
    assert len(latency.conditions) == 1 + PARTS
    assert (latency.others_cores or 0) > 0.2
    assert any("Other programs kept" in warning for warning in latency.warnings)
    for measured in (latency.inference, latency.starts):
        assert [(each.model, each.variant, each.runtime, each.threads) for each in measured] == [
            ("dense", variant, RUNTIME, 1) for variant in VARIANTS
        ]
    functions = [(each.function, each.normalization) for each in latency.normalization]
    assert functions == [("normalize", "bimoment"), ("rasterize", "bimoment")]
    assert latency.originals == []
    for each in latency.inference:
        times = each.times
        assert len(times.repeats_us) == PARTS
        assert (each.image_us, each.images_per_second) == (times.mean_us, times.per_second)
    for start in latency.starts:
        assert min(start.load_ms, start.first_us) > 0
        # The model's, and not the runtime's: a process that has just forked takes some four MiB.
        assert start.memory_bytes
        assert CARD.variants[start.variant].bytes < start.memory_bytes < 2**20
    assert latency.app("dense", "int8") is latency.inference[-1]
    assert latency.app("dense", "float64") is None
    assert json.dumps(dataclasses.asdict(latency), allow_nan=False)


def test_heating_in_mid_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    degrees = iter([48.0, 48.0, 61.0, *[48.0] * (PARTS - 2)])
    monkeypatch.setattr(
        "benchmarks.latency.latency.read_conditions",
        lambda: Conditions(None, [], [], [], next(degrees), None, None),
    )
    planned = Plan((NormalizingJob("rasterize", "box"),), starts=0, rounds=1)
    warnings = measure_latency(planned, lambda _: None).warnings
    assert any("warmed up from 48 to 61 °C" in warning for warning in warnings)


def test_a_full_plan_has_threads_batches_and_runtimes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(3))
    full = plan(MODELS, "float32", "int8", quick=False)
    found = {(job.use.variant, job.use.threads, job.batch, job.engine) for job in inference(full)}
    assert found == {
        (variant, threads, batch, engine)
        for variant in ("float32", "int8")
        for threads, batch in ((1, 1), (1, 32), (1, 1000), (2, 1))
        for engine in installed_runtimes()
    }
    calls = [job.call for job in full.jobs if isinstance(job, OriginalJob)]
    assert calls == (["predict", "model(x)"] if find_spec("tensorflow") else [])
    assert len(full.fresh()) == 4 * len(installed_runtimes())


def test_jobs_take_turns_in_rounds() -> None:
    full = plan(MODELS, "int8", quick=False)
    turns = list(full.turns())
    assert [job for part, job in turns if part is None] == list(full.jobs)
    timed = [(part, job) for part, job in turns if part is not None]
    for job, count in Counter(job for _, job in timed).items():
        every = BATCHES[job.batch] if isinstance(job, InferenceJob) else 1
        assert count == PARTS * full.rounds / every
    # Every job is in every part, and none has a second turn before others had their first.
    assert set(timed) == {(part, job) for part in range(PARTS) for job in full.jobs}
    assert timed[: len(full.jobs)] == [(0, job) for job in full.jobs]


def test_what_is_timed_is_what_the_app_calls() -> None:
    model = load_models(MODELS)["dense"]
    for job in inference(plan(MODELS, "int8", quick=False)):
        if job.engine == find_runtime().name:
            call, arguments = make_workload(job)
            assert arguments[0].shape == (job.batch, SIZE, SIZE)
            expected = model.infer(arguments[0], "int8")
            np.testing.assert_array_equal(np.asarray(call(arguments[0])), expected)
    for function in ("normalize", "rasterize"):
        call, arguments = make_workload(NormalizingJob(function, "box"))
        assert len(arguments) >= 10
        assert np.asarray(call(arguments[0])).shape == (SIZE, SIZE)


@pytest.mark.skipif(find_spec("tensorflow") is None, reason="originals need TensorFlow")
@pytest.mark.slow
def test_an_original_runs_in_keras_and_one_that_does_not_load_is_a_note(tmp_path: Path) -> None:
    full = plan(MODELS, "int8", quick=False)
    originals = [job for job in full.jobs if isinstance(job, OriginalJob)]
    path = tmp_path / "model.keras"
    path.write_bytes(b"no archive")
    broken = OriginalJob("broken", str(tmp_path), record_file(path), "box", "predict")
    latency = measure_latency(Plan((*originals, broken), starts=0, rounds=1), lambda _: None)
    assert latency.problems == []
    calls = [(each.model, each.call) for each in latency.originals]
    assert calls == [("dense", "predict"), ("dense", "model(x)")]
    assert latency.originals[0].runtime.startswith("tensorflow 2.")
    [note] = latency.notes
    assert note.startswith("broken original (Keras, predict) is not timed: ")


# What goes wrong


@pytest.mark.slow
@pytest.mark.parametrize("starts", [1, 0])  # Without starts, the process that times ends.
def test_a_file_that_crashes_the_process_is_a_sentence_and_the_others_continue(
    starts: int, dense: Path
) -> None:
    """A file that was whole when the run was planned, and whose hash is that of the damaged one."""
    whole, other = inference(plan(dense, "float32", "int8"))[::-1]
    path = dense / "dense" / "int8.tflite"
    path.write_bytes(b"\xff\xff\xff\x7f" + path.read_bytes()[4:])
    damaged = dataclasses.replace(whole, use=dataclasses.replace(whole.use, file=record_file(path)))
    changed = Plan((damaged, other), starts, rounds=1)
    steps: list[int] = []
    latency = measure_latency(changed, steps.append)
    assert {each.variant for each in latency.inference} == {"float32"}
    assert sum(steps) == changed.steps
    [problem] = latency.problems
    assert problem.startswith("dense int8 (")
    # ai-edge-litert lives on, and says so itself.
    assert ("SIG" if find_runtime().name == "tflite-runtime" else "does not load") in problem
    assert "Traceback" not in problem


def test_a_file_that_is_not_as_recorded_is_a_sentence(dense: Path) -> None:
    jobs = inference(plan(dense, "int8"))
    (dense / "dense" / "int8.tflite").write_bytes(b"something else")
    latency = measure_latency(Plan(jobs, starts=1, rounds=1), lambda _: None)
    assert (latency.inference, latency.starts) == ([], [])
    [problem] = latency.problems
    assert "int8.tflite is corrupt" in problem


def test_a_runtime_that_does_not_work_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A problem if the app needs it, and a note if not."""
    planned = plan(MODELS)
    broken = [dataclasses.replace(job, engine="no-such-runtime") for job in inference(planned)]
    others = [job for job in planned.jobs if isinstance(job, NormalizingJob)]
    latency = measure_latency(Plan((*broken, others[0]), starts=1, rounds=1), lambda _: None)
    monkeypatch.setattr(
        "benchmarks.latency.latency.find_runtime",
        lambda: find_runtime()._replace(name="no-such-runtime"),
    )
    needed = measure_latency(Plan((*broken, others[0]), starts=0, rounds=1), lambda _: None)
    for found, sentences, none in (
        (latency, latency.notes, latency.problems),
        (needed, needed.problems, needed.notes),
    ):
        [sentence] = sentences
        assert sentence.startswith("Nothing is timed with no-such-runtime: ")
        assert (none, found.inference) == ([], [])
        assert len(found.normalization) == 1


def hang(_: object) -> None:
    time.sleep(3600)


def test_a_hanging_job_is_a_sentence_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = inference(plan(MODELS, "int8", "float32"))
    with Engines(first.engine) as engines:
        assert engines.run(time_turn, second, 0)
        monkeypatch.setattr(Worker.call, "__kwdefaults__", {"patience_s": 0.1})
        assert engines.run(hang, first) is None
        monkeypatch.undo()
        assert engines.run(time_turn, first, 0) is None  # It is not tried again.
        assert engines.run(time_turn, second, 1)
        assert engines.version(second) == RUNTIME
    [problem] = engines.problems
    assert problem.startswith(f"{first} is not timed: It gave no answer within")
