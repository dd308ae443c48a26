"""Turns: each address has a few requests answered at once, so that none keeps others waiting."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from edge_app.server.asgi import App, Message, Receive, Scope, Send

AT_ONCE = 8
"""Requests of one address that are answered at once; a browser sends up to six."""


class Turns:
    """Has a few requests of each address worked on at a time; sending answers does not count.

    Without it, whoever has many requests under way on many connections has the event loop, or the
    threads that make pages, answer all of them before it is somebody else's turn.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        """By address, for as long as a request of it is here."""
        self._round_begun = False
        """Whether a request has been answered in this round of the event loop."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope["client"][0] if scope.get("client") else ""
        turn = self._turns.get(address) or asyncio.Semaphore(AT_ONCE)
        self._turns[address] = turn
        await turn.acquire()
        over = False

        def end() -> None:
            nonlocal over
            if not over:
                over = True
                turn.release()

        async def send_after(message: Message) -> None:
            end()  # A client that is slow to take its answer must not keep its neighbours waiting.
            await send(message)

        try:
            await self._await_round()
            await self._app(scope, receive, send_after)
        finally:
            end()

    async def _await_round(self) -> None:
        if self._round_begun:
            # A drawing is answered without a pause. Only one that waits for the next round lets the
            # others of its address find out that they have to wait as well.
            await asyncio.sleep(0)
        else:
            self._round_begun = True
            asyncio.get_running_loop().call_soon(self._end_round)

    def _end_round(self) -> None:
        self._round_begun = False
