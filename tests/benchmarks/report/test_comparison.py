"""Comparison: which differences are real, on results made by hand."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from benchmarks.report import comparison
from benchmarks.report.comparison import Change, compare_results, read_result
from benchmarks.report.document import dump, summarize, to_json
from made_results import made_results
from results import MISSING, changed

Result = dict[str, Any]


@pytest.fixture
def result() -> Result:
    """As ``--json`` writes it."""
    return {**json.loads(dump(to_json(made_results()))), "warnings": []}


def int8(result: Result) -> Result:
    fields: Result = result["models"]["dense"]["variants"]["int8"]
    return fields


def verdict(before: Result, now: Result, quantity: str, model: str = "dense") -> str:
    """Of a model's int8 or of a file without a card."""
    [found] = [
        each.verdict
        for each in compare_results(before, now).changes
        if (each.model, each.quantity) == (model, quantity) and each.variant in {"int8", "tflite"}
    ]
    return found


def test_a_result_is_the_same_as_itself(result: Result) -> None:
    found = compare_results(result, deepcopy(result))
    assert (found.before, found.notes) == ("2026-11-22T17:00:00Z", [])
    assert {each.verdict for each in found.changes} == {"noise"}
    # Sizes and latencies of nine files, accuracies of five, agreement of the model's four.
    assert len(found.changes) == 9 + 9 + 5 + 4


def wrong(start: int, end: int) -> list[int]:
    """Images that are misread: these and 300 others."""
    return [*range(1000, 1300), *range(start, end)]


QUANTITIES = {
    "bytes": "size",
    "drift/wrong": "accuracy",
    "drift/agreement": "agreement",
    "latency/repeats_us": "latency",
}
FIRST = [100.0, 101.0, 102.0, 103.0, 104.0]


@pytest.mark.parametrize(
    ("place", "before", "now", "expected"),
    [
        ("bytes", 9800, 9801, "worse"),
        ("bytes", 9801, 9800, "better"),
        # McNemar: 2 / 2^6 = 0.031, 2 / 2^5 = 0.0625; 20 to 10 is 0.099.
        ("drift/wrong", wrong(0, 0), wrong(0, 6), "worse"),
        ("drift/wrong", wrong(0, 6), wrong(0, 0), "better"),
        ("drift/wrong", wrong(0, 0), wrong(0, 5), "noise"),
        ("drift/wrong", wrong(0, 5), wrong(0, 0), "noise"),
        ("drift/wrong", wrong(0, 10), wrong(500, 520), "noise"),
        ("drift/wrong", wrong(0, 20), wrong(500, 510), "noise"),
        ("drift/agreement", 0.9980, 0.9975, "noise"),  # 99.69% to 99.87%, 99.63% to 99.83%.
        ("drift/agreement", 0.9975, 0.9980, "noise"),
        ("drift/agreement", 0.9980, 0.9950, "worse"),  # 99.34% to 99.62%.
        ("drift/agreement", 0.9950, 0.9980, "better"),
        # One median is not above or below all others.
        ("latency/repeats_us", FIRST, [104.0, 120.0, 121.0, 122.0, 123.0], "noise"),
        ("latency/repeats_us", FIRST, [80.0, 81.0, 82.0, 83.0, 100.0], "noise"),
        # All are, but within 5%.
        ("latency/repeats_us", FIRST, [105.0, 106.0, 107.0, 107.0, 107.0], "noise"),
        ("latency/repeats_us", FIRST, [97.0, 97.5, 98.0, 98.5, 99.0], "noise"),
        ("latency/repeats_us", FIRST, [112.0, 113.0, 114.0, 115.0, 116.0], "worse"),
        ("latency/repeats_us", FIRST, [80.0, 81.0, 82.0, 83.0, 84.0], "better"),
    ],
)
def test_a_difference_is_better_or_worse_only_beyond_noise(
    place: str, before: Any, now: Any, expected: str, result: Result
) -> None:
    one, other = (
        changed(result, f"models/dense/variants/int8/{place}", value) for value in (before, now)
    )
    for each in (one, other):
        latency = int8(each)["latency"]
        latency["median_us"] = median(latency["repeats_us"])
    assert verdict(one, other, QUANTITIES[place]) == expected


def test_a_file_without_a_card_is_compared_too(result: Result) -> None:
    now = changed(result, "bare/stray/quality/wrong", list(range(100, 200)))
    found = [verdict(result, now, each, "stray") for each in ("accuracy", "size", "latency")]
    assert found == ["worse", "noise", "noise"]


