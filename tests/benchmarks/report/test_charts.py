"""Charts: what stands where, and that no numbers break them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from benchmarks.report import charts
from benchmarks.report.charts import Bar, Point, Spread
from edge_app.models.metrics import Bin

POINTS = [
    Point("dense", "float32", 10.0, 0.97, 32_000),
    Point("dense", "int8", 100.0, 0.97, 8_000),
    Point("mlp", "int8", 100.0, 0.997, 8_000),
]


def parse(svg: str) -> ElementTree.Element:
    """The chart, after a look at all of its numbers."""
    chart = ElementTree.fromstring(svg)  # noqa: S314 - Our own.
    for name in ("x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "width", "height"):
        for element in chart.iter():
            assert math.isfinite(float(element.get(name, 0)))
    assert not re.search(r"\bnan\b|\binf\b|None", svg)
    return chart


def places(chart: ElementTree.Element, kind: str = "area") -> list[tuple[float, float, float]]:
    return [
        (float(each.attrib["cx"]), float(each.attrib["cy"]), float(each.attrib["r"]))
        for each in chart.iter("circle")
        if kind in each.attrib["class"]
    ]


def words(chart: ElementTree.Element, kind: str) -> list[str]:
    return [each.text or "" for each in chart.iter("text") if each.get("class") == kind]


def test_trade_off_has_a_circle_a_variant_with_its_size_as_area() -> None:
    chart = parse(charts.trade_off(POINTS))
    first, second, third = places(chart)
    assert second[0] == third[0] > first[0]  # Slower is further right,
    assert first[1] == second[1] > third[1]  # and better further up.
    assert first[2] == pytest.approx(2 * second[2])  # Four times the bytes.
    dots = places(chart, "dot")
    assert [each[:2] for each in dots] == [each[:2] for each in (first, second, third)]
    assert words(chart, "name") == ["dense", "mlp"]
    assert next(each.text for each in chart.iter("title")) == "dense float32: 97.00%, 10.0 µs"


def test_both_axes_of_the_trade_off_are_logarithmic() -> None:
    accuracies = [0.9, 0.99, 0.999]
    points = [Point("a", str(x), 10.0**x, accuracies[x], 100) for x in range(3)]
    chart = parse(charts.trade_off(points))
    across, down, _ = zip(*places(chart), strict=True)
    assert across[1] - across[0] == pytest.approx(across[2] - across[1], abs=0.11)
    assert down[0] - down[1] == pytest.approx(down[1] - down[2], abs=0.11)
    labels = words(chart, "axis")
    assert {"1", "10", "100", "90%", "99%", "99.9%"} <= set(labels)


def test_spreads_have_a_row_each_and_their_medians() -> None:
    rows = [Spread("dense int8", 1.0, 10.0, 100.0, 1000.0), Spread("mlp int8", 10, 10, 10, 10)]
    chart = parse(charts.spreads(rows))
    (first, _, _), (second, _, _) = places(chart, "dot")
    assert first == second
    line, *_ = [each for each in chart.iter("line") if "whisker" in each.attrib["class"]]
    start, end = float(line.attrib["x1"]), float(line.attrib["x2"])
    assert first == pytest.approx(start + (end - start) / 3, abs=0.11)
    boxes = [float(each.attrib["width"]) for each in chart.iter("rect")]
    assert boxes == [pytest.approx((end - start) * 2 / 3, abs=0.11), 0]
    assert {"dense int8", "mlp int8", "10.0"} <= set(words(chart, "axis"))


def test_matrix_has_each_count_in_its_cell() -> None:
    flips = [[0] * 10 for _ in range(10)]
    flips[4][9], flips[7][1] = 12, 3
    chart = parse(charts.matrix(flips))
    assert words(chart, "count") == ["12", "3"]
    heats = [each.attrib for each in chart.iter("rect") if each.get("class") == "s1 heat"]
    assert [(float(each["x"]), float(each["y"])) for each in heats] == [
        (34 + 24 * 9, 34 + 24 * 4),
        (34 + 24 * 1, 34 + 24 * 7),
    ]
    assert float(heats[0]["fill-opacity"]) > float(heats[1]["fill-opacity"])
    assert len([each for each in chart.iter("rect") if "cell" in each.attrib["class"]]) == 100


def test_errors_per_class_are_bars_from_zero() -> None:
    chart = parse(charts.errors_per_class({"a": [0.9] * 9 + [1.0], "b": [0.8] * 9 + [None]}))
    heights = [float(each.attrib["height"]) for each in chart.iter("rect")]
    assert len(heights) == 20
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
    assert heights[18:] == [0, 0]


def test_reliability_leaves_empty_bins_out() -> None:
    bins = [Bin(1, 0.5, 0.5), Bin(0, None, None), Bin(1000, 0.95, 1.0)]
    chart = parse(charts.reliability({"original": bins, "int8": bins[:1]}))
    found = places(chart)
    assert len(found) == 3
    assert found[0] == found[2]
    assert found[1][2] > found[0][2]


def test_bars_are_as_long_as_their_values() -> None:
    rows = [Bar("one", 40.0), Bar("two", 20.0, is_marked=True), Bar("none", -7.3)]
    chart = parse(charts.bars(rows, "dB"))
    bars = [(each.attrib["class"], float(each.attrib["width"])) for each in chart.iter("rect")]
    assert bars == [("s0 bar", 410), ("s1 bar", 205), ("s0 bar", 0)]
    assert {"40.0 dB", "20.0 dB", "-7.3 dB"} <= set(words(chart, "axis"))


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.trade_off([Point("a", "int8", 7.0, 1.0, 1)] * 3),
        lambda: charts.trade_off([Point("a", "int8", 0.001, 0.0, 1)]),
        lambda: charts.trade_off([Point("a", "int8", 2.2e6, 0.1, 10**9), *POINTS]),
        lambda: charts.spreads([Spread("a", 5.0, 5.0, 5.0, 5.0)]),
        lambda: charts.matrix([[0] * 10 for _ in range(10)]),
        lambda: charts.errors_per_class({"a": [1.0] * 10}),
        lambda: charts.errors_per_class({"a": [None] * 10}),
        lambda: charts.errors_per_class({"a": [0.0] * 10}),
        lambda: charts.reliability({}),
        lambda: charts.reliability({"a": [Bin(0, None, None)]}),
        lambda: charts.bars([Bar("a", 0.0)], "dB"),
    ],
)
def test_odd_numbers_do_no_harm(draw: Callable[[], str]) -> None:
    parse(draw())


@pytest.mark.parametrize("time", [1.1, 2.1, 4.4, 7.0, 13.0])
def test_an_axis_has_labels_however_near_its_values_are(time: float) -> None:
    chart = parse(charts.trade_off([Point("a", "int8", time, 0.9, 1)]))
    labels = words(chart, "axis")
    assert len([each for each in labels if not each.endswith("%")]) >= 2
    assert any(each.endswith("%") for each in labels)


def test_names_are_escaped() -> None:
    name = '<b>&"'
    for svg in (
        charts.trade_off([Point(name, name, 1.0, 0.9, 1)]),
        charts.spreads([Spread(name, 1, 2, 3, 4)]),
        charts.errors_per_class({name: [0.9] * 10}),
        charts.bars([Bar(name, 1.0)], name),
    ):
        assert "<b>" not in svg
        assert name in "".join(parse(svg).itertext())
