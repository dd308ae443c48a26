"""A shortcut past Gradio: answers the canvas's drawings itself.

Gradio takes each call of a server function past a hundred routes and through other threads, which
takes as long as all models together. The canvas still calls ``server.answer`` as Gradio's own
components do. A call that looks different in any way, as a later Gradio's may, goes to Gradio,
which gives the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from edge_app.server.guard import App, Message, Receive, Scope, Send, replay

PATHS = ("/gradio_api/component_server/", "/gradio_api/component_server")
FUNCTION = "answer"


class Shortcut:
    """Answers calls of the canvas's ``answer``, and passes everything else on.

    It asks for no password, so it is only for an app that lets everyone in. It must stand behind a
    :class:`edge_app.server.guard.Guard`, which delivers a request's body in one piece.

    Args:
        app: gets everything else.
        answer: answers a state of the canvas with something for JSON.
    """

    def __init__(self, app: App, answer: Callable[[object], dict[str, Any]]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in PATHS:
            await self._app(scope, receive, send)
            return
        message = await receive()
        call = _parse(message)
        if call is None:
            await self._app(scope, replay(message, receive), send)
            return
        content = orjson.dumps(self._answer(call["data"]))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def _parse(message: Message) -> dict[str, Any] | None:
    """The call; None if it is not one of ``answer``, or has a form that is not known."""
    try:
        call = orjson.loads(message.get("body", b""))
    except orjson.JSONDecodeError:
        return None
    known = isinstance(call, dict) and call.get("fn_name") == FUNCTION and "data" in call
    return call if known else None
