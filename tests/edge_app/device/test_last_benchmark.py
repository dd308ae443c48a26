"""The last benchmark's file: read strictly, whoever wrote it."""

from __future__ import annotations

import json
import os
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge_app.device.last_benchmark import LastBenchmarkError, read_last_benchmark
from results import RESULT

MISSING = object()


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def changed(place: str, value: object) -> dict[str, Any]:
    """The result, but for one place in it."""
    content = deepcopy(RESULT)
    *way, last = place.split("/")
    part = content
    for step in way:
        part = part[step]
    if value is MISSING:
        del part[last]
    else:
        part[last] = value
    return content


def test_a_result_is_read(tmp_path: Path) -> None:
    found = read_last_benchmark(write(tmp_path / "benchmark.json", RESULT))
    assert found.measured_at == datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
    assert (found.quick, found.board, found.cpu) == (False, None, "AMD EPYC")
    assert (found.architecture, found.runtime) == ("x86_64", "tflite-runtime 2.14.0")
    assert found.warnings == ("A model is missing.", "The machine was busy.")
    assert list(found.models) == ["dense", "mlp", "stray"]
    dense = found.models["dense"]
    assert (dense.title, dense.card_sha256) == ("Simple Dense", "1" * 64)
    assert list(dense.variants) == ["float32", "int8"]
    int8 = dense.variants["int8"]
    assert (int8.bytes, int8.accuracy, int8.agreement) == (9800, 0.9691, 0.9983)
    assert (int8.median_us, int8.p99_us) == (12.1, 59.6)
    mlp = found.models["mlp"].variants["int8"]
    assert (mlp.accuracy, mlp.agreement, mlp.median_us, mlp.p99_us) == (None, None, None, None)
    stray = found.models["stray"]
    assert (stray.title, stray.card_sha256, [*stray.variants]) == (
        "stray (no card)",
        None,
        ["tflite"],
    )
    tflite = stray.variants["tflite"]
    assert (tflite.bytes, tflite.accuracy, tflite.agreement) == (2048, 0.9741, None)
    assert (tflite.median_us, tflite.p99_us) == (11, None)


def test_files_without_a_card_will_do(tmp_path: Path) -> None:
    path = write(tmp_path / "benchmark.json", changed("models", {}))
    assert [*read_last_benchmark(path).models] == ["stray"]
    path = write(tmp_path / "benchmark.json", {**changed("models", {}), "bare": {}})
    with pytest.raises(LastBenchmarkError, match="it has no models"):
        read_last_benchmark(path)


def test_of_a_long_sentence_the_beginning_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "benchmark.json", changed("problems", ["It says: " + "x" * 500]))
    [said, _] = read_last_benchmark(path).warnings
    assert (said[:10], said[-2:], len(said)) == ("It says: x", "x…", 400)


INT8 = "models/dense/variants/int8"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("format", 1),
        ("format", "3"),
        ("format", MISSING),
        ("measured_at", None),
        ("measured_at", "yesterday"),
        ("measured_at", "2026-11-22T17:00:00"),
        ("measured_at", "2026-11-22T17:00:00+01:00"),
        ("measured_at", 1795000000),
        ("device", []),
        ("device/runtime", 3),
        ("device/cpu", MISSING),
        ("models", []),
        ("models", dict.fromkeys(map(str, range(1000)), RESULT["models"]["mlp"])),
        ("models/dense/title", None),
        ("models/dense/title", "x" * 10_000),
        ("models/dense/title", "\ud800"),
        ("models/dense/card_sha256", MISSING),
        ("models/dense/variants", None),
        ("bare", MISSING),
        ("bare", {"stray": RESULT["models"]["mlp"]}),
        (f"{INT8}/bytes", -1),
        (f"{INT8}/bytes", True),
        (f"{INT8}/bytes", "9800"),
        (f"{INT8}/bytes", 10**400),
        (f"{INT8}/drift/accuracy", float("nan")),
        (f"{INT8}/drift/accuracy", 96.91),
        (f"{INT8}/drift/agreement", MISSING),
        (f"{INT8}/drift", {}),
        (f"{INT8}/latency", [12.1, 59.6]),
        (f"{INT8}/latency/median_us", float("inf")),
        (f"{INT8}/latency/p99_us", "59.6"),
        ("warnings", "The machine was busy."),
        ("warnings", [None]),
        ("problems", MISSING),
        ("problems", ["x"] * 1000),
    ],
)
def test_what_is_not_as_it_should_be_is_refused(tmp_path: Path, place: str, value: object) -> None:
    path = write(tmp_path / "benchmark.json", changed(place, value))
    with pytest.raises(LastBenchmarkError, match=r"benchmark\.json is no benchmark's result"):
        read_last_benchmark(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 1000,
        b"\xff\xfe{}",
        b"[]",
        b"null",
        b"{" * 100_000,
        b'{"a":' * 100_000,
        json.dumps(RESULT).encode()[:-20],
        json.dumps(RESULT).encode() + b" " * 10_000_000,
    ],
    ids=["empty", "zeros", "no-text", "list", "null", "open", "deep", "torn", "10MB"],
)
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "benchmark.json"
    path.write_bytes(content)
    with pytest.raises(LastBenchmarkError, match=r"benchmark\.json is no benchmark's result"):
        read_last_benchmark(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LastBenchmarkError, match=r"cannot be read \(No such file or directory\)"):
        read_last_benchmark(tmp_path / "missing.json")
    with pytest.raises(LastBenchmarkError):
        read_last_benchmark(tmp_path)
    os.mkfifo(tmp_path / "pipe")  # That nobody writes to.
    with pytest.raises(LastBenchmarkError, match="it is no file"):
        read_last_benchmark(tmp_path / "pipe")
