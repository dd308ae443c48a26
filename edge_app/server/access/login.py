"""Logins: wrong passwords are slowed down, address by address, and nobody else can log one out."""

from __future__ import annotations

import time
from collections import OrderedDict

from edge_app.server.asgi import App, Message, Receive, Scope, Send, refuse

GUESSES = 5
"""Wrong passwords that an address may send in a row."""
PAUSE_S = 5
"""Seconds until it may send another one."""
ADDRESSES = 1000
"""How many addresses are remembered; the one that has been quiet longest is forgotten first."""


class Logins:
    """Stands before Gradio's login.

    429: the address has sent too many wrong passwords. A right one is not looked at either until
    the pause is over; people at other addresses notice nothing.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._debts: OrderedDict[str, float] = OrderedDict()
        """When each address will have made up for its wrong passwords, in seconds of the monotonic
        clock: each costs it ``PAUSE_S``."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/") if scope["type"] == "http" else ""
        if path == "/logout":
            # Without this, Gradio ends every session of the user, on all devices.
            scope = {**scope, "query_string": b"all_session=false"}
        if path != "/login":
            await self._app(scope, receive, send)
            return
        address = scope["client"][0] if scope.get("client") else ""
        now = time.monotonic()
        wait = self._debts.get(address, now) - now - (GUESSES - 1) * PAUSE_S
        if wait > 0:
            seconds = int(wait) + 1
            sentence = f"Too many wrong passwords; try again in {seconds} s."
            await refuse(send, 429, sentence, (b"retry-after", str(seconds).encode()))
            return
        statuses = []

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
                if scope.get("scheme") == "https":
                    message = {**message, "headers": [*filter(_is_safe, message["headers"])]}
            await send(message)

        await self._app(scope, receive, watch)
        if statuses == [200]:
            self._debts.pop(address, None)
        else:
            self._debts[address] = max(self._debts.get(address, 0), now) + PAUSE_S
            self._debts.move_to_end(address)
            if len(self._debts) > ADDRESSES:
                self._debts.popitem(last=False)


def _is_safe(header: tuple[bytes, bytes]) -> bool:
    """Whether a header sets no cookie that would also be sent without encryption; Gradio's login
    sets one beside the one that is not."""
    return header[0].lower() != b"set-cookie" or b"secure" in header[1].lower().split(b"; ")
