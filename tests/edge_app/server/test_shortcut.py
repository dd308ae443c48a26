"""The shortcut, asked as the guard would: what it answers itself, and what it leaves to Gradio."""

from __future__ import annotations

import json
import math
from collections.abc import Coroutine
from typing import Any

import pytest

from app import App, post
from edge_app.server.guard import Message, Receive, Scope, Send
from edge_app.server.shortcut import Shortcut

PATH = "/gradio_api/component_server/"
STATE = {"strokes": [[[500, 100], [500, 900]]], "variant": "int8"}
CALL = {"data": STATE, "component_id": 1, "fn_name": "answer", "session_hash": "x"}


class Gradio:
    """An app that keeps what it is given."""

    def __init__(self) -> None:
        self.body: bytes | None = None

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        self.body = (await receive())["body"]
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.start", "status": 204, "headers": []})


def finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what never waits for anything."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


def ask(body: bytes, path: str = PATH, method: str = "POST") -> tuple[list[Message], Gradio]:
    """What is sent back, and the app behind; the answer to a state is that state."""
    gradio = Gradio()
    sent: list[Message] = []
    messages: list[Message] = [{"type": "http.request", "body": body}, {"type": "http.disconnect"}]

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": []}
    finish(Shortcut(gradio, lambda state: {"answer": state})(scope, receive, send))
    return sent, gradio


def test_the_canvas_is_answered_before_gradio_is_asked() -> None:
    (head, body), gradio = ask(json.dumps(CALL).encode())
    assert head["status"] == 200
    assert dict(head["headers"])[b"content-length"] == str(len(body["body"])).encode()
    assert json.loads(body["body"]) == {"answer": STATE}
    assert gradio.body is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 60_000,
        json.dumps({**CALL, "data": math.nan}).encode(),
        json.dumps({**CALL, "data": "\ud800"}).encode(),
        json.dumps({**CALL, "fn_name": "save"}).encode(),
        json.dumps({"fn_name": "answer"}).encode(),
    ],
)
def test_another_call_is_gradios_and_arrives_whole(body: bytes) -> None:
    [head], gradio = ask(body)
    assert head["status"] == 204
    assert gradio.body == body


@pytest.mark.parametrize(("path", "method"), [("/gradio_api/run/classify", "POST"), (PATH, "GET")])
def test_another_request_is_gradios(path: str, method: str) -> None:
    body = json.dumps(CALL).encode()
    [head], gradio = ask(body, path, method)
    assert head["status"] == 204
    assert gradio.body == body


def test_the_app_takes_it(app: App) -> None:
    """Gradio would find no such component."""
    short = post(f"{app.url}{PATH}", {**CALL, "component_id": 10**6})
    assert short.status_code == 200
    assert short.headers["content-type"] == "application/json"
    assert short.json()["answers"]["mlp"]["digit"] == 1
    assert "expected a list" in post(f"{app.url}{PATH}", {**CALL, "data": {}}).json()["error"]
