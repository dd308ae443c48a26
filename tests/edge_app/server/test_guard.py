"""The guard: what it lets through, and what it refuses."""

from __future__ import annotations

import json

import pytest

from asgi import Request, part
from edge_app.server.guard import MAX_BODY, Guard

CLASSIFY = "/gradio_api/run/classify"

READABLE = """
    / /logout /config /theme.css /favicon.ico /apple-touch-icon.png /icon-512.png /manifest.json
    /assets/Index-3o3U-0UB.js /static/js/iframeResizer.contentWindow.min.js /gradio_api/info
    /gradio_api/login_check /gradio_api/app_id /gradio_api/queue/data
    /gradio_api/heartbeat/0a1b-2c /gradio_api/call/classify/0a1b
"""
UNREADABLE = """
    // /gradio_api/file=http://example.com/x.png /gradio_api/file/README.md
    /gradio_api/proxy=http://example.com/ /gradio_api/stream/x/1/2/playlist.m3u8
    /gradio_api/custom_component/x/client/y/z.js /gradio_api/deep_link /gradio_api/token
    /gradio_api/heartbeat/../file=x /assets/../x /assets/ /static/js/.. /static//etc/hostname
    /monitoring
"""
POSTABLE = """
    /login /login/ /gradio_api/component_server /gradio_api/component_server/
    /gradio_api/queue/join /gradio_api/cancel /gradio_api/reset /gradio_api/run/classify
    /gradio_api/run/classify/ /gradio_api/api/classify /gradio_api/call/v2/classify
"""
UNPOSTABLE = """
    / /upload /gradio_api/upload /gradio_api//upload /gradio_api/UPLOAD
    /gradio_api/run/../upload /gradio_api/process_recording /gradio_api/stream/x
    /gradio_api/component_server/x /gradio_api/run/
"""


def refusal(request: Request) -> tuple[int, str]:
    """Status and sentence; the app saw nothing, and the connection ends."""
    assert request.seen is None
    start, body = request.answer
    headers = dict(start["headers"])
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert headers[b"connection"] == b"close"
    return start["status"], json.loads(body["body"])["error"]


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, path) for method in ("GET", "HEAD") for path in READABLE.split()]
    + [("POST", path) for path in POSTABLE.split()],
)
def test_what_the_page_and_the_api_need_goes_through(method: str, path: str) -> None:
    request = Request(part(b"left as it is"))
    request.ask(Guard, path, method)
    assert request.seen == [b"left as it is"]
    assert request.answer[0]["status"] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        *(("GET", path, 404) for path in [*UNREADABLE.split(), "", "/gradio_api/info\n"]),
        ("HEAD", "/gradio_api/file=/etc/hostname", 404),
        *(("POST", path, 403) for path in [*UNPOSTABLE.split(), "", f"{CLASSIFY}\n"]),
        *((method, CLASSIFY, 403) for method in ("PUT", "DELETE", "OPTIONS", "post", "")),
    ],
)
def test_nothing_else_is_read_or_sent(method: str, path: str, status: int) -> None:
    request = Request(part(b"{}"))
    request.ask(Guard, path, method)
    found, sentence = refusal(request)
    assert found == status
    assert ("There is nothing here" if status == 404 else "Nothing can be uploaded") in sentence


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_other_protocols_go_through(kind: str) -> None:
    request = Request({"type": f"{kind}.startup"})
    request.send({"type": kind}, Guard)
    assert request.after == {"type": f"{kind}.startup"}


@pytest.mark.parametrize(
    ("origin", "host", "asked"),
    [
        ("http://192.168.1.20:7860", "192.168.1.20:7860", ""),
        ("http://Pi.local:8080", "pi.local", ""),
        ("http://[fd00::20]:7860", "[fd00::20]:7860", ""),
        # Through a proxy that says what was asked for.
        ("https://digits.example", "127.0.0.1:7860", "digits.example, 10.0.0.2"),
    ],
)
def test_the_page_itself_may_send(origin: str, host: str, asked: str) -> None:
    request = Request(part(b"{}"))
    request.ask(Guard, CLASSIFY, origin=origin, host=host, x_forwarded_host=asked)
    assert request.seen == [b"{}"]


@pytest.mark.parametrize("host", ["192.168.1.20:7860", "", "["])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://192.168.1.20.evil.example",
        "https://192.168.1.20@evil.example",
        "null",
        "",
        "http://[",
    ],
)
def test_another_website_s_page_may_send_nothing(origin: str, host: str) -> None:
    request = Request(part(b"{}"))
    request.ask(Guard, CLASSIFY, origin=origin, host=host)
    status, sentence = refusal(request)
    assert status == 403
    assert sentence.startswith("Cross-site requests are blocked.")


def test_a_body_in_parts_arrives_whole_and_once() -> None:
    parts = [b"x" * (MAX_BODY - 2), b"", b"12"]  # As much as is allowed.
    request = Request(*(part(each, more=each != b"12") for each in parts))
    request.ask(Guard, CLASSIFY, content_length=str(MAX_BODY))
    assert request.seen == [b"".join(parts)]
    assert request.after == {"type": "http.disconnect"}


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), "9" * 5000, "-1", "1e3", "", "1,1", "²"])
def test_a_length_too_large_or_malformed_is_refused_before_anything_is_read(length: str) -> None:
    request = Request(part(b"x"))
    request.ask(Guard, CLASSIFY, content_length=length)
    assert refusal(request) == (413, "The request is too large; expected at most 65,536 bytes.")
    assert request.messages == [part(b"x")]


@pytest.mark.parametrize("headers", [{}, {"content_length": "1"}])
def test_a_body_that_grows_past_the_bound_is_refused(headers: dict[str, str]) -> None:
    never_read = part(b"never read")
    request = Request(part(b"x" * MAX_BODY, more=True), part(b"x", more=True), never_read)
    request.ask(Guard, CLASSIFY, **headers)
    assert refusal(request)[0] == 413
    assert request.messages == [never_read]


def test_half_a_request_reaches_nobody_if_its_sender_hangs_up() -> None:
    request = Request(part(b"x", more=True), {"type": "http.disconnect"})
    request.ask(Guard, CLASSIFY)
    assert request.seen is None
