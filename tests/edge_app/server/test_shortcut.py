"""The shortcut: what it answers itself, and what it leaves to Gradio."""

from __future__ import annotations

import json

import pytest

from app import App, post
from asgi import Request, part
from edge_app.server.guard import App as Asgi
from edge_app.server.shortcut import Shortcut

PATH = "/gradio_api/component_server/"
STATE = {"strokes": [[[500, 100], [500, 900]]], "variant": "int8"}
CALL = {"data": STATE, "component_id": 1, "fn_name": "answer", "session_hash": "x"}


def shortcut(gradio: Asgi) -> Asgi:
    """One whose answer to a state is that state."""
    return Shortcut(gradio, lambda state: {"answer": state})


def test_the_canvas_is_answered_before_gradio_is_asked() -> None:
    request = Request(part(json.dumps(CALL).encode()))
    request.ask(shortcut, PATH)
    head, body = request.answer
    assert head["status"] == 200
    assert dict(head["headers"])[b"content-length"] == str(len(body["body"])).encode()
    assert json.loads(body["body"]) == {"answer": STATE}
    assert request.seen is None


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        (PATH, "POST", b""),
        (PATH, "POST", b"[]"),
        (PATH, "POST", b"[" * 60_000),
        (PATH, "POST", json.dumps({**CALL, "data": "\ud800"}).encode()),
        (PATH, "POST", json.dumps({**CALL, "fn_name": "save"}).encode()),
        (PATH, "POST", json.dumps({"fn_name": "answer"}).encode()),
        (PATH, "GET", json.dumps(CALL).encode()),
        ("/gradio_api/run/classify", "POST", json.dumps(CALL).encode()),
    ],
    ids=lambda value: str(value)[:30],
)
def test_anything_else_is_gradio_s_and_arrives_whole(path: str, method: str, body: bytes) -> None:
    request = Request(part(body))
    request.ask(shortcut, path, method)
    assert request.seen == [body]
    assert request.after == {"type": "http.disconnect"}


@pytest.mark.slow
def test_the_app_takes_it(app: App) -> None:
    """Gradio would find no such component."""
    short = post(f"{app.url}{PATH}", {**CALL, "component_id": 10**6})
    assert short.status_code == 200
    assert short.headers["content-type"] == "application/json"
    assert short.json()["answers"]["mlp"]["digit"] == 1
    assert "expected a list" in post(f"{app.url}{PATH}", {**CALL, "data": {}}).json()["error"]
