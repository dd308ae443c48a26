"""The last benchmark's file is read as it was written; anything else is not shown."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_app.device.last_benchmark import MAX_BYTES, MAX_LENGTH, read_last_benchmark
from results import MISSING, RESULT, changed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "benchmark.json"


def test_a_result_is_read_and_written_the_same(path: Path) -> None:
    path.write_text(json.dumps(RESULT), encoding="utf-8")
    found = read_last_benchmark(path)
    assert found
    assert found.measured_at == datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
    assert (found.quick, found.board, found.cpu) == (False, None, "AMD EPYC")
    assert (found.architecture, found.runtime) == ("x86_64", "tflite-runtime 2.14.0")
    assert found.warnings == RESULT["warnings"]
    assert list(found.models) == ["dense", "mlp", "stray"]
    dense, mlp, stray = found.models.values()
    assert (dense.title, dense.card_sha256) == ("Simple Dense", "1" * 64)
    assert vars(dense.variants["int8"]) == RESULT["models"]["dense"]["variants"]["int8"]
    assert (mlp.variants["int8"].accuracy, mlp.variants["int8"].median_us) == (None, None)
    assert (stray.card_sha256, list(stray.variants)) == (None, ["tflite"])
    path.write_text(found.to_json(), encoding="utf-8")
    assert read_last_benchmark(path) == found


def test_long_strings_are_cut(path: Path) -> None:
    content = changed(RESULT, "warnings", ["It says: " + "x" * 500])
    content = changed(content, "models/dense/title", "y" * 10_000)
    path.write_text(json.dumps(content), encoding="utf-8")
    found = read_last_benchmark(path)
    assert found
    [warning] = found.warnings
    assert (warning[:10], warning[-2:], len(warning)) == ("It says: x", "x…", MAX_LENGTH)
    assert len(found.models["dense"].title) == MAX_LENGTH


INT8 = "models/dense/variants/int8"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("format", 3),
        ("format", MISSING),
        ("measured_at", "2026-11-22T17:00:00"),
        ("measured_at", "2026-11-22T17:00:00+01:00"),
        ("measured_at", 1795000000),
        ("runtime", 3),
        ("cpu", MISSING),
        ("models", []),
        ("models", {}),
        ("models/dense/title", "\ud800"),
        ("models/dense/card_sha256", MISSING),
        ("models/dense/variants", None),
        (f"{INT8}/bytes", -1),
        (f"{INT8}/bytes", True),
        (f"{INT8}/bytes", 10**400),
        (f"{INT8}/accuracy", float("nan")),
        (f"{INT8}/agreement", MISSING),
        (f"{INT8}/median_us", float("inf")),
        (f"{INT8}/p99_us", "59.6"),
        ("warnings", [None]),
        ("warnings", 3),
    ],
)
def test_a_result_with_an_unexpected_field_is_not_shown(
    path: Path, place: str, value: object
) -> None:
    path.write_text(json.dumps(changed(RESULT, place, value)), encoding="utf-8")
    assert read_last_benchmark(path) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe{}",
        b"[]",
        b'{"a":' * 50_000,
        json.dumps(RESULT).encode()[:-20],
        json.dumps(RESULT).encode() + b" " * MAX_BYTES,
    ],
    ids=["empty", "not-text", "list", "deep", "torn", "large"],
)
def test_another_file_is_not_shown(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert read_last_benchmark(path) is None


def test_a_path_without_a_regular_file_is_not_shown(path: Path) -> None:
    assert read_last_benchmark(path) is None
    assert read_last_benchmark(path.parent) is None
    os.mkfifo(path)  # Nobody writes to it, so reading it must not block.
    assert read_last_benchmark(path) is None
