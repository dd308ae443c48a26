"""What the server's layers share: ASGI's types, reading a request, and answering it.

ASGI is the interface between Python's web servers and what they serve
(https://asgi.readthedocs.io/en/latest/specs/www.html).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def reply(
    send: Send,
    status: int,
    body: bytes,
    kind: bytes = b"application/json",
    *headers: tuple[bytes, bytes],
) -> None:
    """Answer a request with everything at once.

    Args:
        kind: the body's media type.
        headers: more headers, as pairs of bytes.
    """
    named = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": named})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, status: int, sentence: str, *headers: tuple[bytes, bytes]) -> None:
    """Answer ``{"error": sentence}``."""
    await reply(
        send, status, json.dumps({"error": sentence}).encode(), b"application/json", *headers
    )


def replay(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that first gives a body already received, in one piece."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again
