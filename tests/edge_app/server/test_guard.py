"""The guard: what it lets through, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asgi import Request, part
from edge_app.server.access.hosts import Hosts
from edge_app.server.asgi import App, Receive, Scope, Send
from edge_app.server.guard import MAX_BODY, MAX_PATH, Guard

CLASSIFY = "/gradio_api/run/classify"
HOSTS = Hosts(["pi.example", "192.168.1.20", "fd00::20"])

READABLE = """
    / /logout /drawings.jsonl /config /theme.css /favicon.ico /apple-touch-icon.png /icon-512.png
    /manifest.json
    /assets/Index-3o3U-0UB.js /static/js/iframeResizer.contentWindow.min.js /gradio_api/info
    /gradio_api/login_check /gradio_api/app_id /gradio_api/queue/data
    /gradio_api/call/classify/0a1b
"""
UNREADABLE = """
    // /gradio_api/file=http://example.com/x.png /gradio_api/file/README.md
    /gradio_api/proxy=http://example.com/ /gradio_api/stream/x/1/2/playlist.m3u8
    /gradio_api/custom_component/x/client/y/z.js /gradio_api/deep_link /gradio_api/token
    /gradio_api/heartbeat/0a1b /gradio_api/call/classify/.. /assets/../x /assets/
    /static/js/.. /static//etc/hostname /monitoring
"""
POSTABLE = """
    /login /login/ /gradio_api/component_server /gradio_api/component_server/
    /gradio_api/queue/join /gradio_api/cancel /gradio_api/reset /gradio_api/run/classify
    /gradio_api/run/classify/ /gradio_api/api/classify /gradio_api/call/v2/classify
"""
AWKWARD = ["", "/gradio_api/info\n", f"/assets/{'x' * MAX_PATH}", "/assets/\0", "/assets/ü"]
UNPOSTABLE = """
    / /upload /gradio_api/upload /gradio_api//upload /gradio_api/UPLOAD
    /gradio_api/run/../upload /gradio_api/process_recording /gradio_api/stream/x
    /gradio_api/component_server/x /gradio_api/run/
