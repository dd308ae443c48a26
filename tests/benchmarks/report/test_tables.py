"""The terminal's tables: every number is there and whole, whatever the width."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import replace

import pytest

from benchmarks.command import tables
from benchmarks.drift.corruption import FARTHEST_SHIFT
from benchmarks.drift.drift import Origin
from benchmarks.progress import progress_bar
from benchmarks.report.comparison import Change, Comparison
from benchmarks.report.tables import Part, Table, number
from benchmarks.report.terminal import print_parts, print_text
from benchmarks.results import Results
from edge_app.models.card import VARIANTS, Budget
from made_results import CARD, DRIFT, RUNTIMES, made_results, model_results


def cells(results: Results) -> list[list[str]]:
    return [line.split() for line in print_text(tables(results, None)).splitlines()]


def one_runtime(results: Results) -> Results:
    assert results.latency
    inference = [each for each in results.latency.inference if each.runtime == RUNTIMES[0]]
    starts = [each for each in results.latency.starts if each.runtime == RUNTIMES[0]]
    latency = replace(results.latency, inference=inference, starts=starts)
    return replace(results, latency=latency)


def test_every_number_is_there() -> None:
    shown = cells(one_runtime(made_results()))
    assert ["dense", "original", "97.39", "97.08-97.70"] in shown
    answers = ["97.41", "97.08-97.70", "-0.02", "99.80", "1000", "1002", "1.2e-200"]
    probabilities = ["0.00012", "1.5e-06", "2.5e-09", "123.5", "1.23"]
    times = ["1,234", "23,457", "100,000", "1,300", "250.1", "1,200"]
    for variant in VARIANTS:
        size = number(CARD.variants[variant].bytes / 1000)
        assert ["dense", variant, *answers] in shown
        assert ["dense", variant, *probabilities] in shown
        for name in ("dense", "unknown"):
            assert [name, variant, size, *times, "1.00"] in shown
    assert ["unknown", "-"] in shown
    assert ["dense", "float32", "97.41", "97.41"] in shown  # On other images.
    assert ["dense", "int8", "99.80", "99.80"] in shown
    assert ["dense", "fully_connected_1", "20.0", "13.0", "12.0", "12.5"] in shown
    assert ["dense", "int8", "769", "769", "769", "769", "769"] in shown
    assert ["dense", "int8", "4", "12.35", "100,000", "41.00"] in shown
    assert ["dense", "model(x)", "1,234", "23,457", "1"] in shown
    assert ["normalize", "moments", "1,234", "23,457", "100,000"] in shown
    assert "It has a layer of its own." in print_text(tables(made_results(), None))
    assert ["rasterize", "box", "1,234", "23,457", "100,000"] in shown


def test_other_images_are_held_against_what_is_named() -> None:
    model = model_results()
    origins: dict[Origin, str] = {"float32": "float32", "recomputed": "original"}
    for origin, name in origins.items():
        drift = {
            each: replace(found, origin=origin if each != "mnist" else "stored")
            for each, found in model.drift.items()
        }
        results = replace(made_results(), models={"dense": replace(model, drift=drift)})
        _, told = print_text(tables(replace(results, latency=None), None)).split("On other", 1)
        firsts = [line.split()[:2] for line in told.splitlines() if line.startswith("dense")]
        assert firsts.count(["dense", name]) == 2  # Agreement, and accuracy lost.
        assert f"shifted (by up to {FARTHEST_SHIFT} pixels" in " ".join(told.split())
        assert ("float32 stands for" in " ".join(told.split())) is (origin == "float32")


def test_a_file_without_a_card_is_in_every_table_that_can_have_it() -> None:
    rows = [row for row in cells(one_runtime(made_results())) if row[:1] == ["stray"]]
    assert rows == [
        ["stray", "file", "333333333333"],
        ["stray", "tflite", "97.41", "97.08-97.70"],
        ["stray", "tflite", "-", "-", "-", "-", "1.23"],
        ["stray", "tflite", "2.0", "1,234", "23,457", "100,000", "1,300", "250.1", "1,200", "-"],
        ["stray", "tflite", "769", "769", "769", "769", "769"],
        ["stray", "tflite", "4", "12.35", "100,000", "41.00"],
    ]


def test_several_runtimes_are_named_in_each_row() -> None:
    shown = print_text(tables(made_results(), None))
    assert "…" not in shown
    for name in RUNTIMES:
        package, version = name.split()
        # Single calls, images per second, starts; and once with the device.
        assert len(re.findall(rf"{package}\b", shown)) == 3 * 9 + 1
        assert len(re.findall(rf"{re.escape(version)}\b", shown)) == 3 * 9 + 1


def test_tables_fit_80_columns_and_cut_nothing_off() -> None:
    shown = print_text(tables(one_runtime(made_results()), None))
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    assert "\x1b" not in shown


def test_a_table_that_needs_more_columns_has_longer_lines_and_all_of_its_numbers() -> None:
    headings = ("a", "b", "c", "d", "e", "f", "g", "h")
    table = Table(("model",), headings)
    numbers = [f"{each}23,456,789.0" for each in range(1, 9)]
    table.add("a_model_with_a_long_name_[red]", *numbers)
    shown = print_text([Part("Wide", table, "word " * 40)])
    assert numbers == next(line.split()[1:] for line in shown.splitlines() if numbers[0] in line)
    assert "…" not in shown
    names = "".join(line.split(" ")[0] for line in shown.splitlines()[3:5])
    assert names.startswith("a_model_with_a_lon")
    assert max(len(line) for line in shown.splitlines() if "word" in line) <= 80


def test_a_long_name_is_folded(capsys: pytest.CaptureFixture[str]) -> None:
    name = "a_model_with_a_long_name_[red]"
    model = model_results()
    drift = replace(DRIFT, mcnemar_p=0.125)
    of_test_set = replace(model.drift["mnist"], variants={"int8": drift})
    models = {name: replace(model, drift={"mnist": of_test_set})}
    print_parts(tables(replace(made_results(), models=models, latency=None), None))
    shown = capsys.readouterr().out.splitlines()
    assert max(map(len, shown)) < 80 + len(name) - 18  # It is folded at 14.
    assert any(line.endswith("0.12") for line in shown)
    assert "[red]" in "".join(shown)


def test_tables_are_the_same_in_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = []
    for columns in ("80", "30"):
        monkeypatch.setenv("COLUMNS", columns)
        print_parts(tables(made_results(), None))
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] != ""


def test_int8_past_its_budget_stands_out_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    results = replace(made_results(), latency=None)
    marked = {}
    for points in (1.0, -1.0):
        card = replace(CARD, budget=Budget(points, 0.9, None))
        models = {"dense": replace(model_results(), card=card, layers={})}
        print_parts(tables(replace(results, models=models), None))
        lines = capsys.readouterr().out.splitlines()
        marked[points] = [line for line in lines if "\x1b[1;31m" in line]
    assert marked[1.0] == []
    [line] = marked[-1.0]
    assert "int8" in line


def test_nothing_is_shown_of_what_was_not_measured() -> None:
    nothing = replace(made_results(), sets={}, latency=None)
    assert [part.title for part in tables(nothing, None)] == ["Device and models"]


def test_models_without_int8_have_their_tables() -> None:
    model = model_results()
    drift = {
        name: replace(each, variants={"dynamic": each.variants["dynamic"]})
        for name, each in model.drift.items()
    }
    models = {"dense": replace(model, drift=drift, layers={})}
    shown = cells(replace(made_results(), models=models, latency=None))
    assert any(row[:3] == ["dense", "dynamic", "97.41"] for row in shown)
    assert not any(row[:3] == ["dense", "int8", "97.41"] for row in shown)


def test_a_comparison_as_a_table() -> None:
    changes = [
        Change("dense", "int8", "bytes", 9800.0, 9800.0, "same", ""),
        Change("dense", "int8", "accuracy", 0.9691, 0.9412, "worse", "290 newly wrong"),
        Change("dense", "int8", "agreement", 0.9983, 0.9982, "noise", "intervals"),
        Change("dense", "int8", "median_us", 10.0, 30.0, "other", "medians"),
    ]
    before = Comparison("2026-11-22T17:00:00Z", changes, ["Model 'old' is gone."])
    shown = print_text(tables(replace(made_results(), sets={}, latency=None), before))
    rows = [line.split() for line in shown[shown.index("Changes since") :].splitlines()]
    assert ["dense", "int8", "accuracy,", "%", "96.91", "94.12", "-2.79", "worse"] in rows
    assert ["dense", "int8", "agreement,", "%", "99.83", "99.82", "-0.01", "noise"] in rows
    latency = ["10.00", "30.00", "+200.0%", "not", "compared"]
    assert ["dense", "int8", "latency,", "µs", *latency] in rows
    assert "1 of 4 quantities (size, accuracy, agreement, latency) are just the same." in shown
    assert "dense int8, accuracy: 290 newly wrong." in shown
    assert "Model 'old' is gone." in shown


def test_numbers_from_a_thousand_up_have_no_decimals() -> None:
    assert [number(each) for each in (None, 0.04, 999.9, 999.96, 12345.6, -1000.0)] == [
        "-",
        "0.0",
        "999.9",
        "1,000",
        "12,346",
        "-1,000",
    ]


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
