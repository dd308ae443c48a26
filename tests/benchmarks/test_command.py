"""The benchmarks' command as a user runs it: all outputs have the same numbers, and errors are
sentences."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app import PYTHON, ROOT, until
from benchmarks import command
from benchmarks import run as benchmark_run
from benchmarks.drift.drift import GATED
from benchmarks.results import Results
from culprits import CRASH_LATE, CULPRIT, culprit_runtime
from degraded import round_weights
from edge_app.device import procfs
from edge_app.device.last_benchmark import LastBenchmark, read_last_benchmark
from edge_app.digits.mnist import SHA256
from edge_app.errors import exit_status
from edge_app.models.card import VARIANTS
from made_results import made_results
from parsed import Page, headings
from results import changed
from second_runtime import SECOND, install_second_runtime

pytestmark = pytest.mark.slow

MODELS = ROOT / "models"
NAMES = ("dense", "mlp")
"""The models that are measured: the CNN takes most of the time."""

Here = Callable[..., tuple[int, str, list[str]]]


def launch(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PYTHON, "-m", "benchmarks", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        **options,
    )


def run(*arguments: str | Path) -> tuple[int, str, str]:
    process = launch(*arguments)
    stdout, stderr = process.communicate()
    return process.returncode, stdout, stderr


def sentences(stderr: str) -> list[str]:
    """The command's own lines; the runtime writes notes of its own there."""
    assert "Traceback" not in stderr
    assert "Exception" not in stderr
    return [line for line in stderr.splitlines() if line.startswith("benchmarks: ")]


def rows(stdout: str) -> list[list[str]]:
    return [line.split() for line in stdout.splitlines()]


def edit_card(folder: Path, place: str, value: object) -> None:
    path = folder / "card.json"
    card = changed(json.loads(path.read_bytes()), place, value)
    path.write_text(json.dumps(card), encoding="utf-8")


def copy_model(folder: Path, copy: str = "dense") -> Path:
    """The dense model, under another name."""
    shutil.copytree(MODELS / "dense", folder / copy)
    edit_card(folder / copy, "name", copy)
    return folder / copy


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    """A folder of models with one in it, to break."""
    return copy_model(tmp_path / "models").parent


