"""Compression of the page itself. Gradio compresses what the page loads, but not the page."""

from __future__ import annotations

from fastapi.middleware.gzip import GZipMiddleware

from edge_app.server.guard import App, Receive, Scope, Send

PAGE = "/"
LEVEL = 6


class CompressedPage:
    """An ASGI middleware. Answers to drawings go as they are: they are small, and must be quick."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._compressed = GZipMiddleware(app, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = scope["type"] == "http" and scope["path"] == PAGE
        await (self._compressed if page else self._app)(scope, receive, send)
