"""Turns: that an address with many requests does not keep another one waiting."""

from __future__ import annotations

import asyncio

import pytest

from app import PATIENCE_S
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


def test_clients_that_do_not_take_their_answers_keep_nobody_of_their_address_waiting() -> None:
    taken = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def ask() -> None:
        turns, stalled = Turns(app), asyncio.Event()

        async def stall(_: Message) -> None:
            await stalled.wait()

        async def take(message: Message) -> None:
            taken.append(message["status"])

        scope = {"type": "http", "client": ("10.0.0.1", 1)}
        crowd = [asyncio.create_task(turns(scope, receive, stall)) for _ in range(3 * AT_ONCE)]
        await turns(scope, receive, take)
        stalled.set()
        await asyncio.gather(*crowd)

    asyncio.run(asyncio.wait_for(ask(), PATIENCE_S))
    assert taken == [200]
