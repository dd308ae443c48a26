"""Browsing: what a browser sees of a page that is drawn on: headless Chromium, real mouse events.

Times are taken within the page, by its own clock; Playwright only waits.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks.progress import Advance
from benchmarks.serving.servers import Server
from benchmarks.serving.times import Times, summarize
from edge_app.digits.samples import drawings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1280, 800
QUIET_MS = 500
"""A page that has shown no answer for so long has shown its last."""
PATIENCE_MS = 60_000
PAPER = 0.8
"""The part of a canvas's shorter side that is drawn on, in its middle: gr.Sketchpad's paper
does not fill its canvas."""
THINNED = 3
"""Every so many of a sample's points is drawn through: 20 to 42 of them."""
LARGEST_SAMPLE = 100
"""The samples' coordinates are from 0 to this."""

_WATCH = """
window.watched = { down: 0, up: 0, last: 0 };
for (const name of ["pointerdown", "pointermove", "pointerup"]) {
  addEventListener(name, ({ buttons, timeStamp }) => {
    window.watched[buttons ? "down" : "up"] = timeStamp;
  }, true);
}
const within = (node) =>
  (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement)?.closest("SELECTOR");
new MutationObserver((changes) => {
  if (changes.some(({ target }) => within(target))) window.watched.last = performance.now();
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
"""
"""Notes when a pointer that was down last moved, when it was lifted, and when an answer last
changed anything on the page. The last answer may come before the pointer is lifted, which draws
nothing more."""
_SETTLED = """(quiet) => {
  const { down, up, last } = window.watched;
  return last > down && performance.now() - Math.max(up, last) > quiet;
}"""
_WAIT = "Math.max(0, watched.last - watched.up)"

_USABLE = """(part) => performance.getEntriesByType("resource")
  .find(({ name }) => name.includes(part))?.startTime"""
"""When the page first made a call, in milliseconds since it was opened."""


class NoBrowserError(Exception):
    """There is no browser to measure with, or it fails; the text says what is wrong."""


@dataclass(frozen=True)
class Layout:
    """Where things are on a page, as CSS selectors."""

    paper: str
    answers: str
    clear: str
    first: str | None = None
    """What has to be clicked before anything can be drawn on the empty canvas."""
    again: tuple[str, str] | None = None
    """What takes a drawing away, and what brings it back, each by one click; None where drawing a
    stroke is the smallest update."""
    ready: str | None = None
    """Part of the address that the page calls as soon as it can be drawn on."""


CANVAS = Layout(
    paper='[data-testid="canvas"]',
    answers="#canvas .answers",
    clear='[data-testid="clear"]',
    again=('[data-testid="undo"]', '[data-testid="redo"]'),
    ready="component_server",
)
SKETCHPAD = Layout(
    paper="#pad canvas",
    answers="#answer",
    clear='#pad button[aria-label="Clear canvas"]',
    first='#pad button[aria-label="Brush"]',
)


@dataclass(frozen=True)
class Traffic:
    """What a page and its server sent each other, headers and all."""

    requests: int
    bytes_up: int
    bytes_down: int
    """As transferred: compressed."""


@dataclass(frozen=True)
class Browsing:
    """What was seen of one page."""

    answer: Times
    """From lifting the pointer to the last change of the answers on the page; 0 where that came
    before."""
    update: Traffic
    """The most that one update of a whole drawing cost, over all drawings."""
    files_written: int
    """By the server, for all drawings."""
    load: Traffic
    """Of opening the page with nothing in the browser's cache; the median of each."""
    usable_ms: float | None
    """From opening the page until it can be drawn on, median; None where the page does not tell."""
    other_hosts: list[str]
    """What it contacted besides its server."""


@contextlib.contextmanager
def open_browser() -> Iterator[Browser]:
    """Start headless Chromium.

    Raises:
        NoBrowserError: Playwright or Chromium is not installed, or it does not start, or it does
            not do in time what is asked of it.
    """
    try:
        playwright_api = importlib.import_module("playwright.sync_api")
    except ModuleNotFoundError as error:
        raise NoBrowserError("Playwright is not installed (pip install playwright)") from error
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise NoBrowserError(f"no browser is installed: none of {', '.join(NAMES)} was found")
    arguments = ["--disable-gpu", "--disable-background-networking"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Which Chromium asks for there.
    try:
        with playwright_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=arguments)
            try:
                yield browser
            finally:
                browser.close()
    except playwright_api.Error as error:
        raise NoBrowserError(f"{path} fails ({str(error).splitlines()[0]})") from error


