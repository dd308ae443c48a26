"""Servers to measure: the app and the baselines, each a process of its own on 127.0.0.1."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from edge_app.device import procfs
from edge_app.errors import UserError
from edge_app.models.interpreter import find_runtime
from edge_app.paths import ROOT

HOST = "127.0.0.1"
PATIENCE_S = 180  # When to give up on a server that does not start.
GRACE_S = 10  # How long a server may take to end.
PAUSE_S = 0.01  # Between two checks whether a server answers.

_ALONE = {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_SSR_MODE": "False", "HF_HUB_OFFLINE": "1"}
"""Keeps a Gradio app from contacting others and from starting Node. The app does that itself."""
_BASELINES = "benchmarks.serving.baselines"
_open = build_opener(ProxyHandler({})).open  # A proxy would not find this device.


class ServingError(UserError):
    """A server that cannot be measured."""


@dataclass(frozen=True)
class Server:
    """A running server: the seconds from the start of its process to the first page with status
    200, and the folder that holds its home and its temporary folder."""

    port: int
    start_s: float
    process: subprocess.Popen[bytes]
    folder: Path

    def resident_bytes(self) -> int | None:
        """Its resident memory; None if unknown."""
        return procfs.resident_bytes(self.process.pid)

    def cpu_s(self) -> float | None:
        """The processor time that it has used; None if unknown."""
        return procfs.cpu_seconds(self.process.pid)

    def component(self, function: str) -> int:
        """The id of the page's component with the given server function."""
        components = json.loads(_get(self.port, "/config"))["components"]
        return next(
            int(component["id"])
            for component in components
            if function in component["props"].get("server_fns", ())
        )


def app(models: Path, variant: str) -> contextlib.AbstractContextManager[Server]:
    """The app as it ships; see :func:`_start`."""
    options = ("--host", HOST, "--models", models.resolve(), "--variant", variant)
    return _start("edge_app", *options, "--runtime", find_runtime().name, "--port")


def empty() -> contextlib.AbstractContextManager[Server]:
    """An empty Gradio app; see :func:`_start`."""
    return _start(_BASELINES)


def sketchpad(models: Path, variant: str) -> contextlib.AbstractContextManager[Server]:
    """A page with ``gr.Sketchpad`` and the same models; see :func:`_start`."""
    return _start(_BASELINES, models.resolve(), variant, find_runtime().name)


@contextlib.contextmanager
def orderly_end() -> Iterator[None]:
    """Make SIGTERM end this process as Ctrl-C does, so that no server is left running."""
    handler = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


@contextlib.contextmanager
def _start(module: str, *words: object) -> Iterator[Server]:
    """Start a server on a free port, wait for its first page, and stop it at the end.

    Args:
        module: what ``python -m`` runs.
        words: its command line, to which the port is added.

    Raises:
        ServingError: it ended at once, or does not answer.
    """
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port = int(listener.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="serving-") as name:
        folder = Path(name)
        with (folder / "errors").open("wb") as errors:
            before = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", module, *map(str, words), str(port)],
                cwd=ROOT,
                env=_environment(folder, alone=module != "edge_app"),
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        try:
            while not _answers(port):
                if process.poll() is not None or time.perf_counter() - before > PATIENCE_S:
                    said = (folder / "errors").read_text(encoding="utf-8", errors="replace")
                    last = (said.strip() or "it printed nothing.").splitlines()[-1]
                    raise ServingError(f"{module} does not start: {last}")
                time.sleep(PAUSE_S)
            yield Server(port, time.perf_counter() - before, process, folder)
        finally:
            process.terminate()
            try:
                process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment(folder: Path, *, alone: bool) -> dict[str, str]:
    """This process's, with home and temporary folder in ``folder`` and without Gradio's options."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRADIO_")}
    for variable, name in {"HOME": "home", "TMPDIR": "temporary"}.items():
        (folder / name).mkdir()
        kept[variable] = str(folder / name)
    return kept | (_ALONE if alone else {})


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        _get(port, "/")
        return True
    return False


def _get(port: int, path: str) -> bytes:
    with _open(f"http://{HOST}:{port}{path}", timeout=PATIENCE_S) as response:
        return bytes(response.read())
