"""The sheet of the last benchmark, if there was one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from edge_app.device.description import Device, describe_device
from edge_app.device.last_benchmark import LastBenchmark, MeasuredModel, read_last_benchmark
from edge_app.page.charts import Point, trade_off
from edge_app.page.names import short
from edge_app.page.tabs.content import (
    NOTHING,
    Drawing,
    Section,
    Sheet,
    Table,
    percent,
    size,
)

LONGEST_NAME = 40
"""Characters of a model's title in the chart."""


def benchmark_sheet(path: Path, cards: Mapping[str, str]) -> Sheet | None:
    """Describe the benchmark in a file; None if the file holds none.

    Args:
        path: the file.
        cards: the SHA-256 of the card of each served model, by name.
    """
    benchmark = read_last_benchmark(path)
    if benchmark is None:
        return None
    quick = " (quick run)" if benchmark.quick else ""
    return Sheet(
        title="Last benchmark",
        text=f"{_date(benchmark.measured_at)}{quick}. Agrees: same answer as the original model. "
        "Median and p99: time of one inference.",
        warnings=[
            *_differences(benchmark, cards, describe_device()),
            *benchmark.warnings,
        ],
        sections=[
            *_chart(benchmark),
            *(_section(model) for model in benchmark.models.values()),
            Section(title="Measured on", facts=_facts(benchmark)),
        ],
    )


def _differences(benchmark: LastBenchmark, cards: Mapping[str, str], device: Device) -> list[str]:
    """What differs from the models, the device and the runtime of this app."""
    sentences = []
    others = [
        model.title
        for name, model in benchmark.models.items()
        if model.card_sha256 and cards.get(name) != model.card_sha256
    ]
    if others:
        sentences.append(
            f"This benchmark ran with different versions of {', '.join(others)}. "
            "Run python -m benchmarks again."
        )
    if (benchmark.board, benchmark.cpu, benchmark.architecture) != (
        device.board,
        device.cpu,
        device.architecture,
    ):
        sentences.append("This benchmark ran on a different device.")
    elif benchmark.runtime != device.runtime:
        sentences.append(
            f"This benchmark ran with {benchmark.runtime}; the app uses {device.runtime}."
        )
    return sentences


def _chart(benchmark: LastBenchmark) -> Iterator[Section]:
    """Accuracy against latency, where both are known."""
    points = [
        Point(
            short(name, model.title)[:LONGEST_NAME],
            variant,
            each.median_us,
            each.accuracy,
            int(each.bytes),
        )
        for name, model in benchmark.models.items()
        for variant, each in model.variants.items()
        if each.median_us and each.bytes and each.accuracy is not None
    ]
    if points:
        caption = (
            "Further up: fewer mistakes. Further left: faster. A larger circle is a larger file."
        )
        yield Section(
            title="Accuracy and latency",
            wide=True,
            drawings=[Drawing(svg=trade_off(points), caption=caption)],
        )


def _section(model: MeasuredModel) -> Section:
    return Section(
        title=model.title,
        table=Table(
            columns=["", "Accuracy", "Agrees", "Median\nµs", "p99\nµs", "Size"],
            rows=[
                [
                    name,
                    percent(variant.accuracy),
                    percent(variant.agreement),
                    _time(variant.median_us),
                    _time(variant.p99_us),
                    size(variant.bytes),
                ]
                for name, variant in model.variants.items()
            ],
        ),
    )


def _facts(benchmark: LastBenchmark) -> list[tuple[str, str]]:
    facts = [
        ("Runtime", benchmark.runtime),
        ("Board", benchmark.board),
        ("CPU", benchmark.cpu),
        ("Architecture", benchmark.architecture),
    ]
    return [(name, value) for name, value in facts if value]


def _date(time: datetime) -> str:
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def _time(microseconds: float | None) -> str:
    if microseconds is None:
        return NOTHING
    return f"{microseconds:,.{1 if microseconds < 100 else 0}f}"
