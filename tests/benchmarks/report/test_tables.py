"""The terminal's tables: every number is there in full, at any width."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from benchmarks.command import tables
from benchmarks.drift.drift import Origin
from benchmarks.drift.layers import Layer
from benchmarks.report.tables import Part, ReportTable, number
from benchmarks.report.terminal import print_parts
from benchmarks.results import ModelResults, Results
from edge_app.models.card import VARIANTS, Budget
from made_results import CARD, RUNTIMES, made_results, model_results

Show = Callable[[Iterable[Part]], str]


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Show:
    """Prints on 80 columns, and returns what is printed."""
    monkeypatch.setenv("COLUMNS", "80")

    def shown(parts: Iterable[Part]) -> str:
        print_parts(parts)
        return capsys.readouterr().out

    return shown


@pytest.fixture
def results() -> Results:
    """Everything, in one runtime."""
    made = made_results()
    assert made.latency
    inference = [each for each in made.latency.inference if each.runtime == RUNTIMES[0]]
    starts = [each for each in made.latency.starts if each.runtime == RUNTIMES[0]]
    return replace(made, latency=replace(made.latency, inference=inference, starts=starts))


def cells(shown: str) -> list[list[str]]:
    return [line.split() for line in shown.splitlines()]


def drift_only(**models: ModelResults) -> Results:
    return replace(made_results(), models=models, latency=None)


def test_every_number_is_there(show: Show, results: Results) -> None:
    shown = cells(show(tables(results, None)))
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
    assert not any("55,556" in row for row in shown)  # Medians of batches and of more threads.
    assert ["dense", "float32", "97.41", "97.41"] in shown  # On other images.
    assert ["dense", "int8", "99.80", "99.80"] in shown
    assert ["dense", "fully_connected_1", "20.0", "13.0", "12.0", "12.5"] in shown
    assert ["dense", "int8", "769", "769", "769", "769", "769"] in shown
    assert ["dense", "int8", "4", "12.35", "100,000", "41.00"] in shown
    assert ["dense", "model(x)", "1,234", "23,457", "1"] in shown
    assert ["normalize", "moments", "1,234", "23,457", "100,000"] in shown
    assert ["rasterize", "box", "1,234", "23,457", "100,000"] in shown
    # A file without a card has no original.
    assert [row for row in shown if row[:1] == ["stray"]] == [
        ["stray", "file", "333333333333"],
        ["stray", "tflite", "97.41", "97.08-97.70"],
        ["stray", "tflite", "-", "-", "-", "-", "1.23"],
        ["stray", "tflite", "2.0", *times, "-"],
        ["stray", "tflite", "769", "769", "769", "769", "769"],
        ["stray", "tflite", "4", "12.35", "100,000", "41.00"],
    ]


def test_several_runtimes_are_named_in_each_row_and_so_are_failures(show: Show) -> None:
    shown = show(tables(made_results(), None))
    for name in RUNTIMES:
        # Single calls, images per second, starts; and once with the device.
        for part in name.split():
            count = 3 * 9 + 1 + (name == RUNTIMES[0])  # That of the drift.
            assert len(re.findall(rf"{re.escape(part)}\b", shown)) == count
    assert made_results().latency.notes[0] in shown  # type: ignore[union-attr]


def test_tables_have_80_columns_also_in_a_narrow_terminal(
    show: Show, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = show(tables(results, None))
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80
    assert "…" not in shown
    assert "\x1b" not in shown
    monkeypatch.setenv("COLUMNS", "30")
    assert show(tables(results, None)) == shown


def test_a_wide_table_has_longer_lines_and_long_names_are_folded(show: Show) -> None:
    table = ReportTable(("model",), tuple("abcdefgh"))
    numbers = [f"{each}23,456,789.0" for each in range(1, 9)]
    name = "a_model_with_a_long_name_[red]"
    table.add(name, *numbers)
    lines = show([Part("Wide", table, "word " * 40)]).splitlines()
    assert numbers == next(line.split()[1:] for line in lines if numbers[0] in line)
    folded = [line.split(" ")[0] for line in lines[3:6]]
    assert "".join(folded).startswith(name)
    assert folded[0] == name[:14]
    assert max(len(line.rstrip()) for line in lines if "word" in line) <= 80


@pytest.mark.parametrize(("points", "marked"), [(1.0, 0), (-1.0, 1)])
def test_only_int8_past_its_budget_stands_out_on_a_terminal(
    points: float, marked: int, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    card = replace(CARD, budget=Budget(points, 0.9, None))
    shown = show(tables(drift_only(dense=replace(model_results(), card=card, layers={})), None))
    lines = [line for line in shown.splitlines() if "\x1b[1;31m" in line]
    assert ["int8" in line for line in lines] == [True] * marked


@pytest.mark.parametrize(("origin", "name"), [("float32", "float32"), ("stored", "original")])
def test_the_reference_for_other_images_is_named(origin: Origin, name: str, show: Show) -> None:
    model = model_results()
    others = {each: replace(model.drift[each], origin=origin) for each in ("shift", "drawn")}
    changed = replace(model, drift=model.drift | others)  # type: ignore[operator]
    _, told = show(tables(drift_only(dense=changed), None)).split("On other", 1)
    firsts = [line.split()[:2] for line in told.splitlines() if line.startswith("dense")]
    assert firsts.count(["dense", name]) == 2  # Agreement, and accuracy lost.
    assert ("stands in for" in told) is (origin == "float32")


def test_advice_is_about_the_layers_of_the_model_that_it_names(show: Show) -> None:
    def model(snr_db: float) -> ModelResults:
        layer = Layer("conv_2d_1", "CONV_2D", (1, 10), 9.0, None, 9.0, snr_db)
        other = replace(layer, name="other", outputs_snr_db=1.0)
        return replace(model_results(), layers={"int8": (layer,), "dynamic": (other,)})

    shown = show(tables(drift_only(one=model(12.5), two=model(40.5)), None))
    shown = " ".join(shown.split())
    assert re.search(r"one: conv_2d_1 stands out: [^.]* 12\.5 dB", shown)
    assert re.search(r"two: No layer stands out: conv_2d_1 costs most, [^.]* 40\.5 dB", shown)


def test_the_drift_names_its_runtime(show: Show) -> None:
    shown = show(tables(replace(made_results(), latency=None), None))
    title = next(line for line in shown.splitlines() if line.startswith("Drift from the original"))
    assert title.rstrip().endswith(f", {RUNTIMES[0]}")


def test_only_what_was_measured_is_shown(show: Show) -> None:
    nothing = replace(made_results(), sets={}, latency=None)
    assert [part.title for part in tables(nothing, None)] == ["Device and models"]
    model = model_results()
    drift = {
        name: replace(each, variants={"dynamic": each.variants["dynamic"]})
        for name, each in model.drift.items()
    }
    shown = cells(show(tables(drift_only(dense=replace(model, drift=drift, layers={})), None)))
    assert any(row[:3] == ["dense", "dynamic", "97.41"] for row in shown)
    assert not any(row[:3] == ["dense", "int8", "97.41"] for row in shown)


def test_numbers_from_a_thousand_up_have_no_decimals() -> None:
    values = (None, 0.04, 999.9, 999.96, 12345.6, -1000.0)
    expected = ["-", "0.0", "999.9", "1,000", "12,346", "-1,000"]
    assert [number(each) for each in values] == expected
