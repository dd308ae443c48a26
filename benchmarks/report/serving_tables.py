"""Serving as tables."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks.report.tables import UNKNOWN, Part, ReportTable
from benchmarks.serving.browser import PageVisits
from benchmarks.serving.clients import Percentiles
from benchmarks.serving.serving import Serving


def serving_tables(result: Serving) -> Iterator[Part]:
    """All figures of serving."""
    yield Part("Start and memory, compared with an empty Gradio app", _process(result))
    yield Part("Clients at once, compared with an empty Gradio app", _clients(result))
    yield _browser(result)


def _process(result: Serving) -> ReportTable:
    table = ReportTable(("",), ("app", "empty app", "ratio"))

    def compare(name: str, app: float, empty: float, digits: int) -> None:
        table.add(name, f"{app:.{digits}f}", f"{empty:.{digits}f}", f"{app / empty:.2f}")

    name = f"start to first page, s, median of {len(result.app_start_s)}"
    compare(name, median(result.app_start_s), median(result.empty_start_s), 2)
    if memory := result.memory:
        for at in (0, -1):
            drawings = memory.drawings[at]
            name = f"memory {f'after {drawings:,} drawings' if drawings else 'when started'}, MB"
            compare(name, memory.app_bytes[at] / 1e6, memory.empty_bytes[at] / 1e6, 1)
    return table


def _clients(result: Serving) -> ReportTable:
    table = ReportTable(
        ("clients", "server"),
        ("drawings\nper s", "median\nms", "p95\nms", "p99\nms", "errors", "CPU\nms each"),
    )
    for each in result.concurrency:
        for name, server in (("app", each.app), ("empty app", each.empty)):
            table.add(
                f"{each.clients}",
                name,
                f"{server.per_second:,.0f}",
                *(_times(server.times) if server.times else [UNKNOWN] * 3),
                f"{server.errors}",
                UNKNOWN if server.cpu_ms is None else f"{server.cpu_ms:.2f}",
            )
    return table


def _browser(result: Serving) -> Part:
    app, sketchpad = result.app_page, result.sketchpad_page
    table = ReportTable(("",), ("app", "gr.Sketchpad"))
    if app is None or sketchpad is None:
        return Part("In the browser", table, f"Not measured: {result.no_browser}.")
    for (name, one), (_, other) in zip(_page(app), _page(sketchpad), strict=True):
        table.add(name, one, other)
    return Part("In the browser", table)


def _page(page: PageVisits) -> list[tuple[str, str]]:
    forms = ("{}, median ms", "  p95 ms", "  p99 ms")
    times = {"pen up to answer": page.answer, "pen up to last change": page.settled}
    return [
        *(
            (form.format(name), shown)
            for name, each in times.items()
            for form, shown in zip(forms, _times(each), strict=True)
        ),
        ("requests per stroke", f"{page.update.requests}"),
        ("  sent, kB", f"{page.update.bytes_up / 1000:.1f}"),
        ("  received, kB", f"{page.update.bytes_down / 1000:.1f}"),
        ("page: requests", f"{page.load.requests}"),
        ("  transferred, kB", f"{page.load.bytes_down / 1000:.1f}"),
    ]


def _times(times: Percentiles) -> list[str]:
    return [f"{each:,.1f}" for each in (times.median_ms, times.p95_ms, times.p99_ms)]
