"""Devices side by side: results that several devices measured, in one table and one chart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.drift.drift import GATED
from benchmarks.report import charts
from benchmarks.report.comparison import readable
from benchmarks.report.tables import UNKNOWN, Part, ReportTable, number

Result = Mapping[str, Any]
"""What one device measured, as ``--json`` wrote it."""
_Figures = dict[tuple[str, str], float]
"""Figures by two names, such as model and variant."""


def by_device(results: Mapping[Path, Result]) -> dict[str, Result]:
    """Name each result after its file: by the whole path if two files have the same name."""
    stems = [path.stem for path in results]
    return {
        path.stem if stems.count(path.stem) == 1 else str(path): result
        for path, result in results.items()
    }


def check(path: Path, result: Result) -> None:
    """Read everything that the tables need.

    Raises:
        ComparisonError: a field is not as expected.
    """
    with readable(path):
        for _ in device_parts({path.stem: result}):
            pass
        latency_chart({path.stem: result})


def device_parts(results: Mapping[str, Result]) -> Iterator[Part]:
    """Tables with a column for each device.

    Args:
        results: by the device's name; at least one.
    """
    yield Part("Devices", _devices(results))
    yield Part(
        "One inference, median µs",
        _table(("model", "variant"), results, _latencies, number),
        "One thread, one image, in the runtime that the app uses.",
    )
    yield Part(
        "Everything else",
        _table(("", "unit"), results, _others, number),
        "The app's start and memory are in the results of: python -m benchmarks serving",
    )
    yield _drift(results)


def latency_chart(results: Mapping[str, Result]) -> str:
    """The medians of single inferences as SVG; empty if no device measured them."""
    found = {name: _latencies(result) for name, result in results.items()}
    rows = {
        " ".join(key): {name: figures[key] for name, figures in found.items() if key in figures}
        for figures in found.values()
        for key in figures
    }
    return charts.dots(rows, [*results]) if rows else ""


def _table(
    names: tuple[str, str],
    results: Mapping[str, Result],
    read: Callable[[Result], _Figures],
    show: Callable[[float | None], str],
) -> ReportTable:
    """A row for each figure that any device has."""
    found = [read(result) for result in results.values()]
    table = ReportTable(names, tuple(results))
    for key in dict.fromkeys(key for figures in found for key in figures):
        table.add(*key, *(show(figures.get(key)) for figures in found))
    return table


def _devices(results: Mapping[str, Result]) -> ReportTable:
    shown: dict[str, Callable[[Result], object]] = {
        "board": lambda result: result["device"]["board"],
        "CPU": lambda result: result["device"]["cpu"],
        "cores": lambda result: f"{result['device']['cores']}, {result['device']['architecture']}",
        "runtime": lambda result: result["device"]["runtime"],
        "Python": lambda result: result["device"]["python"],
        "measured": lambda result: result["measured_at"][:10],
        "timings": lambda result: "doubtful" if result["warnings"] else "steady",
    }
    table = ReportTable(("",), tuple(results))
    for title, show in shown.items():
        table.add(title, *(str(show(result) or UNKNOWN) for result in results.values()))
    return table


def _latencies(result: Result) -> _Figures:
    runtime = result["device"]["runtime"]
    return {
        (each["model"], each["variant"]): float(each["times"]["median_us"])
        for each in (result["latency"] or {"inference": []})["inference"]
        if (each["runtime"], each["threads"], each["batch"]) == (runtime, 1, 1)
    }


def _others(result: Result) -> _Figures:
    found: _Figures = {}
    if latency := result["latency"]:
        for each in latency["normalization"]:
            of = "a drawing" if each["function"] == "rasterize" else "an image"
            what = f"normalization of {of}, {each['normalization']}"
            found[what, "µs"] = float(each["times"]["median_us"])
        for each in latency["starts"]:
            chosen = each["runtime"], each["threads"], each["variant"]
            if chosen == (result["device"]["runtime"], 1, GATED):
                name = f"{each['model']} {GATED}"
                found[f"{name}, to load", "ms"] = float(each["load_ms"])
                if each["memory_bytes"] is not None:
                    found[f"{name}, memory", "MB"] = each["memory_bytes"] / 1e6
    if serving := result["serving"]:
        found["the app, to start", "s"] = median(serving["app_start_s"])
        if memory := serving["memory"]:
            found["the app, memory", "MB"] = max(memory["app_bytes"]) / 1e6
    return found


def _drift(results: Mapping[str, Result]) -> Part:
    """What the first device measured, and whether the others agree."""
    found = [_qualities(result) for result in results.values()]
    table = ReportTable(("model", "variant"), tuple(results))
    for key in dict.fromkeys(key for qualities in found for key in qualities):
        first = next(qualities[key] for qualities in found if key in qualities)
        cells = [_agreement(first, qualities.get(key)) for qualities in found]
        table.add(*key, *cells, is_marked=any("differ" in cell for cell in cells))
    return Part(
        "Drift",
        table,
        "Accuracy on MNIST's test images, %, where it was measured first. Equal: every figure of "
        "the drift is. Same digits: the same images are misread, but outputs differ slightly, as "
        "they do between runtimes.",
    )


def _qualities(result: Result) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {
        (name, variant): {**fields["drift"], "file": fields["sha256"]}
        for name, model in result["models"].items()
        for variant, fields in model["variants"].items()
        if fields["drift"]
    }


def _agreement(first: Mapping[str, Any], other: Mapping[str, Any] | None) -> str:
    if other is None:
        return UNKNOWN
    if other is first:
        return f"{100 * first['accuracy']:.2f}"
    if other["file"] != first["file"]:
        return "other file"
    if other == first:
        return "equal"
    differ = len({*first["wrong"]} ^ {*other["wrong"]})
    return f"{differ} differ" if differ else "same digits"
