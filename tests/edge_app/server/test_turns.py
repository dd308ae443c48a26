"""Turns: that an address with many requests does not keep another one waiting."""

from __future__ import annotations

import asyncio

import pytest

from edge_app.server.asgi import Message, Receive, Scope, Send
from edge_app.server.turns import AT_ONCE, Turns


async def receive() -> Message:
    return {}


async def send(_: Message) -> None:
    pass


@pytest.mark.parametrize("pauses", [0, 3])
def test_somebody_else_is_answered_after_a_few(pauses: int) -> None:
    """Whether the work is done on the event loop at once, or waits for a thread."""
    order, here, most = [], set[int](), []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        here.add(scope["number"])
        most.append(len([number for number in here if number]))
        for _ in range(pauses):
            await asyncio.sleep(0)
        here.remove(scope["number"])
        order.append(scope["number"])

    async def ask() -> None:
        turns = Turns(app)

        async def request(number: int) -> None:
            client = ("10.0.0.1" if number else "10.0.0.2", 1)
            await turns({"type": "http", "client": client, "number": number}, receive, send)

        crowd = [asyncio.create_task(request(number)) for number in range(1, 200)]
        visitor = asyncio.create_task(request(0))
        await asyncio.gather(*crowd, visitor)

    asyncio.run(ask())
    assert order.index(0) <= 2 * AT_ONCE
    assert sorted(order) == list(range(200))
    assert max(most) <= AT_ONCE
