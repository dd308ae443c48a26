"""Attempts: what is sent to the app, byte by byte, and what is expected to come back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Enum
from random import Random
from typing import Any, NamedTuple

from tests.attack.routes import Route

EVENT = b"EVENT"
"""Stands for the event that a call's answer names, in the path that fetches its result."""


class Ending(Enum):
    """What the client does once it has sent everything."""

    ANSWER = "waits for all answers; that they do not come counts as a hang"
    GLANCE = "waits a moment, because the app may wait for more, and keeps the connection open"
    PARK = "reads nothing and keeps the connection open"
    LEAVE = "closes the connection at once"


class Attempt(NamedTuple):
    """What one client sends on one connection."""

    kind: str
    sent: bytes
    ending: Ending = Ending.ANSWER
    answers: int = 1
    """How many come back."""
    bodiless: bool = False
    """Whether the answer has a length and no body, as to HEAD."""
    fetch: bytes = b""
    """A path to get after the answer, with ``EVENT`` in it."""


class Target(NamedTuple):
    """What the attack knows about the app that it attacks."""

    host: bytes
    """Address and port."""
    routes: tuple[Route, ...]
    assets: tuple[str, ...]
    """Paths of the files that the page loads."""
    components: tuple[int, ...]
    """The numbers of the page's components."""
    cookie: bytes
    """Of someone who has logged in; empty without a login."""


Kind = Callable[[Random, Target], list[Attempt]]
"""Makes attempts of one kind; several are sent at once, each on a connection of its own."""


def request(
    target: Target,
    method: bytes,
    path: bytes,
    body: bytes | None = None,
    headers: Mapping[bytes, bytes] | None = None,
) -> bytes:
    """A whole HTTP request; headers that are given replace the usual ones, by lower-case name."""
    usual = {b"host": target.host}
    if target.cookie:
        usual[b"cookie"] = target.cookie
    if body is not None:
        usual |= {b"content-type": b"application/json", b"content-length": b"%d" % len(body)}
    lines = b"".join(b"%b: %b\r\n" % each for each in (usual | dict(headers or {})).items())
    return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, path, lines, body or b"")


def get(target: Target, path: str) -> bytes:
    return request(target, b"GET", path.encode())


def post(target: Target, path: str, content: object) -> bytes:
    """A request with JSON, or with bytes as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return request(target, b"POST", f"/gradio_api/{path}".encode(), body)


def page_call(target: Target, function: str, data: Any) -> dict[str, Any]:
    """What the page sends to ``component_server``."""
    return {
        "component_id": target.components[0] if target.components else 0,
        "fn_name": function,
        "data": data,
        "session_hash": "attack",
    }
