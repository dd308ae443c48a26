"""The arena: the real app in a process of its own, with few descriptors, and what it tells."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from app import App, start
from tests.attack.attempts import Target, get, request
from tests.attack.connection import Connection
from tests.attack.routes import read_routes
from tests.attack.witness import SOURCE

FILES = 1024
"""Descriptors that the app may have, as on most systems."""
_SCRIPT = f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))
from edge_app.command import main
main()
"""
_USER, _PASSWORD = "user", "password"
_FILE = re.compile(r"""["'(]\.?(/?(?:assets|static)/[\w./-]+\.(?:js|css|woff2?|svg|png))""")


class Arena(NamedTuple):
    """The app, and how the attackers and the witness see it."""

    app: App
    target: Target
    """For the attackers."""
    witnessed: Target
    """For the witness, who has a login of his own."""


@contextlib.contextmanager
def opened(folder: Path, *, login: bool) -> Iterator[Arena]:
    """Start the app with an empty folder for everything that it writes.

    Args:
        login: whether it requires one.
    """
    options = ["--save-drawings", str(folder / "drawings.jsonl"), "--save-limit", "2MB"]
    if login:
        users = folder / "users.txt"
        users.write_text(f"{_USER}:{_PASSWORD}\n", encoding="utf-8")
        users.chmod(0o600)
        options += ["--auth-file", str(users)]
    with start(folder, *options, script=_SCRIPT) as app:
        nobody = Target(urlsplit(app.url).netloc.encode(), read_routes(), (), (), b"")
        targets = [nobody._replace(cookie=_log_in(nobody) if login else b"") for _ in range(2)]
        page = _read(targets[0], "/").decode()
        assets = sorted({"/" + path.lstrip("/") for path in _FILE.findall(page)})
        config = json.loads(_read(targets[0], "/config"))
        named = [each["id"] for each in config["components"] if each["props"].get("elem_id")]
        known, own = (
            each._replace(assets=tuple(assets), components=tuple(named)) for each in targets
        )
        yield Arena(app, known, own)


def _read(target: Target, path: str) -> bytes:
    return _ask(target, get(target, path))[1]


def _log_in(target: Target) -> bytes:
    body = f"username={_USER}&password={_PASSWORD}".encode()
    kind = {b"content-type": b"application/x-www-form-urlencoded"}
    head, _ = _ask(target, request(target, b"POST", b"/login", body, kind))
    return b"; ".join(re.findall(rb"set-cookie: *([^;\r]+)", head, re.IGNORECASE))


def _ask(target: Target, sent: bytes) -> tuple[bytes, bytes]:
    """Head and body of a successful answer."""
    connection = Connection(target.host, SOURCE)
    try:
        connection.send(sent)
        answer = connection.read()
    finally:
        connection.close()
    assert answer, "The app closed the connection."
    assert answer.status == 200, f"The app answered {answer.status}: {answer.body[:200]!r}"
    return answer.head, answer.body
