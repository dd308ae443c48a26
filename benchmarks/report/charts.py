"""Charts of results as SVG, for the HTML page.

Each function returns one ``<svg>`` element as text. Colours and fonts come from the page's style
sheet by class: ``s0`` to ``s3`` for series, ``axis``, ``grid`` and ``note``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

from edge_app.models.metrics import Bin

SERIES = 4
"""The number of colours; a fifth series gets the first one again."""

_ROW = 18  # Height of a row of text in the chart's own pixels.


class Point(NamedTuple):
    """A variant of a model with its cost and its accuracy, 0 to 1."""

    model: str
    variant: str
    latency_us: float
    accuracy: float
    bytes: int


class Spread(NamedTuple):
    """Times of single calls, in microseconds."""

    label: str
    fastest: float
    median: float
    p90: float
    p99: float


class _Scale(NamedTuple):
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
    x = _Scale(min(times) - 0.15, max(times) + 0.15, left, width - right)
    y = _Scale(min(errors) - 0.2, max(errors) + 0.12, top, height - bottom)
    parts = [_text(left, height - 6, "latency of one inference, median, µs (log scale)", "note")]
    for time, at in x.steps():
        parts += [
            _line(at, top, at, height - bottom, "grid"),
            _text(at, height - 28, f"{time:,g}", "axis", "middle"),
        ]
    for error, at in y.steps():
        parts += [
            _line(left, at, width - right, at, "grid"),
            _text(left - 8, at + 4, f"{100 - 100 * error:g}%", "axis", "end"),
        ]
    largest = max(point.bytes for point in points)
    variants = list(dict.fromkeys(point.variant for point in points))
    parts.append(_legend(left, 14, variants))
    tops: dict[str, tuple[float, float]] = {}
    for point, time, error in zip(points, times, errors, strict=True):
        across, down = x.at(time), y.at(error)
        radius = 26 * math.sqrt(point.bytes / largest)
        title = f"{point.model} {point.variant}: {point.accuracy:.2%}, {point.latency_us:,.1f} µs"
        series = f"s{variants.index(point.variant) % SERIES}"
        parts += [
            _circle(across, down, radius, f"{series} area", title),
            _circle(across, down, 2, f"{series} dot"),  # So that the smallest one is visible.
        ]
        # A model's name stands above the highest of its circles.
        tops[point.model] = min(tops.get(point.model, (height, 0)), (down - radius, across))
    parts += [_text(across, edge - 6, name, "name") for name, (edge, across) in tops.items()]
    return _svg(width, height, "Accuracy against latency, size as area", parts)


def spreads(rows: Sequence[Spread]) -> str:
    """Draw each row as a line from the fastest call to the 99th percentile on a logarithmic scale,
    with a box up to the 90th percentile and a dot at the median."""
    width, left, right, top = 720, 190, 70, 6
    bottom = top + _ROW * len(rows)
    least, most = min(row.fastest for row in rows), max(row.p99 for row in rows)
    x = _Scale(math.log10(least) - 0.05, math.log10(most) + 0.05, left, width - right)
    parts = []
    for time, at in x.steps():
        parts += [
            _line(at, top, at, bottom, "grid"),
            _text(at, bottom + 16, f"{time:,g}", "axis", "middle"),
        ]
    parts.append(_text(left, bottom + 34, "µs (log scale): fastest, median, p90, p99", "note"))
    for number, row in enumerate(rows):
        middle = top + _ROW * (number + 0.5)
        fastest, median, p90, p99 = (x.at(math.log10(time)) for time in row[1:])
        parts += [
            _text(left - 8, middle + 4, row.label, "axis", "end"),
            _line(fastest, middle, p99, middle, "s0 whisker"),
            f'<rect class="s0 box" x="{fastest:.1f}" y="{middle - 4:.1f}" '
            f'width="{p90 - fastest:.1f}" height="8"/>',
            _circle(median, middle, 4, "s0 dot"),
            _text(width - right + 8, middle + 4, f"{row.median:,.1f}", "axis"),
        ]
    return _svg(width, bottom + 40, "Latency of single inferences", parts)


def dots(rows: Mapping[str, Mapping[str, float]], series: Sequence[str]) -> str:
    """Draw each row's values as dots on a logarithmic scale.

    Args:
        rows: a positive value for each series that has one, in microseconds, by the row's label.
        series: their names, in the order of the legend.
    """
    width, left, right, top = 720, 190, 70, 30
    bottom = top + _ROW * len(rows)
    values = [math.log10(value) for row in rows.values() for value in row.values()]
    x = _Scale(min(values) - 0.05, max(values) + 0.05, left, width - right)
    parts = [_legend(left, 14, series)]
    for time, at in x.steps():
        parts += [
            _line(at, top, at, bottom, "grid"),
            _text(at, bottom + 16, f"{time:,g}", "axis", "middle"),
        ]
    parts.append(_text(left, bottom + 34, "median, µs (log scale)", "note"))
    for number, (label, row) in enumerate(rows.items()):
        middle = top + _ROW * (number + 0.5)
        parts.append(_text(left - 8, middle + 4, label, "axis", "end"))
        for name, value in row.items():
            kind = f"s{series.index(name) % SERIES} dot"
            parts.append(
                _circle(x.at(math.log10(value)), middle, 4, kind, f"{name}: {value:,.1f} µs")
            )
    return _svg(width, bottom + 40, "Latency by device", parts)


def reliability(series: Mapping[str, Sequence[Bin]]) -> str:
    """Plot how often answers are right (up) against the probability given to them (across).

    On the diagonal the model is exactly as confident as it should be. Larger circles stand for more
    answers.

    Args:
        series: bins by name; empty bins are left out.
    """
    side, left, top, bottom = 300, 46, 24, 40
    x = _Scale(0, 1, left, side - 18)
    y = _Scale(0, 1, side - bottom, top)
    parts = [_line(x.at(0), y.at(0), x.at(1), y.at(1), "diagonal"), _legend(left, 14, series)]
    for value in (0, 0.25, 0.5, 0.75, 1):
        parts += [
            _line(x.at(value), y.at(0), x.at(value), y.at(1), "grid"),
            _line(x.at(0), y.at(value), x.at(1), y.at(value), "grid"),
            _text(x.at(value), side - bottom + 16, f"{value:.0%}", "axis", "middle"),
            _text(left - 6, y.at(value) + 4, f"{value:.0%}", "axis", "end"),
        ]
    parts.append(_text((left + side) / 2, side - 6, "probability of the answer", "note", "middle"))
    for number, bins in enumerate(series.values()):
        for each in bins:
            if each.confidence is None or each.accuracy is None:
                continue
            across, up, radius = x.at(each.confidence), y.at(each.accuracy), math.log10(each.count)
            title = f"{each.count:,} answers of {each.confidence:.1%}, right: {each.accuracy:.1%}"
            parts.append(_circle(across, up, 2 + 1.2 * radius, f"s{number % SERIES} area", title))
    return _svg(side, side, "Reliability diagram", parts)


def _legend(left: float, line: float, names: Iterable[str]) -> str:
    spans = (
        f'<tspan class="s{number % SERIES} key" dx="{12 if number else 0}">● {escape(name)}</tspan>'
        for number, name in enumerate(names)
    )
    return f'<text class="axis" x="{left}" y="{line}">{"".join(spans)}</text>'


def _text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _circle(x: float, y: float, radius: float, kind: str, title: str = "") -> str:
    return (
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">'
        f"<title>{escape(title)}</title></circle>"
    )


def _svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
