"""Calls: what the page and programs ask the device to do, answered without Gradio.

Gradio draws the page, describes the API and knows who is logged in. It does not run the functions:
its queue keeps every answer that nobody fetches, it prints a traceback for much of what a client
can send, and it takes as long for a call as all models together. The paths that the page and
Gradio's clients use are answered here, in the form that they expect:

``component_server``
    The page's ``server.<function>(data)``.
``run/<name>``, ``api/<name>``
    A call of the API; the answer comes at once.
``call/<name>``, ``call/v2/<name>``, ``queue/join``
    A call whose answer is fetched afterwards, once: from ``call/<name>/<event>`` or, by Gradio's
    own clients, from ``queue/data``.

``/drawings.jsonl`` is the download of the stored drawings.
"""

from __future__ import annotations

import inspect
import re
import reprlib
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson

from edge_app.errors import UserError
from edge_app.page.api import Function
from edge_app.page.functions import Functions
from edge_app.page.threads import BusyError
from edge_app.server.asgi import App, Message, Receive, Scope, Send, refuse, replay, reply
from edge_app.server.results import KEPT_S, Result, Results

PREFIX = "/gradio_api"
DOWNLOAD = "/drawings.jsonl"
DOWNLOADS = 16
"""How many may be under way at once."""
_API = re.compile(rf"{PREFIX}/(run|api|call|call/v2)/([\w-]+)")
_FETCH = re.compile(rf"{PREFIX}/(?:call|call/v2)/[\w-]+/([\w-]+)")
_SESSION = re.compile(r"[\w-]{1,64}", re.ASCII)
_EVENTS = b"text/event-stream"
_FILE = [
    (b"content-type", b"application/jsonl"),
    (b"content-disposition", b'attachment; filename="drawings.jsonl"'),
    (b"cache-control", b"no-store"),
]

_Content = tuple[bytes, bytes]
"""A body and its media type."""


