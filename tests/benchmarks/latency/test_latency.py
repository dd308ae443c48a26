"""Latency, measured for real: few calls, as what is tested is what is measured, not how fast."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import app
from benchmarks.latency import plan as jobs
from benchmarks.latency.child import Child, ChildEnded, start_child
from benchmarks.latency.latency import Latency, measure_latency
from benchmarks.latency.plan import (
    PARTS,
    InferenceJob,
    NormalizingJob,
    OriginalJob,
    Plan,
    installed_runtimes,
    plan_latency,
)
from benchmarks.latency.workloads import make_workload
from edge_app.digits.normalization import SIZE, rasterize
from edge_app.digits.samples import drawings
from edge_app.models.card import VARIANTS, record_file
from edge_app.models.classifier import load_models
from edge_app.models.folder import load_bare_models
from edge_app.models.interpreter import find_runtime
from made_results import CARD


def plan(folder: Path, *variants: str, quick: bool = True) -> Plan:
    """Of the dense model alone, and of files without a card."""
    models = {name: model for name, model in load_models(folder).items() if name == "dense"}
    return plan_latency(
        folder, {**models, **load_bare_models(folder, models, pytest.fail)}, variants, quick
    )


def inference(planned: Plan) -> Plan:
    """A plan's inference alone, in the fewest rounds."""
    only = tuple(job for job in planned.jobs if isinstance(job, InferenceJob))
    return dataclasses.replace(planned, jobs=only, rounds=1)


@pytest.fixture
def dense(models_folder: Path, tmp_path: Path) -> Path:
    """A folder with the dense model alone."""
    shutil.copytree(models_folder / "dense", tmp_path / "dense")
    return tmp_path


@pytest.fixture(scope="module")
def disturbed(models_folder: Path) -> tuple[Plan, Latency, list[int]]:
    """A quick run, with two other programs beside it that do nothing, as fast as they can."""
    quick = dataclasses.replace(plan(models_folder), rounds=1)
    steps: list[int] = []
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        return quick, measure_latency(quick, steps.append), steps
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def test_a_quick_run_measures_every_variant(disturbed: tuple[Plan, Latency, list[int]]) -> None:
    _, latency, _ = disturbed
    assert latency.problems == []
    runtime = f"{find_runtime().name} {find_runtime().version}"
    for measured in (latency.inference, latency.starts):
        assert [
            (each.model, each.variant, each.threads) for each in measured if each.runtime == runtime
        ] == [("dense", variant, 1) for variant in VARIANTS]
    assert [(each.function, each.normalization) for each in latency.normalization] == [
        ("normalize", "moments"),
        ("rasterize", "moments"),
    ]
    assert latency.originals == []


def test_its_figures_belong_together(disturbed: tuple[Plan, Latency, list[int]]) -> None:
    _, latency, _ = disturbed
    for each in latency.inference:
        times = each.times
        assert len(times.repeats_us) == PARTS
        assert min(times.repeats_us) <= times.median_us <= max(times.repeats_us)
        assert 0 < times.min_us <= times.median_us
        assert times.p90_us is not None
        assert times.median_us <= times.p90_us
        assert times.per_second == pytest.approx(1e6 / times.mean_us, rel=1e-3)
        assert each.image_us == times.mean_us
        assert each.images_per_second == times.per_second
    for start in latency.starts:
        assert start.load_ms > 0
        assert start.first_us > 0
        # The model's, and not the runtime's, of which a fork fetches some four MiB.
        assert start.memory_bytes is not None
        assert CARD.variants[start.variant].bytes < start.memory_bytes < 2**20
    app_s = latency.app("dense", "int8")
    assert app_s
    assert (app_s.runtime, app_s.batch) == (latency.inference[0].runtime, 1)
    assert latency.app("dense", "float64") is None


def test_busy_loops_beside_it_are_said(disturbed: tuple[Plan, Latency, list[int]]) -> None:
    _, latency, _ = disturbed
    assert latency.others_cores is not None
    assert latency.others_cores > 0.2
    assert any("Other programs kept" in warning for warning in latency.warnings)


def test_its_steps_are_counted_and_it_is_json(
    disturbed: tuple[Plan, Latency, list[int]],
) -> None:
    quick, latency, steps = disturbed
    assert sum(steps) == quick.steps == len(steps)
    assert len(latency.conditions) == 1 + PARTS
    text = json.dumps(dataclasses.asdict(latency), allow_nan=False)
    assert json.loads(text)["inference"][0]["times"]["spread"] == (
        latency.inference[0].times.spread
    )


