"""Charts: a result's numbers as SVG, to stand in a page.

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
"""How many colours there are; a fifth series has the first one's again."""
DIGITS = 10

_ROW = 18
"""Height of a row of text, in the chart's own pixels."""


class Point(NamedTuple):
    """A variant of a model: what it costs and how often it is right."""

    model: str
    variant: str
    latency_us: float
    accuracy: float
    """0 to 1."""
    bytes: int


class Spread(NamedTuple):
    """Times of single calls, in microseconds."""

    label: str
    fastest: float
    median: float
    p90: float
    p99: float


class Bar(NamedTuple):
    """A row of a bar chart: its label, its value, and whether to point at it."""

    label: str
    value: float
    is_marked: bool = False


class _Scale(NamedTuple):
    """A linear map of values, or of their logarithms, to the chart's pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)


def trade_off(points: Sequence[Point]) -> str:
    """Accuracy against latency, size as area: better is further up and to the left.

    Both axes are logarithmic, the upright one in errors: from 99 to 99.5% half of them are gone.

    Args:
        points: at least one; latencies above 0.
    """
    width, height, left, right, top, bottom = 720, 400, 62, 30, 34, 46
    times = [math.log10(point.latency_us) for point in points]
    errors = [math.log10(_errors(point)) for point in points]
    x = _Scale(min(times) - 0.15, max(times) + 0.15, left, width - right)
    y = _Scale(min(errors) - 0.2, max(errors) + 0.12, top, height - bottom)
    parts = [_text(left, height - 6, "latency of one inference, median, µs (log scale)", "note")]
    for time in _steps(x.low, x.high):
        at = x.at(math.log10(time))
        parts += [
            _line(at, top, at, height - bottom, "grid"),
            _text(at, height - 28, f"{time:,g}", "axis", "middle"),
        ]
    for error in _steps(y.low, y.high):
        at = y.at(math.log10(error))
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
        series = _series(variants.index(point.variant))
        parts += [
            f'<circle class="{series} area" cx="{across:.1f}" '
            f'cy="{down:.1f}" r="{radius:.1f}"><title>{escape(title)}</title></circle>',
            # So that the smallest is seen, too.
            f'<circle class="{series} dot" cx="{across:.1f}" cy="{down:.1f}" r="2"/>',
        ]
        # A model's name stands above the highest of its circles.
        tops[point.model] = min(tops.get(point.model, (height, 0)), (down - radius, across))
    parts += [_text(across, edge - 6, name, "name") for name, (edge, across) in tops.items()]
    return _svg(width, height, "Accuracy against latency, size as area", parts)


def spreads(rows: Sequence[Spread]) -> str:
    """Each row a line from the fastest call to the 99th percentile, on a logarithmic scale; a box
    ends at the 90th, and a dot is the median."""
    width, left, right, top = 720, 190, 70, 6
    bottom = top + _ROW * len(rows)
    x = _Scale(
        math.log10(min(row.fastest for row in rows)) - 0.05,
        math.log10(max(row.p99 for row in rows)) + 0.05,
        left,
        width - right,
    )
    parts = []
    for time in _steps(x.low, x.high):
        at = x.at(math.log10(time))
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
            _rectangle(fastest, middle - 4, p90 - fastest, 8, "s0 box"),
            f'<circle class="s0 dot" cx="{median:.1f}" cy="{middle:.1f}" r="4"/>',
            _text(width - right + 8, middle + 4, f"{row.median:,.1f}", "axis"),
        ]
    return _svg(width, bottom + 40, "Latency of single inferences", parts)


def matrix(flips: Sequence[Sequence[int]]) -> str:
    """How many answers went from which digit (rows) to which (columns); nothing where none did.

    Args:
        flips: counts, 10 rows of 10.
    """
    cell, edge = 24, 34
    largest = max(1, *(count for row in flips for count in row))
    parts = [
        _text(edge + cell * 5, 12, "variant says", "note", "middle"),
        f'<g transform="rotate(-90)">'
        f"{_text(-(edge + cell * 5), 10, 'original says', 'note', 'middle')}</g>",
    ]
    for digit in range(DIGITS):
        middle = edge + cell * (digit + 0.5)
        parts += [
            _text(middle, edge - 6, str(digit), "axis", "middle"),
            _text(edge - 6, middle + 4, str(digit), "axis", "end"),
        ]
    for row, counts in enumerate(flips):
        for column, count in enumerate(counts):
            left, top = edge + cell * column, edge + cell * row
            kind = "cell same" if row == column else "cell"
            parts.append(_rectangle(left, top, cell, cell, kind))
            if count:
                shade = 0.15 + 0.35 * count / largest  # The count can be read on all of them.
                parts += [
                    f'<rect class="s1 heat" x="{left}" y="{top}" width="{cell}" height="{cell}" '
                    f'fill-opacity="{shade:.2f}"/>',
                    _text(left + cell / 2, top + cell / 2 + 4, str(count), "count", "middle"),
                ]
    side = edge + cell * DIGITS + 2
    return _svg(side, side, "Matrix of flips", parts)


def errors_per_class(accuracies: Mapping[str, Sequence[float | None]]) -> str:
    """Errors for each digit, a bar a series.

    Args:
        accuracies: of digits 0 to 9, 0 to 1 or unknown, by the name of who reads them; at least
            one.
    """
    width, height, left, top, bottom = 620, 300, 46, 26, 26
    errors = {
        name: [0.0 if value is None else 1 - value for value in values]
        for name, values in accuracies.items()
    }
    most = max(0.001, *(value for values in errors.values() for value in values))
    y = _Scale(0, most * 1.05, height - bottom, top)
    group = (width - left) / DIGITS
    bar = (group - 12) / len(errors)
    parts = [_legend(left, 14, errors)]
    for value in _round_steps(y.high):
        at = y.at(value)
        parts += [
            _line(left, at, width, at, "grid"),
            _text(left - 6, at + 4, f"{100 * value:.3g}%", "axis", "end"),
        ]
    for digit in range(DIGITS):
        middle = left + group * (digit + 0.5)
        parts.append(_text(middle, height - 8, str(digit), "axis", "middle"))
        for number, values in enumerate(errors.values()):
            at = y.at(values[digit])
            start = left + group * digit + 6 + bar * number
            parts.append(_rectangle(start, at, bar, height - bottom - at, f"{_series(number)} bar"))
    return _svg(width, height, "Errors for each digit", parts)


def reliability(series: Mapping[str, Sequence[Bin]]) -> str:
    """How often answers are right (up) that are given with some probability (across), size by how
    many they are. On the diagonal they are as sure as they may be.

    Args:
        series: bins by the name of who answered; empty bins are left out.
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
    parts.append(_text((left + side) / 2, side - 6, "probability it gave", "note", "middle"))
    for number, bins in enumerate(series.values()):
        for each in bins:
            if each.confidence is None or each.accuracy is None:
                continue
            radius = 2 + 1.2 * math.log10(each.count)
            title = f"{each.count:,} answers of {each.confidence:.1%}, right: {each.accuracy:.1%}"
            parts.append(
                f'<circle class="{_series(number)} area" cx="{x.at(each.confidence):.1f}" '
                f'cy="{y.at(each.accuracy):.1f}" r="{radius:.1f}">'
                f"<title>{escape(title)}</title></circle>"
            )
    return _svg(side, side, "Reliability diagram", parts)


