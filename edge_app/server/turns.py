"""Turns: each address has a few requests answered at once, so that none keeps others waiting."""

from __future__ import annotations

import asyncio
from collections import Counter
from weakref import WeakValueDictionary

from edge_app.server.asgi import App, Message, Receive, Scope, Send

AT_ONCE = 16
"""Requests of one address that are worked on at once, or in one round of the event loop; a browser
sends up to six."""


class Turns:
    """Has a few requests of each address worked on at a time; sending answers does not count.

    Without it, whoever has many requests under way on many connections has the event loop, or the
    threads that make pages, answer all of them before it is somebody else's turn.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        """By address, for as long as a request of it is here."""
        self._round: Counter[str] = Counter()
        """By address, the requests that were begun in this round of the event loop."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope["client"][0] if scope.get("client") else ""
        turn = self._turns.get(address)
        if turn is None:
            turn = self._turns[address] = asyncio.Semaphore(AT_ONCE)
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
            await self._begin(address)
            await self._app(scope, receive, send_after)
        finally:
            end()

    async def _begin(self, address: str) -> None:
        """Wait for the next round if this one has had enough: a drawing is answered at once, so
        that turns alone would not make anybody wait."""
        while self._round[address] >= AT_ONCE:
            await asyncio.sleep(0)
        if not self._round:
            asyncio.get_running_loop().call_soon(self._round.clear)
        self._round[address] += 1
