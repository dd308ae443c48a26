"""Charts as SVG, for the page's tabs and for the benchmark's report.

Each function that draws a chart returns one ``<svg>`` element as text. Colours and fonts come from
the style sheet around it by class: ``s0`` to ``s3`` for series, ``axis``, ``grid`` and ``note``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

SERIES = 4
"""The number of colours; a fifth series gets the first one again."""


class Point(NamedTuple):
    """A variant of a model with its cost and its accuracy, 0 to 1."""

    model: str
    variant: str
    latency_us: float
    accuracy: float
    bytes: int


class Scale(NamedTuple):
    """A linear map from values or their logarithms to the chart's pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def steps(self) -> list[tuple[float, float]]:
        """Round values between two logarithms, and where they are: 1, 2 and 5 times powers of ten,
        or more of them if those give only one."""
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        for factors in ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
            steps = [factor * 10.0**power for power in powers for factor in factors]
            within = [step for step in steps if self.low <= math.log10(step) <= self.high]
            if len(within) > 1:
                break
        return [(step, self.at(math.log10(step))) for step in within]


def trade_off(points: Sequence[Point]) -> str:
    """Plot accuracy against latency, with size as area: better is further up and to the left.

    Both axes are logarithmic, the vertical one in errors: from 99 to 99.5% half of them are gone.

    Args:
        points: at least one; latencies above 0.
    """
    width, height, left, right, top, bottom = 720, 400, 62, 30, 34, 46
    times = [math.log10(point.latency_us) for point in points]
    # At least half an error in 10,000 images: 0 has no logarithm.
    errors = [math.log10(max(1 - point.accuracy, 0.00005)) for point in points]
    x = Scale(min(times) - 0.15, max(times) + 0.15, left, width - right)
    y = Scale(min(errors) - 0.2, max(errors) + 0.12, top, height - bottom)
    parts = [text(left, height - 6, "latency of one inference, median, µs (log scale)", "note")]
    for time, at in x.steps():
        parts += [
            line(at, top, at, height - bottom, "grid"),
            text(at, height - 28, f"{time:,g}", "axis", "middle"),
        ]
    for error, at in y.steps():
        parts += [
            line(left, at, width - right, at, "grid"),
            text(left - 8, at + 4, f"{100 - 100 * error:g}%", "axis", "end"),
        ]
    largest = max(point.bytes for point in points)
    variants = list(dict.fromkeys(point.variant for point in points))
    parts.append(legend(left, 14, variants))
    tops: dict[str, tuple[float, float]] = {}
    for point, time, error in zip(points, times, errors, strict=True):
        across, down = x.at(time), y.at(error)
        radius = 26 * math.sqrt(point.bytes / largest)
        title = f"{point.model} {point.variant}: {point.accuracy:.2%}, {point.latency_us:,.1f} µs"
        series = f"s{variants.index(point.variant) % SERIES}"
        parts += [
            circle(across, down, radius, f"{series} area", title),
            circle(across, down, 2, f"{series} dot"),  # So that the smallest one is visible.
        ]
        # A model's name stands above the highest of its circles.
        tops[point.model] = min(tops.get(point.model, (height, 0)), (down - radius, across))
    for name, (edge, across) in tops.items():
        anchor = "end" if across > (left + width) / 2 else "start"  # A long name has room there.
        parts.append(text(across, edge - 6, name, "name", anchor))
    return svg(width, height, "Accuracy against latency, size as area", parts)


def sparkline(
    values: Sequence[float | None],
    title: str,
    usual: tuple[float, float],
    limit: float = math.inf,
) -> str:
    """Draw values at equal distances as a small line.

    It has gaps where values are unknown, and a mark below each value of at least the limit.

    Args:
        usual: the range of heights that there is room for at least, so that small changes look
            small.
    """
    width, height, edge = 320, 56, 6
    known = [*usual, *(value for value in values if value is not None)]
    x = Scale(0, max(1, len(values) - 1), edge, width - edge)
    y = Scale(min(known), max(known), height - edge - 4, edge)
    runs: list[list[str]] = [[]]
    parts = []
    for number, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        runs[-1].append(f"{x.at(number):.1f},{y.at(value):.1f}")
        if value >= limit:
            parts.append(line(x.at(number), height - 4, x.at(number), height, "limit"))
    parts += [f'<polyline class="run" points="{" ".join(run)}"/>' for run in runs if len(run) > 1]
    if values and values[-1] is not None:
        parts.append(circle(x.at(len(values) - 1), y.at(values[-1]), 3.5, "now"))
    return svg(width, height, title, parts)


def legend(left: float, line: float, names: Iterable[str]) -> str:
    """The series' names in their colours, in one line."""
    spans = (
        f'<tspan class="s{number % SERIES} key" dx="{12 if number else 0}">● {escape(name)}</tspan>'
        for number, name in enumerate(names)
    )
    return f'<text class="axis" x="{left}" y="{line}">{"".join(spans)}</text>'


def text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    """Words of a class, which begin at a point, or end there or have their middle there."""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A line of a class."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def circle(x: float, y: float, radius: float, kind: str, title: str = "") -> str:
    """A circle of a class; the title is shown under the pointer."""
    inside = f"<title>{escape(title)}</title>" if title else ""
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">{inside}</circle>'


def svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """A picture of parts, with a title for those who do not see it."""
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
