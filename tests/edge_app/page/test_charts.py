"""Charts of the page's tabs: small lines with gaps and marks, whatever the values are."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest

from edge_app.page.charts import sparkline


def drawn(values: Sequence[float | None], limit: float = math.inf) -> ElementTree.Element:
    """The chart; all of its coordinates are within it."""
    svg = sparkline(values, '<b>&"', (0, 1), limit)
    assert "<b>" not in svg
    assert not re.search(r"\bnan\b|\binf\b|None", svg)
    chart = ElementTree.fromstring(svg)  # noqa: S314 - Our own.
    assert chart.attrib["aria-label"] == '<b>&"'
    _, _, width, height = map(float, chart.attrib["viewBox"].split())
    for run in runs(chart):
        assert all(0 <= x <= width and 0 <= y <= height for x, y in run)
    return chart


def runs(chart: ElementTree.Element) -> list[list[tuple[float, float]]]:
    found = []
    for line in chart.iter("polyline"):
        points = (point.split(",") for point in line.attrib["points"].split())
        found.append([(float(x), float(y)) for x, y in points])
    return found


def test_a_line_rises_with_its_values_and_has_gaps_where_they_are_unknown() -> None:
    first, second = runs(drawn([1, 3, 2, None, 5, 4]))
    assert [x for x, _ in first] == sorted(x for x, _ in first)
    assert first[0][1] > first[2][1] > first[1][1]  # Higher values are further up.
    assert second[0][1] < first[1][1]
    assert second[0][0] - first[2][0] == pytest.approx(2 * (first[1][0] - first[0][0]), abs=0.2)


def test_high_values_are_marked_and_the_last_one_has_a_dot() -> None:
    chart = drawn([70, 80, 85, None, 79], limit=80)
    assert len([*chart.iter("line")]) == 2
    assert len([*chart.iter("circle")]) == 1


def test_small_changes_look_small() -> None:
    [small] = runs(drawn([0.4, 0.5]))
    [large] = runs(drawn([0, 0.5]))
    assert 0 < small[0][1] - small[1][1] < (large[0][1] - large[1][1]) / 4


@pytest.mark.parametrize("values", [[], [None], [5.0], [0, 0], [None, 1, None], [1e15, -1e15, 0]])
def test_odd_values_are_drawn(values: list[float | None]) -> None:
    drawn(values)
