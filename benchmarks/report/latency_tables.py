"""Latency as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from benchmarks.latency.latency import Inference, Latency, MeasuredFile, Startup
from benchmarks.report.tables import UNKNOWN, Columns, Part, ReportTable, number, tabulate

MEANINGS = (
    "Median, p90, p99 and min: of single calls. Mean and standard deviation: of loops of calls. "
    "x: the median divided by float32's of the same model."
)


def latency_tables(latency: Latency, sizes: Mapping[tuple[str, str], int]) -> Iterator[Part]:
    """Tables of all timings of a run; ``sizes`` are the files' bytes, by model and variant."""
    yield Part(
        "Latency of one inference, one thread, as the app calls it",
        _inference(latency.inference, sizes),
        "\n".join([MEANINGS, *latency.notes]),
    )
    if any(each.threads > 1 or each.batch > 1 for each in latency.inference):
        yield Part(
            "Images per second, by threads and images per call", _throughput(latency.inference)
        )
    if latency.starts:
        yield Part(
            "Loading, in a process of its own",
            _starts(latency.starts),
            "Memory: what one more copy of the model adds to a process, its file's bytes included.",
        )
    if latency.originals:
        yield Part("The originals in Keras, one image per call", _originals(latency))
    yield Part(
        "Latency of normalization, before each inference",
        tabulate(
            {name: attrgetter(name) for name in ("function", "normalization")},
            _times("median", "p90", "p99"),
            latency.normalization,
        ),
        "normalize: pictures of the test set; rasterize: ten synthetic drawings.",
    )


def _inference(inference: Sequence[Inference], sizes: Mapping[tuple[str, str], int]) -> ReportTable:
    single = [each for each in inference if _work(each) == (1, 1)]
    float32 = {
        (each.model, each.runtime): each.times.median_us
        for each in single
        if each.variant == "float32"
    }

    def against_float32(each: Inference) -> str:
        median_us = float32.get((each.model, each.runtime))
        return f"{each.times.median_us / median_us:.2f}" if median_us else UNKNOWN

    numbers: Columns = {
        "size\nkB": lambda each: number(sizes[each.model, each.variant] / 1000),
        **_times("median", "p90", "p99", "mean", "std", "min"),
        "x": against_float32,
    }
    return tabulate(_files(inference), numbers, single)


def _files(measured: Sequence[MeasuredFile]) -> Columns:
    """Columns that name a file, and its runtime unless there is only one."""
    are_several = len({each.runtime for each in measured}) > 1
    names = ("model", "variant", "runtime") if are_several else ("model", "variant")
    return {name: attrgetter(name) for name in names}


def _times(*names: str) -> Columns:
    return {f"{name}\nµs": partial(_time, name) for name in names}


def _time(name: str, each: Any) -> str:
    return number(getattr(each.times, f"{name}_us"))


def _work(inference: Inference) -> tuple[int, int]:
    return inference.threads, inference.batch


def _throughput(inference: list[Inference]) -> ReportTable:
    work, files = sorted({_work(each) for each in inference}), _files(inference)
    table = ReportTable(
        tuple(files), tuple(f"{threads} thr.\nby {batch:,}" for threads, batch in work)
    )
    rows: dict[tuple[str, ...], dict[tuple[int, int], str]] = {}
    for each in inference:
        names = tuple(show(each) for show in files.values())
        rows.setdefault(names, {})[_work(each)] = f"{each.images_per_second:,.0f}"
    for names, rates in rows.items():
        table.add(*names, *(rates.get(column, UNKNOWN) for column in work))
    return table


def _starts(starts: list[Startup]) -> ReportTable:
    numbers: Columns = {
        "threads": lambda each: f"{each.threads}",
        "load\nms": lambda each: f"{each.load_ms:,.2f}",
        "first\nµs": lambda each: number(each.first_us),
        "memory\nMiB": lambda each: (
            UNKNOWN if each.memory_bytes is None else f"{each.memory_bytes / 2**20:.2f}"
        ),
    }
    return tabulate(_files(starts), numbers, starts)


def _originals(latency: Latency) -> ReportTable:
    table = ReportTable(("model", "call"), ("median\nµs", "p90\nµs", "times\nint8's"))
    for each in latency.originals:
        median_us, int8 = each.times.median_us, latency.app(each.model, "int8")
        ratio = f"{median_us / int8.times.median_us:,.0f}" if int8 else UNKNOWN
        table.add(each.model, each.call, number(median_us), number(each.times.p90_us), ratio)
    return table