def test_a_full_plan_has_threads_batches_and_originals(
    models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(3))
    full = plan(models_folder, "float32", "int8", quick=False)
    assert {
        (job.use.variant, job.use.threads, job.batch, job.engine)
        for job in full.jobs
        if isinstance(job, InferenceJob)
    } == {
        (variant, threads, batch, engine)
        for variant in ("float32", "int8")
        for threads, batch in ((1, 1), (1, 32), (1, 1000), (2, 1))
        for engine in installed_runtimes()
    }
    calls = [job.call for job in full.jobs if isinstance(job, OriginalJob)]
    assert calls == (["predict", "model(x)"] if find_spec("tensorflow") else [])
    assert len(full.fresh()) == 4 * len(installed_runtimes())


def test_jobs_take_turns_in_rounds(models_folder: Path) -> None:
    full = plan(models_folder, "int8", quick=False)
    turns = list(full.turns())
    assert [job for part, job in turns if part is None] == list(full.jobs)
    counted = Counter(job for part, job in turns if part is not None)
    for job, count in counted.items():
        every = jobs.BATCHES[job.batch] if isinstance(job, InferenceJob) else 1
        assert count == PARTS * full.rounds / every
    # Every job is in every part, and none has a second turn before others had their first.
    assert {(part, job) for part, job in turns if part is not None} == {
        (part, job) for part in range(PARTS) for job in full.jobs
    }
    first = [job for part, job in turns if part == 0][: len(full.jobs)]
    assert first == list(full.jobs)


def test_every_quick_job_has_calls_enough_for_a_99th_percentile(models_folder: Path) -> None:
    quick = plan(models_folder)
    assert PARTS * quick.rounds * 100 >= 2000


def test_inference_is_what_the_app_calls(models_folder: Path) -> None:
    model = load_models(models_folder)["dense"]
    full = plan(models_folder, "int8", quick=False)
    for job in full.jobs:
        if isinstance(job, InferenceJob) and job.engine == find_runtime().name:
            call, arguments = make_workload(job)
            assert arguments[0].shape == (job.batch, SIZE, SIZE)
            expected = model.infer(arguments[0], "int8")
            np.testing.assert_array_equal(np.asarray(call(arguments[0])), expected)


def test_normalization_is_timed_on_pictures_and_drawings() -> None:
    for function in ("normalize", "rasterize"):
        call, arguments = make_workload(NormalizingJob(function, "box"))
        assert len(arguments) >= 10
        assert np.asarray(call(arguments[0])).shape == (SIZE, SIZE)


def test_drawings_are_ten_digits_that_the_models_read(models_folder: Path) -> None:
    for model in load_models(models_folder).values():
        images = np.stack([rasterize(strokes, model.normalization) for strokes in drawings()])
        assert (model.predict(images).argmax(axis=1) == np.arange(10)).sum() >= 9


@pytest.mark.skipif(find_spec("tensorflow") is None, reason="originals need TensorFlow")
def test_the_original_runs_beside_them(models_folder: Path) -> None:
    full = plan(models_folder, "int8", quick=False)
    originals = tuple(job for job in full.jobs if isinstance(job, OriginalJob))
    latency = measure_latency(Plan(originals, starts=0, rounds=1), lambda _: None)
    assert latency.problems == []
    assert [(each.model, each.call) for each in latency.originals] == [
        ("dense", "predict"),
        ("dense", "model(x)"),
    ]
    assert latency.originals[0].runtime.startswith("tensorflow 2.")
    assert latency.originals[0].times.median_us > latency.originals[1].times.median_us


def test_a_file_that_ends_the_process_is_a_sentence_and_the_others_go_on(dense: Path) -> None:
    """A file that was whole when the run was planned, and whose hash is that of the damaged one."""
    quick = inference(plan(dense, "int8", "float32"))
    path = dense / "dense" / "int8.tflite"
    path.write_bytes(b"\xff\xff\xff\x7f" + path.read_bytes()[4:])
    damaged = tuple(
        dataclasses.replace(job, use=dataclasses.replace(job.use, file=record_file(path)))
        if isinstance(job, InferenceJob) and job.use.variant == "int8"
        else job
        for job in quick.jobs
    )
    for starts in (1, 0):  # Without starts the process that takes the turns is ended.
        steps: list[int] = []
        changed = Plan(damaged, starts, quick.rounds)
        latency = measure_latency(changed, steps.append)
        assert {each.variant for each in latency.inference} == {"float32"}
        assert len(latency.problems) == 1
        problem = latency.problems[0]
        assert problem.startswith("dense int8 (")
        # ai-edge-litert lives on, and says so itself.
        assert ("SIG" if find_runtime().name == "tflite-runtime" else "does not load") in problem
        assert "Traceback" not in problem
        assert sum(steps) == changed.steps


