"""Charts: they show their values in the right order, and no numbers break them."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from benchmarks.report import charts
from benchmarks.report.charts import Point, Spread
from edge_app.models.metrics import Bin

POINTS = [
    Point("dense", "float32", 10.0, 0.97, 32_000),
    Point("dense", "int8", 100.0, 0.97, 8_000),
    Point("mlp", "int8", 100.0, 0.997, 8_000),
]


def parse(svg: str) -> ElementTree.Element:
    """The chart; all of its coordinates are finite and within it."""
    chart = ElementTree.fromstring(svg)  # noqa: S314 - Our own.
    _, _, width, height = map(float, chart.attrib["viewBox"].split())
    limits = dict.fromkeys(("x", "x1", "x2", "cx"), width)
    limits |= dict.fromkeys(("y", "y1", "y2", "cy"), height)
    limits |= dict.fromkeys(("r", "width", "height"), math.inf)
    for element in chart.iter():
        for name, limit in limits.items():
            value = float(element.get(name, 0))
            assert math.isfinite(value)
            assert (-1 if limit < math.inf else 0) <= value <= limit + 1
    assert not re.search(r"\bnan\b|\binf\b|None", svg)
    return chart


def circles(chart: ElementTree.Element, kind: str = "area") -> list[tuple[float, float, float]]:
    return [
        (float(each.attrib["cx"]), float(each.attrib["cy"]), float(each.attrib["r"]))
        for each in chart.iter("circle")
        if kind in each.attrib["class"]
    ]


def words(chart: ElementTree.Element, kind: str) -> list[str]:
    return [each.text or "" for each in chart.iter("text") if each.get("class") == kind]


def test_trade_off_shows_latency_accuracy_and_size() -> None:
    chart = parse(charts.trade_off(POINTS))
    first, second, third = circles(chart)
    assert second[0] == third[0] > first[0]  # Slower is further right,
    assert first[1] == second[1] > third[1]  # and better is further up.
    assert first[2] == pytest.approx(2 * second[2])  # Four times the bytes.
    assert words(chart, "name") == ["dense", "mlp"]
    assert {"10", "100", "99%"} <= set(words(chart, "axis"))
    assert next(each.text for each in chart.iter("title")) == "dense float32: 97.00%, 10.0 µs"


def test_spreads_have_their_values_in_order() -> None:
    rows = [Spread("dense int8", 1.0, 10.0, 100.0, 1000.0), Spread("mlp int8", 10, 10, 10, 10)]
    chart = parse(charts.spreads(rows))
    (median, above, _), (same, below, _) = circles(chart, "dot")
    assert median == same
    assert above < below
    labels = words(chart, "axis")
    assert labels.index("dense int8") < labels.index("mlp int8")
    assert labels.count("10.0") == 2


def test_reliability_leaves_empty_bins_out() -> None:
    bins = [Bin(1, 0.5, 0.5), Bin(0, None, None), Bin(1000, 0.95, 1.0)]
    first, second, third = circles(
        parse(charts.reliability({"original": bins, "int8": bins[:1]})),
    )
    assert first == third
    assert second[0] > first[0]  # More confident is further right,
    assert second[1] < first[1]  # more often right is further up,
    assert second[2] > first[2]  # and more answers are larger.


def test_odd_numbers_are_drawn() -> None:
    parse(charts.trade_off([Point("a", "int8", 7.0, 1.0, 1)] * 3))
    parse(charts.trade_off([Point("a", "int8", 0.001, 0.0, 1)]))
    parse(charts.trade_off([Point("a", "int8", 2.2e6, 0.1, 10**9), *POINTS]))
    parse(charts.spreads([Spread("a", 5.0, 5.0, 5.0, 5.0)]))
    parse(charts.reliability({}))
    parse(charts.reliability({"a": [Bin(0, None, None)]}))


@pytest.mark.parametrize("time", [1.1, 2.1, 4.4, 7.0, 13.0])
def test_an_axis_has_labels_even_if_its_values_are_close(time: float) -> None:
    labels = words(parse(charts.trade_off([Point("a", "int8", time, 0.9, 1)])), "axis")
    assert len([each for each in labels if not each.endswith("%")]) >= 2
    assert any(each.endswith("%") for each in labels)


def test_names_are_escaped() -> None:
    name = '<b>&"'
    for svg in (
        charts.trade_off([Point(name, name, 1.0, 0.9, 1)]),
        charts.spreads([Spread(name, 1, 2, 3, 4)]),
        charts.reliability({name: [Bin(1, 0.5, 0.5)]}),
    ):
        assert "<b>" not in svg
        assert name in "".join(parse(svg).itertext())
