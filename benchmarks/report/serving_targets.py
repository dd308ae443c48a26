"""The targets of serving: what this project wants of itself, and whether a run reached it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from benchmarks.serving.serving import Serving

Bound = Literal["at most", "at least"]


@dataclass(frozen=True)
class Target:
    """One figure: what was wanted and what was measured."""

    figure: str
    unit: str
    """"ms", "kB", "x" (a ratio), "%", or "" for a count."""
    measured: float | None
    """None where it was not measured."""
    bound: Bound
    wanted: float
    reached: bool | None
    """None where it was not measured."""


def targets(result: Serving) -> list[Target]:
    """Every target, in the order in which people want to read them."""
    page, sketchpad = result.app_page, result.sketchpad_page
    work, memory = result.work, result.memory
    [sixteen] = [each for each in result.concurrency if each.clients == 16]
    beside_sketchpad = (
        page.answer.median_ms / sketchpad.answer.median_ms if page and sketchpad else None
    )
    return [
        _at_most("pointer up to answer, median", "ms", page.answer.median_ms if page else None, 25),
        _at_most(
            "pointer up to answer, 95th percentile", "ms", page.answer.p95_ms if page else None, 60
        ),
        _at_most("pointer up to answer, to gr.Sketchpad's", "x", beside_sketchpad, 1 / 20),
        _at_most("requests per update", "", page.update.requests if page else None, 1),
        _at_most("sent per update", "kB", page.update.bytes_up / 1000 if page else None, 3),
        _at_most("received per update", "kB", page.update.bytes_down / 1000 if page else None, 6),
        _at_most("files written", "", page.files_written if page else None, 0),
        _at_most("server's work per drawing, median", "ms", work.drawing.median_ms, 1.5),
        _at_most(
            "normalization of 200 points, median", "ms", work.normalization_200.median_ms, 0.25
        ),
        _at_least("drawings per second, 16 clients, to trivial", "x", sixteen.ratio, 0.7),
        _at_most("errors", "", sum(each.app.errors for each in result.concurrency), 0),
        _at_most("page transferred", "kB", page.load.bytes_down / 1000 if page else None, 280),
        _at_most("page's requests", "", page.load.requests if page else None, 45),
        _at_most("other hosts contacted", "", len(page.other_hosts) if page else None, 0),
        _at_most("canvas usable after", "ms", page.usable_ms if page else None, 1500),
        _at_most("start to HTTP 200, to trivial", "x", result.start.ratio, 0.75),
        _at_most("memory started, to trivial", "x", memory.started_ratio if memory else None, 1.1),
        _at_most(
            "memory after all drawings, to trivial", "x", memory.used_ratio if memory else None, 1.1
        ),
        _at_most(
            "memory's growth in the second half", "%", 100 * memory.growth if memory else None, 1
        ),
    ]


def _at_most(figure: str, unit: str, measured: float | None, wanted: float) -> Target:
    reached = None if measured is None else measured <= wanted
    return Target(figure, unit, measured, "at most", wanted, reached)


def _at_least(figure: str, unit: str, measured: float | None, wanted: float) -> Target:
    reached = None if measured is None else measured >= wanted
    return Target(figure, unit, measured, "at least", wanted, reached)
