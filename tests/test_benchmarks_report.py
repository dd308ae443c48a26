"""What is shown and written of results: tables, JSON, the progress bar."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.device import describe_device
from benchmarks.drift import Drift, ModelDrift
from benchmarks.latency import Latency
from benchmarks.progress import progress_bar
from benchmarks.report import ReportError, check_writable, write_report
from benchmarks.results import BareResults, ModelResults, Results
from benchmarks.tables import print_tables
from edge_app.card import VARIANTS, Budget, FileRecord, read_card

CARD = read_card(Path(__file__).parents[1] / "models" / "dense")
FILE = FileRecord("stray.tflite", 2048, "3" * 64)
LATENCY = Latency(median_us=1234.5678, p90_us=23456.789, p99_us=100000.0, calls=5000)
DRIFT = Drift(
    accuracy=0.9741,
    accuracy_loss_points=-0.02,
    agreement=1.0,
    flips_to_wrong=1000,
    flips_to_right=1002,
    largest_difference=0.00012345,
)


@pytest.fixture
def results() -> Results:
    latency = dict.fromkeys(VARIANTS, LATENCY)
    drift = ModelDrift(0.9739, dict.fromkeys(VARIANTS, DRIFT))
    return Results(
        device=describe_device(),
        dataset_sha256="0" * 64,
        images=10_000,
        models={
            "dense": ModelResults(CARD, "1" * 64, drift, latency),
            "unknown": ModelResults(CARD, "2" * 64, None, latency),
        },
        bare={"stray": BareResults("stray (no card)", FILE, "box", 0.9612, LATENCY)},
        normalize={"moments": LATENCY, "box": LATENCY},
        rasterize={"moments": LATENCY, "box": LATENCY},
        problems=["Something is wrong with “unknown”."],
    )


def lines(results: Results, capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_tables(results)
    return capsys.readouterr().out.splitlines()


def test_tables_fit_80_columns_and_cut_nothing_off(
    results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = lines(results, capsys)
    assert max(map(len, shown)) <= 80
    assert not any("…" in line or "\x1b" in line for line in shown)
    cells = [line.split() for line in shown]
    assert ["dense", "original", "97.39"] in cells
    drift = ["97.41", "-0.02", "100.00", "1000", "1002", "0.00012"]
    latency = ["1,234.6", "23,456.8", "100,000.0"]
    for variant in VARIANTS:
        size = f"{CARD.variants[variant].bytes / 1024:,.1f}"
        assert ["dense", variant, *drift] in cells
        assert ["dense", variant, size, *latency] in cells
        assert ["unknown", variant, size, *latency] in cells
    assert ["unknown", "-"] in cells
    assert ["stray", "tflite", "96.12", *"-----"] in cells
    assert ["stray", "tflite", "2.0", *latency] in cells
    assert ["normalize", "moments", *latency] in cells
    assert ["rasterize", "box", *latency] in cells


def test_tables_stay_whole_in_a_narrow_terminal(
    results: Results, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = lines(results, capsys)
    monkeypatch.setenv("COLUMNS", "30")
    assert lines(results, capsys) == wide


def test_long_name_is_folded_and_not_cut_off(
    results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "a_model_with_a_long_name_[red]"
    shown = lines(replace(results, models={name: results.models["dense"]}), capsys)
    assert max(map(len, shown)) <= 80
    assert not any("…" in line for line in shown)
    assert any("100,000.0" in line and name in line for line in shown)


def test_int8_past_its_budget_stands_out_on_a_terminal(
    results: Results, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert not any("\x1b[1;31m" in line for line in lines(results, capsys))
    model = results.models["dense"]
    overrun = replace(model, card=replace(CARD, budget=Budget(-1.0)))
    red = [
        line
        for line in lines(replace(results, models={"dense": overrun}), capsys)
        if "\x1b[1;31m" in line
    ]
    assert len(red) == 1
    assert "int8" in red[0]


def test_report_has_every_number(results: Results, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_report(results, path)
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["format"] == 1
    assert found["dataset"] == {"name": "MNIST t10k", "sha256": "0" * 64, "images": 10_000}
    assert found["device"]["runtime"] == results.device.runtime
    assert found["problems"] == results.problems
    latency = {"median_us": 1234.5678, "p90_us": 23456.789, "p99_us": 100000.0, "calls": 5000}
    assert found["normalize"] == {"moments": latency, "box": latency}
    assert found["rasterize"] == {"moments": latency, "box": latency}
    model = found["models"]["dense"]
    assert model["card_sha256"] == "1" * 64
    assert model["budget"] == {"accuracy_loss_points": CARD.budget.accuracy_loss_points}
    assert model["original"] == {"bytes": CARD.original.bytes, "accuracy": 0.9739}
    assert model["variants"]["int8"] == {
        "bytes": CARD.variants["int8"].bytes,
        "drift": {
            "accuracy": 0.9741,
            "accuracy_loss_points": -0.02,
            "agreement": 1.0,
            "flips_to_wrong": 1000,
            "flips_to_right": 1002,
            "largest_difference": 0.00012345,
        },
        "latency": latency,
    }
    unknown = found["models"]["unknown"]
    assert unknown["original"]["accuracy"] is None
    assert unknown["variants"]["int8"]["drift"] is None
    assert unknown["variants"]["int8"]["latency"] == latency
    assert found["bare"]["stray"] == {
        "title": "stray (no card)",
        "file": "stray.tflite",
        "bytes": 2048,
        "sha256": "3" * 64,
        "normalization": "box",
        "accuracy": 0.9612,
        "latency": latency,
    }


def test_report_replaces_a_file_and_leaves_nothing_beside_it(
    results: Results, tmp_path: Path
) -> None:
    path, link = tmp_path / "report.json", tmp_path / "link.json"
    path.write_text("old", encoding="utf-8")
    link.symlink_to(path)
    check_writable(link)
    assert path.read_text(encoding="utf-8") == "old"
    write_report(results, link)
    assert link.is_symlink()
    assert json.loads(path.read_text(encoding="utf-8"))["format"] == 1
    assert set(tmp_path.iterdir()) == {path, link}


def test_report_that_fails_midway_keeps_the_old_one(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.json"
    path.write_text("old", encoding="utf-8")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(ReportError, match=r"report\.json cannot be written \(No space left"):
        write_report(results, path)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_report_that_fails_at_the_end_costs_no_table(
    results: Results,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = tmp_path / "report.json"

    def measure(_: Path) -> Results:
        report.mkdir()
        return results

    monkeypatch.setattr(command, "measure", measure)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--json", str(report)])
    assert command.main() == 1
    shown = capsys.readouterr()
    assert "100,000.0" in shown.out
    assert shown.err.splitlines() == [
        f"benchmarks: {results.problems[0]}",
        f"benchmarks: The report {report} cannot be written (Is a directory); "
        "name a file in a folder that exists and is yours.",
    ]


def test_check_writable_leaves_nothing_behind(tmp_path: Path) -> None:
    check_writable(tmp_path / "report.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["missing/report.json", "file/report.json", ".", "n" * 300])
def test_check_writable_refuses_what_cannot_be_written(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReportError, match="name a file"):
        check_writable(tmp_path / name)


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("Drift", 4) as advance:
        advance(2)
        assert "50%" in terminal.getvalue()
    assert "Drift" in terminal.getvalue()


def test_no_progress_bar_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Drift", 4) as advance:
        advance(2)
    assert capsys.readouterr() == ("", "")