class CallError(UserError):
    """A call that cannot be understood.

    Args:
        status: HTTP's; 400 for a form that is not known, 404 for what does not exist.
        sentence: what was found, and what was expected.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Calls:
    """Answers the calls of the page and the API, and passes everything else on to Gradio.

    400: the call has a form that is not known. 401: the caller must log in first. 404: there is no
    such function, or no such answer to fetch. 422: what was sent is not a drawing. 503: the device
    has too much to do, or too many answers wait to be fetched.

    Args:
        gradio: gets everything else, and is asked who is logged in.
        functions: what can be called.
        private: whether callers must be logged in.
    """

    def __init__(self, gradio: App, functions: Functions, *, private: bool) -> None:
        self._gradio = gradio
        self._page = {**functions.canvas, **functions.tabs}
        self._api = functions.api
        self._drawings = functions.drawings
        self._downloads = 0
        self._private = private
        self._results = Results()
        self._posts = {
            f"{PREFIX}/component_server": self._call,
            f"{PREFIX}/queue/join": self._join,
            f"{PREFIX}/cancel": self._cancel,
            f"{PREFIX}/reset": self._cancel,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        work = self._find(scope) if scope["type"] == "http" else None
        download = scope["type"] == "http" and scope["path"] == DOWNLOAD
        if work is None and not download:
            await self._gradio(scope, receive, send)
        elif self._private and not await self._knows(scope):
            await refuse(send, 401, "Log in first; the page is at /.")
        elif work is None:
            await self._download(scope, send)
        else:
            try:
                await reply(send, 200, *await work(scope, receive))
            except UserError as error:
                await refuse(send, _status(error), str(error))

    def _find(self, scope: Scope) -> Callable[[Scope, Receive], Awaitable[_Content]] | None:
        """The method that answers a request; None if Gradio does."""
        path = scope["path"].rstrip("/")
        if scope["method"] == "POST":
            if path in self._posts:
                return self._posts[path]
            match = _API.fullmatch(path)
            if match is None:
                return None
            return self._run if match[1] in {"run", "api"} else self._start
        if scope["method"] != "GET":
            return None
        if path == f"{PREFIX}/queue/data":
            return self._stream
        return self._fetch if _FETCH.fullmatch(path) else None

    async def _knows(self, scope: Scope) -> bool:
        """Whether the caller has logged in."""
        statuses = []

        async def keep(message: Message) -> None:
            statuses.append(message.get("status"))

        path = f"{PREFIX}/login_check"
        check = {**scope, "method": "GET", "path": path, "raw_path": path.encode()}
        await self._gradio(check, replay(b"", _hang_up), keep)
        return statuses[0] == 200

    async def _download(self, scope: Scope, send: Send) -> None:
        """Send the stored drawings as they are read, a block at a time."""
        if self._drawings is None:
            await refuse(send, 404, "The app stores no drawings; start it with --save-drawings.")
            return
        if self._downloads >= DOWNLOADS:
            await refuse(send, 503, "The device is busy; try again in a moment.")
            return
        self._downloads += 1
        try:
            blocks = self._drawings()
            try:
                block = await anext(blocks, b"")
            except UserError as error:
                await refuse(send, _status(error), str(error))
                return
            await send({"type": "http.response.start", "status": 200, "headers": _FILE})
            while block and scope["method"] == "GET":
                await send({"type": "http.response.body", "body": block, "more_body": True})
                block = await anext(blocks, b"")
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._downloads -= 1

    async def _call(self, _: Scope, receive: Receive) -> _Content:
        call = await _read(receive)
        function = _named(self._page, call.get("fn_name"))
        if "data" not in call:
            raise CallError(400, "The call has no data.")
        return _json(await function(call["data"]))

    async def _run(self, scope: Scope, receive: Receive) -> _Content:
        function = _named(self._api, _last(scope))
        return _json({"data": [await _apply(function, await _read(receive))]})

    async def _start(self, scope: Scope, receive: Receive) -> _Content:
        function = _named(self._api, _last(scope))
        call = await _read(receive)
        if "/v2/" in scope["path"]:  # Arguments by name, without anything around them.
            call = {"named": call}
        event = uuid.uuid4().hex
        return await self._answer_later(event, event, function, call)

    async def _join(self, _: Scope, receive: Receive) -> _Content:
        call = await _read(receive)
        session, number = call.get("session_hash"), call.get("fn_index")
        functions = dict(enumerate(self._api.values()))
        if not isinstance(session, str) or not _SESSION.fullmatch(session):
            raise CallError(400, "The session_hash must be 1 to 64 letters, digits or dashes.")
        if type(number) is not int or number not in functions:
            raise CallError(404, f"There is no function {reprlib.repr(number)}.")
        return await self._answer_later(session, uuid.uuid4().hex, functions[number], call)

    async def _answer_later(
        self, session: str, event: str, function: Function, call: Mapping[str, Any]
    ) -> _Content:
        self._results.make_room()  # Before any work is done.
        outcome: dict[str, Any]
        try:
            outcome = {"data": [await _apply(function, call)]}
        except (BusyError, CallError):
            raise
        except UserError as error:
            outcome = {"error": str(error)}
        self._results.add(session, event, outcome)
        return _json({"event_id": event})

    async def _fetch(self, scope: Scope, _: Receive) -> _Content:
        outcome = self._take(_last(scope))[0].outcome
        event, content = (
            (b"complete", outcome["data"]) if "data" in outcome else (b"error", outcome)
        )
        return b"event: %b\ndata: %b\n\n" % (event, orjson.dumps(content)), _EVENTS

    async def _stream(self, scope: Scope, _: Receive) -> _Content:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        messages: list[dict[str, Any]] = [
            {
                "msg": "process_completed",
                "event_id": result.event,
                "output": result.outcome,
                "success": "data" in result.outcome,
            }
            for result in self._take(query.get("session_hash", [""])[0])
        ]
        messages.append({"msg": "close_stream", "event_id": None})
        return b"".join(b"data: %b\n\n" % orjson.dumps(message) for message in messages), _EVENTS

    def _take(self, session: str) -> list[Result]:
        results = self._results.take(session)
        if not results:
            raise CallError(404, f"No answer waits here; one is kept for {KEPT_S} seconds.")
        return results

    async def _cancel(self, _: Scope, receive: Receive) -> _Content:
        """Drop the answer to a call, which has been computed by now."""
        self._results.drop((await _read(receive)).get("event_id"))
        return _json({"success": True})


def _status(error: UserError) -> int:
    if isinstance(error, CallError):
        return error.status
    return 503 if isinstance(error, BusyError) else 422


def _json(content: object) -> _Content:
    return orjson.dumps(content), b"application/json"


def _last(scope: Scope) -> str:
    """The last part of the path."""
    return str(scope["path"]).rstrip("/").rpartition("/")[2]


def _named(functions: Mapping[str, Function], name: object) -> Function:
    function = functions.get(name) if isinstance(name, str) else None
    if function is None:
        raise CallError(
            404,
            f"There is no function {reprlib.repr(name)}; expected one of {', '.join(functions)}.",
        )
    return function


async def _read(receive: Receive) -> dict[str, Any]:
    """The body, which the guard delivers in one piece."""
    try:
        call = orjson.loads((await receive()).get("body", b""))
    except orjson.JSONDecodeError as error:
        raise CallError(400, f"The request is not JSON ({error}).") from error
    if not isinstance(call, dict):
        raise CallError(400, f"The request is a JSON {type(call).__name__}; expected an object.")
    return call


async def _apply(function: Function, call: Mapping[str, Any]) -> Any:
    """Call a function of the API with the arguments in a request."""
    values, named = call.get("data", []), call.get("named", {})
    if not isinstance(values, list):
        raise CallError(400, 'The call has no list of values; expected {"data": [...]}.')
    try:
        arguments = inspect.signature(function).bind(*values, **named)
    except TypeError as error:
        raise CallError(
            400, f"The values do not fit ({error}); see {PREFIX}/info for what is expected."
        ) from error
    return await function(*arguments.args, **arguments.kwargs)


async def _hang_up() -> Message:
    return {"type": "http.disconnect"}
