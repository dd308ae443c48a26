"""Logins: how wrong passwords are slowed down."""

from __future__ import annotations

import json

import pytest

from asgi import Request
from edge_app.server.access import login
from edge_app.server.access.login import ADDRESSES, GUESSES, PAUSE_S, Logins
from edge_app.server.asgi import App, Receive, Scope, Send, refuse


class Clock:
    """Stands in for time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    fake = Clock()
    monkeypatch.setattr(login, "time", fake)
    return fake


@pytest.fixture
def logins() -> Logins:
    """Those of a Gradio that knows the password of the header."""

    async def gradio(scope: Scope, _receive: Receive, send: Send) -> None:
        right = (b"password", b"right") in scope["headers"]
        await refuse(send, 200 if right else 400, scope["query_string"].decode())

    return Logins(gradio)


def attempt(logins: App, password: str, client: str = "192.168.1.2") -> int:
    """The status of the answer to a password."""
    request = Request()
    request.ask(lambda _: logins, "/login", client=client, password=password)
    head, body = request.answer
    if head["status"] == 429:
        seconds = dict(head["headers"])[b"retry-after"].decode()
        error = json.loads(body["body"])["error"]
        assert error == f"Too many wrong passwords; try again in {seconds} s."
    return int(head["status"])


def test_an_address_that_guesses_must_wait_and_others_need_not(
    logins: Logins, clock: Clock
) -> None:
    assert [attempt(logins, "wrong") for _ in range(GUESSES + 2)] == [400] * GUESSES + [429] * 2
    assert attempt(logins, "right") == 429
    assert attempt(logins, "right", client="192.168.1.3") == 200
    clock.now += PAUSE_S
    assert [attempt(logins, "wrong") for _ in range(2)] == [400, 429]
    clock.now += PAUSE_S
    assert attempt(logins, "right") == 200
    assert [attempt(logins, "wrong") for _ in range(GUESSES + 1)] == [400] * GUESSES + [429]


@pytest.mark.usefixtures("clock")
def test_addresses_are_forgotten_from_the_quietest_on(logins: Logins) -> None:
    for client in ("a", *map(str, range(ADDRESSES - 1))):
        attempt(logins, "wrong", client)
    for _ in range(GUESSES - 1):
        attempt(logins, "wrong", "a")  # No longer the quietest.
    attempt(logins, "wrong", "new")
    assert attempt(logins, "wrong", "a") == 429
    for _ in range(GUESSES):
        attempt(logins, "wrong", "0")  # Forgotten, so these are its first.
    assert attempt(logins, "wrong", "0") == 429


@pytest.mark.parametrize(
    ("path", "query"), [("/logout", "all_session=false"), ("/", "all_session=true")]
)
def test_logging_out_ends_one_session(logins: Logins, path: str, query: str) -> None:
    request = Request()
    request.ask(lambda _: logins, path, "GET", query=b"all_session=true")
    assert json.loads(request.answer[1]["body"])["error"] == query
