"""The server: takes the port, serves the site until it is told to stop, and cleans up."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import signal
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

from edge_app.device.history import History
from edge_app.digits.collection import Collection
from edge_app.errors import UserError
from edge_app.models.classifier import Classifier
from edge_app.page.tabs.content import Sheets
from edge_app.server.access.access import Access
from edge_app.server.gradio_import import leaner_gradio
from edge_app.server.log import start_log

_ENVIRONMENT = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "GRADIO_SSR_MODE": "False",
    "HF_HUB_OFFLINE": "1",
}
"""Gradio reads these when it is imported: it contacts nobody and starts no Node server."""

_FOLDER = re.compile(r"digits-[0-9]+-[a-z0-9_]{8}")
"""The temporary folder's name: the process's number, and what :mod:`tempfile` adds."""
_LOCK = "locked-by-edge-app"
"""A file in the temporary folder, locked by the app that made it for as long as it runs."""


class ServerError(UserError):
    """An address that cannot be listened on."""


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything slow happens.

    Raises:
        ServerError: the port is in use or not allowed, or the host is not one of this device.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only a socket whose protocol is named gets TCP_NODELAY from asyncio. Without that, every
    # answer waits 40 ms for the client to confirm its headers.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        advice = (
            "stop the program that uses it, or choose another --port"
            if error.errno == errno.EADDRINUSE
            else "choose another --port, or an address of this device for --host"
        )
        raise ServerError(
            f"Cannot listen on {host} port {port}: {error.strerror}; {advice}."
        ) from error
    except OverflowError as error:
        listener.close()
        raise ServerError(f"Port {port} is out of range; expected 0 to 65535.") from error
    return listener


def serve(
    listener: socket.socket,
    models: Mapping[str, Classifier],
    variant: str,
    access: Access,
    collection: Collection | None,
    sheets: Sheets,
    ready: Callable[[], None],
    history: History,
) -> None:
    """Serve the page on a listening socket until SIGINT or SIGTERM.

    A SIGINT before the page can be opened raises KeyboardInterrupt as usual.

    Args:
        listener: as :func:`listen` gives it.
        models: by name, in the order in which their answers are shown.
        variant: the one that the page starts with.
        access: how it may be reached.
        collection: where the page stores drawings; None if it does not offer that.
        sheets: what the tabs beside the canvas show.
        ready: called once, when browsers will be answered.
        history: takes a sample now and then while the site is served.
    """
    stop = _Stop()
    start_log()
    with _temporary_folder() as folder:
        os.environ.update(_ENVIRONMENT, GRADIO_TEMP_DIR=folder)
        os.environ.setdefault("PATH", os.defpath)  # Gradio looks for programs in it.
        # Only now: Gradio takes seconds to import, and reads the environment as it does.
        with leaner_gradio():
            from edge_app.server.site import Server, build_site

        site = build_site(models, variant, access, collection, sheets)
        # Uvicorn shuts down in good order after the first Ctrl-C, and then raises it again.
        with contextlib.suppress(KeyboardInterrupt):
            Server(site, access.certificate, lambda: stop.signal, ready, history).run(
                sockets=[listener]
            )


@contextlib.contextmanager
def _temporary_folder() -> Iterator[str]:
    """A folder that is removed in the end; in memory if possible, to spare the SD card."""
    memory = Path("/dev/shm")  # noqa: S108 - A folder of its own is made in it.
    writable = os.access(memory, os.W_OK | os.X_OK)
    try:
        parent = memory if writable else Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise ServerError(
            "No folder for temporary files can be written to; set TMPDIR to one that can."
        ) from error
    tempfile.tempdir = str(parent)  # For libraries that want one.
    for path in parent.glob("digits-*"):
        if _is_left_over(path):
            shutil.rmtree(path, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"digits-{os.getpid()}-", dir=parent) as folder:
        # It gets its name once it is locked: another app may be looking for unlocked ones.
        unnamed = Path(folder, "unlocked")
        with unnamed.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            unnamed.rename(unnamed.with_name(_LOCK))
            yield folder


def _is_left_over(path: Path) -> bool:
    """Whether a folder is from an app that was killed: it has the lock that no app holds now."""
    try:
        found = path.lstat()
        if not (_FOLDER.fullmatch(path.name) and stat.S_ISDIR(found.st_mode)):
            return False
        descriptor = os.open(path / _LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(descriptor)
    except OSError:
        return False
    return found.st_uid == os.getuid()


class _Stop:
    """Makes SIGTERM and SIGINT end the app while it starts, with an exception.

    That exception can get lost: Python only prints one that comes while an object is finalized, and
    libraries may catch any. So the signal is remembered as well.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        self.signal = number
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        # Uvicorn shuts down in good order first and then raises the signal again, which ends here.
        sys.exit(0)
