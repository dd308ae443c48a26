"""Serving: what the people on the LAN feel, measured on the app as it runs, beside a trivial Gradio
app and a page with ``gr.Sketchpad``.

What is compared takes turns, so that a device that grows warm or busy slows both. Everything runs
on this device and its loopback address.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.progress import Advance
from benchmarks.report.serving_targets import Target, targets
from benchmarks.serving import browser as browsing
from benchmarks.serving import servers
from benchmarks.serving.browser import Browsing
from benchmarks.serving.clients import Load, Task, send
from benchmarks.serving.servers import Server
from benchmarks.serving.times import Times, summarize
from benchmarks.serving.work import Work, measure_work, sample_states

CLIENTS = (1, 4, 16, 64)
"""At once."""
WARM_UP = 50
"""Drawings that are sent to each server first, and are not counted."""

PATH = "/gradio_api/component_server/"
FUNCTION = "answer"
PREFIX = '{"answers":'
"""How the page calls the server, and how every right answer begins."""


@dataclass(frozen=True)
class Amount:
    """How much is measured."""

    starts: int
    """Of the app and of the trivial app, each."""
    rounds: int
    """In each, every number of clients has one turn with each server."""
    turn: int
    """Drawings that all clients of a turn send together."""
    work: int
    """Drawings whose work is timed."""
    openings: int
    """Of each page in the browser."""
    drawings: int
    """Digits drawn each time."""


FULL = Amount(starts=5, rounds=10, turn=250, work=2000, openings=3, drawings=7)
"""10,000 drawings to each server."""
QUICK = Amount(starts=2, rounds=2, turn=100, work=500, openings=1, drawings=4)


@dataclass(frozen=True)
class Start:
    """From the start of a process to its first page with status 200, in seconds."""

    app_s: list[float]
    trivial_s: list[float]
    ratio: float
    """Of the medians, the app's to the trivial app's."""


@dataclass(frozen=True)
class Memory:
    """Resident memory in bytes, after so many drawings each: the first after none."""

    drawings: list[int]
    app_bytes: list[int]
    trivial_bytes: list[int]
    started_ratio: float
    """The app's to the trivial app's, before any drawing."""
    used_ratio: float
    """The app's to the trivial app's, after all drawings."""
    growth: float
    """Of the app over the second half of the drawings, as a part: by then its caches are full, and
    what still grows is a leak."""


@dataclass(frozen=True)
class Throughput:
    """What one server did for so many clients at once."""

    per_second: float
    """Drawings answered, median over the turns."""
    times: Times | None
    """Of single drawings; None where none was answered."""
    errors: int
    """Drawings without a right answer."""
    cpu_ms: float | None
    """Processor time of the server per drawing: what its rate comes down to on a device that does
    other things as well; None where the system does not tell."""


@dataclass(frozen=True)
class Concurrency:
    """The app and the trivial app under the same clients."""

    clients: int
    app: Throughput
    trivial: Throughput
    ratio: float | None
    """Of drawings per second, the app's to the trivial app's: median over the turns' pairs; None
    where the trivial app answered nothing."""


@dataclass(frozen=True)
class Serving:
    """All that one run found out."""

    quick: bool
    variant: str
    """The quantization that the app answers with; float32 is always computed beside it."""
    start: Start
    memory: Memory | None
    """None where the system does not tell."""
    concurrency: list[Concurrency]
    """For 1, 4, 16 and 64 clients."""
    work: Work
    http_ms: float | None
    """A drawing's round trip with one client, without the work: medians' difference."""
    app_page: Browsing | None
    sketchpad_page: Browsing | None
    """None where there is no browser."""
    no_browser: str | None
    """Why there is none."""
    targets: list[Target]


def steps(amount: Amount = FULL) -> int:
    """How many steps :func:`measure_serving` will tell its ``advance`` of."""
    servers_steps = 2 * amount.starts + 2 * len(CLIENTS) * amount.rounds
    return servers_steps + amount.work + _browser_steps(amount)


def measure_serving(
    models: Path, advance: Advance, amount: Amount = FULL, variant: str = "int8"
) -> Serving:
    """Start the servers, measure, and stop them: also on Ctrl-C and SIGTERM.

    Args:
        models: the folder of models that the app serves.
        advance: told of each step, of :func:`steps`.
        amount: FULL or QUICK.
        variant: the quantization that is asked for.

    Raises:
        ServingError: a server does not start.
        ModelError: the folder holds no model.
    """
    work = measure_work(models, variant, amount.work, advance)
    with servers.orderly_end(), contextlib.ExitStack() as running:
        start, app, trivial = _start_both(models, variant, amount.starts, running, advance)
        concurrency, memory = _load_both(app, trivial, variant, amount, advance)
        pages, no_browser = _browse(models, variant, app, amount, advance)
    alone = concurrency[0].app.times
    result = Serving(
        quick=amount != FULL,
        variant=variant,
        start=start,
        memory=memory,
        concurrency=concurrency,
        work=work,
        http_ms=round(alone.median_ms - work.drawing.median_ms, 4) if alone else None,
        app_page=pages.get("app"),
        sketchpad_page=pages.get("sketchpad"),
        no_browser=no_browser,
        targets=[],
    )
    return replace(result, targets=targets(result))


def _browser_steps(amount: Amount) -> int:
    return 2 * amount.openings * (1 + amount.drawings)


def _start_both(
    models: Path, variant: str, starts: int, running: contextlib.ExitStack, advance: Advance
) -> tuple[Start, Server, Server]:
    """Start the two in turn, again and again; the last ones go on."""
    app_s, trivial_s = [], []
    for _ in range(starts - 1):
        with servers.app(models, variant) as app:
            app_s.append(app.start_s)
        advance(1)
        with servers.trivial() as trivial:
            trivial_s.append(trivial.start_s)
        advance(1)
    app = running.enter_context(servers.app(models, variant))
    advance(1)
    trivial = running.enter_context(servers.trivial())
    advance(1)
    app_s.append(app.start_s)
    trivial_s.append(trivial.start_s)
    return Start(app_s, trivial_s, median(app_s) / median(trivial_s)), app, trivial


class _Turns:
    """The turns that one server had with so many clients."""

    def __init__(self, server: Server, clients: int, variant: str, turn: int) -> None:
        self._server = server
        self._task = drawing_task(server, clients, turn, variant)
        self._cpu_s: list[float | None] = []
        self.loads: list[Load] = []

    def take(self) -> None:
        before = self._server.cpu_s()
        self.loads.append(send(self._task))
        after = self._server.cpu_s()
        self._cpu_s.append(None if before is None or after is None else after - before)

    def rates(self) -> list[float]:
        """Drawings answered per second in each turn."""
        return [len(load.times_ms) / load.seconds for load in self.loads]

    def summarize(self) -> Throughput:
        times_ms = [time_ms for load in self.loads for time_ms in load.times_ms]
        cpu_s = [each for each in self._cpu_s if each is not None]
        return Throughput(
            per_second=median(self.rates()),
            times=summarize(times_ms) if times_ms else None,
            errors=sum(load.errors for load in self.loads),
            cpu_ms=1000 * sum(cpu_s) / (self._task.requests * len(cpu_s)) if cpu_s else None,
        )


def _load_both(
    app: Server, trivial: Server, variant: str, amount: Amount, advance: Advance
) -> tuple[list[Concurrency], Memory | None]:
    turns = [
        (
            clients,
            _Turns(app, clients, variant, amount.turn),
            _Turns(trivial, clients, variant, amount.turn),
        )
        for clients in CLIENTS
    ]
    sizes = [(app.resident_bytes(), trivial.resident_bytes())]
    for server in (app, trivial):  # The first answers take longer.
        send(drawing_task(server, 1, WARM_UP, variant))
    for _ in range(amount.rounds):
        for _, of_app, of_trivial in turns:
            of_app.take()
            of_trivial.take()
            advance(2)
        sizes.append((app.resident_bytes(), trivial.resident_bytes()))
    return [_concurrency(*each) for each in turns], _memory(sizes, amount)


def drawing_task(server: Server, clients: int, requests: int, variant: str) -> Task:
    """Drawings as the page sends them, for clients to send; the trivial app gets the same."""
    component = server.component(FUNCTION)
    bodies = [
        json.dumps(
            {
                "data": state,
                "component_id": component,
                "fn_name": FUNCTION,
                "session_hash": f"session{number}",
            }
        )
        for number, state in enumerate(sample_states(variant))
    ]
    return Task(server.port, PATH, bodies, PREFIX, clients, requests)


def _concurrency(clients: int, app: _Turns, trivial: _Turns) -> Concurrency:
    ratios = [one / other for one, other in zip(app.rates(), trivial.rates(), strict=True) if other]
    return Concurrency(
        clients, app.summarize(), trivial.summarize(), median(ratios) if ratios else None
    )


def _memory(sizes: list[tuple[int | None, int | None]], amount: Amount) -> Memory | None:
    pairs = [(app, trivial) for app, trivial in sizes if app and trivial]
    if len(pairs) < len(sizes):
        return None
    app_bytes, trivial_bytes = ([pair[which] for pair in pairs] for which in (0, 1))
    per_round = len(CLIENTS) * amount.turn
    return Memory(
        drawings=[number * per_round for number in range(len(pairs))],
        app_bytes=app_bytes,
        trivial_bytes=trivial_bytes,
        started_ratio=app_bytes[0] / trivial_bytes[0],
        used_ratio=app_bytes[-1] / trivial_bytes[-1],
        growth=app_bytes[-1] / app_bytes[len(app_bytes) // 2] - 1,
    )


def _browse(
    models: Path, variant: str, app: Server, amount: Amount, advance: Advance
) -> tuple[dict[str, Browsing], str | None]:
    """What the browser saw, by page; or nothing, and why there is no browser."""
    try:
        with browsing.open_browser() as browser, servers.sketchpad(models, variant) as sketchpad:
            pages = {
                "app": (app, browsing.CANVAS),
                "sketchpad": (sketchpad, browsing.SKETCHPAD),
            }
            return browsing.browse(browser, pages, amount.openings, amount.drawings, advance), None
    except browsing.NoBrowserError as error:
        advance(_browser_steps(amount))
        return {}, str(error)
