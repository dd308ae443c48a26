"""The site: page, icons and API behind the guard, and the web server that runs it.

Imported late, by :func:`edge_app.server.server.serve`: it imports Gradio, which takes seconds.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping

import anyio
import fastapi
import gradio as gr
import uvicorn
from fastapi.middleware.gzip import GZipMiddleware

from edge_app.device.history import PERIOD_S, History
from edge_app.digits.collection import Collection
from edge_app.models.cardless import CardlessModel
from edge_app.models.classifier import Classifier
from edge_app.page.functions import page_functions
from edge_app.page.icons.routes import add_icons
from edge_app.page.layout import CSS, THEME, TITLE, build_page
from edge_app.page.tabs.content import Sheets
from edge_app.server.access.access import Access
from edge_app.server.access.certificate import Certificate
from edge_app.server.access.login import Logins
from edge_app.server.asgi import App, Receive, Scope, Send
from edge_app.server.calls import Calls
from edge_app.server.connections import Connection
from edge_app.server.guard import Guard
from edge_app.server.turns import Turns

BACKLOG = 128
"""Connections that may wait until they are accepted: those of a class that opens the page."""
THREADS = 8
"""Pages that are made at once; each takes some memory, and time from those who draw."""
IDLE_S = 60
"""Seconds between two looks into a queue that stays empty."""
GRACE_S = 1
"""Seconds that requests have to finish when the server stops."""


def build_site(
    models: Mapping[str, Classifier],
    variant: str,
    access: Access,
    collection: Collection | None,
    sheets: Sheets,
) -> App:
    """Build the ASGI app; the arguments are those of :func:`edge_app.server.server.serve`."""
    private = access.credentials is not None
    functions = page_functions(models, variant, collection, sheets, private=private)
    page = build_page(models, variant, functions)
    site = fastapi.FastAPI(openapi_url=None)
    add_icons(site, TITLE)
    _add_health(site, models)
    app = gr.mount_gradio_app(
        site,
        page,
        path="/",
        auth=access.credentials,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        show_error=True,
        max_file_size=1,
        theme=THEME,
        css_paths=CSS,
    )
    # Gradio looks a thousand times a second whether its queue has a call, and Calls gives it none.
    queue = page._queue  # There is no option for it.
    queue.sleep_when_free = queue.progress_update_sleep_when_free = IDLE_S
    calls = Calls(Logins(app), functions, private=private)
    return Guard(Turns(_with_compressed_page(calls)), access.hosts)


def _add_health(site: fastapi.FastAPI, models: Mapping[str, Classifier]) -> None:
    """Say to supervisors and proxies whether the app answers, and with which models."""

    @site.get("/health")
    def health(response: fastapi.Response) -> dict[str, list[str]]:
        serving = [
            name
            for name, model in models.items()
            if not (isinstance(model, CardlessModel) and model.is_left_out)
        ]
        response.status_code = 200 if serving else 503
        return {"models": serving}


def _with_compressed_page(app: App) -> App:
    """Compress the page itself, which Gradio does not. Answers stay small and quick as they are."""
    compressed = GZipMiddleware(app, compresslevel=6)

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        page = scope["type"] == "http" and scope["path"] == "/"
        await (compressed if page else app)(scope, receive, send)

    return choose


class Server(uvicorn.Server):
    """Runs a site until a signal. It handles signals before it serves, so that none gets lost.

    Args:
        site: the ASGI app.
        certificate: for https; None for http.
        missed: called once the handlers are installed; gives the signal that came before, if any.
        ready: called once, when the server serves and no signal has come.
        history: takes its samples here, where the process is awake anyway.
    """

    def __init__(
        self,
        site: App,
        certificate: Certificate | None,
        missed: Callable[[], int | None],
        ready: Callable[[], None],
        history: History,
    ) -> None:
        files = certificate._asdict() if certificate else {}
        config = uvicorn.Config(
            site,
            http=Connection,
            ws="none",
            backlog=32,  # Accepted at once, before Connection can look at its limit.
            server_header=False,
            log_config=None,
            log_level="error",  # What clients get wrong is not worth a line.
            access_log=False,
            ssl_certfile=files.get("certificate"),
            ssl_keyfile=files.get("key"),
        )
        super().__init__(config)
        self._missed = missed
        self._ready = ready
        self._history = history

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn, which stops right afterwards if it was told to."""
        # In them Gradio makes its pages.
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        await super().startup(sockets)
        for listener in sockets or []:
            listener.listen(BACKLOG)
        signal = self._missed()
        if signal is not None:
            self.handle_exit(signal, None)
        if not self.should_exit:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second."""
        if counter % 10 == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.check()
        if counter % (10 * PERIOD_S) == 0:
            self._history.record()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn, which then waits for every connection to close."""
        asyncio.get_running_loop().call_later(GRACE_S, self._hang_up)
        await super().shutdown(sockets)

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
