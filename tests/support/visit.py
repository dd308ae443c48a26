"""A visit to the page in a browser: draws with mouse or finger, and records what the page does."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    CDPSession,
    Locator,
    Page,
    Request,
    Route,
    expect,
    sync_playwright,
)

TIMEOUT_MS = 120_000
"""When to give up on something that never happens."""
expect.set_options(timeout=TIMEOUT_MS)

Stroke = list[tuple[float, float]]
"""As the page sends it: points in a square of 1000 by 1000, y down."""
Strokes = list[Stroke]
Visits = Callable[..., "Visit"]
"""The fixture ``open_page``."""

SEVEN: Strokes = [[(250, 250), (500, 250), (750, 250), (600, 500), (450, 800)]]
ONE: Strokes = [[(500, 200), (500, 400), (500, 600), (500, 800)]]
BAR: Stroke = [(200, 100), (200, 900)]

HARMLESS = (
    "explain",
    "photo",
    "save",
    "remove",
    "stored",
    "sheet",
    "classroom",
    "progress",
    "discard",
)
"""What the page may ask the server besides answers."""

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 3,
    "is_mobile": True,
    "has_touch": True,
}


@contextlib.contextmanager
def open_browser() -> Iterator[Browser]:
    """Start the installed Chromium. The test is skipped without one, except in CI."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        reason = f"No browser is installed: none of {', '.join(names)} was found"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    arguments = ["--disable-gpu", "--disable-background-networking", "--process-per-site"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium's sandbox does not run as root.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


