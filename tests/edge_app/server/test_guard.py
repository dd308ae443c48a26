"""The guard, asked as an ASGI server would, without one."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from typing import Any

import pytest

from edge_app.server.guard import MAX_BODY, Guard, Message, Receive, Scope, Send

CLASSIFY = "/gradio_api/run/classify"


class Server:
    """What is in front of the guard and behind it: sends a request's parts, keeps the answer."""

    def __init__(self, *parts: Message) -> None:
        self.parts = list(parts)
        self.answer: list[Message] = []
        self.seen: list[bytes] | None = None
        """The parts of the body that came through to the app; None when nothing did."""
        self.after: Message = {}
        """What the app was given when it asked once more."""

    async def receive(self) -> Message:
        return self.parts.pop(0) if self.parts else {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.answer.append(message)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen = []
        more = scope["type"] == "http"
        while more:
            message = await receive()
            self.seen.append(message["body"])
            more = message["more_body"]
        self.after = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    def status(self) -> int:
        status = self.answer[0]["status"]
        assert isinstance(status, int)
        return status


def finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what never waits for anything."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


def ask(
    server: Server,
    method: str = "POST",
    path: str = CLASSIFY,
    length: bytes | None = None,
    **others: str,
) -> None:
    headers = [(name.replace("_", "-").encode(), text.encode()) for name, text in others.items()]
    if length is not None:
        headers.append((b"content-length", length))
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    finish(Guard(server.app)(scope, server.receive, server.send))


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def refusal(server: Server) -> str:
    """The sentence; the app saw nothing, and the connection ends."""
    assert server.seen is None
    start, body = server.answer
    headers = dict(start["headers"])
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert headers[b"connection"] == b"close"
    sentence = json.loads(body["body"])["error"]
    assert isinstance(sentence, str)
    return sentence


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/logout",
        "/config",
        "/theme.css",
        "/favicon.ico",
        "/apple-touch-icon.png",
        "/icon-512.png",
        "/manifest.json",
        "/assets/Index-3o3U-0UB.js",
        "/static/js/iframeResizer.contentWindow.min.js",
        "/gradio_api/info",
        "/gradio_api/login_check",
        "/gradio_api/app_id",
        "/gradio_api/queue/data",
        "/gradio_api/heartbeat/0a1b-2c",
        "/gradio_api/call/classify/0a1b",
    ],
)
def test_what_the_page_and_the_api_read_goes_through_untouched(method: str, path: str) -> None:
    server = Server(part(b"left as it is"))
    ask(server, method, path)
    assert server.seen == [b"left as it is"]
    assert server.status() == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    [
        "",
        "//",
        "/gradio_api/file=http://example.com/x.png",
        "/gradio_api/file=/etc/hostname",
        "/gradio_api/file/README.md",
        "/gradio_api/proxy=http://example.com/",
        "/gradio_api/stream/x/1/2/playlist.m3u8",
        "/gradio_api/custom_component/x/client/y/z.js",
        "/gradio_api/deep_link",
        "/gradio_api/token",
        "/gradio_api/upload_progress",
        "/gradio_api/heartbeat/../file=x",
        "/gradio_api/info\n",
        "/assets/../x",
        "/assets/",
        "/static/js/..",
        "/static//etc/hostname",
        "/pwa_icon/9000",
        "/monitoring",
    ],
)
def test_nothing_else_is_read(method: str, path: str) -> None:
    server = Server(part(b""))
    ask(server, method, path)
    assert refusal(server) == "There is nothing here; the page is at /."
    assert server.status() == 404


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_what_is_no_request_goes_through(kind: str) -> None:
    server = Server({"type": f"{kind}.startup"})
    finish(Guard(server.app)({"type": kind}, server.receive, server.send))
    assert server.after == {"type": f"{kind}.startup"}


