"""Pictures: charts show their values in order, and no numbers break them; the contact sheet is read
back."""

from __future__ import annotations

import io
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.drift.drift import Flip
from benchmarks.report import charts
from benchmarks.report import contact_sheet as sheets
from benchmarks.report.charts import Spread
from benchmarks.report.contact_sheet import DIGIT, GAP, LINE, MOST, contact_sheet
from edge_app.digits.mnist import Digits
from edge_app.models.metrics import Bin
from edge_app.page.charts import Point, trade_off

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
    chart = parse(trade_off(POINTS))
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


def test_reliability_leaves_empty_bins_out_and_shows_all_probabilities() -> None:
    bins = [Bin(1, 0.5, 0.5), Bin(0, None, None), Bin(1000, 0.95, 1.0)]
    chart = parse(charts.reliability({"original": bins, "int8": bins[:1]}))
    first, second, third = circles(chart)
    assert first == third
    assert second[0] > first[0]  # More confident is further right,
    assert second[1] < first[1]  # more often right is further up,
    assert second[2] > first[2]  # and more answers are larger.
    # Both axes begin at 0 and end at 1.
    labels = words(chart, "axis")
    assert [labels.count(f"{each}%") for each in (0, 25, 50, 75, 100)] == [2] * 5


def test_odd_numbers_are_drawn() -> None:
    parse(trade_off([Point("a", "int8", 7.0, 1.0, 1)] * 3))
    parse(trade_off([Point("a", "int8", 0.001, 0.0, 1)]))
    parse(trade_off([Point("a", "int8", 2.2e6, 0.1, 10**9), *POINTS]))
    parse(charts.spreads([Spread("a", 5.0, 5.0, 5.0, 5.0)]))
    parse(charts.reliability({}))
    parse(charts.reliability({"a": [Bin(0, None, None)]}))


@pytest.mark.parametrize("time", [1.1, 2.1, 4.4, 7.0, 13.0])
def test_an_axis_has_labels_even_if_its_values_are_close(time: float) -> None:
    labels = words(parse(trade_off([Point("a", "int8", time, 0.9, 1)])), "axis")
    assert len([each for each in labels if not each.endswith("%")]) >= 2
    assert any(each.endswith("%") for each in labels)


def test_names_are_escaped() -> None:
    name = '<b>&"'
    for svg in (
        trade_off([Point(name, name, 1.0, 0.9, 1)]),
        charts.spreads([Spread(name, 1, 2, 3, 4)]),
        charts.reliability({name: [Bin(1, 0.5, 0.5)]}),
    ):
        assert "<b>" not in svg
        assert name in "".join(parse(svg).itertext())


def read(png: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def cell(sheet: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    row, column = divmod(number, sheets.COLUMNS)
    top, left = GAP + row * sheets.CELL_HEIGHT, GAP + column * sheets.CELL_WIDTH
    return sheet[top:, left:][: sheets.CELL_HEIGHT - GAP, : sheets.CELL_WIDTH - GAP]


def digit(sheet: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """The image in a cell, as it was put in."""
    return np.bitwise_not(cell(sheet, number)[: DIGIT : sheets.ZOOM, :: sheets.ZOOM, 0])


def is_reddish(part: NDArray[np.uint8]) -> bool:
    red, green, _ = part.astype(int).transpose(2, 0, 1)
    return bool((red - green > 80).any())


def test_images_that_turned_wrong_come_first_and_wrong_answers_are_red(test_set: Digits) -> None:
    both_wrong, to_right = Flip(0, 2, 0, 0.4, 1, 0.41), Flip(1, 2, 0, 0.5, 2, 0.5)
    to_wrong, later = Flip(3, 7, 7, 0.512, 1, 0.475), Flip(9, 9, 9, 0.9, 1, 0.9)
    flips = [both_wrong, to_right, to_wrong, later]
    sheet = read(contact_sheet(test_set.images, flips, "int8"))
    for number, flip in enumerate((to_wrong, later, to_right, both_wrong)):
        assert (digit(sheet, number) == test_set.images[flip.index]).all()
    # Below an image: its label, the original's answer, and the variant's.
    for number, wrong in ((0, [False, False, True]), (2, [False, True, False])):
        lines = cell(sheet, number)[DIGIT + 2 :]
        assert [is_reddish(lines[line * LINE :][:LINE]) for line in range(3)] == wrong


def test_a_note_below_says_that_more_images_flipped(test_set: Digits) -> None:
    flips = [Flip(index, 7, 7, 0.5, 1, 0.5) for index in range(MOST + 5)]
    full, sheet = (
        read(contact_sheet(test_set.images, some, "int8")) for some in (flips[:MOST], flips)
    )
    assert sheet.shape[0] > full.shape[0]
    assert (sheet[full.shape[0] - GAP :].min(axis=2) < 120).any()
    assert (digit(sheet, MOST - 1) == test_set.images[MOST - 1]).all()