@pytest.fixture
def here(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Here:
    """Runs the command within this process: its status, what it prints, and its sentences."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run_here(*arguments: str | Path) -> tuple[int, str, list[str]]:
        monkeypatch.setattr(sys, "argv", ["benchmarks", *map(str, arguments)])
        capfd.readouterr()
        status = exit_status("benchmarks", command.main)
        printed = capfd.readouterr()
        return status, printed.out, sentences(printed.err)

    return run_here


class WholeRun(NamedTuple):
    status: int
    stdout: str
    stderr: str
    report: dict[str, Any]
    page: str
    folder: Path


def whole(folder: Path, *arguments: str | Path) -> WholeRun:
    report, page = folder / "report.json", folder / "report.html"
    done = run("--quick", *arguments, "--json", report, "--html", page)
    found = json.loads(report.read_bytes())
    return WholeRun(*done, found, page.read_text(encoding="utf-8"), folder)


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    """Two of the models that ship, and a file without a card."""
    folder = tmp_path_factory.mktemp("run")
    for name in NAMES:
        shutil.copytree(MODELS / name, folder / "models" / name)
    shutil.copy(MODELS / "dense" / "int8.tflite", folder / "models" / "stray.tflite")
    words = ("all", "--models", folder / "models", "--results", folder / "state" / "kept.json")
    return whole(folder, *words)


def test_every_model_is_as_accurate_as_its_card_says(whole_run: WholeRun) -> None:
    report = whole_run.report
    assert (whole_run.status, sentences(whole_run.stderr)) == (0, [])
    shown = [row[:2] for row in rows(whole_run.stdout)]
    assert shown.count(["stray", "tflite"]) == 4
    assert (report["format"], report["quick"], report["problems"]) == (4, True, [])
    assert report["dataset_sha256"] == SHA256["t10k"]
    assert [(name, each["images"]) for name, each in report["sets"].items()] == [("mnist", 10_000)]
    assert report["models"].keys() == set(NAMES)
    for name, model in report["models"].items():
        content = (MODELS / name / "card.json").read_bytes()
        card = json.loads(content)
        assert model["card_sha256"] == hashlib.sha256(content).hexdigest()
        assert model["sets"]["mnist"]["origin"] == "stored"
        original = model["sets"]["mnist"]["original"]["accuracy"]
        # Measured elsewhere: another processor may read a borderline image differently.
        assert original == pytest.approx(card["original"]["accuracy"], abs=0.001)
        assert model["variants"].keys() == set(VARIANTS)
        for variant, fields in model["variants"].items():
            # Answers, probabilities, latency and loading.
            assert shown.count([name, variant]) == 4
            expected = card["variants"][variant]["accuracy"]
            assert fields["drift"]["accuracy"] == pytest.approx(expected, abs=0.001)
            assert fields["latency"]["median_us"] > 0
            assert bool(fields["layers"]) == (variant != "float32")
    stray = report["bare"]["stray"]
    twin = report["models"]["dense"]["variants"][GATED]
    assert (stray["bytes"], stray["sha256"]) == (twin["bytes"], twin["sha256"])
    assert stray["latency"]["median_us"] > 0
    assert stray["quality"]["accuracy"] == twin["drift"]["accuracy"]


def test_the_pages_show_the_same(whole_run: WholeRun, bad_run: WholeRun) -> None:
    page = Page(whole_run.page)
    assert Page(bad_run.page).rows
    assert "Every model is within the budget of its card." in page.words
    models = whole_run.report["models"]
    flipped = [each for each in models.values() if each["variants"][GATED]["drift"]["flips"]]
    assert page.texts("img") == ["img"] * len(flipped) != []
    found = read_last_benchmark(whole_run.folder / "state" / "kept.json")
    assert found
    assert found.quick
    assert found.models.keys() == {*NAMES, "stray"}


def test_the_runtime_is_the_one_asked_for_and_compares_with_another(
    whole_run: WholeRun, tmp_path: Path
) -> None:
    place, _ = install_second_runtime(tmp_path)
    words = ("--quick", "--model", "dense", "--variant", GATED, "--runtime", SECOND)
    files = ("--json", tmp_path / "new.json", "--compare", whole_run.folder / "report.json")
    process = launch(*words, *files, env={**os.environ, "PYTHONPATH": str(place)})
    stdout, stderr = process.communicate()
    assert (process.returncode, sentences(stderr)) == (0, [])
    report = json.loads((tmp_path / "new.json").read_bytes())
    timed = [each["runtime"] for each in report["latency"]["inference"]]
    assert {report["device"]["runtime"], *timed} == {f"{SECOND} 0"}
    assert "Latencies are not compared: the device or the runtime is different." in stdout


@pytest.fixture(scope="module")
def bad_run(
    whole_run: WholeRun, drawings_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> WholeRun:
    """Models: one is degraded, one has an odd name, one has the reference of another test set, and
    two cannot be loaded."""
    folder = tmp_path_factory.mktemp("bad")
    models = folder / "models"
    copy_model(models, "<b>dense")
    edit_card(copy_model(models, "foreign"), "reference/dataset", "Another")
    edit_card(models / "foreign", "reference/dataset_sha256", "ab" * 32)
    content = (MODELS / "dense" / "int8.tflite").read_bytes()
    (copy_model(models, "broken") / "card.json").write_bytes(b"{")
    worse = round_weights(content, "fully_connected_1", bits=3)
    (copy_model(models) / "int8.tflite").write_bytes(worse)
    edit_card(models / "dense", "variants/int8/sha256", hashlib.sha256(worse).hexdigest())
    (models / "torn.tflite").write_bytes(content[:1000])
    words = ("drift", "--variant", GATED, "--models", models, "--drawings", drawings_file)
    return whole(folder, *words, "--compare", whole_run.folder / "report.json")


def test_a_degraded_model_exceeds_its_budget(bad_run: WholeRun) -> None:
    assert bad_run.status == 1
    found = sentences(bad_run.stderr)
    assert found == [f"benchmarks: {problem}" for problem in bad_run.report["problems"]]
    drift = bad_run.report["models"]["dense"]["variants"][GATED]["drift"]
    lost = f"int8 lost {drift['accuracy_loss_points']:.2f} percentage points of accuracy"
    agreed = f"int8 gives the original's answer for {drift['agreement']:.2%} of 10,000 images"
    for reason in (lost, agreed):
        [sentence] = [each for each in found if reason in each]
        assert "Model 'dense' exceeds its budget" in sentence
    assert "dense: fully_connected_1 stands out" in " ".join(bad_run.stdout.split())


def test_a_degraded_model_is_worse_than_before_and_an_equal_one_measures_the_same(
    bad_run: WholeRun, whole_run: WholeRun
) -> None:
    before = whole_run.report["models"]["dense"]["variants"][GATED]["drift"]
    now = bad_run.report["models"]["dense"]["variants"][GATED]["drift"]
    for quantity in ("accuracy", "agreement"):
        numbers = [f"{100 * each[quantity]:.2f}" for each in (before, now)]
        [row] = [row for row in rows(bad_run.stdout) if row[:3] == ["dense", GATED, f"{quantity},"]]
        assert (row[4:6], row[-1]) == (numbers, "worse")
    assert "Only in the new result: model <b>dense" in " ".join(bad_run.stdout.split())
    assert "What changed" in headings(bad_run.page)
    same = bad_run.report["models"]["<b>dense"]["variants"]
    assert [name for name, each in same.items() if each["drift"]] == ["float32", GATED]
    assert same[GATED]["drift"] == before


def test_what_cannot_be_measured_leaves_the_others(bad_run: WholeRun) -> None:
    found = sentences(bad_run.stderr)
    [broken] = [each for each in found if "'broken' is left out" in each]
    assert "card.json cannot be read" in broken
    assert sum("'torn.tflite' is left out" in each for each in found) == 1
    assert bad_run.report["models"].keys() == {"dense", "<b>dense", "foreign"}
    [foreign] = [each for each in found if "Another" in each]
    reference = bad_run.folder / "models" / "foreign" / "reference.npz"
    for words in (f"{reference} belongs to Another", "abababababab", SHA256["t10k"][:12]):
        assert words in foreign
    assert ["foreign", "-"] in rows(bad_run.stdout)
    assert bad_run.report["models"]["foreign"]["variants"][GATED]["drift"] is None
    assert len(found) == 5  # Two budgets besides.
    assert bad_run.report["latency"] is None  # None was asked for.


def test_own_drawings_are_a_labelled_set(bad_run: WholeRun) -> None:
    assert bad_run.report["sets"]["drawings"]["images"] == 10
    assert bad_run.report["models"]["<b>dense"]["sets"]["drawings"]["origin"] == "float32"


# The summary for the app's page


Keep = Callable[..., LastBenchmark | None]


@pytest.fixture
def keep(here: Here, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Keep:
    """Runs the command as if it had measured these results; returns the summary that is kept."""

    def kept_after(results: Results, *words: str) -> LastBenchmark | None:
        monkeypatch.setattr(command, "measure", lambda _: results)
        path = tmp_path / "new folder" / "kept.json"
        here(*words, "--results", path)
        return read_last_benchmark(path)

    return kept_after


@pytest.mark.parametrize("words", [("--model", "dense"), ("--variant", "int8"), ("drift",)])
def test_only_results_of_everything_are_kept(words: tuple[str, ...], keep: Keep) -> None:
    assert keep(made_results(), *words) is None
    assert keep(made_results())


def test_a_quick_result_does_not_replace_a_full_one_of_the_same_models(keep: Keep) -> None:
    full = made_results()
    quick = replace(full, quick=True)
    other = replace(full.models["dense"], card_sha256="9" * 64)
    later = replace(full, measured_at=full.measured_at + timedelta(days=1))
    for results, is_quick in (
        (quick, True),
        (full, False),
        (quick, False),
        (replace(quick, models={**full.models, "dense": other}), True),
        (full, False),
        (later, False),
    ):
        found = keep(results)
        assert found
        assert found.quick is is_quick
    assert found
    assert found.measured_at == later.measured_at


# What goes wrong


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--model", "nobody"), "No model is named 'nobody'; in {models} there are dense."),
        (("--models", "{models}/no"), "no cannot be read (No such file or directory)"),
        (("--json", "{models}/no/x"), "x cannot be written (No such file or directory)"),
        (("--html", "{models}"), "is not a regular file"),
        (("--compare", "{models}/no.json"), "(No such file or directory)"),
        (("--compare", "{models}/dense/card.json"), "it has format 1"),
        (("--drawings", "{models}/no.jsonl"), "no.jsonl"),
        (("--drawings", "{models}/dense/card.json"), "card.json"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_measured(
    words: tuple[str, ...], reason: str, dense: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark_run, "predict", None)
    monkeypatch.setattr(benchmark_run, "mnist_set", None)
    named = (each.format(models=dense) for each in words)
    status, shown, [sentence] = here("--models", dense, *named)
    assert (status, shown) == (1, "")
    assert reason.format(models=dense) in sentence


def test_several_results_are_put_side_by_side_without_measuring(
    whole_run: WholeRun, tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark_run, "predict", None)
    files = [tmp_path / "pi4.json", tmp_path / "pi5.json"]
    for file in files:
        file.write_bytes((whole_run.folder / "report.json").read_bytes())
    page = tmp_path / "devices.html"
    status, shown, told = here("--compare", *files, "--html", page)
    assert (status, told) == (0, [])
    assert "pi4" in shown
    assert "equal" in shown
    assert "Benchmark of several devices" in page.read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        here("--compare", *files, "--json", tmp_path / "all.json")


def test_a_broken_model_is_a_problem_only_if_it_was_asked_for(here: Here, dense: Path) -> None:
    (copy_model(dense, "torn") / "card.json").write_bytes(b"")
    (dense / "notes").mkdir()
    words = ("latency", "--quick", "--variant", GATED, "--models", dense)
    for names, problems in ((("torn", "dense"), ["torn"]), (("dense",), [])):
        status, shown, found = here(*words, "--model", *names)
        assert status == len(problems)
        assert [f"'{name}' is left out" in found[0] for name in problems] == [True] * len(found)
        assert ["dense", GATED] in [row[:2] for row in rows(shown)]
    (dense / "dense" / "card.json").unlink()
    for asked in (("--model", "torn"), ()):  # Nothing is left to measure.
        status, shown, [sentence] = here("--models", dense, *asked)
        assert (status, shown) == (1, "")
        assert "'torn' is left out" in sentence
        assert ("'dense' is left out" in sentence) is not bool(asked)
        assert f"No model in {dense} can be measured" in sentence


def test_what_a_model_lacks_is_a_problem_and_the_rest_of_it_is_measured(
    here: Here, dense: Path, drawings_file: Path
) -> None:
    for lacking in ("float32", GATED):
        (copy_model(dense, f"no-{lacking}") / f"{lacking}.tflite").unlink()
    for kind, name in (("original", "model.keras"), ("reference", "reference.npz")):
        (copy_model(dense, f"no-{kind}") / name).write_bytes(b"damaged")
    report = dense / "report.json"
    words = ("--quick", "--models", dense, "--drawings", drawings_file, "--json", report)
    status, shown, found = here("drift", *words)
    assert status == 1
    assert [re.sub(rf"{dense}/|^benchmarks: |(?<=:) found .*", "", each) for each in found] == [
        "Model 'no-float32' lacks its variant float32: no-float32/float32.tflite is missing; fetch "
        "it or convert the model again.",
        "Model 'no-int8' lacks its variant int8: no-int8/int8.tflite is missing; fetch it or "
        "convert the model again.",
        "The layers of no-float32, and its drift on other images than MNIST's, are unknown: both "
        "are compared with float32, which is missing.",
        "The drift of no-original is unknown: no-original/model.keras is corrupt:",
        "The drift of no-reference is unknown: no-reference/reference.npz is corrupt:",
    ]
    known = {
        name: {variant for variant, each in model["variants"].items() if each["drift"]}
        for name, model in json.loads(report.read_text(encoding="utf-8"))["models"].items()
    }
    assert known == {
        "dense": {*VARIANTS},
        "no-float32": {*VARIANTS} - {"float32"},
        "no-int8": {*VARIANTS} - {GATED},
        "no-original": set(),
        "no-reference": set(),
    }
    assert ["no-int8", "original"] in [row[:2] for row in rows(shown)]
    assert "Every model is within the budget" not in shown


def test_a_model_without_any_of_the_variants_asked_for_is_a_problem(
    here: Here, dense: Path
) -> None:
    copy_model(dense, "whole")
    for variant in ("float32", "dynamic"):
        (dense / "dense" / f"{variant}.tflite").unlink()
    words = ("latency", "--quick", "--models", dense, "--variant", "dynamic")
    status, shown, found = here(*words)
    assert status == 1
    assert "Model 'dense' has none of the variants to measure." in found[-1]
    shown_models = {row[0] for row in rows(shown) if row[1:2] == ["dynamic"]}
    assert shown_models == {"whole"}
    status, shown, found = here(*words, "--model", "dense")
    assert (status, shown) == (1, "")
    assert "can be measured; expected a folder per model" in found[-1]


def test_a_file_that_crashes_costs_no_other_results(
    here: Here, dense: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It passes its trial, and ends its process on an image of the test set."""
    content = (dense / "dense" / "float32.tflite").read_bytes()
    (dense / "crashes.tflite").write_bytes(content + CULPRIT)
    (dense / "good.tflite").write_bytes(content)
    (tmp_path / "sitecustomize.py").write_text(culprit_runtime(CRASH_LATE, dense))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    status, shown, [sentence] = here("drift", "--quick", "--models", dense)
    assert status == 1
    assert "The accuracy of crashes is unknown: " in sentence
    assert "It ends the process that runs it (SIGSEGV)." in sentence
    assert ["good", "tflite"] in [row[:2] for row in rows(shown)]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("latency", "--drawings", "x"), "--drawings does not apply to latency"),
        (("serving", "--variant", GATED), "--model and --variant do not apply to serving"),
        (("--model", "dense", "drift"), "put 'drift' before --model"),
        (("--modle", "dense"), "unrecognized arguments: --modle"),
        (("latncy",), "cannot measure 'latncy'; choose from drift, latency, serving, all"),
    ],
)
def test_words_that_do_not_apply_are_refused(words: tuple[str, ...], reason: str) -> None:
    status, _, stderr = run(*words)
    assert status == 2
    assert reason in stderr


