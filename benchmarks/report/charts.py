"""Charts of results as SVG, for the HTML page; colours and fonts come from its style sheet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edge_app.models.metrics import Bin
from edge_app.page.charts import SERIES, Scale, circle, legend, line, svg, text

_ROW = 18  # Height of a row of text in the chart's own pixels.


class Spread(NamedTuple):
    """Times of single calls, in microseconds."""

    label: str
    fastest: float
    median: float
    p90: float
    p99: float


def spreads(rows: Sequence[Spread]) -> str:
    """Draw each row as a line from the fastest call to the 99th percentile on a logarithmic scale,
    with a box up to the 90th percentile and a dot at the median."""
    width, left, right, top = 720, 190, 70, 6
    bottom = top + _ROW * len(rows)
    least, most = min(row.fastest for row in rows), max(row.p99 for row in rows)
    x = Scale(math.log10(least) - 0.05, math.log10(most) + 0.05, left, width - right)
    parts = []
    for time, at in x.steps():
        parts += [
            line(at, top, at, bottom, "grid"),
            text(at, bottom + 16, f"{time:,g}", "axis", "middle"),
        ]
    parts.append(text(left, bottom + 34, "µs (log scale): fastest, median, p90, p99", "note"))
    for number, row in enumerate(rows):
        middle = top + _ROW * (number + 0.5)
        fastest, median, p90, p99 = (x.at(math.log10(time)) for time in row[1:])
        parts += [
            text(left - 8, middle + 4, row.label, "axis", "end"),
            line(fastest, middle, p99, middle, "s0 whisker"),
            f'<rect class="s0 box" x="{fastest:.1f}" y="{middle - 4:.1f}" '
            f'width="{p90 - fastest:.1f}" height="8"/>',
            circle(median, middle, 4, "s0 dot"),
            text(width - right + 8, middle + 4, f"{row.median:,.1f}", "axis"),
        ]
    return svg(width, bottom + 40, "Latency of single inferences", parts)


def dots(rows: Mapping[str, Mapping[str, float]], series: Sequence[str]) -> str:
    """Draw each row's values as dots on a logarithmic scale.

    Args:
        rows: a positive value for each series that has one, in microseconds, by the row's label.
        series: their names, in the order of the legend.
    """
    width, left, right, top = 720, 190, 70, 30
    bottom = top + _ROW * len(rows)
    values = [math.log10(value) for row in rows.values() for value in row.values()]
    x = Scale(min(values) - 0.05, max(values) + 0.05, left, width - right)
    parts = [legend(left, 14, series)]
    for time, at in x.steps():
        parts += [
            line(at, top, at, bottom, "grid"),
            text(at, bottom + 16, f"{time:,g}", "axis", "middle"),
        ]
    parts.append(text(left, bottom + 34, "median, µs (log scale)", "note"))
    for number, (label, row) in enumerate(rows.items()):
        middle = top + _ROW * (number + 0.5)
        parts.append(text(left - 8, middle + 4, label, "axis", "end"))
        for name, value in row.items():
            kind = f"s{series.index(name) % SERIES} dot"
            parts.append(
                circle(x.at(math.log10(value)), middle, 4, kind, f"{name}: {value:,.1f} µs")
            )
    return svg(width, bottom + 40, "Latency by device", parts)


def reliability(series: Mapping[str, Sequence[Bin]]) -> str:
    """Plot how often answers are right (up) against the probability given to them (across).

    On the diagonal the model is exactly as confident as it should be. Larger circles stand for more
    answers.

    Args:
        series: bins by name; empty bins are left out.
    """
    side, left, top, bottom = 300, 46, 24, 40
    x = Scale(0, 1, left, side - 18)
    y = Scale(0, 1, side - bottom, top)
    parts = [line(x.at(0), y.at(0), x.at(1), y.at(1), "diagonal"), legend(left, 14, series)]
    for value in (0, 0.25, 0.5, 0.75, 1):
        parts += [
            line(x.at(value), y.at(0), x.at(value), y.at(1), "grid"),
            line(x.at(0), y.at(value), x.at(1), y.at(value), "grid"),
            text(x.at(value), side - bottom + 16, f"{value:.0%}", "axis", "middle"),
            text(left - 6, y.at(value) + 4, f"{value:.0%}", "axis", "end"),
        ]
    parts.append(text((left + side) / 2, side - 6, "probability of the answer", "note", "middle"))
    for number, bins in enumerate(series.values()):
        for each in bins:
            if each.confidence is None or each.accuracy is None:
                continue
            across, up, radius = x.at(each.confidence), y.at(each.accuracy), math.log10(each.count)
            title = f"{each.count:,} answers of {each.confidence:.1%}, right: {each.accuracy:.1%}"
            parts.append(circle(across, up, 2 + 1.2 * radius, f"s{number % SERIES} area", title))
    return svg(side, side, "Reliability diagram", parts)
