"""Servers to measure, each a process of its own on 127.0.0.1 that writes to folders of its own: the
app, a trivial Gradio app and a page with ``gr.Sketchpad``."""

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
from types import FrameType

from edge_app.errors import UserError
from edge_app.paths import ROOT

HOST = "127.0.0.1"
PATIENCE_S = 180
"""When to give up on a server that does not start."""
GRACE_S = 10
"""What a server gets to end in."""
PORT = "PORT"
PAUSE_S = 0.01
"""Between two looks at whether a server listens."""

_MEMORY = Path("/dev/shm")  # noqa: S108 - Looked at, not written to.
_ALONE = {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_SSR_MODE": "False", "HF_HUB_OFFLINE": "1"}
"""What keeps a Gradio app from contacting anyone and from starting Node. The app sees to it itself,
and is given none of it."""


class ServingError(UserError):
    """A server that cannot be measured."""


@dataclass(frozen=True)
class Server:
    """A server while it runs."""

    port: int
    start_s: float
    """From the start of its process to the first page, with status 200."""
    process: subprocess.Popen[bytes]
    folder: Path
    """Holds its home and its temporary folder."""

    @property
    def url(self) -> str:
        """Of its page."""
        return f"http://{HOST}:{self.port}"

    def resident_bytes(self) -> int | None:
        """Its resident memory; None where it has ended, or the system has no /proc."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        except OSError:
            return None
        sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(sizes[0]) * 1024 if sizes else None

    def cpu_s(self) -> float | None:
        """The processor time that it has taken; None where the system has no /proc."""
        try:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        except OSError:
            return None
        # utime and stime: the 12th and 13th after the name, which is in parentheses (proc(5)).
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def files(self) -> set[Path]:
        """Every file that it has written, as far as it keeps to the folders it was given."""
        in_memory = _MEMORY.glob(f"digits-{self.process.pid}-*")
        places = [*in_memory, self.folder / "home", self.folder / "temporary"]
        return {path for place in places for path in place.rglob("*") if path.is_file()}

    def component(self, function: str) -> int:
        """The id of the page's component that has a function of the server's."""
        components = json.loads(get(self.port, "/config"))["components"]
        return next(
            int(component["id"])
            for component in components
            if function in component["props"].get("server_fns", ())
        )


def app(models: Path, variant: str) -> contextlib.AbstractContextManager[Server]:
    """The app as it ships; see :func:`_start`."""
    options = ("--models", models.resolve(), "--variant", variant)
    return _start("edge_app", "--host", HOST, "--port", PORT, *options)


def trivial() -> contextlib.AbstractContextManager[Server]:
    """A Gradio app whose handler does nothing; see :func:`_start`."""
    return _start("benchmarks.serving.trivial_page", PORT)


def sketchpad(models: Path, variant: str) -> contextlib.AbstractContextManager[Server]:
    """A page with ``gr.Sketchpad`` and the same models; see :func:`_start`."""
    return _start("benchmarks.serving.sketchpad_page", PORT, models.resolve(), variant)


@contextlib.contextmanager
def orderly_end() -> Iterator[None]:
    """While it lasts, SIGTERM unwinds this process as Ctrl-C does: no server is left behind."""
    handler = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


@contextlib.contextmanager
def _start(module: str, *words: str | Path) -> Iterator[Server]:
    """Start a server and wait for its first page; at the end, stop it and remove its folders.

    Args:
        module: what ``python -m`` runs.
        words: the rest of its command line; PORT stands for a free one.

    Raises:
        ServingError: it ended at once, or does not answer.
    """
    port = _free_port()
    command = [sys.executable, "-m", module]
    command += [str(port) if word == PORT else str(word) for word in words]
    with tempfile.TemporaryDirectory(prefix="serving-") as name:
        folder = Path(name)
        with (folder / "errors").open("wb") as errors:
            before = time.perf_counter()
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=_environment(folder, alone=module != "edge_app"),
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        try:
            while not _answers(port):
                if process.poll() is not None or time.perf_counter() - before > PATIENCE_S:
                    raise ServingError(f"{module} does not start: {_last_line(folder / 'errors')}")
                time.sleep(PAUSE_S)
            yield Server(port, time.perf_counter() - before, process, folder)
        finally:
            _end(process)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def _environment(folder: Path, *, alone: bool) -> dict[str, str]:
    """This process's, with folders of its own to write to, and without what steers Gradio."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRADIO_")}
    for variable, name in {"HOME": "home", "TMPDIR": "temporary"}.items():
        (folder / name).mkdir()
        kept[variable] = str(folder / name)
    return kept | (_ALONE if alone else {})


def _answers(port: int) -> bool:
    try:
        get(port, "/")
    except (OSError, http.client.HTTPException):
        return False
    return True


def get(port: int, path: str) -> bytes:
    """Ask a server for a page.

    Raises:
        OSError: nobody listens.
        http.client.HTTPException: another status than 200.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise http.client.HTTPException(f"{path} has the status {response.status}.")
    return content


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it says nothing.")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(128 + signal.SIGTERM)
