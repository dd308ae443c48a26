"""Runs the edge app as people run it: a process of its own, from the repository's folder."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from gradio_client import Client

ROOT = Path(__file__).parents[2]
PYTHON = os.environ.get("EDGE_PYTHON", sys.executable)
"""Another environment's, where the app is to run without what the tests need themselves."""
PATIENCE_S = 600
"""When to give up on something that never happens. No test measures time, and an emulated processor
takes minutes to start the app."""


_DIRECTLY: dict[str, Any] = {"trust_env": False, "timeout": PATIENCE_S}
"""For requests: through no proxy."""
_MEMORY = Path("/dev/shm")  # noqa: S108 - Looked at, not written to.


class App(NamedTuple):
    """The app while it runs."""

    url: str
    """The first address that it printed, without a slash at its end."""
    process: subprocess.Popen[bytes]
    folder: Path
    """Holds its home, a temporary folder, and what it prints."""

    def printed(self, stream: str) -> str:
        """What it has written to "stdout" or "stderr" so far."""
        return (self.folder / stream).read_text(encoding="utf-8")

    def files(self) -> set[Path]:
        """Every file and folder that it may have written, apart from what it printed."""
        in_memory = set(_MEMORY.glob(f"digits-{self.process.pid}-*"))
        places = [*in_memory, self.folder / "home", self.folder / "temporary"]
        return in_memory | {path for place in places for path in place.rglob("*")}

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it with a signal; returns its exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@contextlib.contextmanager
def start(
    folder: Path, *arguments: str | Path, script: str = "", **variables: str | Path
) -> Iterator[App]:
    """Start the app on a free port, for this device only, and stop it at the end.

    Args:
        folder: an empty one, for everything that it writes.
        arguments: more of its command line; if an option is given twice, the last one counts.
        script: a program to run instead of ``python -m edge_app``.
        variables: environment variables, besides those that every user has.
    """
    with launch(folder, *arguments, script=script, stdout=None, **variables) as process:
        until(lambda: process.poll() is not None or _opened(folder))
        url = _opened(folder)
        if url is None:
            raise AssertionError(f"It ended at once:\n{(folder / 'stderr').read_text()}")
        yield App(url, process, folder)


@contextlib.contextmanager
def launch(
    folder: Path,
    *arguments: str | Path,
    script: str = "",
    stdout: int | None = None,
    **variables: str | Path,
) -> Iterator[subprocess.Popen[bytes]]:
    """Like :func:`start`, but does not wait until the app serves, and can print elsewhere.

    Args:
        stdout: a descriptor to print to instead of the file ``stdout`` in the folder.
    """
    program = [PYTHON, "-c", script] if script else [PYTHON, "-m", "edge_app"]
    with (folder / "stdout").open("wb") as output, (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [*program, "--host", "127.0.0.1", "--port", "0", *map(str, arguments)],
            cwd=ROOT,
            env=_environment(folder, variables),
            stdout=output if stdout is None else stdout,
            stderr=stderr,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(folder: Path, *arguments: str | Path, **variables: str | Path) -> App:
    """Run the app with a command line that ends by itself; else like :func:`start`."""
    with launch(folder, *arguments, script="", stdout=None, **variables) as process:
        until(lambda: process.poll() is not None)
    return App("", process, folder)


def until(condition: Callable[[], object]) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "It never happened."
        time.sleep(0.02)


def get(url: str) -> httpx.Response:
    """Ask for a page, as a program without Gradio's client would."""
    return httpx.get(url, **_DIRECTLY)


def post(url: str, content: object) -> httpx.Response:
    """Send JSON, or a text as it is."""
    text = content if isinstance(content, str) else json.dumps(content)
    return httpx.post(url, content=text, headers={"Content-Type": "application/json"}, **_DIRECTLY)


def client(url: str, auth: tuple[str, str] | None = None) -> Client:
    """Gradio's own client, told to report to nobody."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # Together with the option below only.
    return Client(
        url, auth=auth, verbose=False, analytics_enabled=False, httpx_kwargs=dict(_DIRECTLY)
    )


def component(app: App, name: str) -> dict[str, Any]:
    """The page's component of a name, "canvas" or "tabs", with its id and props."""
    components = get(f"{app.url}/config").json()["components"]
    found = [each for each in components if each["props"].get("elem_id") == name]
    assert len(found) == 1
    assert isinstance(found[0], dict)
    return found[0]


def call(app: App, name: str, function: str, data: object) -> httpx.Response:
    """Call a function of a component as the page does."""
    content = {"component_id": component(app, name)["id"], "fn_name": function, "data": data}
    return post(f"{app.url}/gradio_api/component_server/", content | {"session_hash": "test"})


def _environment(folder: Path, variables: Mapping[str, str | Path]) -> dict[str, str]:
    """A user's, without anything that steers Gradio, Python or where the app reads and writes."""
    steering = ("GRADIO_", "HF_", "PYTHON", "XDG_", "UVICORN_", "FORWARDED_", "WEB_CONCURRENCY")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    for name in ("home", "temporary"):
        (folder / name).mkdir(exist_ok=True)
    kept |= {"HOME": str(folder / "home"), "TMPDIR": str(folder / "temporary")}
    return kept | {name: str(value) for name, value in variables.items()}


def _opened(folder: Path) -> str | None:
    lines = (folder / "stdout").read_text(encoding="utf-8").splitlines()
    if "Ctrl-C stops." not in lines:
        return None
    return next(line.split()[1] for line in lines if line.startswith("Open:"))
