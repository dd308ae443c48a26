"""Serving as tables."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.report.tables import UNKNOWN, Part, Table
from benchmarks.serving.browser import Browsing
from benchmarks.serving.serving import Concurrency, Serving
from benchmarks.serving.times import Times


def serving_tables(result: Serving) -> Iterator[Part]:
    """Everything that was measured of serving, the targets last."""
    yield Part("Start and memory, beside a trivial Gradio app", _process(result))
    yield Part(
        "Clients at once, beside a trivial Gradio app whose handler does nothing", _clients(result)
    )
    yield Part("The server's work for one drawing, every model", _work(result))
    yield _browser(result)
    yield Part("Targets", _targets(result))


def _process(result: Serving) -> Table:
    table = Table(("",), ("app", "trivial", "ratio"))
    start, memory = result.start, result.memory
    for number, (app, trivial) in enumerate(zip(start.app_s, start.trivial_s, strict=True), 1):
        table.add(f"start to HTTP 200, s, {number}", f"{app:.2f}", f"{trivial:.2f}", "")
    table.add("medians' ratio", "", "", f"{start.ratio:.2f}")
    if memory:
        for drawings, app_bytes, trivial_bytes in (
            (memory.drawings[at], memory.app_bytes[at], memory.trivial_bytes[at]) for at in (0, -1)
        ):
            after = f"after {drawings:,} drawings" if drawings else "when started"
            table.add(
                f"memory {after}, MB",
                f"{app_bytes / 1e6:.1f}",
                f"{trivial_bytes / 1e6:.1f}",
                f"{app_bytes / trivial_bytes:.2f}",
            )
        table.add("growth in the second half, %", f"{100 * memory.growth:.2f}", "", "")
    return table


def _clients(result: Serving) -> Table:
    table = Table(
        ("clients", "server"),
        ("drawings\nper s", "ratio", "median\nms", "p95\nms", "p99\nms", "errors", "CPU\nms each"),
    )
    for each in result.concurrency:
        _add_clients(table, each)
    return table


def _add_clients(table: Table, each: Concurrency) -> None:
    for name, server in (("app", each.app), ("trivial", each.trivial)):
        table.add(
            f"{each.clients}" if name == "app" else "",
            name,
            f"{server.per_second:,.0f}",
            _number(each.ratio, 2) if name == "app" else "",
            *(_times(server.times, 1) if server.times else [UNKNOWN] * 3),
            f"{server.errors}",
            _number(server.cpu_ms, 2),
        )


def _work(result: Serving) -> Table:
    table = Table(("",), ("median\nms", "p95\nms", "p99\nms"))
    work = result.work
    for name, times in (
        (f"{result.variant} and float32, all", work.drawing),
        ("parsing", work.parsing),
        ("normalization", work.normalization),
        ("inference and answer", work.inference),
        ("normalization of 200 points", work.normalization_200),
    ):
        table.add(name, *_times(times, 3))
    table.add("HTTP round trip without the work", _number(result.http_ms, 3), "", "")
    return table


def _browser(result: Serving) -> Part:
    app, sketchpad = result.app_page, result.sketchpad_page
    table = Table(("",), ("app", "gr.Sketchpad"))
    if app is None or sketchpad is None:
        return Part("In the browser", table, f"Not measured: {result.no_browser}.")
    for (name, one), (_, other) in zip(_page(app), _page(sketchpad), strict=True):
        table.add(name, one, other)
    return Part("In the browser", table)


def _page(page: Browsing) -> list[tuple[str, str]]:
    median, p95, p99 = _times(page.answer, 1)
    return [
        ("pointer up to answer, median ms", median),
        ("  p95 ms", p95),
        ("  p99 ms", p99),
        ("requests per update", f"{page.update.requests}"),
        ("  sent, kB", f"{page.update.bytes_up / 1000:.1f}"),
        ("  received, kB", f"{page.update.bytes_down / 1000:.1f}"),
        (f"files written for {page.answer.count} drawings", f"{page.files_written}"),
        ("page: requests", f"{page.load.requests}"),
        ("  transferred, kB", f"{page.load.bytes_down / 1000:.1f}"),
        ("  usable after, ms", _number(page.usable_ms, 0)),
        ("other hosts contacted", ", ".join(page.other_hosts) or "none"),
    ]


def _targets(result: Serving) -> Table:
    table = Table(("",), ("measured", "wanted", ""))
    for target in result.targets:
        table.add(
            target.figure,
            UNKNOWN if target.measured is None else f"{target.measured:.3g} {target.unit}",
            f"{'≤' if target.bound == 'at most' else '≥'} {target.wanted:g} {target.unit}",
            {True: "reached", False: "missed", None: UNKNOWN}[target.reached],
            is_marked=target.reached is False,
        )
    return table


def _times(times: Times, digits: int) -> list[str]:
    return [_number(each, digits) for each in (times.median_ms, times.p95_ms, times.p99_ms)]


def _number(value: float | None, digits: int) -> str:
    return UNKNOWN if value is None else f"{value:,.{digits}f}"
