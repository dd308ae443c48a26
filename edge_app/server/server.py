"""The server: the page on the LAN, behind the guard, until it is told to stop."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import FrameType

from edge_app.digits.collection import Collection
from edge_app.errors import UserError
from edge_app.models.answers import answer_drawing
from edge_app.models.classifier import Classifier
from edge_app.page.tabs.content import Sheets
from edge_app.server.gradio_import import leaner_gradio
from edge_app.server.guard import Guard
from edge_app.server.shortcut import Shortcut

SESSIONS = 200
"""Browser sessions that Gradio remembers; the oldest goes first."""
GRACE_S = 2
"""Seconds that open connections get to end in, when the server stops."""

_ENVIRONMENT = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "GRADIO_SSR_MODE": "False",
    "HF_HUB_OFFLINE": "1",
}
"""Gradio reads these when it is imported: it contacts nobody, and starts no Node server."""

_PREFIX = "digits-"
"""Of the temporary folder's name; after it comes the process's number."""


class ServerError(UserError):
    """An address that cannot be listened on."""


def listen(host: str, port: int) -> socket.socket:
    """Take the port, before anything slow happens.

    Raises:
        ServerError: the port is in use or not allowed, or the host is no address of this device.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, the protocol lets asyncio see that this is TCP, and send answers at once: without
    # TCP_NODELAY each waits 40 ms for the client to confirm its headers.
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
    credentials: list[tuple[str, str]] | None,
    collection: Collection | None,
    sheets: Sheets,
    ready: Callable[[], None],
) -> None:
    """Serve the page on a listening socket until SIGINT or SIGTERM.

    A SIGINT before the page can be opened is a KeyboardInterrupt as usual.

    Args:
        listener: as :func:`listen` gives it.
        models: by name, in the order in which their answers are shown.
        variant: the one that the page starts with.
        credentials: users and their passwords; None lets everyone in.
        collection: where the page stores drawings; None where it offers nothing of the kind.
        sheets: what the tabs beside the canvas show.
        ready: called once, when a browser that comes will be answered.
    """
    stop = _Stop()
    with _temporary_folder() as folder:
        os.environ.update(_ENVIRONMENT, GRADIO_TEMP_DIR=folder)
        # Only now: Gradio takes seconds to import, and reads the environment as it does.
        with leaner_gradio():
            import gradio as gr
        import fastapi
        import uvicorn

        from edge_app.page.icons.routes import add_icons
        from edge_app.page.layout import CSS, THEME, TITLE, build_page
        from edge_app.server.compression import CompressedPage
        from edge_app.server.readiness import ReadyServer

        page = build_page(models, variant, collection, sheets)
        page.state_session_capacity = SESSIONS
        site = fastapi.FastAPI(openapi_url=None)
        add_icons(site, TITLE)
        app = gr.mount_gradio_app(
            site,
            page,
            path="/",
            auth=credentials,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            show_error=True,
            max_file_size=1,
            theme=THEME,
            css_paths=CSS,
        )
        if credentials is None:
            app = Shortcut(app, partial(answer_drawing, models, variant=variant))
        config = uvicorn.Config(
            Guard(CompressedPage(app)),
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        # Uvicorn ends in good order at the first Ctrl-C, and then passes it on.
        with contextlib.suppress(KeyboardInterrupt):
            ReadyServer(config, lambda: stop.signal, ready).run(sockets=[listener])


@contextlib.contextmanager
def _temporary_folder() -> Iterator[str]:
    """A folder in memory where there is one, so that no SD card wears; gone afterwards."""
    memory = Path("/dev/shm")  # noqa: S108 - A folder of its own is made in it.
    writable = os.access(memory, os.W_OK | os.X_OK)
    parent = memory if writable else Path(tempfile.gettempdir())
    _remove_left(parent)
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent) as folder:
        yield folder


def _remove_left(parent: Path) -> None:
    """Remove the folders of apps that were killed, where the system tells which still run."""
    processes = Path("/proc")
    for left in parent.glob(f"{_PREFIX}*-*") if (processes / "self").exists() else ():
        number = left.name.removeprefix(_PREFIX).partition("-")[0]
        if number.isdecimal() and not (processes / number).exists():
            shutil.rmtree(left, ignore_errors=True)


class _Stop:
    """What SIGTERM and SIGINT do while the app starts: they end it with an exception.

    That can get lost: Python only prints one that comes while an object is being finalized, and
    libraries may catch any. So the signal is remembered, too.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        self.signal = number
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        # Uvicorn ends in good order first and then repeats the signal: this unwinds what is left.
        sys.exit(0)
