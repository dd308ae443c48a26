"""The benchmarks' command as a user runs it: its outputs hold the same numbers, and what goes wrong
is a sentence."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app import PYTHON, until
from benchmarks import command, results
from benchmarks.drift.budget import GATED
from benchmarks.report.comparison import compare_results, read_result
from benchmarks.report.markdown import BEGIN, END
from benchmarks.report.tables import number
from degraded import round_weights
from edge_app import paths
from edge_app.device.last_benchmark import MAX_BYTES, read_last_benchmark
from edge_app.digits.mnist import SHA256
from edge_app.models.card import VARIANTS, read_card
from made_results import DRIFT, made_results, model_results
from parsed import Page, headings

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
NAMES = tuple(sorted(path.name for path in MODELS.iterdir() if path.is_dir()))

Report = dict[str, Any]


def launch(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PYTHON, "-m", "benchmarks", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        **options,
    )


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    process = launch(*arguments)
    stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def sentences(stderr: str) -> list[str]:
    """The command's own lines; the runtime writes notes of its own there."""
    assert "Traceback" not in stderr
    assert "Exception" not in stderr
    return [line for line in stderr.splitlines() if line.startswith("benchmarks: ")]


def rows(stdout: str) -> list[list[str]]:
    return [line.split() for line in stdout.splitlines()]


def edit_card(folder: Path, section: str, **fields: Any) -> None:
    path = folder / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card[section].update(fields)
    path.write_text(json.dumps(card), encoding="utf-8")


def copy_model(name: str, folder: Path, copy: str) -> Path:
    """One of the models that ship, under another name."""
    shutil.copytree(MODELS / name, folder / copy)
    path = folder / copy / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**card, "name": copy}), encoding="utf-8")
    return folder / copy


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    """A folder of models with one in it, to break."""
    copy_model("dense", tmp_path / "models", "dense")
    return tmp_path / "models"