@pytest.mark.parametrize(
    "path",
    [
        "/login",
        "/login/",
        "/gradio_api/component_server",
        "/gradio_api/component_server/",
        "/gradio_api/queue/join",
        "/gradio_api/cancel",
        "/gradio_api/reset",
        "/gradio_api/run/classify",
        "/gradio_api/run/classify/",
        "/gradio_api/api/classify",
        "/gradio_api/call/classify",
        "/gradio_api/call/v2/classify",
    ],
)
def test_what_the_page_and_the_api_send_goes_through(path: str) -> None:
    server = Server(part(b"{}"))
    ask(server, path=path)
    assert server.seen == [b"{}"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/upload",
        "/gradio_api/upload",
        "/gradio_api/upload/",
        "/gradio_api//upload",
        "//gradio_api/upload",
        "/gradio_api/UPLOAD",
        "/gradio_api/upload\n",
        "/gradio_api/run/../upload",
        "/gradio_api/run/classify/../../upload",
        "/gradio_api/process_recording",
        "/gradio_api/stream/x",
        "/gradio_api/vibe-edit",
        "/gradio_api/component_server/x",
        "/login/../gradio_api/upload",
        "/gradio_api/run/",
        "/gradio_api/run/classify\n",
        "",
    ],
)
def test_a_body_for_anywhere_else_is_refused(path: str) -> None:
    server = Server(part(b"{}"))
    ask(server, path=path)
    assert refusal(server) == "Nothing can be uploaded or changed here; send a drawing."
    assert server.status() == 403


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "post", ""])
def test_other_methods_are_refused(method: str) -> None:
    server = Server(part(b"{}"))
    ask(server, method)
    assert refusal(server) == "Nothing can be uploaded or changed here; send a drawing."
    assert server.status() == 403


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://192.168.1.20:7860", "192.168.1.20:7860"),
        ("http://Pi.local:8080", "pi.local"),
        ("https://digits.example", "digits.example:7860"),
        ("http://[fd00::20]:7860", "[fd00::20]:7860"),
    ],
)
def test_the_page_itself_may_send(origin: str, host: str) -> None:
    server = Server(part(b"{}"))
    ask(server, origin=origin, host=host)
    assert server.seen == [b"{}"]


def test_the_page_may_send_through_a_proxy_that_says_what_was_asked_for() -> None:
    server = Server(part(b"{}"))
    asked = "digits.example, 10.0.0.2"
    ask(server, origin="https://digits.example", host="127.0.0.1:7860", x_forwarded_host=asked)
    assert server.seen == [b"{}"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://192.168.1.20.evil.example",
        "https://192.168.1.20@evil.example",
        "http://192.168.1.2",
        "null",
        "",
        "http://[",
    ],
)
@pytest.mark.parametrize("host", ["192.168.1.20:7860", "", "["])
def test_another_website_s_page_may_send_nothing(origin: str, host: str) -> None:
    server = Server(part(b"{}"))
    ask(server, origin=origin, host=host)
    assert (
        refusal(server)
        == "Another website may send nothing here; use this page (a proxy must pass Host)."
    )
    assert server.status() == 403


def test_a_body_in_parts_arrives_whole_and_once() -> None:
    server = Server(part(b"one ", more=True), part(b"", more=True), part(b"two"))
    ask(server, length=b"7")
    assert server.seen == [b"one two"]
    assert server.after == {"type": "http.disconnect"}


def test_the_largest_body_goes_through() -> None:
    server = Server(part(b"x" * (MAX_BODY - 1), more=True), part(b"x"))
    ask(server, length=str(MAX_BODY).encode())
    assert server.seen == [b"x" * MAX_BODY]


@pytest.mark.parametrize("length", [str(MAX_BODY + 1).encode(), b"9" * 5000])
def test_a_larger_announced_body_is_refused_before_any_of_it_is_read(length: bytes) -> None:
    server = Server(part(b"x"))
    ask(server, length=length)
    assert refusal(server) == "The request is too large; expected at most 65,536 bytes."
    assert server.status() == 413
    assert server.parts == [part(b"x")]


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"", b"0x10", b"1,1", "²".encode()])
def test_a_length_that_is_no_number_is_refused(length: bytes) -> None:
    server = Server(part(b"x"))
    ask(server, length=length)
    assert refusal(server)
    assert server.status() == 413


@pytest.mark.parametrize("length", [None, b"1"])
def test_a_body_that_grows_past_the_bound_is_refused(length: bytes | None) -> None:
    server = Server(part(b"x" * MAX_BODY, more=True), part(b"x", more=True), part(b"never read"))
    ask(server, length=length)
    assert refusal(server) == "The request is too large; expected at most 65,536 bytes."
    assert server.status() == 413
    assert server.parts == [part(b"never read")]


def test_half_of_a_request_reaches_nobody_when_its_sender_hangs_up() -> None:
    server = Server(part(b"x", more=True), {"type": "http.disconnect"})
    ask(server)
    assert server.seen is None
