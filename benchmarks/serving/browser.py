"""What a browser sees of a page that is drawn on: headless Chromium with real mouse events.

Times are taken inside the page by its own clock; Playwright only waits.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.serving.clients import Percentiles, percentiles
from benchmarks.serving.servers import HOST, Server
from edge_app.digits.samples import drawings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET_MS = 500
"""A page whose answers have not changed for this long has shown its last one."""
PATIENCE_MS = 60_000
PAPER = 0.8
"""The part of a canvas's shorter side that is drawn on: gr.Sketchpad's paper does not fill its
canvas."""
THINNED = 3
"""Every third point of a sample is drawn through: 20 to 42 points."""
LARGEST_SAMPLE = 100  # The samples' coordinates are 0 to this.

_WATCH = """
window.watched = { down: 0, up: 0, answer: 0, last: 0 };
for (const name of ["pointerdown", "pointermove", "pointerup"]) {
  addEventListener(name, ({ buttons, timeStamp }) => {
    window.watched[buttons ? "down" : "up"] = timeStamp;
  }, true);
}
const within = (node, selector) =>
  (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement)?.closest(selector);
new MutationObserver((changes) => {
  for (const [name, selector] of Object.entries(SELECTORS)) {
    if (changes.some(({ target }) => within(target, selector))) {
      window.watched[name] = performance.now();
    }
  }
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
"""
"""Notes when a pressed pointer last moved, when it was lifted, and when the answer and all that is
shown of it last changed. The last answer may come before the pointer is lifted."""
_SETTLED = """(quiet) => {
  const { down, up, last } = window.watched;
  return last > down && performance.now() - Math.max(up, last) > quiet;
}"""
_WAITS = "[watched.answer, watched.last].map((time) => Math.max(0, time - watched.up))"


class NoBrowserError(Exception):
    """There is no working browser; the text says why."""


@dataclass(frozen=True)
class Layout:
    """CSS selectors of a page. ``answer`` is what is read in a drawing, ``answers`` that and all
    that is shown with it. ``first`` is what to click before drawing on the empty canvas, ``again``
    what takes a drawing away and what brings it back, each with one click; None if a drawing can
    only be sent again by drawing it."""

    paper: str
    answer: str
    answers: str
    clear: str
    first: str | None = None
    again: tuple[str, str] | None = None


CANVAS = Layout(
    paper='[data-testid="canvas"]',
    answer="#canvas :is(.digit, .confidence, .doubt, .bars)",
    answers="#canvas .answers",
    clear='[data-testid="clear"]',
    again=('[data-testid="undo"]', '[data-testid="redo"]'),
)
SKETCHPAD = Layout(
    paper="#pad canvas",
    answer="#answer",
    answers="#answer",
    clear='#pad button[aria-label="Clear canvas"]',
    first='#pad button[aria-label="Brush"]',
)


@dataclass(frozen=True)
class Traffic:
    """What a page and its server exchanged, with headers, as transferred (compressed)."""

    requests: int
    bytes_up: int
    bytes_down: int


@dataclass(frozen=True)
class PageVisits:
    """The figures of one page: times from lifting the pointer to the answer to the whole drawing,
    and to the last change of all that is shown with it, each 0 if that came first; the most that
    sending one drawing took; and what opening the page with an empty cache took, median."""

    answer: Percentiles
    settled: Percentiles
    update: Traffic
    load: Traffic


@contextlib.contextmanager
def open_browser() -> Iterator[Browser]:
    """Start headless Chromium.

    Raises:
        NoBrowserError: Playwright or Chromium is not installed, does not start, or fails later.
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
        arguments.append("--no-sandbox")  # Chromium requires it for root.
    try:
        with playwright_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=arguments)
            with contextlib.closing(browser):
                yield browser
    except playwright_api.Error as error:
        raise NoBrowserError(f"{path} fails ({str(error).splitlines()[0]})") from error


def browse(
    browser: Browser,
    pages: dict[str, tuple[Server, Layout]],
    openings: int,
    drawings_each: int,
    advance: Callable[[int], object],
) -> dict[str, PageVisits]:
    """Open pages in turn, one at a time, and draw on them.

    Args:
        browser: from :func:`open_browser`.
        pages: by name.
        openings: how often to open each page.
        drawings_each: how many digits of one stroke to draw each time.
        advance: called with 1 for each opening and each digit.
    """
    samples = [drawing[0][::THINNED] for drawing in drawings() if len(drawing) == 1]
    visits = {name: _Visits(*page) for name, page in pages.items()}
    for number in range(openings):
        for visit in visits.values():
            with visit.open(browser):
                advance(1)
                for each in range(number, number + drawings_each):
                    visit.draw((samples[each % len(samples)] / LARGEST_SAMPLE).tolist())
                    advance(1)
    return {name: visit.end() for name, visit in visits.items()}


class _Visits:
    """The visits to one page, and their figures."""

    _page: Page

    def __init__(self, server: Server, layout: Layout) -> None:
        self._server, self._layout = server, layout
        self._requests: list[Request] = []
        self._finished: list[Request] = []
        self._answer_ms: list[float] = []
        self._settled_ms: list[float] = []
        self._updates: list[Traffic] = []
        self._loads: list[Traffic] = []

    @contextlib.contextmanager
    def open(self, browser: Browser) -> Iterator[None]:
        """Open the page with an empty cache, and close it at the end."""
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = self._page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        # Playwright sets attributes of its handlers, which list.append does not allow.
        page.on("request", lambda each: self._requests.append(each))  # noqa: PLW0108
        page.on("requestfinished", lambda each: self._finished.append(each))  # noqa: PLW0108
        selectors = {"answer": self._layout.answer, "last": self._layout.answers}
        page.add_init_script(_WATCH.replace("SELECTORS", json.dumps(selectors)))
        self._forget()
        page.goto(f"http://{HOST}:{self._server.port}")
        page.locator(self._layout.paper).first.wait_for()
        page.wait_for_timeout(2 * QUIET_MS)  # For what is loaded late.
        self._loads.append(self._traffic())
        yield
        context.close()

    def draw(self, stroke: Sequence[tuple[float, float]]) -> None:
        """Draw a stroke, 0 to 1 of the canvas, on the empty canvas; clear it again."""
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
        answer_ms, settled_ms = page.evaluate(_WAITS)
        self._answer_ms.append(answer_ms)
        self._settled_ms.append(settled_ms)
        if layout.again:
            page.click(layout.again[0])
            self._settle()
            self._forget()
            page.click(layout.again[1])
            self._settle()
        self._updates.append(self._traffic())
        page.click(layout.clear)
        self._settle()

    def end(self) -> PageVisits:
        return PageVisits(
            answer=percentiles(self._answer_ms),
            settled=percentiles(self._settled_ms),
            update=_traffic(max, self._updates),
            load=_traffic(median, self._loads),
        )

    def _places(self, stroke: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        """Positions in the window of points on the paper."""
        box = self._page.locator(self._layout.paper).first.bounding_box()
        assert box  # noqa: S101 - It is visible.
        side = PAPER * min(box["width"], box["height"])
        left = box["x"] + (box["width"] - side) / 2
        top = box["y"] + (box["height"] - side) / 2
        return [(left + x * side, top + y * side) for x, y in stroke]

    def _settle(self) -> None:
        self._page.wait_for_function(_SETTLED, arg=QUIET_MS)

    def _forget(self) -> None:
        self._requests.clear()
        self._finished.clear()

    def _traffic(self) -> Traffic:
        requests = [each for each in self._requests if each.url.startswith("http")]
        sizes = [each.sizes() for each in self._finished if each in requests]
        return Traffic(
            requests=len(requests),
            bytes_up=sum(each["requestHeadersSize"] + each["requestBodySize"] for each in sizes),
            bytes_down=sum(
                each["responseHeadersSize"] + each["responseBodySize"] for each in sizes
            ),
        )


def _traffic(choose: Callable[[Sequence[int]], float], each: Sequence[Traffic]) -> Traffic:
    return Traffic(*(round(choose(column)) for column in zip(*map(astuple, each), strict=True)))
