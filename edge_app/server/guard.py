"""The guard in front of everything: lets through what the page and the API need, and nothing large.

It also gives every answer the headers that keep a browser from using it in another way.
"""

from __future__ import annotations

import re
import reprlib

from edge_app.server.access.hosts import Hosts, hostname
from edge_app.server.asgi import App, Message, Receive, Scope, Send, refuse, replay

MAX_BODY = 64 * 1024
"""Largest body of a request, in bytes: several times the longest sensible drawing."""
MAX_PATH = 200
"""Longest path, in characters; file systems refuse names of more than 255."""

READABLE = {
    "page": r"/|/theme\.css|/(assets|static)(/[\w-][\w.-]*)+|/gradio_api/(login_check|app_id)/?",
    "browser": r"/favicon\.ico|/apple-touch-icon\.png|/icon-512\.png|/manifest\.json|/robots\.txt",
    "person": r"/logout|/drawings\.jsonl",
    "supervisor": r"/health",
    "program": r"/(config|gradio_api/info)/?"
    r"|/gradio_api/(queue/data|(call|call/v2)/[\w-]+/[\w-]+)",
}
"""What may be read, by who needs it. Gradio has more routes, such as /upload, which stores files
for anyone who can open the page, and /file=, which fetches from any address on the internet. A
later Gradio may add others."""
POSTABLE = {
    "page": r"/login/?|/gradio_api/component_server/?",
    "program": r"/gradio_api/(queue/join|cancel|reset)/?"
    r"|/gradio_api/(run|api|call|call/v2)/[\w-]+/?",
}
"""What may be sent to, by who needs it."""
_READABLE = re.compile("|".join(READABLE.values()), re.ASCII)
_POSTABLE = re.compile("|".join(POSTABLE.values()), re.ASCII)
_LENGTH = re.compile(rb"[0-9]{1,9}")
_CLOSE = (b"connection", b"close")
"""The rest of a refused body is not read, so the connection cannot go on."""

_POLICY = "; ".join(
    (
        "default-src 'self'",
        # Gradio builds the components' scripts and styles in the page.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
"""For every answer."""
_PAGE_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]
"""For the page besides. Together they are what Mozilla's HTTP Observatory asks for, apart from what
only HTTPS can promise."""


class Guard:
    """Refuses requests that nobody behind it must see, with a sentence, and passes on the others.

    403: the request names a host that is not this device, the path takes no POST here (uploads,
    above all), or a page of another website sent the request from a visitor's browser. 404: there
    is nothing to read at the path. 413: the body has more than ``MAX_BODY`` bytes, whether its
    length was announced or not. What comes through has its body in one piece and no query, except
    where the API needs one.

    Args:
        app: gets what is let through.
        hosts: the hosts that requests may name.
    """

    def __init__(self, app: App, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_headers(send, page=scope["path"] == "/")
        headers = dict(scope["headers"])
        if refusal := self._refusal(scope, headers):
            await refuse(send, *refusal, _CLOSE)
            return
        if not scope["path"].startswith("/gradio_api/queue/"):
            # Gradio looks up pages by what stands there, and fails on most of it.
            scope = {**scope, "query_string": b""}
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body = await _read_body(headers, receive)
        if body is None:
            sentence = f"The request is too large; expected at most {MAX_BODY:,} bytes."
            await refuse(send, 413, sentence, _CLOSE)
            return
        await self._app(scope, replay(body, receive), send)

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[int, str] | None:
        """Status and sentence for a request that must not come through."""
        server = scope.get("server")
        hosts = [hostname(headers.get(b"host", b""))]
        if forwarded := headers.get(b"x-forwarded-host"):
            # A proxy that changes Host tells here what it was asked for.
            hosts.append(hostname(forwarded.partition(b",")[0].strip()))
        for host in hosts:
            if not self._hosts.allow(host, server[0] if server else None):
                return 403, (
                    f"This device is not known as {reprlib.repr(host or '')}; open it by its "
                    "address or name, or start the app with --allow-host and the name."
                )
        path = scope["path"] if len(scope["path"]) <= MAX_PATH else ""
        if scope["method"] in {"GET", "HEAD"}:
            found = _READABLE.fullmatch(path)
            return None if found else (404, "There is nothing here; the page is at /.")
        if scope["method"] != "POST" or not _POSTABLE.fullmatch(path):
            return 403, "Nothing can be uploaded or changed here; send a drawing."
        # Browsers name the page that sends; ports are not compared, as they differ behind a proxy.
        if b"origin" in headers and hostname(headers[b"origin"]) not in hosts:
            return 403, (
                "Cross-site requests are blocked. Open this page directly; a reverse proxy must "
                "forward the Host header."
            )
        return None


async def _read_body(headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
    """The whole body; None if it is too large or its sender left before the end."""
    announced = headers.get(b"content-length", b"0")
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


def _with_headers(send: Send, *, page: bool) -> Send:
    """A ``send`` that adds the guard's headers, and takes away those that would let other websites
    read the answer: Gradio gives them to any."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                each for each in message["headers"] if not each[0].startswith(b"access-control-")
            ]
            added = _PAGE_HEADERS if page else []
            message = {**message, "headers": [*kept, *_HEADERS, *added]}
        await send(message)

    return send_with_headers
