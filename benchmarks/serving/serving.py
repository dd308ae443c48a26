"""Serving: what users on the network feel, measured on the running app.

The app is compared with an empty Gradio app and with a page with ``gr.Sketchpad``. They take turns,
so that a device that grows warm or busy slows all of them. Everything runs on this device.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.process import Worker
from benchmarks.serving import browser, servers
from benchmarks.serving.browser import PageVisits
from benchmarks.serving.clients import Load, Percentiles, Task, percentiles, send
from benchmarks.serving.servers import Server
from edge_app.digits.samples import drawings

CLIENTS = (1, 4, 16, 64, 256)  # At once.
WARM_UP = 50  # Drawings that each server gets first; they are not counted.
SCALE = 10
"""The page's canvas is 1,000 units wide, the sample drawings are 100."""

PATH = "/gradio_api/component_server/"
FUNCTION = "answer"
PREFIX = '{"answers":'
"""The page's call to the server, and how every right answer begins."""


@dataclass(frozen=True)
class Amount:
    """How much is measured: starts of each app; rounds, in each of which every number of clients
    has one turn with each server; drawings that all clients of a turn send together, at least four
    each; openings of each page in the browser, and digits drawn per opening."""

    starts: int
    rounds: int
    turn: int
    openings: int
    drawings: int

    def drawings_of(self, clients: int) -> int:
        """How many drawings so many clients send together."""
        return max(self.turn, 4 * clients)

    @property
    def browser_steps(self) -> int:
        """The part of ``steps`` that the browser takes."""
        return 2 * self.openings * (1 + self.drawings)

    @property
    def steps(self) -> int:
        """How many steps :func:`measure_serving` will advance."""
        return 2 * self.starts + 2 * len(CLIENTS) * self.rounds + self.browser_steps


FULL = Amount(starts=5, rounds=10, turn=250, openings=3, drawings=7)
"""20,300 drawings to each server."""
QUICK = Amount(starts=2, rounds=2, turn=100, openings=1, drawings=4)


@dataclass(frozen=True)
class Memory:
    """Resident memory in bytes after a number of drawings; the first entry is after none."""

    drawings: list[int]
    app_bytes: list[int]
    empty_bytes: list[int]


@dataclass(frozen=True)
class Throughput:
    """What one server did for a number of clients at once: drawings answered per second, median
    over the turns; times of single drawings (None if none was answered); drawings without a right
    answer; and the server's processor time per drawing (None if unknown)."""

    per_second: float
    times: Percentiles | None
    errors: int
    cpu_ms: float | None


@dataclass(frozen=True)
class Concurrency:
    """The app and the empty app with the same number of clients."""

    clients: int
    app: Throughput
    empty: Throughput


@dataclass(frozen=True)
class Serving:
    """The results of one run.

    The app answers with ``variant`` alone, as it does during a stroke. A start is the time from the
    start of the process to the first page with status 200. ``memory`` is None if unknown; pages are
    None without a browser, and ``no_browser`` says why there is none.
    """

    quick: bool
    variant: str
    app_start_s: list[float]
    empty_start_s: list[float]
    memory: Memory | None
    concurrency: list[Concurrency]
    app_page: PageVisits | None
    sketchpad_page: PageVisits | None
    no_browser: str | None


def measure_serving(
    models: Path, advance: Callable[[int], object], amount: Amount = FULL, variant: str = "int8"
) -> Serving:
    """Start the servers, measure them, and stop them, also on Ctrl-C and SIGTERM.

    Args:
        models: the folder of models that the app serves.
        advance: called with the number of steps done, ``amount.steps`` in all.
        amount: FULL or QUICK.
        variant: the quantization to ask for.

    Raises:
        ServingError: a server does not start.
    """
    app_s, empty_s = [], []
    with servers.orderly_end():
        for left in reversed(range(amount.starts)):
            with servers.app(models, variant) as app, servers.empty() as empty:
                app_s.append(app.start_s)
                empty_s.append(empty.start_s)
                advance(2)
                if left == 0:
                    concurrency, memory = _load(app, empty, variant, amount, advance)
                    pages, no_browser = _browse(models, variant, app, amount, advance)
    quick, app_page, sketchpad_page = amount != FULL, pages.get("app"), pages.get("sketchpad")
    return Serving(
        quick, variant, app_s, empty_s, memory, concurrency, app_page, sketchpad_page, no_browser
    )


