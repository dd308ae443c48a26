"""Devices side by side, with results made by hand."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report.comparison import ComparisonError
from benchmarks.report.devices import by_device, check, device_parts
from benchmarks.report.document import dump, to_json
from benchmarks.report.page import render_devices
from made_results import made_results
from results import MISSING, changed

Result = dict[str, Any]
SERVING = {"app_start_s": [2.0, 4.0, 3.0], "memory": {"app_bytes": [120e6, 130e6]}}


@pytest.fixture
def result() -> Result:
    """As ``--json`` writes it."""
    return dict(json.loads(dump(to_json(made_results()))))


def rows(results: dict[str, Result], title: str) -> dict[tuple[str, ...], tuple[str, ...]]:
    """A table's numbers by its names."""
    [table] = [part.table for part in device_parts(results) if part.title == title]
    names = len(table.names)
    return {row[:names]: row[names:] for row in table.rows}


def test_each_device_has_its_own_figures(result: Result) -> None:
    fast = deepcopy(result)
    for each in fast["latency"]["inference"]:
        each["times"]["median_us"] /= 2
    fast["serving"] = SERVING
    results = {"slow": result, "fast": fast}
    latencies = rows(results, "One inference, median µs")
    assert latencies
    for slow, quick in latencies.values():
        before, now = (float(each.replace(",", "")) for each in (slow, quick))
        assert now == pytest.approx(before / 2, rel=0.01)
    others = rows(results, "Everything else")
    assert others["the app, to start", "s"] == ("-", "3.0")
    assert others["the app, memory", "MB"] == ("-", "130.0")
    assert any(name.startswith("normalization of a drawing") for name, _ in others)


def test_what_a_device_did_not_measure_is_left_open(result: Result) -> None:
    bare = deepcopy(result)
    bare["latency"] = None
    for shown in rows({"all": result, "drift": bare}, "One inference, median µs").values():
        assert shown[0] != "-" == shown[1]


def test_drift_that_differs_is_seen(result: Result) -> None:
    def drifted(place: str, value: object) -> Result:
        return changed(result, f"models/dense/variants/int8/{place}", value)

    first = result["models"]["dense"]["variants"]["int8"]["drift"]
    wrong = [*first["wrong"][1:], 9998, 9999]
    results = {
        "first": result,
        "same": deepcopy(result),
        "runtime": drifted("drift/agreement", 0.5),
        "other": drifted("drift/wrong", wrong),
        "file": drifted("sha256", "0" * 64),
    }
    shown = rows(results, "Drift")["dense", "int8"]
    accuracy = f"{100 * first['accuracy']:.2f}"
    assert shown == (accuracy, "equal", "same digits", "3 differ", "other file")


def test_devices_are_named_after_their_files(result: Result) -> None:
    paths = [Path("a/pi4.json"), Path("b/pi4.json"), Path("vm.json")]
    assert [*by_device(dict.fromkeys(paths, result))] == ["a/pi4.json", "b/pi4.json", "vm"]


@pytest.mark.parametrize(
    ("place", "value"),
    [("serving", MISSING), ("latency/inference", None), ("device/board", MISSING)],
)
def test_a_field_that_is_not_as_expected_is_refused(
    place: str, value: object, result: Result
) -> None:
    with pytest.raises(ComparisonError, match=r"^pi4\.json cannot be compared"):
        check(Path("pi4.json"), changed(result, place, value))


def test_the_page_has_a_dot_for_every_latency(result: Result) -> None:
    page = render_devices({"pi4": result, "<b>vm": result})
    figures = len(rows({"pi4": result}, "One inference, median µs"))
    assert page.count("<circle") == 2 * figures
    assert "<b>vm" not in page
