"""Asks an ASGI app as a server would, without one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge_app.server.asgi import App, Message, Receive, Scope, Send


class Request:
    """One request: its messages, what came through to the app behind, and what was sent back."""

    def __init__(self, *messages: Message) -> None:
        self.messages = list(messages)
        self.answer: list[Message] = []
        self.seen: list[bytes] | None = None
        """The parts of the body that came through; None if nothing did."""
        self.after: Message = {}
        """What the app behind was given when it asked once more."""

    def ask(
        self,
        between: Callable[[App], App],
        path: str,
        method: str = "POST",
        query: bytes = b"",
        client: str = "192.168.1.2",
        host: str = "localhost",
        **headers: str,
    ) -> None:
        """Send it to an app behind the one to be tested, through that one."""
        named = {"host": host, **headers}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "client": (client, 50_000),
            "server": ("192.168.1.1", 7860),
            "headers": [
                (key.replace("_", "-").encode(), value.encode()) for key, value in named.items()
            ],
        }
        self.send(scope, between)

    def send(self, scope: Scope, between: Callable[[App], App]) -> None:
        with pytest.raises(StopIteration):  # It never waits for anything.
            between(self._behind)(scope, self._receive, self._keep).__await__().send(None)

    async def _receive(self) -> Message:
        return self.messages.pop(0) if self.messages else {"type": "http.disconnect"}

    async def _keep(self, message: Message) -> None:
        self.answer.append(message)

    async def _behind(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen = []
        more = scope["type"] == "http"
        while more:
            message = await receive()
            self.seen.append(message["body"])
            more = message["more_body"]
        self.after = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}