def test_a_file_that_is_not_as_recorded_is_a_sentence(dense: Path) -> None:
    quick = inference(plan(dense, "int8"))
    (dense / "dense" / "int8.tflite").write_bytes(b"something else")
    latency = measure_latency(quick, lambda _: None)
    assert latency.inference == []
    assert latency.starts == []
    assert len(latency.problems) == 1
    assert "int8.tflite is corrupt" in latency.problems[0]


def test_a_file_without_a_card_is_measured(models_folder: Path, tmp_path: Path) -> None:
    shutil.copy(models_folder / "dense" / "int8.tflite", tmp_path / "mine.tflite")
    latency = measure_latency(inference(plan(tmp_path, "int8")), lambda _: None)
    assert latency.problems == []
    assert {(each.model, each.variant) for each in latency.inference} == {("mine", "tflite")}
    assert {each.model for each in latency.starts} == {"mine"}


def test_the_app_s_runtime_that_does_not_work_is_one_sentence(
    models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_runtime = find_runtime()._replace(name="no-such-runtime")
    monkeypatch.setattr("benchmarks.latency.latency.find_runtime", lambda: broken_runtime)
    planned = plan(models_folder)
    broken = tuple(
        dataclasses.replace(job, engine="no-such-runtime") if isinstance(job, InferenceJob) else job
        for job in planned.jobs
    )
    quick = Plan(broken, planned.starts, rounds=1)
    latency = measure_latency(quick, lambda _: None)
    assert latency.inference == []
    assert len(latency.normalization) == 2
    assert len(latency.problems) == 1
    assert latency.problems[0].startswith("Nothing is timed with no-such-runtime: ")
    assert latency.notes == []


def test_what_the_app_does_not_need_is_a_note(dense: Path) -> None:
    """Another runtime, and an original that takes Python code which is not here."""
    [job] = inference(plan(dense, "int8")).jobs
    (dense / "model.keras").write_bytes(b"no archive")
    original = OriginalJob(
        "dense", str(dense), record_file(dense / "model.keras"), "box", "predict"
    )
    jobs = (job, dataclasses.replace(job, engine="no-such-runtime"), original)
    latency = measure_latency(Plan(jobs, starts=0, rounds=1), lambda _: None)
    assert len(latency.inference) == 1
    assert latency.problems == []
    runtime, keras = latency.notes
    assert runtime.startswith("Nothing is timed with no-such-runtime: ")
    keras_s = "dense original (Keras, predict) is not timed" if find_spec("keras") else "Nothing is"
    assert keras.startswith(keras_s)


def test_a_child_that_is_killed_answers_with_an_error(models_folder: Path) -> None:
    job = plan(models_folder, "int8").jobs[0]
    with start_child(job.engine) as child:
        assert isinstance(child, Child)
        child._process.kill()
        with pytest.raises(ChildEnded, match="SIGKILL"):
            child.ask(job, "turn")


def test_it_runs_where_there_is_no_tensorflow(dense: Path) -> None:
    """In the edge's own environment, where the tests know one."""
    program = """
import sys
from dataclasses import replace
from pathlib import Path
from benchmarks.latency.plan import plan_latency
from benchmarks.latency.latency import measure_latency
from edge_app.models.classifier import load_models

folder = Path(sys.argv[1])
plan = replace(plan_latency(folder, load_models(folder), ["int8"]), starts=1, rounds=1)
latency = measure_latency(replace(plan, jobs=plan.jobs[:1]), lambda _: None)
assert [each.variant for each in latency.inference] == ["int8"], latency
assert not latency.problems, latency.problems
assert not {"tensorflow", "keras", "convert"} & set(sys.modules)
"""
    done = subprocess.run(
        [app.PYTHON, "-c", program, str(dense)],
        cwd=app.ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=app.PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