def drawing_task(server: Server, clients: int, requests: int, variant: str) -> Task:
    """A task of sending drawings as the page does during a stroke; the empty app gets the same.

    There are ten, one of each digit, of 60 to 126 points.
    """
    call = {"component_id": server.component(FUNCTION), "fn_name": FUNCTION}
    bodies = []
    for number, drawing in enumerate(drawings()):
        strokes = [np.rint(stroke * SCALE).astype(int).tolist() for stroke in drawing]
        data = {"strokes": strokes, "variant": variant, "unfinished": True}
        bodies.append(json.dumps({"data": data, **call, "session_hash": f"session{number}"}))
    return Task(server.port, PATH, bodies, PREFIX, clients, requests)


class _Turns:
    """The turns of one server with a number of clients."""

    def __init__(self, worker: Worker, server: Server, task: Task) -> None:
        self._worker, self._server, self._task = worker, server, task
        self._cpu_s: list[float] = []
        self._loads: list[Load] = []

    def take(self) -> None:
        before = self._server.cpu_s()
        self._loads.append(self._worker.call(send, self._task, patience_s=None))
        after = self._server.cpu_s()
        if before is not None and after is not None:
            self._cpu_s.append(after - before)

    def summarize(self) -> Throughput:
        times_ms = [time_ms for load in self._loads for time_ms in load.times_ms]
        drawings_timed = self._task.requests * len(self._cpu_s)
        return Throughput(
            per_second=median(len(load.times_ms) / load.seconds for load in self._loads),
            times=percentiles(times_ms) if times_ms else None,
            errors=sum(load.errors for load in self._loads),
            cpu_ms=1000 * sum(self._cpu_s) / drawings_timed if drawings_timed else None,
        )


def _load(
    app: Server, empty: Server, variant: str, amount: Amount, advance: Callable[[int], object]
) -> tuple[list[Concurrency], Memory | None]:
    """Send both servers drawings, in rounds of all numbers of clients."""
    both = (app, empty)
    sizes = [[server.resident_bytes() or 0 for server in both]]
    with Worker() as worker:
        for server in both:  # The first answers take longer.
            worker.call(send, drawing_task(server, 1, WARM_UP, variant))
        turns = {
            clients: [
                _Turns(
                    worker,
                    server,
                    drawing_task(server, clients, amount.drawings_of(clients), variant),
                )
                for server in both
            ]
            for clients in CLIENTS
        }
        for _ in range(amount.rounds):
            for pair in turns.values():
                for each in pair:
                    each.take()
                    advance(1)
            sizes.append([server.resident_bytes() or 0 for server in both])
    concurrency = [
        Concurrency(clients, *(each.summarize() for each in pair))
        for clients, pair in turns.items()
    ]
    if not all(map(all, sizes)):
        return concurrency, None
    in_round = sum(map(amount.drawings_of, CLIENTS))
    done = [number * in_round for number in range(len(sizes))]
    return concurrency, Memory(done, *map(list, zip(*sizes, strict=True)))


def _browse(
    models: Path, variant: str, app: Server, amount: Amount, advance: Callable[[int], object]
) -> tuple[dict[str, PageVisits], str | None]:
    """What the browser saw, by page; or nothing, and why there is no browser."""
    try:
        with browser.open_browser() as opened, servers.sketchpad(models, variant) as sketchpad:
            pages = {"app": (app, browser.CANVAS), "sketchpad": (sketchpad, browser.SKETCHPAD)}
            return browser.browse(opened, pages, amount.openings, amount.drawings, advance), None
    except browser.NoBrowserError as error:
        advance(amount.browser_steps)
        return {}, str(error)
