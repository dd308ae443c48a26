"""Firefox and WebKitGTK, driven as WebDriver (https://www.w3.org/TR/webdriver2) and its successor
WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi) say."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from app import until

PATIENCE_S = 120
SIZE = (1280, 800)
"""Of the window, in pixels."""

Place = tuple[float, float]

_QUIET = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}
"""Firefox asks nobody on the internet."""


class Engine(Protocol):
    """A browser with one window."""

    def open(self, url: str) -> None:
        """Load a page."""

    def run(self, expression: str) -> Any:
        """The value of an expression of JavaScript that can be awaited, as JSON can carry it."""

    def act(self, kind: str, actions: list[dict[str, Any]]) -> None:
        """Move a pointer of a kind ("mouse", "touch" or "pen"), in WebDriver's words."""


def draw(engine: Engine, kind: str, strokes: Sequence[Sequence[Place]]) -> None:
    """Draw on the canvas: points in a square of 1000 by 1000, y down."""
    left, top, width, height = engine.run(
        "(({x, y, width, height}) => [x, y, width, height])"
        "(document.querySelector('[data-testid=canvas]').getBoundingClientRect())"
    )
    actions: list[dict[str, Any]] = []
    for stroke in strokes:
        moves = [
            {
                "type": "pointerMove",
                "x": round(left + x / 1000 * width),
                "y": round(top + y / 1000 * height),
                "duration": 20,
            }
            for x, y in stroke
        ]
        down, up = ({"type": f"pointer{way}", "button": 0} for way in ("Down", "Up"))
        actions += [moves[0], down, *moves[1:], up]
    engine.act(kind, actions)


class _Firefox:
    def __init__(self, connection: ClientConnection) -> None:
        self._socket = connection
        self._numbers = itertools.count(1)
        self._send("session.new", capabilities={})
        [tab, *_] = self._send("browsingContext.getTree")["contexts"]
        self._tab = tab["context"]

    def _send(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(PATIENCE_S))
            if message.get("id") == number:
                assert message["type"] == "success", message
                return message["result"]

    def open(self, url: str) -> None:
        self._send("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def run(self, expression: str) -> Any:
        result = self._send(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self._tab},
            awaitPromise=True,
        )
        assert result["type"] == "success", result
        return json.loads(result["result"].get("value", "null"))

    def act(self, kind: str, actions: list[dict[str, Any]]) -> None:
        self._send("input.performActions", context=self._tab, actions=_pointer(kind, actions))


class _WebKit:
    def __init__(self, address: str, program: Path) -> None:
        self._client = httpx.Client(base_url=address, trust_env=False, timeout=PATIENCE_S)
        options = {"binary": str(program), "args": ["--automation"]}
        capabilities = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        session = self._send("session", capabilities=capabilities)
        self._session = f"session/{session['sessionId']}"
        self._send(f"{self._session}/window/rect", width=SIZE[0], height=SIZE[1])

    def _send(self, path: str, **parameters: Any) -> Any:
        answer = self._client.post(path, json=parameters).json()["value"]
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer

    def open(self, url: str) -> None:
        self._send(f"{self._session}/url", url=url)

    def run(self, expression: str) -> Any:
        script = f"Promise.resolve({expression}).then(arguments[0])"
        return self._send(f"{self._session}/execute/async", script=script, args=[])

    def act(self, kind: str, actions: list[dict[str, Any]]) -> None:
        self._send(f"{self._session}/actions", actions=_pointer(kind, actions))


def _pointer(kind: str, actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    pointer = {"type": "pointer", "id": kind, "parameters": {"pointerType": kind}}
    return [{**pointer, "actions": actions}]


@contextlib.contextmanager
def firefox() -> Iterator[Engine]:
    program = _find("firefox-esr", "firefox")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        preferences = (
            f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in _QUIET.items()
        )
        Path(folder, "user.js").write_text("\n".join(preferences), encoding="utf-8")
        size = [f"--width={SIZE[0]}", f"--height={SIZE[1]}"]
        options = ["--headless", "--remote-debugging-port=0", "--profile", folder, *size]
        with _running(folder, program, *options) as printed:
            address = _awaited(r"BiDi listening on (ws://\S+)", printed)
            with connect(f"{address}/session", proxy=None, max_size=None) as connection:
                yield _Firefox(connection)


@contextlib.contextmanager
def webkit() -> Iterator[Engine]:
    driver, screen = _find("WebKitWebDriver"), _find("Xvfb")
    program = next(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        # It writes the number of the display that it has found free to its standard output.
        options = ["-displayfd", "1", "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-nolisten", "tcp"]
        display = _awaited(r"^(\d+)\n", stack.enter_context(_running(folder, screen, *options)))
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        command = [driver, "--host=127.0.0.1", f"--port={port}"]
        stack.enter_context(_running(folder, *command, DISPLAY=f":{display}"))
        address = f"http://127.0.0.1:{port}"
        until(lambda: _answers(f"{address}/status"))
        yield _WebKit(address, program)


def _find(*names: str) -> str:
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(f"{names[0]} is not installed")
    return path


@contextlib.contextmanager
def _running(folder: str, *command: str, **variables: str) -> Iterator[Path]:
    """A program that is ended in the end; gives the file of what it prints."""
    printed = Path(folder, Path(command[0]).name)
    environment = {**os.environ, "HOME": folder, **variables}
    with printed.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        yield printed
    finally:
        process.terminate()
        process.wait()


def _awaited(pattern: str, printed: Path) -> str:
    def found() -> list[str]:
        return re.findall(pattern, printed.read_text(encoding="utf-8"))

    until(found)
    return found()[0]


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, trust_env=False).status_code == 200
    return False
