"""The files of results: the JSON's fields, the summary, and the HTML page, also in a browser."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.command import tables
from benchmarks.report import document
from benchmarks.report.comparison import Change, Comparison
from benchmarks.report.page import render
from edge_app.device.last_benchmark import MeasuredVariant, read_last_benchmark
from edge_app.models.card import VARIANTS
from made_results import CARD, CARDLESS_FILE, DRIFT, QUALITY, TIMES, made_results, model_results
from parsed import Page, headings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MARKUP = "<b>&\"'"
WITHIN = "Every model is within the budget of its card."
CHANGE = Change("dense", "int8", "accuracy", 0.97, 0.9, "worse")


def test_the_page_loads_and_runs_nothing() -> None:
    text = render(made_results(), None)
    page = Page(text)
    assert page.texts("script", "link", "iframe", "object", "form", "base") == []
    [policy] = [each["content"] for tag, each in page.elements if "http-equiv" in each]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert "//" not in text.replace("data:image/png;base64,", "")
    assert "url(" not in text
    assert not any(name.startswith("on") for _, each in page.elements for name in each)


def test_the_page_has_every_section_and_every_row_of_the_terminal() -> None:
    results = made_results()
    comparison = Comparison("2026-11-21T17:00:00Z", [CHANGE], ["Model 'new' is new."])
    text = render(results, comparison)
    sections = ["What changed", "Drift", "What int8 changed in dense", "Latency"]
    assert headings(text) == [*sections, "Where it was measured"]
    page, parts = Page(text), list(tables(results, comparison))
    # The terminal has the device first and the changes last.
    assert parts[0].title == "Device and models"
    assert parts[-1].title == "Changes since 2026-11-21T17:00:00Z"
    for part in parts:
        assert part.title in page.words
        for row in part.table.rows:
            assert list(row) in page.rows
        for line in part.words.splitlines():
            assert line in page.words
    for sentence in (*results.problems, *results.warnings):
        assert sentence in page.words
    # A point for each variant and for the file without a card; single images only.
    assert "dense int8: 97.41%, 1,234.5 µs" in page.words
    assert "stray tflite: 97.41%, 1,234.5 µs" in page.words
    assert "55,55" not in text
    # Of each runtime, one row per file.
    spreads = [each for each in text.split("<svg") if 'aria-label="Latency of' in each]
    assert [each.count(">1,234.5<") for each in spreads] == [9, 9]


def test_names_are_escaped() -> None:
    named = replace(
        made_results(),
        models={MARKUP: model_results()},
        problems=[f"Model {MARKUP!r} is past its budget."],
        latency=None,
    )
    text = render(named, Comparison(MARKUP, [], [MARKUP]))
    assert "<b>" not in text
    page = Page(text)
    assert any(row[0] == MARKUP for row in page.rows)
    assert f"Benchmark of {MARKUP}, stray" in page.words


def test_models_are_said_to_be_within_their_budgets_only_where_that_is_known() -> None:
    model = model_results()
    results = replace(made_results(), models={"dense": model}, latency=None, problems=[])
    assert WITHIN in render(results, None)
    only = replace(model.drift["mnist"], variants={"dynamic": DRIFT})
    without = replace(model, drift={"mnist": only})
    for unknown in (
        replace(results, models={"dense": without}),
        replace(results, models={}),
        replace(results, problems=["dense is past its budget."]),
    ):
        assert WITHIN not in render(unknown, None)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("playwright") is None, reason="a browser needs Playwright")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(scheme: str, browser: Browser, tmp_path: Path) -> None:
    from colours import contrast, ground, parsed  # noqa: PLC0415 - Not where the edge is tested.

    path = tmp_path / "report.html"
    card = replace(CARD, budget=replace(CARD.budget, accuracy_loss_points=-1))
    results = made_results()
    models = {**results.models, "dense": replace(model_results(), card=card)}
    document.write_text(render(replace(results, models=models), None), path)
    viewport = {"width": 360, "height": 740}
    page = browser.new_page(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("console", lambda message: seen.append(message.text))
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.goto(path.as_uri())
    assert seen == [path.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    paper = ground(page.locator("body"))
    words = ("h1", "h2", "header li", ".soft", "th", "td", ".marked td", "figcaption")
    for text in (*words, *(f"svg {each}" for each in ("text.axis", "text.name", "tspan.key"))):
        place = page.locator(text).first
        is_chart = text.startswith("svg")
        style = place.evaluate("each => ({...getComputedStyle(each)})")
        colour = parsed(style["fill" if is_chart else "color"])
        assert contrast(colour, paper if is_chart else ground(place)) >= 4.5, text
    smallest = page.locator("svg text.axis").first.bounding_box()
    assert smallest
    assert smallest["height"] > 8  # People can read a chart's words.
    page.close()


def test_the_json_has_every_number() -> None:
    results = made_results()
    found = json.loads(document.dump(document.to_json(results)))
    assert found["format"] == 4
    assert (found["measured_at"], found["quick"]) == ("2026-11-22T17:00:00Z", False)
    assert found["dataset_sha256"] == "0" * 64
    assert found["sets"]["mnist"] == results.sets["mnist"]._asdict()
    assert found["device"] == asdict(results.device)
    assert (found["problems"], found["warnings"]) == (results.problems, results.warnings)
    assert results.latency
    assert len(found["latency"]["inference"]) == len(results.latency.inference)
    model = found["models"]["dense"]
    assert model["card_sha256"] == "1" * 64
    assert model["budget"] == asdict(CARD.budget)
    assert model["original"]["sha256"] == CARD.original.sha256
    assert model["sets"]["mnist"]["origin"] == "stored"
    assert model["sets"]["mnist"]["original"]["accuracy"] == 0.9739
    assert model["sets"]["drawn"]["origin"] == "float32"
    assert model["sets"]["drawn"]["original"]["accuracy"] == QUALITY.accuracy
    drift, times, quality = json.loads(json.dumps([asdict(DRIFT), asdict(TIMES), asdict(QUALITY)]))
    int8 = model["variants"]["int8"]
    assert int8["bytes"] == CARD.variants["int8"].bytes
    assert (int8["drift"], int8["latency"]) == (drift, times)
    assert int8["sets"] == {"shift": drift, "drawn": drift}
    assert int8["layers"][1]["outputs_snr_db"] == 12.5
    assert model["variants"]["float32"]["sets"] == {}
    unknown = found["models"]["unknown"]["variants"]["int8"]
    assert (unknown["drift"], unknown["layers"], unknown["latency"]) == (None, [], times)
    assert found["bare"]["stray"] == {
        "title": "stray (no card)",
        "normalization": "box",
        **asdict(CARDLESS_FILE),
        "quality": quality,
        "latency": times,
    }
    with pytest.raises(ValueError, match="not JSON compliant"):
        document.dump({"median_us": float("nan")})


def test_the_summary_has_the_figures_that_the_app_s_page_shows(tmp_path: Path) -> None:
    results = made_results()
    path = tmp_path / "benchmark.json"
    document.write_text(document.summarize(results).to_json(), path)
    found = read_last_benchmark(path)
    assert found == document.summarize(results)
    device = results.device
    assert (found.measured_at, found.quick) == (results.measured_at, False)
    assert (found.board, found.cpu, found.runtime) == (device.board, device.cpu, device.runtime)
    assert found.warnings == [*results.problems, *results.warnings]
    dense, unknown, stray = found.models.values()
    assert (dense.title, dense.card_sha256, stray.card_sha256) == (CARD.title, "1" * 64, None)
    assert list(dense.variants) == list(VARIANTS)
    size = CARD.variants["int8"].bytes
    expected = MeasuredVariant(size, DRIFT.accuracy, DRIFT.agreement, 1234.5, 100000.0)
    assert dense.variants["int8"] == expected
    assert unknown.variants["int8"] == replace(expected, accuracy=None, agreement=None)
    assert stray.variants == {"tflite": MeasuredVariant(2048, 0.9741, None, 1234.5, 100000.0)}


def test_a_file_is_replaced_only_once_the_new_one_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, link = tmp_path / "report.json", tmp_path / "link.json"
    path.write_text("old", encoding="utf-8")
    link.symlink_to(path)
    document.check_writable(link)
    assert path.read_text(encoding="utf-8") == "old"

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(document.OutputFileError, match=r"link\.json cannot be written \(No"):
            document.write_text("new", link)
    assert path.read_text(encoding="utf-8") == "old"
    document.write_text("new", link)
    assert link.is_symlink()
    assert path.read_text(encoding="utf-8") == "new"
    assert set(tmp_path.iterdir()) == {path, link}


@pytest.mark.parametrize("name", ["missing/report.json", "file/report.json", ".", "n" * 300])
def test_check_writable_refuses_what_cannot_be_written(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(document.OutputFileError, match="name a file"):
        document.check_writable(tmp_path / name)