"""


def guard(app: App) -> App:
    return Guard(app, HOSTS)


def refusal(request: Request) -> tuple[int, str]:
    """Status and sentence; the app saw nothing, and the connection ends."""
    assert request.seen is None
    start, body = request.answer
    headers = dict(start["headers"])
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert headers[b"connection"] == b"close"
    assert headers[b"x-content-type-options"] == b"nosniff"
    return start["status"], json.loads(body["body"])["error"]


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, path) for method in ("GET", "HEAD") for path in READABLE.split()]
    + [("POST", path) for path in POSTABLE.split()],
)
def test_what_the_page_and_the_api_need_goes_through(method: str, path: str) -> None:
    request = Request(part(b"left as it is"))
    request.ask(guard, path, method)
    assert request.seen == [b"left as it is"]
    assert request.answer[0]["status"] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        *(("GET", path, 404) for path in [*UNREADABLE.split(), *AWKWARD]),
        ("HEAD", "/gradio_api/file=/etc/hostname", 404),
        *(("POST", path, 403) for path in [*UNPOSTABLE.split(), "", f"{CLASSIFY}\n"]),
        *((method, CLASSIFY, 403) for method in ("PUT", "DELETE", "OPTIONS", "post", "")),
    ],
)
def test_nothing_else_is_read_or_sent(method: str, path: str, status: int) -> None:
    request = Request(part(b"{}"))
    request.ask(guard, path, method)
    found, sentence = refusal(request)
    assert found == status
    assert ("There is nothing here" if status == 404 else "Nothing can be uploaded") in sentence


def test_the_server_s_start_and_stop_go_through() -> None:
    kind = "lifespan"
    request = Request({"type": f"{kind}.startup"})
    request.send({"type": kind}, guard)
    assert request.after == {"type": f"{kind}.startup"}


@pytest.mark.parametrize(
    ("origin", "host", "asked"),
    [
        ("http://192.168.1.20:7860", "192.168.1.20:7860", ""),
        ("http://Pi.example:8080", "pi.example", ""),
        ("http://[fd00::20]:7860", "[fd00::20]:7860", ""),
        # Through a proxy that says what was asked for.
        ("https://pi.example", "127.0.0.1:7860", "pi.example, 10.0.0.2"),
    ],
)
def test_the_page_itself_may_send(origin: str, host: str, asked: str) -> None:
    request = Request(part(b"{}"))
    request.ask(guard, CLASSIFY, origin=origin, host=host, x_forwarded_host=asked)
    assert request.seen == [b"{}"]


@pytest.mark.parametrize("host", ["192.168.1.20:7860", "localhost"])
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
    request.ask(guard, CLASSIFY, origin=origin, host=host)
    status, sentence = refusal(request)
    assert status == 403
    assert sentence.startswith("Cross-site requests are blocked.")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("host", "asked"),
    [("evil.example", ""), ("", ""), ("[", ""), ("localhost", "evil.example"), ("a:99999", "")],
)
def test_a_request_in_another_name_is_refused(method: str, host: str, asked: str) -> None:
    """As of a website whose name resolves to this device, with the origin that fits."""
    request = Request(part(b"{}"))
    origin = f"http://{host}"
    request.ask(guard, "/", method, origin=origin, host=host, x_forwarded_host=asked)
    status, sentence = refusal(request)
    assert status == 403
    assert sentence.startswith("This device is not known as ")
    assert "--allow-host" in sentence


def test_answers_are_for_this_page_alone() -> None:
    async def gradio(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [
            (b"access-control-allow-origin", b"https://evil.example"),
            (b"access-control-allow-credentials", b"true"),
            (b"set-cookie", b"a=b"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    request = Request()
    request.ask(lambda _: guard(gradio), "/", "GET")
    headers = dict(request.answer[0]["headers"])
    assert headers[b"set-cookie"] == b"a=b"
    assert not [name for name in headers if name.startswith(b"access-control-")]
    assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"referrer-policy"] == b"no-referrer"


@pytest.mark.parametrize(("path", "kept"), [("/", b""), ("/gradio_api/queue/data", b"a=b")])
def test_only_the_queue_sees_a_query(path: str, kept: bytes) -> None:
    """Gradio looks up pages by what stands in it."""
    seen = []

    async def gradio(scope: Scope, _receive: Receive, send: Send) -> None:
        seen.append(scope["query_string"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    Request().ask(lambda _: guard(gradio), path, "GET", query=b"a=b")
    assert seen == [kept]


def test_a_body_in_parts_arrives_whole_and_once() -> None:
    parts = [b"x" * (MAX_BODY - 2), b"", b"12"]  # As much as is allowed.
    request = Request(*(part(each, more=each != b"12") for each in parts))
    request.ask(guard, CLASSIFY, content_length=str(MAX_BODY))
    assert request.seen == [b"".join(parts)]
    assert request.after == {"type": "http.disconnect"}


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), "9" * 5000, "-1", "1e3", "", "1,1", "²"])
def test_a_length_too_large_or_malformed_is_refused_before_anything_is_read(length: str) -> None:
    request = Request(part(b"x"))
    request.ask(guard, CLASSIFY, content_length=length)
    assert refusal(request) == (413, "The request is too large; expected at most 65,536 bytes.")
    assert request.messages == [part(b"x")]


@pytest.mark.parametrize("headers", [{}, {"content_length": "1"}])
def test_a_body_that_grows_past_the_bound_is_refused(headers: Any) -> None:
    never_read = part(b"never read")
    request = Request(part(b"x" * MAX_BODY, more=True), part(b"x", more=True), never_read)
    request.ask(guard, CLASSIFY, **headers)
    assert refusal(request)[0] == 413
    assert request.messages == [never_read]


def test_half_a_request_reaches_nobody_if_its_sender_hangs_up() -> None:
    request = Request(part(b"x", more=True), {"type": "http.disconnect"})
    request.ask(guard, CLASSIFY)
    assert request.seen is None
