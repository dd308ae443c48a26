"""Latency as tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.latency.latency import Inference, Latency, Normalizing, Original, Start
from benchmarks.report.tables import UNKNOWN, Part, Table, number

MEANINGS = (
    "Median, p90, p99 and min are of single calls; mean and standard deviation of loops of calls. "
    "x: the median against the same model's float32."
)


def latency_tables(latency: Latency, sizes: Mapping[tuple[str, str], int]) -> Iterator[Part]:
    """Everything that was timed.

    Args:
        latency: of one run.
        sizes: bytes of each model's and variant's file.
    """
    yield Part(
        "Latency of one inference, one thread, as the app calls it",
        _inference(latency, sizes),
        "\n".join([MEANINGS, *latency.notes]),
    )
    if any(each.threads > 1 or each.batch > 1 for each in latency.inference):
        yield Part(
            "Images per second, by threads and images in a call", _throughput(latency.inference)
        )
    if latency.starts:
        yield Part(
            "Loading, in a process of its own",
            _starts(latency.starts),
            "Memory: what the model adds to a process that has run one already, its file's bytes "
            "with it.",
        )
    if latency.originals:
        yield Part("The originals in Keras, one image a call, in the same run", _originals(latency))
    yield Part(
        "Latency of normalization, which comes before",
        _normalization(latency.normalization),
        "normalize: pictures of the test set; rasterize: ten synthetic drawings.",
    )


def _inference(latency: Latency, sizes: Mapping[tuple[str, str], int]) -> Table:
    several = _are_several(latency.inference)
    table = Table(
        _names(several),
        ("size\nkB", "median\nµs", "p90\nµs", "p99\nµs", "mean\nµs", "std\nµs", "min\nµs", "x"),
    )
    for each in latency.inference:
        if _work(each) != (1, 1):
            continue
        times = each.times
        table.add(
            *_file(each, several),
            number(sizes[each.model, each.variant] / 1000),
            *map(number, (times.median_us, times.p90_us, times.p99_us)),
            *map(number, (times.mean_us, times.std_us, times.min_us)),
            _against_float32(each, latency.inference),
        )
    return table


def _are_several(measured: Sequence[Inference | Start]) -> bool:
    """Whether there are several runtimes; one is named with the device."""
    return len({each.runtime for each in measured}) > 1


def _names(are_several: bool) -> tuple[str, ...]:
    return ("model", "variant", "runtime") if are_several else ("model", "variant")


def _file(each: Inference | Start, are_several: bool) -> tuple[str, ...]:
    names = (each.model, each.variant)
    return (*names, each.runtime) if are_several else names


def _work(inference: Inference) -> tuple[int, int]:
    return inference.threads, inference.batch


def _against_float32(inference: Inference, all_of_them: list[Inference]) -> str:
    """Its median divided by float32's, of the same model, runtime, threads and batch: one slow call
    moves a mean, and not a median."""
    same = dataclasses.replace(inference, variant="float32")
    for each in all_of_them:
        if _what(each) == _what(same):
            return f"{inference.times.median_us / each.times.median_us:.2f}"
    return UNKNOWN


def _what(inference: Inference) -> tuple[str | int, ...]:
    each = inference
    return each.model, each.variant, each.runtime, each.threads, each.batch


def _throughput(inference: list[Inference]) -> Table:
    columns, several = sorted({_work(each) for each in inference}), _are_several(inference)
    table = Table(
        _names(several),
        tuple(f"{threads} thr.\nby {batch:,}" for threads, batch in columns),
    )
    rows: dict[tuple[str, ...], dict[tuple[int, int], float]] = {}
    for each in inference:
        rows.setdefault(_file(each, several), {})[_work(each)] = each.images_per_second
    for names, rates in rows.items():
        cells = (rates.get(column) for column in columns)
        table.add(*names, *(UNKNOWN if rate is None else f"{rate:,.0f}" for rate in cells))
    return table


def _starts(starts: list[Start]) -> Table:
    several = _are_several(starts)
    table = Table(
        _names(several),
        ("threads", "load\nms", "first\nµs", "memory\nMiB"),
    )
    for each in starts:
        memory = each.memory_bytes
        table.add(
            *_file(each, several),
            str(each.threads),
            f"{each.load_ms:,.2f}",
            number(each.first_us),
            UNKNOWN if memory is None else f"{memory / 2**20:.2f}",
        )
    return table


def _originals(latency: Latency) -> Table:
    table = Table(("model", "call"), ("median\nµs", "p90\nµs", "times\nint8's"))
    for each in latency.originals:
        times = each.times
        table.add(
            each.model,
            each.call,
            *map(number, (times.median_us, times.p90_us)),
            _times_slower(each, latency.app(each.model, "int8")),
        )
    return table


def _times_slower(original: Original, int8: Inference | None) -> str:
    return f"{original.times.median_us / int8.times.median_us:,.0f}" if int8 else UNKNOWN


def _normalization(normalizing: list[Normalizing]) -> Table:
    table = Table(("function", "normalization"), ("median\nµs", "p90\nµs", "p99\nµs"))
    for each in normalizing:
        times = each.times
        table.add(
            each.function,
            each.normalization,
            *map(number, (times.median_us, times.p90_us, times.p99_us)),
        )
    return table
