"""Calls of the page and the API: every form of them, and what is refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from asgi import Request, part
from edge_app.errors import UserError
from edge_app.page.functions import Functions
from edge_app.server.asgi import App, Receive, Scope, Send, refuse
from edge_app.server.calls import Calls
from edge_app.server.results import KEPT_S, MOST

POST_PATHS = ["component_server", "queue/join", "run/double", "api/double", "call/double"]


async def double(number: object = 1, times: int = 2) -> object:
    """A function of the API."""
    if not isinstance(number, int):
        raise UserError("That is not a number.")
    return number * times


async def echo(data: object) -> object:
    """A function of the page."""
    return {"seen": data}


@pytest.fixture
def calls() -> App:
    return Calls(gradio, Functions({"echo": echo}, {}, {"double": double}), private=False)


async def gradio(scope: Scope, _receive: Receive, send: Send) -> None:
    """Knows one visitor, by a cookie, and says what else it was asked for."""
    known = (b"cookie", b"known") in scope["headers"]
    asked = scope["path"] == "/gradio_api/login_check"
    await refuse(send, 200 if known or not asked else 401, scope["path"])


def ask(
    calls: App, path: str, content: object = None, method: str = "POST", **options: Any
) -> tuple[int, Any]:
    """Status and answer to JSON, or to bytes."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    request = Request(part(body))
    request.ask(lambda _: calls, f"/gradio_api/{path}", method, **options)
    head, sent = request.answer
    kind = dict(head["headers"])[b"content-type"]
    text = sent["body"].decode()
    return head["status"], json.loads(text) if kind == b"application/json" else text


def get(calls: App, path: str, **options: Any) -> tuple[int, Any]:
    return ask(calls, path, method="GET", **options)


@pytest.mark.parametrize("path", ["run/double", "api/double/"])
def test_an_answer_comes_at_once(calls: App, path: str) -> None:
    assert ask(calls, path, {"data": [4]}) == (200, {"data": [8]})
    assert ask(calls, path, {"data": [4, 3]}) == (200, {"data": [12]})
    assert ask(calls, path, {}) == (200, {"data": [2]})


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("call/double", {"data": [4]}),
        ("call/v2/double", {"number": 4}),
        ("call/double/", {"data": [4]}),
    ],
)
def test_an_answer_is_fetched_once(calls: App, path: str, content: object) -> None:
    status, answer = ask(calls, path, content)
    assert status == 200
    event = f"call/double/{answer['event_id']}"
    assert get(calls, event) == (200, "event: complete\ndata: [8]\n\n")
    assert get(calls, event)[0] == 404


def test_a_session_fetches_all_of_its_answers(calls: App) -> None:
    def join(session: str, *data: object) -> str:
        body = {"data": data, "fn_index": 0, "session_hash": session}
        return str(ask(calls, "queue/join", body)[1]["event_id"])

    first, _, second = join("mine", 4), join("another", 5), join("mine", "x")
    status, stream = get(calls, "queue/data", query=b"session_hash=mine")
    assert status == 200
    messages = [json.loads(line.removeprefix("data: ")) for line in stream.split("\n\n")[:-1]]
    done = {"msg": "process_completed"}
    assert messages == [
        {**done, "event_id": first, "output": {"data": [8]}, "success": True},
        {
            **done,
            "event_id": second,
            "output": {"error": "That is not a number."},
            "success": False,
        },
        {"msg": "close_stream", "event_id": None},
    ]
    assert get(calls, "queue/data", query=b"session_hash=mine")[0] == 404


def test_a_failed_call_says_why_when_it_is_fetched(calls: App) -> None:
    event = ask(calls, "call/double", {"data": ["x"]})[1]["event_id"]
    expected = 'event: error\ndata: {"error":"That is not a number."}\n\n'
    assert get(calls, f"call/double/{event}") == (200, expected)


@pytest.mark.parametrize("path", ["cancel", "reset"])
def test_a_cancelled_answer_is_dropped(calls: App, path: str) -> None:
    event = ask(calls, "call/double", {"data": [4]})[1]["event_id"]
    for dropped in (event, None, 1):
        assert ask(calls, path, {"event_id": dropped}) == (200, {"success": True})
    assert get(calls, f"call/double/{event}")[0] == 404


def test_answers_that_nobody_fetches_are_bounded_and_expire(
    calls: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    body: dict[str, object] = {"data": [4], "fn_index": 0, "session_hash": "x"}
    for _ in range(MOST // 2):
        assert ask(calls, "call/double", body)[0] == 200
        assert ask(calls, "queue/join", body)[0] == 200
    for path in ("call/double", "queue/join"):
        status, answer = ask(calls, path, body)
        assert status == 503
        assert answer["error"].startswith("256 answers are waiting to be fetched; try again in")
    assert ask(calls, "run/double", body)[0] == 200  # It waits for nobody.
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + KEPT_S + 1)
    assert ask(calls, "call/double", body)[0] == 200


def test_the_page_s_functions_are_called_by_name(calls: App) -> None:
    for path in ("component_server", "component_server/"):
        body = {"data": [1], "fn_name": "echo", "component_id": 10**6}
        assert ask(calls, path, body) == (200, {"seen": [1]})


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        *(
            (path, body, 400)
            for path in POST_PATHS
            for body in (b"", b"[1]", b"\xff", b"[" * 60_000)
        ),
        ("run/double", b'{"data": NaN}', 400),
        ("run/double", b'{"data": {"number": 1}}', 400),
        ("run/double", b'{"data": [1, 2, 3]}', 400),
        ("call/v2/double", b'{"data": [1]}', 400),
        ("component_server", b'{"fn_name": "echo"}', 400),
        ("component_server", b'{"fn_name": "double", "data": 1}', 404),
        ("component_server", b'{"fn_name": ["echo"], "data": 1}', 404),
        ("queue/join", b'{"data": [1], "fn_index": 0}', 400),
        ("queue/join", b'{"data": [1], "fn_index": 0, "session_hash": "\\u0000"}', 400),
        ("queue/join", b'{"data": [1], "fn_index": 1, "session_hash": "x"}', 404),
        ("queue/join", b'{"data": [1], "fn_index": "0", "session_hash": "x"}', 404),
        ("queue/join", b'{"data": [1], "fn_index": false, "session_hash": "x"}', 404),
        ("run/echo", b'{"data": [1]}', 404),
        ("call/nope", b'{"data": [1]}', 404),
        ("run/double", b'{"data": ["x"]}', 422),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_answered_is_refused(
    calls: App, path: str, body: bytes, status: int
) -> None:
    found, answer = ask(calls, path, body)
    assert found == status
    assert answer["error"].endswith(".")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "info"), ("GET", "component_server"), ("HEAD", "queue/data"), ("POST", "login")],
)
def test_everything_else_is_gradio_s(calls: App, method: str, path: str) -> None:
    assert ask(calls, path, method=method)[1] == {"error": f"/gradio_api/{path}"}


def test_only_those_who_have_logged_in_are_answered() -> None:
    calls = Calls(gradio, Functions({"echo": echo}, {}, {"double": double}), private=True)
    body: dict[str, object] = {"data": [4], "fn_index": 0, "session_hash": "x", "fn_name": "echo"}
    for path in POST_PATHS:
        assert ask(calls, path, body) == (401, {"error": "Log in first; the page is at /."})
        assert ask(calls, path, body, cookie="known")[0] == 200
    assert get(calls, "queue/data", query=b"session_hash=x")[0] == 401
    assert get(calls, "queue/data", query=b"session_hash=x", cookie="known")[0] == 200
