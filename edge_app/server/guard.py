"""The guard in front of Gradio: only what the page and the API need reaches it, and nothing large.

A plain ASGI middleware (https://asgi.readthedocs.io/en/latest/specs/www.html).
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 64 * 1024
"""Bytes in a request's body: room for the longest drawing that makes sense, several times over."""

_POSTABLE = re.compile(
    r"/login/?"
    r"|/gradio_api/(component_server|queue/join|cancel|reset)/?"
    r"|/gradio_api/(run|api|call|call/v2)/[\w-]+/?"
)
_READABLE = re.compile(
    r"/|/logout|/(config|gradio_api/info)/?|/(gradio_api/)?theme\.css"
    r"|/(favicon\.ico|apple-touch-icon\.png|icon-512\.png|manifest\.json|robots\.txt)"
    r"|/(assets|static)(/[\w-][\w.-]*)+"
    r"|/gradio_api/(login_check|app_id)/?"
    r"|/gradio_api/(queue/data|heartbeat/[\w-]+|(call|call/v2)/[\w-]+/[\w-]+)"
)
"""What the page and the API need. Gradio has more routes, such as /upload, which stores files for
anyone who can open the page, and /file=, which fetches them from any address on the internet; and a
later Gradio may bring others."""
_LENGTH = re.compile(rb"[0-9]{1,9}")


class Guard:
    """Answers requests that Gradio must not see with a sentence, and hands it the others.

    403: a path that takes no requests with a body here, uploads first of all; or a request that
    another website's page sends, from the browser of someone who may draw. 404: a path that nothing
    is read from here. 413: a body of more than ``MAX_BODY`` bytes, whether its length was announced
    or not.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] in {"GET", "HEAD"}:
            if _READABLE.fullmatch(scope["path"]):
                await self._app(scope, receive, send)
            else:
                await _refuse(send, 404, "There is nothing here; the page is at /.")
            return
        if scope["method"] != "POST" or not _POSTABLE.fullmatch(scope["path"]):
            await _refuse(send, 403, "Nothing can be uploaded or changed here; send a drawing.")
            return
        if _is_from_elsewhere(dict(scope["headers"])):
            sentence = (
                "Another website may send nothing here; use this page (a proxy must pass Host)."
            )
            await _refuse(send, 403, sentence)
            return
        body = await _read_body(scope, receive)
        if body is None:
            await _refuse(
                send, 413, f"The request is too large; expected at most {MAX_BODY:,} bytes."
            )
            return
        whole = {"type": "http.request", "body": body, "more_body": False}
        await self._app(scope, replay(whole, receive), send)


def _is_from_elsewhere(headers: dict[bytes, bytes]) -> bool:
    """Whether a browser says that another website's page sent it; programs say nothing of the kind.

    Ports are not compared: behind a proxy they differ. What the browser asked for, a proxy that
    changes it hands on; no page can send that header to another website unasked.
    """
    if b"origin" not in headers:
        return False
    forwarded = headers.get(b"x-forwarded-host", b"").partition(b",")[0].strip()
    here = {_hostname(b"//" + host) for host in (headers.get(b"host", b""), forwarded)} - {None}
    return _hostname(headers[b"origin"]) not in here


def _hostname(address: bytes) -> str | None:
    try:
        return urlsplit(address.decode("latin-1")).hostname
    except ValueError:
        return None


async def _read_body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body, or None when it is too large, or its sender left before its end."""
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    if not _LENGTH.fullmatch(announced) or int(announced) > MAX_BODY:
        return None
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body"):
            return body


def replay(first: Message, receive: Receive) -> Receive:
    """What ``receive`` gave, once more; after it whatever comes, such as a disconnection."""
    messages = [first]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


async def _refuse(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"error": sentence}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        # What is left of the refused body is not read: the connection ends here.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
