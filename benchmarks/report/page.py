"""The results of a run as one self-contained HTML page, for the screen and for paper."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.drift.drift import GATED, Drift
from benchmarks.latency.latency import Latency
from benchmarks.report import charts
from benchmarks.report.comparison import Comparison, comparison_tables
from benchmarks.report.contact_sheet import contact_sheet
from benchmarks.report.device_tables import device_tables
from benchmarks.report.devices import Result, device_parts, latency_chart
from benchmarks.report.drift_tables import drift_tables
from benchmarks.report.latency_tables import latency_tables
from benchmarks.report.serving_tables import serving_tables
from benchmarks.report.tables import Part
from benchmarks.results import TEST_SET, ModelResults, Results
from edge_app.page.charts import Point, trade_off

_HERE = Path(__file__).parent


class Figure(NamedTuple):
    """A picture as HTML, with its caption."""

    picture: str
    caption: str


class ReportSection(NamedTuple):
    """A section of the page."""

    title: str
    figures: Iterable[Figure]
    parts: Iterable[Part]


def render(results: Results, comparison: Comparison | None) -> str:
    """Render the page of a run as text."""
    device = results.device
    return _render(
        f"Benchmark of {', '.join([*results.models, *results.cardless])}",
        f"{device.board or device.cpu or device.architecture} · {device.runtime} · "
        f"{results.measured_at:%d %B %Y, %H:%M} UTC",
        sections(results, comparison),
        problems=results.problems,
        warnings=results.warnings,
        verdict=results.verdict,
    )


def render_devices(results: Mapping[str, Result]) -> str:
    """Render the page of several devices' results, by their names, as text."""
    section = ReportSection("Side by side", _dots(results), device_parts(results))
    return _render("Benchmark of several devices", ", ".join(results), [section])


def _render(title: str, subtitle: str, sections: Iterable[ReportSection], **said: object) -> str:
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("report.html").render(
        css=(_HERE / "report.css").read_text(encoding="utf-8"),
        title=title,
        subtitle=subtitle,
        sections=sections,
        **{"problems": [], "warnings": [], "verdict": None} | said,
    )


def _dots(results: Mapping[str, Result]) -> Iterator[Figure]:
    if chart := latency_chart(results):
        yield Figure(chart, "One inference on each device, one thread; further left is better.")


def sections(results: Results, comparison: Comparison | None) -> Iterator[ReportSection]:
    """The sections of the page; a figure is drawn when it is iterated over."""
    if comparison:
        yield ReportSection("What changed", (), comparison_tables(comparison))
    if results.sets:
        yield ReportSection("Drift", _trade_off(results), drift_tables(results))
    for name, model in results.models.items():
        if int8 := model.gated:
            title = f"What {GATED} changed in {name}"
            yield ReportSection(title, _of_model(model, int8), ())
    if latency := results.latency:
        tables = latency_tables(latency, results.sizes())
        yield ReportSection("Latency", _spreads(latency), tables)
    if results.serving:
        yield ReportSection("Serving", (), serving_tables(results.serving))
    yield ReportSection("Where it was measured", (), device_tables(results))


def _trade_off(results: Results) -> Iterator[Figure]:
    """A point for each variant whose accuracy and latency are both known."""
    sizes = results.sizes()
    points = [
        Point(name, variant, times.median_us, quality.accuracy, sizes[name, variant])
        for name, variant, quality in results.qualities()
        if (times := results.times(name, variant))
    ]
    if points:
        yield Figure(
            trade_off(points),
            "Accuracy on MNIST's test images against latency; a circle's area shows the file's "
            "size. Further up and to the left is better.",
        )


def _of_model(model: ModelResults, int8: Drift) -> Iterator[Figure]:
    original = model.drift[TEST_SET].original
    yield Figure(
        charts.reliability({"original": original.reliability, GATED: int8.reliability}),
        "How often answers are right, by the probability given to them. Below the diagonal a "
        "model is overconfident; larger circles stand for more answers.",
    )
    if int8.flips and model.images is not None:
        png = b64encode(contact_sheet(model.images, int8.flips, GATED)).decode()
        yield Figure(
            f'<img alt="The digits that flipped" src="data:image/png;base64,{png}">',
            f"Digits that {GATED} reads differently from the original.",
        )


def _spreads(latency: Latency) -> Iterator[Figure]:
    """A figure for each runtime: single calls with one image and one thread."""
    runtimes: dict[str, list[charts.Spread]] = {}
    for each in latency.inference:
        if (each.threads, each.batch) == (1, 1):
            times = each.times
            label, p90 = f"{each.model} {each.variant}", times.p90_us or times.median_us
            runtimes.setdefault(each.runtime, []).append(
                charts.Spread(label, times.min_us, times.median_us, p90, times.p99_us or p90)
            )
    for runtime, rows in runtimes.items():
        yield Figure(charts.spreads(rows), f"One inference, {runtime}, one thread.")
