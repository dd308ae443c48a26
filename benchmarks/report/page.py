"""The report: a run's results as one HTML page that needs nothing else, on screen and on paper."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.drift.budget import GATED
from benchmarks.drift.drift import Drift, ModelDrift, Quality
from benchmarks.drift.layers import Layer, advise, keep_first, point_at
from benchmarks.latency.latency import Inference, Latency
from benchmarks.report import charts
from benchmarks.report.comparison import Comparison
from benchmarks.report.comparison_tables import comparison_tables
from benchmarks.report.contact_sheet import contact_sheet
from benchmarks.report.device_tables import device_tables
from benchmarks.report.drift_tables import drift_tables
from benchmarks.report.latency_tables import latency_tables
from benchmarks.report.serving_tables import serving_tables
from benchmarks.report.tables import Part
from benchmarks.results import TEST_SET, ModelResults, Results

_HERE = Path(__file__).parent


class Figure(NamedTuple):
    """A picture as HTML, and what it shows."""

    picture: str
    caption: str


class Group(NamedTuple):
    """Figures that stand side by side, below a title."""

    title: str
    figures: Sequence[Figure]


class Section(NamedTuple):
    """A section of the page."""

    title: str
    groups: Sequence[Group]
    parts: Sequence[Part]


def render(results: Results, comparison: Comparison | None) -> str:
    """The page as text."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("report.html").render(
        css=(_HERE / "report.css").read_text(encoding="utf-8"),
        title=f"Benchmark of {', '.join([*results.models, *results.bare])}",
        subtitle=_subtitle(results),
        problems=results.problems,
        warnings=results.latency.warnings if results.latency else [],
        verdict=results.verdict,
        sections=list(_sections(results, comparison)),
    )


def _subtitle(results: Results) -> str:
    device = results.device
    parts = (
        device.board or device.cpu or device.architecture,
        device.runtime,
        f"{results.measured_at:%d %B %Y, %H:%M} UTC",
    )
    return " · ".join(parts)


def _sections(results: Results, comparison: Comparison | None) -> Iterator[Section]:
    if comparison:
        yield Section("What changed", (), list(comparison_tables(comparison)))
    if results.sets:
        yield Section(
            "Drift",
            _trade_off(results),
            list(drift_tables(results.models, results.bare)),
        )
    for name, model in results.models.items():
        if groups := list(_of_model(model)):
            yield Section(f"What {GATED} changed in {name}", groups, ())
    if latency := results.latency:
        yield Section(
            "Latency", list(_spreads(latency)), list(latency_tables(latency, results.sizes()))
        )
    if results.serving:
        yield Section("Serving", (), list(serving_tables(results.serving)))
    yield Section("Where it was measured", (), list(device_tables(results)))


def _trade_off(results: Results) -> list[Group]:
    """One point a variant of a model, where both its accuracy and its latency are known."""
    points = []
    sizes = results.sizes()
    for name, variant, quality in _qualities(results):
        if results.latency and (timed := results.latency.app(name, variant)):
            median = timed.times.median_us
            size = sizes[name, variant]
            points.append(charts.Point(name, variant, median, quality.accuracy, size))
    if not points:
        return []
    caption = (
        "Accuracy on MNIST's test images against latency; a circle's area is the file's size. "
        "Further up and to the left is better."
    )
    return [Group("", [Figure(charts.trade_off(points), caption)])]


def _qualities(results: Results) -> Iterator[tuple[str, str, Quality]]:
    """How well each variant of a model reads the test set."""
    for name, model in results.models.items():
        if drift := model.drift.get(TEST_SET):
            for variant, each in drift.variants.items():
                yield name, variant, each
    for name, bare in results.bare.items():
        if bare.quality:
            yield name, bare.variant, bare.quality


def _of_model(model: ModelResults) -> Iterator[Group]:
    drift = model.drift.get(TEST_SET)
    if drift and GATED in drift.variants:
        int8 = drift.variants[GATED]
        yield Group("", [_per_class(drift, int8), _reliability(drift, int8)])
        flipped = {name: each for name, each in drift.variants.items() if each.flips}
        if flipped:
            yield Group(
                "Flips",
                [
                    Figure(charts.matrix(each.flip_matrix), f"{name}: {len(each.flips):,} flips")
                    for name, each in flipped.items()
                ],
            )
        if int8.flips and model.images is not None:
            yield Group("", [_sheet(contact_sheet(model.images, int8.flips, GATED))])
    layers = model.layers.get(GATED, ())
    if point_at(layers):
        yield Group("Layers", [_layers(layers)])


def _per_class(drift: ModelDrift, int8: Drift) -> Figure:
    series = {
        "original": drift.original.accuracy_by_class,
        GATED: int8.accuracy_by_class,
    }
    return Figure(charts.errors_per_class(series), "Errors for each digit, in percent of it.")


def _reliability(drift: ModelDrift, int8: Drift) -> Figure:
    series = {"original": drift.original.reliability, GATED: int8.reliability}
    caption = (
        "How often an answer is right that is given with some probability. Below the diagonal a "
        "model is too sure of itself; larger circles stand for more answers."
    )
    return Figure(charts.reliability(series), caption)


def _sheet(png: bytes) -> Figure:
    picture = (
        f'<img alt="The digits that flipped" src="data:image/png;base64,{b64encode(png).decode()}">'
    )
    return Figure(picture, f"Where {GATED} says something else than the original.")


def _layers(layers: Sequence[Layer]) -> Figure:
    first = keep_first(layers)
    bars = [
        charts.Bar(layer.name, layer.outputs_snr_db, layer is first)
        for layer in layers
        if layer.outputs_snr_db is not None
    ]
    caption = (
        "Signal to noise at the model's outputs when this layer alone is quantized; 6 dB less is "
        f"an error twice as large. Orange: what to keep in float first. {advise(layers)}"
    )
    return Figure(charts.bars(bars, "dB"), caption)


def _spreads(latency: Latency) -> Iterator[Group]:
    """Of single calls with one image and one thread, a figure for each runtime."""
    runtimes: dict[str, list[Inference]] = {}
    for each in latency.inference:
        if (each.threads, each.batch) == (1, 1):
            runtimes.setdefault(each.runtime, []).append(each)
    for runtime, inference in runtimes.items():
        rows = [
            charts.Spread(
                f"{each.model} {each.variant}",
                each.times.min_us,
                each.times.median_us,
                each.times.p90_us or each.times.median_us,
                each.times.p99_us or each.times.p90_us or each.times.median_us,
            )
            for each in inference
        ]
        yield Group("", [Figure(charts.spreads(rows), f"One inference, {runtime}, one thread.")])