class Visit:
    """An open page, and what it has done so far."""

    def __init__(self, page: Page, url: str, *, clock: bool = False) -> None:
        """Open the page; ``clock`` gives it one that tests can stop."""
        self.page = page
        self.url = url
        self.status = page.locator("#canvas .status")
        self.hint = page.locator(".hint")
        self.sent: list[dict[str, Any]] = []
        """The states of the drawing that the page sent to the server."""
        self.complaints: list[str] = []
        """Errors in the browser's console; a test fails if any are left at its end."""
        self.elsewhere: list[str] = []
        """Requests to other machines, and any that send more than a drawing or a tab's name."""
        self._unanswered: set[Request] = set()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("request", self._note)
        page.on("requestfinished", self._note_end)
        page.on("requestfailed", self._note_end)
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if clock:
            page.clock.install()
        page.goto(url)
        # The page first asks about an empty canvas; the answers say how large the files are.
        expect(page.locator(".size").last).not_to_be_empty()

    def _note(self, request: Request) -> None:
        self._unanswered.add(request)
        if asks(request):
            self.sent.append(content(request)["data"])
        elif not calls(request, *HARMLESS) and (
            request.method != "GET" or urlsplit(request.url).netloc != urlsplit(self.url).netloc
        ):
            self.elsewhere.append(f"{request.method} {request.url}")

    def _note_end(self, request: Request) -> None:
        self._unanswered.discard(request)

    def _listen(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def get(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    def digit(self, model: str) -> Locator:
        return self.get(f"digit-{model}")

    def part(self, model: str, name: str) -> Locator:
        """A part of a model's answer, by its class."""
        return self.page.locator(f"[data-model={model}] .{name}")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def variant(self, name: str) -> Locator:
        return self.page.get_by_role("radio", name=name, exact=True)

    def places(self, stroke: Stroke) -> Stroke:
        """Where in the window points of the canvas are."""
        box = self.get("canvas").bounding_box()
        assert box
        return [
            (box["x"] + x / 1000 * box["width"], box["y"] + y / 1000 * box["height"])
            for x, y in stroke
        ]

    def draw(self, strokes: Strokes, pen: Callable[[Visit, Strokes], None] | None = None) -> Any:
        """Draw on the empty canvas; returns the server's answers to the whole drawing."""
        return self.answered(strokes, lambda: (pen or Visit.with_mouse)(self, strokes))

    def answered(
        self, strokes: Strokes, action: Callable[[], object], *, pressed: bool = False
    ) -> Any:
        """Do something that results in a drawing, with the pen lifted or still pressed; returns the
        server's answers to it."""
        with self.page.expect_response(
            lambda response: asks(response.request, strokes, pressed=pressed)
        ) as last:
            action()
        return last.value.json()["answers"]

    def ink(self, place: tuple[float, float]) -> tuple[int, ...]:
        """Red, green, blue and opacity of the canvas at a place, 0 to 255."""
        self.page.evaluate("() => new Promise(requestAnimationFrame)")  # Painted once a frame.
        pixel: list[int] = self.get("canvas").evaluate(
            """(canvas, [x, y]) => Array.from(canvas.getContext("2d").getImageData(
                   x / 1000 * canvas.width, y / 1000 * canvas.height, 1, 1).data)""",
            place,
        )
        return tuple(pixel)

    def clear(self) -> None:
        self.get("clear").click(force=True)  # It may be clear already.
        expect(self.digit("mlp")).to_have_text("")

    def stop_time(self) -> None:
        """Until ``page.clock`` goes on; the page's timers have run out then. An answer that it
        still waits for would count as lost."""
        for _ in range(TIMEOUT_MS // 20):
            if not self._unanswered:
                break
            self.page.wait_for_timeout(20)
        assert not self._unanswered
        self.page.evaluate("() => new Promise(requestAnimationFrame)")
        self.page.clock.pause_at(self.page.evaluate("Date.now()") / 1000 + 1000)

    def reply(self, change: Callable[[Any], object], times: int | None = None) -> None:
        """Change the server's answers from now on, in place."""

        def handle(route: Route) -> None:
            if not asks(route.request):
                return route.fallback()
            response = route.fetch()
            reply = response.json()
            change(reply)
            return route.fulfill(response=response, json=reply)

        self.page.route("**/component_server/", handle, times=times)

    def tell(self, **fields: object) -> None:
        """Change these fields of every answer to a drawing from now on, and ask about it again."""

        def change(reply: dict[str, Any]) -> None:
            for answer in reply["answers"].values():
                if answer["digit"] is not None:
                    answer.update(fields)

        self.page.unroute_all(behavior="wait")
        self.reply(change)
        self.get("undo").click()
        expect(self.digit("mlp")).to_have_text("")
        self.get("redo").click()

    def with_mouse(self, strokes: Strokes) -> None:
        for stroke in strokes:
            self.press(stroke)
            self.page.mouse.up()

    def press(self, stroke: Stroke) -> None:
        """Draw with the mouse, and keep its button pressed."""
        first, *others = self.places(stroke)
        self.page.mouse.move(*first)
        self.page.mouse.down()
        for place in others:
            self.page.mouse.move(*place)

    def with_finger(self, strokes: Strokes) -> None:
        for stroke in strokes:
            self.touch(*([place] for place in self.places(stroke)))

    def with_pen(self, strokes: Strokes) -> None:
        """Draw with a pen that reports all the points of a stroke at once."""
        self.get("canvas").evaluate(_PEN, strokes)

    @cached_property
    def _screen(self) -> CDPSession:
        return self.page.context.new_cdp_session(self.page)

    def touch(self, *steps: Sequence[tuple[float, float]], lift: bool = True) -> None:
        """Touch the screen: each step says where the fingers are. In the end all are lifted, if not
        by a later call."""
        down = 0
        for places in [*steps, []] if lift else steps:
            kind = "touchStart" if len(places) > down else "touchMove" if places else "touchEnd"
            points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
            self._screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            down = len(places)


_PEN = """(canvas, strokes) => {
    const { x: left, y: top, width, height } = canvas.getBoundingClientRect();
    canvas.setPointerCapture = () => {};  // There is no such pointer.
    const send = (kind, event) => canvas.dispatchEvent(new PointerEvent(kind, event));
    for (const stroke of strokes) {
        const events = stroke.map(([x, y]) => new PointerEvent("pointermove", {
            pointerId: 7,
            pointerType: "pen",
            clientX: left + x / 1000 * width,
            clientY: top + y / 1000 * height,
        }));
        send("pointerdown", events[0]);
        send("pointermove", { pointerId: 7, coalescedEvents: events });
        send("pointerup", { pointerId: 7 });
    }
}"""


def content(request: Request) -> Any:
    return request.post_data_json


def calls(request: Request, *functions: str) -> bool:
    """Whether the page calls one of these functions of the server with it."""
    path = urlsplit(request.url).path
    return path == "/gradio_api/component_server/" and content(request)["fn_name"] in functions


def asks(request: Request, strokes: Strokes | None = None, *, pressed: bool = False) -> bool:
    """Whether the page asks for answers with it: about this drawing, all of it, if one is given,
    with the pen lifted or still pressed.

    The points of what it sends may lie elsewhere on the same lines.
    """
    if strokes is None or not calls(request, "answer"):
        return calls(request, "answer")
    data = content(request)["data"]
    sent = data["strokes"]
    return (
        ("unfinished" in data) == pressed
        and len(sent) == len(strokes)
        and all(
            abs(length(one) - length(other)) < 40 and math.dist(one[-1], other[-1]) < 10
            for one, other in zip(sent, strokes, strict=True)
        )
    )


def length(stroke: Sequence[Sequence[float]]) -> float:
    return sum(map(math.dist, stroke, stroke[1:]))
