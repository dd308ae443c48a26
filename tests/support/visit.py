"""A visit to the page in a browser: draws with mouse or finger, and notes what the page does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import CDPSession, ConsoleMessage, Locator, Page, Request, expect

TIMEOUT_MS = 120_000
"""When to give up on something that never happens."""
expect.set_options(timeout=TIMEOUT_MS)

Stroke = list[tuple[float, float]]
"""As the page sends them: points in a square of 1000 by 1000, y down."""
Strokes = list[Stroke]

SEVEN: Strokes = [[(250, 250), (500, 250), (750, 250), (600, 500), (450, 800)]]


class Visit:
    """A page that is open, and what it does: every test ends with a look at that."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.sent: list[dict[str, Any]] = []
        """The states of the drawing that were sent to the server."""
        self.bytes_sent: list[int] = []
        """How long the requests were that sent them."""
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        """Requests to another machine, and those that send something other than a drawing or the
        name of a sheet."""
        page.set_default_timeout(TIMEOUT_MS)
        page.on("request", self._note)
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        with page.expect_response(lambda response: asks(response.request)):
            page.goto(url)  # An empty canvas is sent and answered first.

    def _note(self, request: Request) -> None:
        if asks(request):
            self.sent.append(state(request))
            self.bytes_sent.append(len(request.post_data_buffer or b""))
        elif any(calls(request, function) for function in ("save", "stored", "sheet")):
            pass
        elif request.method != "GET" or urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.elsewhere.append(f"{request.method} {request.url}")

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    @cached_property
    def screen(self) -> CDPSession:
        """The screen, to touch."""
        return self.page.context.new_cdp_session(self.page)

    def get(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    def digit(self, model: str) -> Locator:
        return self.get(f"digit-{model}")

    @property
    def status(self) -> Locator:
        return self.page.locator("#canvas .status")

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
        return self.answered(strokes, lambda: (pen or with_mouse)(self, strokes))

    def answered(self, strokes: Strokes, action: Callable[[], object]) -> Any:
        """Do something that leaves a drawing; returns the server's answers to it."""
        with self.page.expect_response(lambda response: shows(response.request, strokes)) as last:
            action()
        return last.value.json()["answers"]

    def variant(self, name: str) -> Locator:
        return self.page.get_by_role("radio", name=name, exact=True)

    def clear(self) -> None:
        self.get("clear").click()
        expect(self.digit("mlp")).to_have_text("")


def asks(request: Request) -> bool:
    """Whether the page asks for answers with it."""
    return calls(request, "answer")


def calls(request: Request, function: str) -> bool:
    """Whether the page calls one of the server's functions with it."""
    if urlsplit(request.url).path != "/gradio_api/component_server/":
        return False
    content = request.post_data_json
    return content is not None and content["fn_name"] == function


def state(request: Request) -> dict[str, Any]:
    """The state of the drawing that it sends."""
    content = request.post_data_json
    assert content
    data = content["data"]
    assert isinstance(data, dict)
    return data


def shows(request: Request, strokes: Strokes) -> bool:
    """Whether it sends a drawing, all of it."""
    return asks(request) and alike(state(request)["strokes"], strokes)


def alike(sent: Strokes, strokes: Strokes) -> bool:
    """Whether a drawing is another one, all of it: other points on the same lines will do."""
    return len(sent) == len(strokes) and all(
        abs(length(one) - length(other)) < 40 and math.dist(one[-1], other[-1]) < 10
        for one, other in zip(sent, strokes, strict=True)
    )


def points(request: Request) -> int:
    """How many it sends."""
    return sum(map(len, state(request)["strokes"])) if asks(request) else 0


def length(stroke: Sequence[Sequence[float]]) -> float:
    return sum(map(math.dist, stroke, stroke[1:]))


def with_mouse(visit: Visit, strokes: Strokes) -> None:
    for stroke in strokes:
        press(visit, stroke)
        visit.page.mouse.up()


def press(visit: Visit, stroke: Stroke) -> None:
    """Draw with the mouse, and leave its button down."""
    first, *others = visit.places(stroke)
    visit.page.mouse.move(*first)
    visit.page.mouse.down()
    for place in others:
        visit.page.mouse.move(*place)


def with_finger(visit: Visit, strokes: Strokes) -> None:
    for stroke in strokes:
        touch(visit, *([place] for place in visit.places(stroke)))


def touch(visit: Visit, *steps: Sequence[tuple[float, float]]) -> None:
    """Touch the screen: step by step, where each finger is; then all are lifted."""
    down = 0
    for places in [*steps, []]:
        kind = "touchStart" if len(places) > down else "touchMove" if places else "touchEnd"
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        visit.screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        down = len(places)
