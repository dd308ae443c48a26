"""Comparison: which differences are noise, by results made by hand."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report.comparison import (
    Change,
    Comparison,
    ComparisonError,
    compare_results,
    read_result,
)
from benchmarks.report.document import dump, to_json
from made_results import made_results

Result = dict[str, Any]

UNCOMPARED = "Not compared: drift on shift, loading, normalization."


@pytest.fixture
def result() -> Result:
    """As ``--json`` writes it."""
    found: Result = json.loads(dump(to_json(made_results())))
    found["warnings"] = []
    return found


def int8(result: Result) -> Result:
    fields: Result = result["models"]["dense"]["variants"]["int8"]
    return fields


def change(comparison: Comparison, quantity: str, model: str = "dense") -> Change:
    [found] = [
        each
        for each in comparison.changes
        if (each.model, each.quantity) == (model, quantity) and each.variant in {"int8", "tflite"}
    ]
    return found


def verdict(comparison: Comparison, quantity: str, model: str = "dense") -> str:
    return change(comparison, quantity, model).verdict


def test_a_result_is_the_same_as_itself(result: Result) -> None:
    found = compare_results(result, deepcopy(result))
    assert found.before == "2026-11-22T17:00:00Z"
    assert found.notes == [UNCOMPARED]
    assert {each.verdict for each in found.changes} == {"same"}
    # Sizes and latencies of nine files, accuracies of five, agreement of the model's four.
    assert len(found.changes) == 9 + 9 + 5 + 4


@pytest.mark.parametrize(
    ("lost", "won", "expected"),
    [(0, 0, "same"), (6, 0, "worse"), (0, 6, "better"), (5, 0, "noise"), (20, 10, "noise")],
)
def test_accuracy_is_judged_by_the_images_that_only_one_reads_wrong(
    lost: int, won: int, expected: str, result: Result
) -> None:
    # McNemar: 2 / 2^6 = 0.031, 2 / 2^5 = 0.0625; 20 to 10 is 0.099.
    before, now = result, deepcopy(result)
    both = list(range(1000, 1300))
    int8(before)["drift"] |= {"accuracy": 0.97, "wrong": [*both, *range(won)]}
    int8(now)["drift"] |= {"accuracy": 0.96, "wrong": [*both, *range(500, 500 + lost)]}
    found = change(compare_results(before, now), "accuracy")
    assert (found.before, found.now, found.verdict) == (0.97, 0.96, expected)
    assert found.reason.startswith(f"{lost} images newly wrong, {won} newly right: p = ")


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (0.9980, 0.9980, "same"),
        (0.9980, 0.9975, "noise"),  # 99.69% to 99.87% and 99.63% to 99.83%.
        (0.9980, 0.9950, "worse"),  # 99.34% to 99.62%.
        (0.9950, 0.9980, "better"),
    ],
)
def test_agreement_is_judged_by_its_intervals(
    before: float, now: float, expected: str, result: Result
) -> None:
    other = deepcopy(result)
    int8(result)["drift"]["agreement"], int8(other)["drift"]["agreement"] = before, now
    found = change(compare_results(result, other), "agreement")
    assert found.verdict == expected
    if (before, now) == (0.9980, 0.9950):
        assert found.reason == "95% intervals 99.69% to 99.87% and 99.34% to 99.62%"


@pytest.mark.parametrize(
    ("repeats", "expected"),
    [
        ([100.0, 101.0, 102.0, 103.0, 104.0], "same"),
        ([104.0, 120.0, 121.0, 122.0, 123.0], "noise"),  # One of them is not above all.
        ([105.0, 106.0, 107.0, 107.0, 107.0], "noise"),  # Above all, but within 5%.
        ([112.0, 113.0, 114.0, 115.0, 116.0], "worse"),
        ([80.0, 81.0, 82.0, 83.0, 84.0], "better"),
    ],
)
def test_latency_is_judged_by_its_repeated_medians(
    repeats: list[float], expected: str, result: Result
) -> None:
    now = deepcopy(result)
    first = [100.0, 101.0, 102.0, 103.0, 104.0]
    for each, medians in ((result, first), (now, repeats)):
        int8(each)["latency"] |= {"median_us": medians[2], "repeats_us": medians}
    found = compare_results(result, now)
    assert verdict(found, "median_us") == expected
    assert change(found, "median_us").reason.startswith("repeated medians 100.0 to 104.0 and ")


@pytest.mark.parametrize(("size", "expected"), [(9799, "better"), (9801, "worse")])
def test_a_byte_is_no_noise(size: int, expected: str, result: Result) -> None:
    now = deepcopy(result)
    int8(now)["bytes"] = size
    found = change(compare_results(result, now), "bytes")
    assert (found.verdict, found.reason) == (expected, f"9,800 bytes then, {size:,} now")


def test_a_file_without_a_card_is_compared_too(result: Result) -> None:
    now = deepcopy(result)
    now["bare"]["stray"]["quality"] |= {"accuracy": 0.9, "wrong": list(range(100, 200))}
    found = compare_results(result, now)
    assert verdict(found, "accuracy", "stray") == "worse"
    assert verdict(found, "bytes", "stray") == verdict(found, "median_us", "stray") == "same"


@pytest.mark.parametrize("field", ["board", "cpu", "architecture", "cores", "runtime"])
def test_latencies_of_another_device_are_not_judged(field: str, result: Result) -> None:
    now = deepcopy(result)
    now["device"][field] = "another"
    int8(now)["latency"]["repeats_us"] = [1e6] * 5
    found = compare_results(result, now)
    assert verdict(found, "median_us") == "other"
    assert verdict(found, "accuracy") == verdict(found, "bytes") == "same"
    note, _ = found.notes
    assert note.startswith("The earlier result is of another device or runtime")


def test_accuracies_on_other_images_are_not_compared(result: Result) -> None:
    now = deepcopy(result)
    now["dataset_sha256"] = "1" * 64
    found = compare_results(result, now)
    assert {each.quantity for each in found.changes} == {"bytes", "median_us"}
    note, _ = found.notes
    assert "other test images" in note


def test_what_one_of_the_two_has_not_is_said(result: Result) -> None:
    now = deepcopy(result)
    now["models"]["new"] = now["models"].pop("unknown")
    now["warnings"] = ["The machine was busy."]
    int8(now)["drift"] = None
    int8(now)["latency"] = None
    found = compare_results(result, now)
    assert found.notes == [
        "One of the two runs warned about the timings: judge latencies with care.",
        "Model 'unknown' was measured then, and is not now.",
        "Model 'new' is new.",
        "Accuracy was measured then, and not now, of dense int8.",
        "Latency was measured then, and not now, of dense int8.",
        UNCOMPARED,
    ]
    assert [each.quantity for each in found.changes if each.variant == "int8"] == ["bytes"]


def test_other_drawings_are_told_apart_and_no_comparison_is_made_up(result: Result) -> None:
    now = deepcopy(result)
    now["sets"]["shift"]["sha256"] = "5" * 64
    assert compare_results(result, now).notes == [
        "The set 'shift' is another than in the earlier result.",
        UNCOMPARED,
    ]
    serving = {**now, "models": {}, "sets": {}, "latency": None, "serving": {"quick": True}}
    assert compare_results(serving, serving).notes == ["Not compared: serving."]


def test_a_result_is_read(result: Result, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(json.dumps(result), encoding="utf-8")
    assert read_result(path) == result


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it is no JSON"),
        ("\xff", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ('{"format": NaN}', "it is no JSON"),
        ("[]", "it holds no result, expected format 3"),
        ("{}", "it holds no result, expected format 3"),
        ('{"format": 1, "models": {}}', "it holds format 1, expected format 3"),
        ('{"format": 3, "models": []}', "expected format 3"),
        ('{"format": 3, "models": {}}', "a field is not as expected"),
    ],
)
def test_another_file_is_refused(content: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(ComparisonError, match=reason):
        read_result(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ComparisonError, match=r"\(No such file or directory\)"):
        read_result(tmp_path / "old.json")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("device", None),
        ("device/runtime", ...),
        ("dataset_sha256", ...),
        ("warnings", ...),
        ("bare", ...),
        ("sets", {}),
        ("models/dense", []),
        ("models/dense/variants/int8/bytes", None),
        ("models/dense/variants/int8/drift/wrong", 3),
        ("models/dense/variants/int8/drift/wrong", [[1]]),
        ("models/dense/variants/int8/drift/accuracy", "high"),
        ("models/dense/variants/int8/drift/agreement", 2),
        ("models/dense/variants/int8/latency/median_us", 0),
        ("models/dense/variants/int8/latency/median_us", "1"),
        ("models/dense/variants/int8/latency/repeats_us", []),
        ("bare/stray/quality", 1),
    ],
)
def test_a_field_of_another_kind_is_refused_when_it_is_read(
    place: str, value: object, result: Result, tmp_path: Path
) -> None:
    *way, last = place.split("/")
    part = result
    for step in way:
        part = part[step]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    path = tmp_path / "old.json"
    path.write_text(json.dumps(result), encoding="utf-8")
    with pytest.raises(ComparisonError, match=r"old\.json cannot be compared with"):
        read_result(path)