def browse(
    browser: Browser,
    pages: dict[str, tuple[Server, Layout]],
    openings: int,
    drawings_each: int,
    advance: Advance,
) -> dict[str, Browsing]:
    """Open pages in turn, one at a time, and draw on them.

    Args:
        browser: as :func:`open_browser` gives it.
        pages: by name.
        openings: how often each page is opened.
        drawings_each: how many digits of one stroke are drawn each time.
        advance: told of each page opened and each digit drawn.
    """
    samples = [drawing[0][::THINNED] for drawing in drawings() if len(drawing) == 1]
    visits = {name: _Visit(*page) for name, page in pages.items()}
    for number in range(openings):
        for visit in visits.values():
            with visit.open(browser):
                advance(1)
                for each in range(number, number + drawings_each):
                    visit.draw((samples[each % len(samples)] / LARGEST_SAMPLE).tolist())
                    advance(1)
    return {name: visit.end() for name, visit in visits.items()}


class _Visit:
    """A page that is opened again and again, and what it has cost."""

    _page: Page

    def __init__(self, server: Server, layout: Layout) -> None:
        self._server, self._layout = server, layout
        self._requests: list[Request] = []
        self._finished: list[Request] = []
        self._times_ms: list[float] = []
        self._updates: list[Traffic] = []
        self._loads: list[Traffic] = []
        self._usable_ms: list[float] = []
        self._hosts: set[str] = set()
        self._files = server.files()

    @contextlib.contextmanager
    def open(self, browser: Browser) -> Iterator[None]:
        """Open the page with nothing in the browser's cache, and close it at the end."""
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
        page = self._page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", self._note)
        page.on("requestfinished", self._finish)
        page.add_init_script(_WATCH.replace("SELECTOR", self._layout.answers))
        self._forget()
        page.goto(self._server.url)
        page.locator(self._layout.paper).first.wait_for()
        if self._layout.ready:
            handle = page.wait_for_function(_USABLE, arg=self._layout.ready)
            self._usable_ms.append(float(handle.json_value()))
        page.wait_for_timeout(2 * QUIET_MS)  # What is loaded late counts, too.
        self._loads.append(self._traffic())
        yield
        context.close()

    def draw(self, stroke: Sequence[tuple[float, float]]) -> None:
        """Draw a stroke, points from 0 to 1 of the canvas, on the empty canvas; clear it again."""
        page, layout = self._page, self._layout
        if layout.first:
            page.click(layout.first)
        (x, y), *others = self._places(stroke)
        self._forget()
        page.mouse.move(x, y)
        page.mouse.down()
        for x, y in others:
            page.mouse.move(x, y)
        page.mouse.up()
        self._settle()
        self._times_ms.append(page.evaluate(_WAIT))
        if layout.again:
            away, back = layout.again
            self._click(away)
            self._forget()
            self._click(back)
        self._updates.append(self._traffic())
        self._click(layout.clear)

    def end(self) -> Browsing:
        """Sum up."""
        return Browsing(
            answer=summarize(self._times_ms),
            update=Traffic(
                max(each.requests for each in self._updates),
                max(each.bytes_up for each in self._updates),
                max(each.bytes_down for each in self._updates),
            ),
            files_written=len(self._server.files() - self._files),
            load=Traffic(
                round(median(each.requests for each in self._loads)),
                round(median(each.bytes_up for each in self._loads)),
                round(median(each.bytes_down for each in self._loads)),
            ),
            usable_ms=median(self._usable_ms) if self._usable_ms else None,
            other_hosts=sorted(self._hosts),
        )

    def _places(self, stroke: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        """Where in the window points of the paper are."""
        left, top, width, height = self._page.locator(self._layout.paper).first.evaluate(
            "(paper) => Object.values(paper.getBoundingClientRect().toJSON()).slice(0, 4)"
        )
        side = PAPER * min(width, height)
        left, top = left + (width - side) / 2, top + (height - side) / 2
        return [(left + x * side, top + y * side) for x, y in stroke]

    def _finish(self, request: Request) -> None:
        self._finished.append(request)

    def _note(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"data", "blob"}:
            return
        self._requests.append(request)
        if address.netloc != urlsplit(self._server.url).netloc:
            self._hosts.add(address.netloc)

    def _click(self, selector: str) -> None:
        self._page.click(selector)
        self._settle()

    def _settle(self) -> None:
        self._page.wait_for_function(_SETTLED, arg=QUIET_MS)

    def _forget(self) -> None:
        self._requests.clear()
        self._finished.clear()

    def _traffic(self) -> Traffic:
        sizes: list[Any] = [
            request.sizes() for request in self._finished if request in self._requests
        ]
        return Traffic(
            requests=len(self._requests),
            bytes_up=sum(each["requestHeadersSize"] + each["requestBodySize"] for each in sizes),
            bytes_down=sum(
                each["responseHeadersSize"] + each["responseBodySize"] for each in sizes
            ),
        )