@pytest.mark.parametrize(
    ("place", "compared", "reason"),
    [
        *(
            (f"device/{field}", {"size", "accuracy", "agreement"}, "Latencies are not compared")
            for field in ("board", "cpu", "architecture", "cores", "runtime")
        ),
        ("dataset_sha256", {"size", "latency"}, "test images are different"),
    ],
)
def test_figures_of_another_device_or_on_other_images_are_not_compared(
    place: str, compared: set[str], reason: str, result: Result
) -> None:
    found = compare_results(result, changed(result, place, "another"))
    assert {each.quantity for each in found.changes} == compared
    [note] = found.notes
    assert reason in note


def test_what_only_one_of_them_has_is_named(result: Result) -> None:
    now = changed(result, "warnings", ["The machine was busy."])
    now["models"]["new"] = now["models"].pop("unknown")
    int8(now)["latency"] = None
    for fields in now["models"]["dense"]["variants"].values():
        fields["drift"] = None
    found = compare_results(result, now)
    assert [each.quantity for each in found.changes if each.variant == "int8"] == ["size"]
    warned, earlier, new = found.notes
    assert "at least one of the runs warned about its timings" in warned
    assert earlier.startswith("Only in the earlier result: accuracy of dense float32, every agree")
    assert earlier.endswith("accuracy of dense int8, latency of dense int8, model unknown.")
    assert new == "Only in the new result: model new."


def test_the_table_has_real_changes_only() -> None:
    worse = Change("dense", "int8", "accuracy", 0.9691, 0.9412, "worse")
    better = Change("dense", "int8", "latency", 10.0, 5.0, "better")
    noise = Change("dense", "int8", "size", 9800.0, 9800.0, "noise")
    found = comparison.Comparison("2026-11-22", [noise, worse, better], ["A note."])
    [part] = comparison.comparison_tables(found)
    assert part.table.rows == [
        ("dense", "int8", "accuracy, %", "96.91", "94.12", "-2.79", "worse"),
        ("dense", "int8", "latency, µs", "10.00", "5.00", "-50.0%", "better"),
    ]
    assert part.table.marked == {0}
    assert part.words.startswith("1 of 3 compared figures are the same")
    assert part.words.endswith("\nA note.")


@pytest.mark.parametrize("format_", [3, 4])
def test_a_result_is_read(format_: int, result: Result, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    result["format"] = format_
    path.write_text(json.dumps(result), encoding="utf-8")
    assert read_result(path) == result


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (summarize(made_results()).to_json(), "only the summary that the app's page shows"),
        ("\xff", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ('{"format": NaN}', "it is not JSON"),
        ("[]", "it is not a result"),
        ("{}", "it is not a result"),
        ('{"format": 1, "models": {}}', "it has format 1"),
        ('{"format": 4, "models": []}', "cannot be compared"),
        (None, r"\(No such file or directory\)"),
    ],
    ids=["summary", "not-text", "deep", "nan", "list", "empty", "old", "torn", "missing"],
)
def test_another_file_is_refused(content: str | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    if content is not None:
        path.write_text(content, encoding="latin-1")
    with pytest.raises(comparison.ComparisonError, match=rf"old\.json .*{reason}"):
        read_result(path)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("device/runtime", MISSING),
        ("dataset_sha256", MISSING),
        ("bare", MISSING),
        ("sets", {}),
        ("models/dense", []),
        ("models/dense/variants/int8/bytes", None),
        ("models/dense/variants/int8/drift/wrong", MISSING),
        ("models/dense/variants/int8/drift/wrong", [[1]]),
        ("models/dense/variants/int8/drift/accuracy", "high"),
        ("models/dense/variants/int8/drift/agreement", 2),
        ("models/dense/variants/int8/latency/median_us", "?"),
        ("models/dense/variants/int8/latency/repeats_us", []),
    ],
)
def test_an_unexpected_field_is_refused_when_it_is_read(
    place: str, value: object, result: Result, tmp_path: Path
) -> None:
    path = tmp_path / "old.json"
    path.write_text(json.dumps(changed(result, place, value)), encoding="utf-8")
    with pytest.raises(comparison.ComparisonError, match=r"old\.json cannot be compared") as told:
        read_result(path)
    if value is MISSING:
        assert f"the field {place.rpartition('/')[2]!r} is missing" in str(told.value)
