"""What is written of results: the JSON's fields, and the page with pictures, in a browser, too."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.command import tables
from benchmarks.report.comparison import Change, Comparison
from benchmarks.report.document import (
    ResultsFileError,
    check_writable,
    dump,
    to_json,
    write_text,
)
from benchmarks.report.page import render
from benchmarks.results import Results
from edge_app.device.last_benchmark import read_last_benchmark
from made_results import BARE, CARD, DRIFT, LAYERS, QUALITY, TIMES, made_results, model_results
from parsed import Page, headings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MARKUP = "<b>&\"'"


def test_the_page_needs_nothing_else() -> None:
    text = render(made_results(), None)
    page = Page(text)
    assert page.texts("script", "link", "iframe", "object", "form", "base") == []
    policy = next(each for tag, each in page.elements if "http-equiv" in each)
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert policy["content"] == ("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert "//" not in text.replace("data:image/png;base64,", "")
    assert "url(" not in text
    assert not any(name.startswith("on") for _, each in page.elements for name in each)
    for _, attributes in page.elements:
        for name in ("src", "href", "action"):
            assert (attributes.get(name) or "data:").startswith("data:")


def test_the_page_has_every_section_and_every_row_of_the_terminal() -> None:
    results = made_results()
    comparison = Comparison(
        "2026-11-21T17:00:00Z",
        [Change("dense", "int8", "accuracy", 0.97, 0.9, "worse", "7 newly wrong")],
        ["Model 'new' is new."],
    )
    text = render(results, comparison)
    assert headings(text) == [
        "What changed",
        "Drift",
        "What int8 changed in dense",
        "Latency",
        "Where it was measured",
    ]
    page = Page(text)
    for part in tables(results, comparison):
        assert part.title in page.words
        for row in part.table.rows:
            assert list(row) in page.rows
        for line in part.words.splitlines():
            assert line in page.words
    for sentence in (*results.problems, "Other programs kept 1.5 cores busy meanwhile."):
        assert sentence in page.words
    assert "Every model is within the budget" not in page.words
    charts = [each["aria-label"] for tag, each in page.elements if tag == "svg"]
    assert charts == [
        "Accuracy against latency, size as area",
        "Errors for each digit",
        "Reliability diagram",
        *["Matrix of flips"] * 4,
        "Bars in dB",
        *["Latency of single inferences"] * 2,
    ]
    # Where an accuracy is known, of each variant and of the file without a card.
    assert "dense int8: 97.41%, 1,234.5 µs" in page.words
    assert "stray tflite: 97.41%, 1,234.5 µs" in page.words


def test_a_layer_with_more_error_than_signal_has_its_number() -> None:
    layers = (replace(LAYERS[0], outputs_snr_db=-7.3), LAYERS[1])
    models = {"dense": replace(model_results(), layers={"int8": layers})}
    results = replace(made_results(), models=models, latency=None)
    [chart] = [
        each for each in render(results, None).split("<svg") if 'aria-label="Bars in dB"' in each
    ]
    assert "-7.3 dB" in chart


def test_the_page_says_that_models_are_within_their_budgets_only_where_that_is_known() -> None:
    def says_so(results: Results) -> bool:
        return "Every model is within the budget of its card." in render(results, None)

    model = model_results()
    results = replace(made_results(), models={"dense": model}, latency=None, problems=[])
    assert says_so(results)
    only = replace(model.drift["mnist"], variants={"dynamic": DRIFT})
    without = replace(model, drift={"mnist": only})
    assert not says_so(replace(results, models={"dense": without}))
    assert not says_so(replace(results, models={}))
    assert not says_so(replace(results, problems=["dense is past its budget."]))


def test_names_are_escaped() -> None:
    results = made_results()
    named = replace(
        results,
        models={MARKUP: model_results()},
        problems=[f"Model {MARKUP!r} is past its budget."],
        latency=None,
    )
    text = render(named, Comparison(MARKUP, [], [MARKUP]))
    assert "<b>" not in text
    page = Page(text)
    assert any(row[0] == MARKUP for row in page.rows)
    assert f"Benchmark of {MARKUP}, stray" in page.words


@pytest.mark.parametrize("missing", [{"sets"}, {"latency"}, {"models", "latency"}])
def test_a_page_of_less_is_whole(missing: set[str]) -> None:
    results = made_results()
    less = replace(
        results,
        sets={} if "sets" in missing else results.sets,
        models={} if "models" in missing else results.models,
        latency=None if "latency" in missing else results.latency,
    )
    assert len(headings(render(less, None))) < len(headings(render(results, None)))
    Page(render(less, None))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(scheme: str, browser: Browser, tmp_path: Path) -> None:
    from colours import contrast, ground, rgb  # noqa: PLC0415 - Not where the edge is tested.

    path = tmp_path / "report.html"
    card = replace(CARD, budget=replace(CARD.budget, accuracy_loss_points=-1))
    marked = replace(model_results(), card=card)
    results = made_results()
    models = {**results.models, "dense": marked}
    write_text(render(replace(results, models=models), None), path)
    context = browser.new_context(
        viewport={"width": 360, "height": 740},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    assert requests == [path.as_uri()]
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for text in ("h1", "h2", "header li", ".soft", "th", "td", ".marked td", "figcaption"):
        place = page.locator(text).first
        colour = rgb(place.evaluate("each => getComputedStyle(each).color"))
        assert contrast(colour, ground(place)) >= 4.5, text
    paper = ground(page.locator("body"))
    for text in ("text.axis", "text.note", "text.name", "text.count", "tspan.key"):
        for place in page.locator(f"svg {text}").all()[:6]:
            colour = rgb(place.evaluate("each => getComputedStyle(each).fill"))
            assert contrast(colour, paper) >= 4.5, text
    # The words of a chart are not shrunk until nobody can read them.
    heights = page.locator("svg text.axis").evaluate_all(
        "all => all.map((each) => each.getBoundingClientRect().height)"
    )
    assert min(heights) > 8
    context.close()


def test_the_json_has_every_number(tmp_path: Path) -> None:
    results = made_results()
    found = json.loads(dump(to_json(results)))
    assert found["format"] == 3
    assert (found["measured_at"], found["quick"]) == ("2026-11-22T17:00:00Z", False)
    assert found["dataset_sha256"] == "0" * 64
    assert found["sets"]["mnist"] == {
        "title": "MNIST's test images",
        "images": 10_000,
        "sha256": "0" * 64,
    }
    assert found["device"]["runtime"] == results.device.runtime
    assert found["problems"] == results.problems
    assert results.latency
    assert found["warnings"] == results.latency.warnings
    assert len(found["latency"]["inference"]) == len(results.latency.inference)
    model = found["models"]["dense"]
    assert model["card_sha256"] == "1" * 64
    assert model["budget"] == asdict(CARD.budget)
    assert model["original"]["sha256"] == CARD.original.sha256
    assert {name: each["origin"] for name, each in model["sets"].items()} == {
        "mnist": "stored",
        "shift": "float32",
        "drawn": "float32",
    }
    assert model["sets"]["mnist"]["original"]["accuracy"] == 0.9739
    assert model["sets"]["drawn"]["original"]["accuracy"] == QUALITY.accuracy
    as_json = json.loads(json.dumps([asdict(DRIFT), asdict(TIMES), asdict(QUALITY)]))
    drift, times, quality = as_json
    int8 = model["variants"]["int8"]
    assert (int8["bytes"], int8["drift"], int8["latency"]) == (
        CARD.variants["int8"].bytes,
        drift,
        times,
    )
    assert int8["sets"] == {"shift": drift, "drawn": drift}
    assert int8["layers"][1]["outputs_snr_db"] == 12.5
    assert model["variants"]["float32"]["sets"] == {}
    unknown = found["models"]["unknown"]["variants"]["int8"]
    assert (unknown["drift"], unknown["layers"], unknown["latency"]) == (None, [], times)
    assert found["bare"]["stray"] == {
        "title": "stray (no card)",
        "normalization": "box",
        **asdict(BARE),
        "quality": quality,
        "latency": times,
    }
    path = tmp_path / "results.json"
    write_text(dump(found), path)
    shown = read_last_benchmark(path).models["dense"].variants["int8"]
    assert (shown.accuracy, shown.median_us) == (DRIFT.accuracy, TIMES.median_us)


def test_what_is_no_number_of_json_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dump({"median_us": float("nan")})


def test_a_file_is_replaced_and_nothing_left_beside_it(tmp_path: Path) -> None:
    path, link = tmp_path / "report.json", tmp_path / "link.json"
    path.write_text("old", encoding="utf-8")
    link.symlink_to(path)
    check_writable(link)
    assert path.read_text(encoding="utf-8") == "old"
    write_text("new", link)
    assert link.is_symlink()
    assert path.read_text(encoding="utf-8") == "new"
    assert set(tmp_path.iterdir()) == {path, link}


def test_a_file_that_fails_midway_keeps_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.json"
    path.write_text("old", encoding="utf-8")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(ResultsFileError, match=r"report\.json cannot be written \(No space left"):
        write_text("new", path)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_check_writable_leaves_nothing_behind(tmp_path: Path) -> None:
    check_writable(tmp_path / "report.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["missing/report.json", "file/report.json", ".", "n" * 300])
def test_check_writable_refuses_what_cannot_be_written(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResultsFileError, match="name a file"):
        check_writable(tmp_path / name)