@pytest.fixture
def benchmarks(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str, list[str]]]:
    """Runs the command within this process: its status, what it prints, and its sentences."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run_here(*arguments: str | Path) -> tuple[int, str, list[str]]:
        monkeypatch.setattr(sys, "argv", ["benchmarks", *map(str, arguments)])
        capfd.readouterr()
        status = command.main()
        printed = capfd.readouterr()
        return status, printed.out, sentences(printed.err)

    return run_here


class WholeRun(NamedTuple):
    done: subprocess.CompletedProcess[str]
    report: Report
    page: str
    markdown: str
    folder: Path


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    """All of the models that ship, and a file without a card beside them."""
    folder = tmp_path_factory.mktemp("run")
    models = shutil.copytree(MODELS, folder / "models")
    shutil.copy(models / "dense" / "int8.tflite", models / "stray.tflite")
    (folder / "README.md").write_text(f"# Before\n{BEGIN}\nold\n{END}\nAfter\n", encoding="utf-8")
    outputs = [f"--{name}={folder / file}" for name, file in FILES.items()]
    done = run("--quick", "--models", models, *outputs)
    return WholeRun(
        done,
        json.loads((folder / FILES["json"]).read_text(encoding="utf-8")),
        (folder / FILES["html"]).read_text(encoding="utf-8"),
        (folder / FILES["markdown"]).read_text(encoding="utf-8"),
        folder,
    )


FILES = {
    "json": "report.json",
    "html": "report.html",
    "markdown": "README.md",
    "results": "state/benchmark.json",
}


def test_every_model_is_shown(whole_run: WholeRun) -> None:
    done = whole_run.done
    assert sentences(done.stderr) == []
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert "…" not in done.stdout
    tables = done.stdout.partition("Warning: ")[0].splitlines()
    assert max(map(len, tables)) <= 80
    shown = [row[:2] for row in rows(done.stdout)]
    for name in NAMES:
        assert shown.count([name, "original"]) == 2  # Answers, and probabilities.
        for variant in VARIANTS:
            assert shown.count([name, variant]) == 4  # Latency and loading besides.
    assert shown.count(["stray", "tflite"]) == 4


def test_every_model_is_in_the_json(whole_run: WholeRun) -> None:
    report = whole_run.report
    assert (report["format"], report["quick"], report["problems"]) == (3, True, [])
    assert report["dataset_sha256"] == SHA256["t10k"]
    assert [(name, each["images"]) for name, each in report["sets"].items()] == [("mnist", 10_000)]
    assert report["models"].keys() == set(NAMES)
    for name, model in report["models"].items():
        card = (MODELS / name / "card.json").read_bytes()
        assert model["card_sha256"] == hashlib.sha256(card).hexdigest()
        assert model["variants"].keys() == set(VARIANTS)
        assert model["sets"]["mnist"]["origin"] == "stored"
        original = model["sets"]["mnist"]["original"]
        for variant, fields in model["variants"].items():
            check_drift(fields["drift"], original["accuracy"], images=10_000)
            check_latency(fields["latency"])
            assert bool(fields["layers"]) == (variant != "float32")
    stray = report["bare"]["stray"]
    twin = report["models"]["dense"]["variants"][GATED]
    assert (stray["bytes"], stray["sha256"]) == (twin["bytes"], twin["sha256"])
    check_latency(stray["latency"])
    assert stray["quality"]["accuracy"] > 0.9


def check_drift(drift: dict[str, Any], original_accuracy: float, images: int) -> None:
    net = drift["flips_to_wrong"] - drift["flips_to_right"]
    assert drift["accuracy"] == pytest.approx(original_accuracy - net / images)
    assert drift["accuracy"] == pytest.approx(1 - len(drift["wrong"]) / images)
    assert drift["accuracy_loss_points"] == pytest.approx(100 * net / images)
    assert drift["agreement"] == pytest.approx(1 - len(drift["flips"]) / images)
    assert drift["flips_to_wrong"] + drift["flips_to_right"] <= len(drift["flips"])
    assert sum(map(sum, drift["flip_matrix"])) == len(drift["flips"])
    low, high = drift["accuracy_interval"]
    assert 0.9 < low < drift["accuracy"] < high <= 1
    assert 0 <= drift["mean_difference"] <= drift["largest_difference"] <= 1


def check_latency(latency: dict[str, float]) -> None:
    assert 0 < latency["min_us"] <= latency["median_us"] <= latency["p90_us"] <= latency["p99_us"]
    assert latency["calls"] >= 1000


def test_accuracies_are_those_of_the_cards(whole_run: WholeRun) -> None:
    """Measured apart, and on another processor perhaps: a borderline image may fall elsewhere."""
    for name, model in whole_run.report["models"].items():
        card = json.loads((MODELS / name / "card.json").read_text(encoding="utf-8"))
        measured = {each: fields["drift"] for each, fields in model["variants"].items()}
        for variant, file in card["variants"].items():
            assert measured[variant]["accuracy"] == pytest.approx(file["accuracy"], abs=0.001)
        original = model["sets"]["mnist"]["original"]["accuracy"]
        assert original == pytest.approx(card["original"]["accuracy"], abs=0.001)


def test_terminal_page_and_markdown_have_the_numbers_of_the_json(whole_run: WholeRun) -> None:
    shown, page = rows(whole_run.done.stdout), Page(whole_run.page)
    block = whole_run.markdown.partition(f"{BEGIN}\n```\n")[2].partition(f"```\n{END}")[0]
    of_page = [" ".join(row).split() for row in page.rows]
    expected = []
    for name, model in whole_run.report["models"].items():
        expected.append([name, "card", model["card_sha256"][:12]])
        for variant, fields in model["variants"].items():
            drift, times = fields["drift"], fields["latency"]
            low, high = (f"{100 * end:.2f}" for end in drift["accuracy_interval"])
            expected += [
                [
                    name,
                    variant,
                    f"{100 * drift['accuracy']:.2f}",
                    f"{low}-{high}",
                    f"{drift['accuracy_loss_points']:.2f}",
                    f"{100 * drift['agreement']:.2f}",
                    f"{drift['flips_to_wrong']}",
                    f"{drift['flips_to_right']}",
                    f"{drift['mcnemar_p']:.2g}",
                ],
                [
                    name,
                    variant,
                    number(fields["bytes"] / 1000),
                    *(number(times[f"{each}_us"]) for each in ("median", "p90", "p99")),
                    *(number(times[f"{each}_us"]) for each in ("mean", "std", "min")),
                    ratio(times, model["variants"]["float32"]["latency"]),
                ],
            ]
    for place in (shown, of_page, rows(block)):
        assert [row for row in expected if row not in place] == []
    printed = [line.rstrip() for line in whole_run.done.stdout.splitlines()]
    tables, *warnings = block.split("\nWarning: ")
    assert tables.splitlines() == printed[: len(tables.splitlines())]
    assert [" ".join(each.split()) for each in warnings] == whole_run.report["warnings"]
    assert whole_run.markdown.startswith(f"# Before\n{BEGIN}\n")
    assert whole_run.markdown.endswith(f"\n{END}\nAfter\n")


def ratio(times: dict[str, float], float32: dict[str, float]) -> str:
    return f"{times['median_us'] / float32['median_us']:.2f}"


def test_the_page_has_every_section_and_picture(whole_run: WholeRun) -> None:
    changed = [f"What int8 changed in {name}" for name in whole_run.report["models"]]
    assert headings(whole_run.page) == ["Drift", *changed, "Latency", "Where it was measured"]
    page = Page(whole_run.page)
    assert "Every model is within the budget of its card." in page.words
    pictures = [each for tag, each in page.elements if tag == "img"]
    flipped = [
        name
        for name, model in whole_run.report["models"].items()
        if model["variants"][GATED]["drift"]["flips"]
    ]
    assert len(pictures) == len(flipped) > 0
    charts = [str(each["aria-label"]) for tag, each in page.elements if tag == "svg"]
    for title, count in {
        "Accuracy against latency, size as area": 1,
        "Errors for each digit": len(NAMES),
        "Reliability diagram": len(NAMES),
        "Bars in dB": len(NAMES),
        "Latency of single inferences": 1,
    }.items():
        assert charts.count(title) == count
    assert f"stray tflite: {whole_run.report['bare']['stray']['quality']['accuracy']:.2%}" in (
        page.words
    )


def test_the_app_s_page_finds_the_result(whole_run: WholeRun) -> None:
    kept = whole_run.folder / FILES["results"]
    found = json.loads(kept.read_text(encoding="utf-8"))
    assert found.keys() == whole_run.report.keys()
    assert found["latency"] == whole_run.report["latency"]
    assert read_last_benchmark(kept).models.keys() == {*NAMES, "stray"}


def test_the_app_s_page_finds_the_result_of_a_model_that_reads_nothing(
    benchmarks: Callable[..., tuple[int, str, list[str]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = replace(
        DRIFT, accuracy=0.1, wrong=(*range(9000),), flips=DRIFT.flips * 9000, agreement=0.1
    )
    model = model_results()
    of_test_set = replace(model.drift["mnist"], variants={"dynamic": wrong, GATED: wrong})
    degraded = replace(
        made_results(),
        models={"dense": replace(model, drift={**model.drift, "mnist": of_test_set})},
        latency=None,
        problems=[f"The file 'mine.tflite' is left out: {'Select TF ops. ' * 30}"],
    )
    monkeypatch.setattr(command, "measure", lambda _: degraded)
    whole, kept = tmp_path / "report.json", tmp_path / "kept.json"
    benchmarks("--json", whole, "--results", kept)
    assert whole.stat().st_size > MAX_BYTES
    found = read_last_benchmark(kept)
    assert found.models["dense"].variants[GATED].accuracy == 0.1
    assert found.models.keys() == {"dense", "stray"}
    assert "'mine.tflite' is left out" in found.warnings[0]


def test_a_run_is_the_same_as_itself(whole_run: WholeRun) -> None:
    compared = compare_results(whole_run.report, read_result(whole_run.folder / FILES["json"]))
    assert {each.verdict for each in compared.changes} == {"same"}
    assert {each.model for each in compared.changes} == {*NAMES, "stray"}


def test_a_second_run_finds_the_same_drift(whole_run: WholeRun, tmp_path: Path) -> None:
    second = tmp_path / "second.json"
    done = run(
        *("drift", "--quick", "--model", "dense", "stray", "--variant", GATED, "--json", second),
        *("--models", whole_run.folder / "models", "--compare", whole_run.folder / FILES["json"]),
    )
    assert (done.returncode, sentences(done.stderr)) == (0, [])
    assert "Changes since " + whole_run.report["measured_at"] in done.stdout
    # Sizes of four variants and the file, accuracies of float32, int8 and it, two agreements.
    assert "10 of 10 quantities (size, accuracy, agreement) are just the same." in " ".join(
        done.stdout.split()
    )
    found = json.loads(second.read_text(encoding="utf-8"))["models"]["dense"]["variants"]
    assert [name for name, each in found.items() if each["drift"]] == ["float32", GATED]
    assert (
        found[GATED]["drift"] == (whole_run.report["models"]["dense"]["variants"][GATED]["drift"])
    )


@pytest.fixture(scope="module")
def bad_run(whole_run: WholeRun, tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    """Models of which one is degraded, one has an odd name, one has the reference of another test
    set, and two cannot be loaded."""
    folder = tmp_path_factory.mktemp("bad")
    models = folder / "models"
    copy_model("dense", models, "<b>dense")
    foreign = copy_model("dense", models, "foreign")
    edit_card(foreign, "reference", dataset="Another set", dataset_sha256="ab" * 32)
    content = (MODELS / "dense" / "int8.tflite").read_bytes()
    damaged = copy_model("dense", models, "broken") / "int8.tflite"
    damaged.write_bytes(content[:-100])
    worse = round_weights(content, "fully_connected_1", bits=3)
    degraded = copy_model("dense", models, "dense")
    (degraded / "int8.tflite").write_bytes(worse)
    record = replace(read_card(degraded).variants[GATED], sha256=hashlib.sha256(worse).hexdigest())
    edit_card(degraded, "variants", int8=asdict(record))
    (models / "torn.tflite").write_bytes(content[:1000])
    done = run(
        *("drift", "--quick", "--variant", GATED, "--models", models),
        *(f"--json={folder / FILES['json']}", f"--html={folder / FILES['html']}"),
        *("--compare", whole_run.folder / FILES["json"]),
    )
    return WholeRun(
        done,
        json.loads((folder / FILES["json"]).read_text(encoding="utf-8")),
        (folder / FILES["html"]).read_text(encoding="utf-8"),
        "",
        folder,
    )


def test_a_degraded_model_is_past_its_budget(bad_run: WholeRun) -> None:
    assert bad_run.done.returncode == 1
    found = sentences(bad_run.done.stderr)
    assert found == [f"benchmarks: {problem}" for problem in bad_run.report["problems"]]
    model = bad_run.report["models"]["dense"]
    drift, budget = model["variants"][GATED]["drift"], model["budget"]
    lost = f"int8 lost {drift['accuracy_loss_points']:.2f} percentage points of accuracy"
    agreed = f"int8 gives the original's answer for {drift['agreement']:.2%} of 10,000 images"
    for reason, allowed in (
        (lost, f"its card allows {budget['accuracy_loss_points']:g}"),
        (agreed, f"its card asks for {budget['agreement']:.2%}"),
    ):
        [sentence] = [each for each in found if reason in each]
        assert "Model 'dense' is past its budget" in sentence
        assert allowed in sentence
    assert "dense: fully_connected_1 stands out" in " ".join(bad_run.done.stdout.split())


def test_a_degraded_model_is_worse_than_before(bad_run: WholeRun, whole_run: WholeRun) -> None:
    shown = rows(bad_run.done.stdout)
    before, now = (
        each.report["models"]["dense"]["variants"][GATED]["drift"] for each in (whole_run, bad_run)
    )
    for quantity in ("accuracy", "agreement"):
        numbers = [f"{100 * each[quantity]:.2f}" for each in (before, now)]
        [row] = [row for row in shown if row[:3] == ["dense", GATED, f"{quantity},"]]
        assert row[4:6] == numbers
        assert row[-1] == "worse"
    newly = len(set(now["wrong"]) - set(before["wrong"]))
    assert f"dense int8, accuracy: {newly} images newly wrong" in bad_run.done.stdout
    assert "Model '<b>dense' is new." in bad_run.done.stdout
    assert "What changed" in headings(bad_run.page)


def test_what_cannot_be_loaded_leaves_the_others(bad_run: WholeRun) -> None:
    found = sentences(bad_run.done.stderr)
    [broken] = [each for each in found if "'broken' is left out" in each]
    assert "int8.tflite is corrupt" in broken
    assert sum("'torn.tflite' is left out" in each for each in found) == 1
    assert len(found) == 5  # Two budgets, and another's reference besides.
    assert bad_run.report["models"].keys() == {"dense", "<b>dense", "foreign"}
    # No latency was asked for, so there is none.
    assert "Latency" not in headings(bad_run.page)
    assert bad_run.report["latency"] is None


def test_odd_names_and_problems_are_escaped_in_the_page(bad_run: WholeRun) -> None:
    assert "<b>" not in bad_run.page
    page = Page(bad_run.page)
    assert any(row[0] == "<b>dense" for row in page.rows)
    for problem in bad_run.report["problems"]:
        assert problem in page.words
    assert "Every model is within" not in page.words


def test_reference_of_another_test_set_gives_no_drift(bad_run: WholeRun) -> None:
    [sentence] = [each for each in sentences(bad_run.done.stderr) if "Another set" in each]
    reference = bad_run.folder / "models" / "foreign" / "reference.npz"
    assert f"{reference} belongs to Another set" in sentence
    assert "abababababab" in sentence
    assert SHA256["t10k"][:12] in sentence
    assert ["foreign", "-"] in rows(bad_run.done.stdout)
    assert bad_run.report["models"]["foreign"]["variants"][GATED]["drift"] is None


def test_latency_alone_reads_no_reference_and_a_float_variant_will_do(
    benchmarks: Callable[..., tuple[int, str, list[str]]], dense: Path, tmp_path: Path
) -> None:
    edit_card(dense / "dense", "reference", dataset_sha256="ab" * 32)
    report, page = tmp_path / "report.json", tmp_path / "report.html"
    status, shown, found = benchmarks(
        *("latency", "--quick", "--variant", "float16", "--models", dense),
        *("--json", report, "--html", page),
    )
    assert (status, found) == (0, [])
    assert "Drift" not in shown
    assert headings(page.read_text(encoding="utf-8")) == ["Latency", "Where it was measured"]
    variants = json.loads(report.read_text(encoding="utf-8"))["models"]["dense"]["variants"]
    assert [name for name, each in variants.items() if each["latency"]] == ["float32", "float16"]
    assert not any(each["drift"] or each["layers"] for each in variants.values())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--model", "nobody"), "No model is named 'nobody'; in {models} there are dense."),
        (("--models", "{models}/no"), "no cannot be read (No such file or directory)"),
        (("--json", "{models}/no/x"), "x cannot be written (No such file or directory)"),
        (("--html", "{models}"), "is no regular file"),
        (("--markdown", "{models}/no.md"), "cannot be read (No such file or directory)"),
        (("--compare", "{models}/no.json"), "(No such file or directory)"),
        (("--compare", "{models}/dense/card.json"), "it holds format 1, expected format 3"),
        (("--compare", "{models}/dense/int8.tflite"), "it is no JSON"),
        (("--drawings", "{models}/no.jsonl"), "no.jsonl"),
        (("--drawings", "{models}/dense/card.json"), "card.json"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_measured(
    arguments: tuple[str, ...],
    reason: str,
    dense: Path,
    benchmarks: Callable[..., tuple[int, str, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(results, "predict", None)
    monkeypatch.setattr(results, "mnist_set", None)
    words = [each.format(models=dense) for each in arguments]
    status, shown, [sentence] = benchmarks("--models", dense, *words)
    assert (status, shown) == (1, "")
    assert reason.format(models=dense) in sentence


def test_a_model_that_is_asked_for_and_left_out_says_why(
    benchmarks: Callable[..., tuple[int, str, list[str]]], dense: Path
) -> None:
    (copy_model("dense", dense, "torn") / "int8.tflite").write_bytes(b"")
    status, _, found = benchmarks("--models", dense, "--model", "torn")
    assert status == 1
    assert [each.partition(":")[2].split()[0] for each in found] == ["Model", "No"]
    assert "'torn' is left out" in found[0]


def test_a_model_that_is_left_out_keeps_the_others_from_nothing(
    benchmarks: Callable[..., tuple[int, str, list[str]]], dense: Path
) -> None:
    (copy_model("dense", dense, "torn") / "int8.tflite").write_bytes(b"")
    words = ("drift", "--quick", "--variant", GATED, "--model", "torn", "dense")
    status, shown, [sentence] = benchmarks("--models", dense, *words)
    assert status == 1
    assert "'torn' is left out" in sentence
    assert ["dense", GATED] in [row[:2] for row in rows(shown)]
    assert "within the budget" not in shown


def test_what_is_not_asked_for_and_left_out_is_no_problem(
    benchmarks: Callable[..., tuple[int, str, list[str]]], dense: Path
) -> None:
    (dense / "notes").mkdir()
    words = ("drift", "--quick", "--variant", GATED, "--model", "dense")
    status, shown, found = benchmarks("--models", dense, *words)
    assert (status, found) == (0, [])
    assert "within the budget" in shown


def test_no_whole_model(benchmarks: Callable[..., tuple[int, str, list[str]]], dense: Path) -> None:
    (dense / "dense" / "card.json").unlink()
    status, shown, [left_out, last] = benchmarks("--models", dense)
    assert (status, shown) == (1, "")
    assert "'dense'" in left_out
    assert f"No model in {dense} can be measured" in last


def test_originals_take_tensorflow(
    benchmarks: Callable[..., tuple[int, str, list[str]]],
    dense: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("benchmarks.drift.originals.importlib.util.find_spec", lambda _: None)
    status, shown, [sentence] = benchmarks("--models", dense, "--originals")
    assert (status, shown) == (1, "")
    assert "TensorFlow is not installed" in sentence


@pytest.mark.skipif("EDGE_PYTHON" not in os.environ, reason="there is no environment without it")
def test_originals_where_there_is_no_tensorflow() -> None:
    done = run("--originals")
    assert (done.returncode, done.stdout) == (1, "")
    [sentence] = sentences(done.stderr)
    assert "TensorFlow is not installed" in sentence
    assert "pip install -r requirements-dev.txt" in sentence


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("latency", "--originals"), "--drawings and --originals are about drift, not latency"),
        (("serving", "--originals"), "--drawings and --originals are about drift, not serving"),
        (("serving", "--variant", GATED), "--model and --variant are not for serving"),
        (("--model", "dense", "drift"), "put 'drift' before --model"),
    ],
)
def test_what_is_about_something_else_is_refused(words: tuple[str, ...], reason: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert reason in done.stderr


def test_a_reader_that_leaves_costs_nothing(dense: Path) -> None:
    report = dense / "report.json"
    process = launch("drift", "--quick", "--models", dense, "--json", report)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    stderr = process.stderr.read()
    assert (process.wait(), sentences(stderr)) == (0, [])
    assert json.loads(report.read_text(encoding="utf-8"))["format"] == 3
    process.stderr.close()


def test_a_float_variant_drawings_and_a_file_that_fails_at_the_end(
    benchmarks: Callable[..., tuple[int, str, list[str]]],
    dense: Path,
    drawings_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report, page = tmp_path / "report.json", tmp_path / "report.html"

    def measure_and_spoil(selection: results.Selection) -> results.Results:
        report.mkdir()
        return results.measure(selection)

    monkeypatch.setattr("benchmarks.command.measure", measure_and_spoil)
    status, shown, found = benchmarks(
        *("drift", "--quick", "--variant", "float16", "--models", dense),
        *("--drawings", drawings_file, "--json", report, "--html", page),
    )
    assert status == 1
    assert found == [
        f"benchmarks: {report} cannot be written (Is a directory); name a file in a folder that "
        "exists and is yours."
    ]
    assert "On other images: agreement with the original, %" in shown
    assert ["dense", "float16", "100.00"] in rows(shown)
    # The budget is int8's, which nobody has measured.
    assert "Every model is within" not in page.read_text(encoding="utf-8")


def test_ctrl_c_ends_it_quietly_and_all_of_its_processes() -> None:
    process = launch("latency", start_new_session=True)  # Takes minutes.

    def children() -> list[str]:
        stats = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                stats.append(path.read_text(encoding="utf-8", errors="replace"))
            except OSError:
                continue  # It has just ended.
        return [each for each in stats if each.rpartition(")")[2].split()[1] == str(process.pid)]

    until(lambda: children() or process.poll() is not None)
    os.killpg(process.pid, signal.SIGINT)
    # It reads until all of them have ended: they write to the same standard error.
    stdout, stderr = process.communicate()
    assert (process.returncode, stdout, sentences(stderr)) == (130, "", [])


def test_missing_test_set(
    benchmarks: Callable[..., tuple[int, str, list[str]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(results, "MNIST", tmp_path)
    status, _, [sentence] = benchmarks()
    assert status == 1
    assert f"No t10k-images-idx3-ubyte or t10k-images-idx3-ubyte.gz in {tmp_path}" in sentence


def test_help_teaches() -> None:
    done = run("--help")
    assert done.returncode == 0
    words = ("drift", "latency", "serving", "--json FILE", "--models DIR", "examples:")
    for word in (*words, "--compare FILE", "--html FILE", "exit status"):
        assert word in done.stdout


def test_models_do_not_depend_on_the_working_folder() -> None:
    assert paths.MODELS == MODELS
    assert paths.MODELS.is_absolute()


def test_neither_training_nor_the_page_is_imported() -> None:
    code = "import sys, benchmarks.command; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "edge_app" in loaded
    assert not {"convert", "tensorflow", "keras", "gradio"} & set(loaded)
