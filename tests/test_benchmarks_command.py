"""The benchmarks' command as a user runs it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from benchmarks import __main__ as command
from benchmarks import results
from edge_app.card import VARIANTS
from edge_app.mnist import SHA256

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "models"
NAMES = ("dense", "mlp", "cnn")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def sentences(stderr: str) -> list[str]:
    """The command's own lines; the runtime writes notes of its own there."""
    assert "Traceback" not in stderr
    return [line for line in stderr.splitlines() if line.startswith("benchmarks: ")]


def rows(stdout: str) -> list[list[str]]:
    return [line.split()[:2] for line in stdout.splitlines()]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A copy of the models, to break."""
    return shutil.copytree(MODELS, tmp_path / "models")


def edit_card(folder: Path, section: str, **fields: Any) -> None:
    path = folder / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card[section].update(fields)
    path.write_text(json.dumps(card), encoding="utf-8")


class WholeRun(NamedTuple):
    done: subprocess.CompletedProcess[str]
    report: dict[str, Any]


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    path = tmp_path_factory.mktemp("report") / "report.json"
    done = run("--json", path)
    return WholeRun(done, json.loads(path.read_text(encoding="utf-8")))


def test_every_model_is_shown(whole_run: WholeRun) -> None:
    done = whole_run.done
    assert done.returncode == 0
    assert sentences(done.stderr) == []
    assert "\x1b" not in done.stdout + done.stderr
    assert "…" not in done.stdout
    for name in NAMES:
        for variant in ("original", *VARIANTS):
            assert rows(done.stdout).count([name, variant]) == 2  # Drift, and latency.


def test_every_model_is_in_the_report(whole_run: WholeRun) -> None:
    report = whole_run.report
    assert report["format"] == 1
    assert report["problems"] == []
    assert report["dataset"] == {"name": "MNIST t10k", "sha256": SHA256["t10k"], "images": 10_000}
    assert report["models"].keys() == set(NAMES)
    for name, model in report["models"].items():
        card = (MODELS / name / "card.json").read_bytes()
        assert model["card_sha256"] == hashlib.sha256(card).hexdigest()
        assert model["variants"].keys() == set(VARIANTS)
        for variant in model["variants"].values():
            check_drift(variant["drift"], model["original"]["accuracy"], images=10_000)
            check_latency(variant["latency"])
    for function in ("normalize", "rasterize"):
        for latency in report[function].values():
            check_latency(latency)


def check_drift(drift: dict[str, float], original_accuracy: float, images: int) -> None:
    net = drift["flips_to_wrong"] - drift["flips_to_right"]
    assert drift["accuracy"] == pytest.approx(original_accuracy - net / images)
    assert drift["accuracy_loss_points"] == pytest.approx(100 * net / images)
    flipped = drift["flips_to_wrong"] + drift["flips_to_right"]
    assert 0.9 < drift["agreement"] <= 1 - flipped / images + 1e-12
    assert 0 <= drift["largest_difference"] <= 1


def check_latency(latency: dict[str, float]) -> None:
    assert 0 < latency["median_us"] <= latency["p90_us"] <= latency["p99_us"]
    assert latency["calls"] >= 1000


def test_accuracies_are_those_of_the_cards(whole_run: WholeRun) -> None:
    """Measured apart, and on another processor perhaps: a borderline image may fall elsewhere."""
    for name, model in whole_run.report["models"].items():
        card = json.loads((MODELS / name / "card.json").read_text(encoding="utf-8"))
        files = {"original": card["original"], **card["variants"]}
        measured = {name: variant["drift"] for name, variant in model["variants"].items()}
        measured["original"] = model["original"]
        for variant, file in files.items():
            assert measured[variant]["accuracy"] == pytest.approx(file["accuracy"], abs=0.001)


def test_corrupt_file_leaves_one_model_out(models: Path) -> None:
    path = models / "dense" / "int8.tflite"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    done = run("--models", models)
    assert done.returncode == 1
    [sentence] = sentences(done.stderr)
    assert "'dense' is left out" in sentence
    assert f"{path} is corrupt" in sentence
    shown = rows(done.stdout)
    assert shown.count(["mlp", "int8"]) == 2
    assert ["dense", "int8"] not in shown


def test_int8_past_its_budget(models: Path) -> None:
    shutil.rmtree(models / "mlp")
    edit_card(models / "dense", "budget", accuracy_loss_points=-12.5)
    report = models / "report.json"
    done = run("--models", models, "--json", report)
    assert done.returncode == 1
    [sentence] = sentences(done.stderr)
    found = json.loads(report.read_text(encoding="utf-8"))
    lost = found["models"]["dense"]["variants"]["int8"]["drift"]["accuracy_loss_points"]
    assert "'dense' drifted past its budget" in sentence
    assert f"int8 lost {lost:.2f} percentage points" in sentence
    assert "allows -12.5" in sentence
    assert sentence == f"benchmarks: {found['problems'][0]}"
    assert rows(done.stdout).count(["dense", "int8"]) == 2


def test_reference_of_another_test_set_gives_no_drift(models: Path) -> None:
    shutil.rmtree(models / "mlp")
    edit_card(models / "dense", "reference", dataset="Another set", dataset_sha256="ab" * 32)
    report = models / "report.json"
    done = run("--models", models, "--json", report)
    assert done.returncode == 1
    [sentence] = sentences(done.stderr)
    assert f"{models / 'dense' / 'reference.npz'} belongs to Another set" in sentence
    assert "abababababab" in sentence
    assert SHA256["t10k"][:12] in sentence
    shown = rows(done.stdout)
    assert ["dense", "-"] in shown
    assert shown.count(["dense", "int8"]) == 1  # Latency does not need it.
    found = json.loads(report.read_text(encoding="utf-8"))["models"]["dense"]
    assert found["variants"]["int8"]["drift"] is None
    assert found["variants"]["int8"]["latency"]["calls"] >= 1000


def test_missing_models_folder(tmp_path: Path) -> None:
    done = run("--models", tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    [sentence] = sentences(done.stderr)
    assert f"{tmp_path / 'nowhere'} cannot be read (No such file or directory)" in sentence


def test_no_whole_model(models: Path) -> None:
    for name in NAMES:
        (models / name / "card.json").unlink()
    done = run("--models", models)
    assert (done.returncode, done.stdout) == (1, "")
    found = sentences(done.stderr)
    *left_out, last = found
    assert len(left_out) == len(NAMES)
    assert all(any(f"'{name}'" in sentence for sentence in left_out) for name in NAMES)
    assert f"No model in {models} can be measured" in last


def test_unwritable_report_is_found_before_anything_is_measured(tmp_path: Path) -> None:
    report = tmp_path / "nowhere" / "report.json"
    # That the models are missing is not even noticed.
    done = run("--json", report, "--models", tmp_path / "models")
    assert (done.returncode, done.stdout) == (1, "")
    [sentence] = sentences(done.stderr)
    assert f"{report} cannot be written (No such file or directory)" in sentence


def test_interrupt_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    monkeypatch.setattr(command, "measure", interrupt)
    assert command.main() == 130
    assert capsys.readouterr() == ("", "")


def test_missing_test_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    monkeypatch.setattr(results, "MNIST", tmp_path)
    assert command.main() == 1
    assert f"No t10k-images-idx3-ubyte or t10k-images-idx3-ubyte.gz in {tmp_path}" in (
        capsys.readouterr().err
    )


def test_help_teaches() -> None:
    done = run("--help")
    assert done.returncode == 0
    for word in ("drift", "latency", "--json FILE", "--models DIR", "examples:", "exit status"):
        assert word in done.stdout


def test_models_do_not_depend_on_the_working_folder() -> None:
    assert command.MODELS == MODELS
    assert command.MODELS.is_absolute()


def test_neither_training_nor_the_page_is_imported() -> None:
    code = "import sys, benchmarks.__main__; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "edge_app" in loaded
    assert not {"convert", "tensorflow", "keras", "gradio"} & set(loaded)