def test_neither_a_closed_pipe_nor_a_reference_not_needed_is_an_error(dense: Path) -> None:
    edit_card(dense / "dense", "reference/dataset_sha256", "ab" * 32)
    report, page = dense / "report.json", dense / "report.html"
    words = ("--quick", "--variant", "float16", "--models", dense, "--json", report)
    process = launch("latency", *words, "--html", page)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    stderr = process.stderr.read()
    assert (process.wait(), sentences(stderr)) == (0, [])
    process.stderr.close()
    assert headings(page.read_text(encoding="utf-8")) == ["Latency", "Where it was measured"]
    variants = json.loads(report.read_bytes())["models"]["dense"]["variants"]
    assert [name for name, each in variants.items() if each["latency"]] == ["float32", "float16"]
    assert not any(each["drift"] or each["layers"] for each in variants.values())


def test_a_file_that_cannot_be_written_at_the_end_costs_no_results(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = tmp_path / "report.json"

    def measure_and_spoil(_: benchmark_run.Selection) -> Results:
        report.mkdir()
        return replace(made_results(), problems=[])

    monkeypatch.setattr(command, "measure", measure_and_spoil)
    status, shown, [sentence] = here("--json", report)
    assert status == 1
    assert f"{report} cannot be written (Is a directory)" in sentence
    assert ["dense", "original", "97.39", "97.08-97.70"] in rows(shown)


def test_ctrl_c_ends_it_quietly_and_all_of_its_processes() -> None:
    process = launch("latency", start_new_session=True)  # Takes minutes.

    def has_children() -> bool:
        stats = procfs.read_all("proc/[0-9]*/stat")
        return str(process.pid) in {each.rpartition(")")[2].split()[1] for each in stats}

    until(lambda: has_children() or process.poll() is not None)
    os.killpg(process.pid, signal.SIGINT)
    # It reads until all of them have ended: they write to the same standard error.
    stdout, stderr = process.communicate()
    assert (process.returncode, stdout, sentences(stderr)) == (130, "", [])


def test_a_missing_test_set_is_a_sentence(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark_run, "MNIST", tmp_path)
    status, _, [sentence] = here()
    assert status == 1
    assert f"No t10k-images-idx3-ubyte or t10k-images-idx3-ubyte.gz in {tmp_path}" in sentence


def test_neither_training_nor_the_page_is_imported() -> None:
    code = "import sys, benchmarks.command; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "edge_app" in loaded
    assert not {"convert", "tensorflow", "keras", "gradio"} & set(loaded)