def bars(rows: Sequence[Bar], unit: str) -> str:
    """A bar a row, from 0, with its value; below 0 there is the value alone. Marked rows stand out.

    Args:
        rows: at least one.
        unit: of the values.
    """
    width, left, right = 720, 230, 80
    x = _Scale(0, max(1e-9, *(row.value for row in rows)), left, width - right)
    parts = []
    for number, row in enumerate(rows):
        top, end = _ROW * number + 4, x.at(max(row.value, 0))
        colour = "s1" if row.is_marked else "s0"
        parts += [
            _text(left - 8, top + 12, row.label, "axis", "end"),
            _rectangle(left, top + 2, end - left, _ROW - 6, f"{colour} bar"),
            _text(end + 6, top + 12, f"{row.value:.1f} {unit}", "axis"),
        ]
    return _svg(width, _ROW * len(rows) + 8, f"Bars in {unit}", parts)


def _errors(point: Point) -> float:
    """The part that it reads wrong; of a faultless one half an error in 10,000."""
    return max(1 - point.accuracy, 0.00005)


def _steps(low: float, high: float) -> list[float]:
    """Round values whose logarithms lie between two, at least 0.3 apart: 1, 2 and 5 times powers of
    ten, or more of them where that is but one."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    for factors in ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        steps = [factor * 10.0**power for power in powers for factor in factors]
        within = [step for step in steps if low <= math.log10(step) <= high]
        if len(within) > 1:
            break
    return within


def _round_steps(high: float) -> list[float]:
    """Some four round values from 0 up."""
    power = 10.0 ** math.floor(math.log10(high / 4))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * 5 > high)
    return [step * number for number in range(int(high / step) + 1)]


def _series(number: int) -> str:
    return f"s{number % SERIES}"


def _legend(left: float, line: float, names: Iterable[str]) -> str:
    spans = (
        f'<tspan class="{_series(number)} key" dx="{12 if number else 0}">● {escape(name)}</tspan>'
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


def _rectangle(x: float, y: float, width: float, height: float, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" '
        f'height="{max(height, 0):.1f}"/>'
    )


def _svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
