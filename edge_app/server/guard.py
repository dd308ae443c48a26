"""The guard in front of Gradio: lets through what the page and the API need, and nothing large.

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
"""Largest body of a request, in bytes: several times the longest sensible drawing."""

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
anyone who can open the page, and /file=, which fetches from any address on the internet. A later
Gradio may add others."""
_LENGTH = re.compile(rb"[0-9]{1,9}")


class Guard:
    """Refuses requests that Gradio must not see, with a sentence, and passes on the others.

    403: the path takes no POST here (uploads, above all), or a page of another website sent the
    request from a visitor's browser. 404: there is nothing to read at the path. 413: the body has
    more than ``MAX_BODY`` bytes, whether its length was announced or not.
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
                "Cross-site requests are blocked. Open this page directly; a reverse proxy must "
                "forward the Host header."
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
    """Whether a browser reports that a page of another website sent the request.

    Other programs send no Origin header. Ports are not compared, because they differ behind a
    proxy. A proxy that changes Host passes the original on in X-Forwarded-Host, which no page can
    send to another website without being asked for.
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
    """The whole body; None if it is too large or its sender left before the end."""
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
    """A ``receive`` that first repeats a message already received."""
    messages = [first]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


async def _refuse(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"error": sentence}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        # The rest of the refused body is not read, so the connection cannot go on.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
