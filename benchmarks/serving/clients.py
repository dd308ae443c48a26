"""Clients that send drawings to a server over HTTP, several at once, and time each answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter_ns

import numpy as np

PATIENCE_S = 60  # An answer that takes longer counts as an error.

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Percentiles:
    """Percentiles of times in milliseconds, linearly interpolated, and the number of times."""

    median_ms: float
    p95_ms: float
    p99_ms: float
    count: int


def percentiles(times_ms: Sequence[float]) -> Percentiles:
    """Sum up at least one time in milliseconds."""
    median_ms, p95_ms, p99_ms = np.percentile(times_ms, (50, 95, 99)).round(4).tolist()
    return Percentiles(median_ms, p95_ms, p99_ms, len(times_ms))


@dataclass(frozen=True)
class Task:
    """What to send to a port of 127.0.0.1: ``requests`` of all clients together, whose bodies
    (JSON) are sent in turn, over and over again. Each client keeps its connection and sends its
    next request as soon as the last one is answered. Right answers begin with ``prefix``."""

    port: int
    path: str
    bodies: list[str]
    prefix: str
    clients: int
    requests: int


@dataclass(frozen=True)
class Load:
    """The result of a task: the seconds from the first request to the last answer; the time of each
    right answer, from the request's first byte to the answer's last; and the number of requests
    without a right answer (another status than 200, another body, none at all)."""

    seconds: float
    times_ms: list[float]
    errors: int


def send(task: Task) -> Load:
    """Do a task; to be run in a process of its own, so that it slows nothing that is measured."""
    return asyncio.run(_send(task))


async def _send(task: Task) -> Load:
    # One iterator for all clients: whoever is free takes the next request.
    requests = islice(cycle(_request(task, body) for body in task.bodies), task.requests)
    clients = [_Client(task) for _ in range(task.clients)]
    await asyncio.gather(*(client.connect() for client in clients), return_exceptions=True)
    start = perf_counter_ns()
    await asyncio.gather(*(client.work(requests) for client in clients))
    return Load(
        seconds=(perf_counter_ns() - start) / 1e9,
        times_ms=[time_ms for client in clients for time_ms in client.times_ms],
        errors=sum(client.errors for client in clients),
    )


class _Client:
    """One client. It speaks HTTP/1.1 (RFC 9112) as far as Uvicorn's answers need it."""

    def __init__(self, task: Task) -> None:
        self._port, self._prefix = task.port, task.prefix.encode()
        self._connection: Connection | None = None
        self.times_ms: list[float] = []
        self.errors = 0

    async def connect(self) -> Connection:
        self._connection = await asyncio.open_connection("127.0.0.1", self._port)
        return self._connection

    async def work(self, requests: Iterator[bytes]) -> None:
        for request in requests:
            start = perf_counter_ns()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    right = await self._ask(request)
            except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
                right = False
            if right:
                self.times_ms.append((perf_counter_ns() - start) / 1e6)
            else:
                self.errors += 1
                self._disconnect()
        self._disconnect()

    async def _ask(self, request: bytes) -> bool:
        reader, writer = self._connection or await self.connect()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        status, *headers = head.lower().split(b"\r\n")
        [length] = [line.split(b":")[1] for line in headers if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(length))
        return status.split()[1] == b"200" and body.startswith(self._prefix)

    def _disconnect(self) -> None:
        if self._connection:
            self._connection[1].close()
        self._connection = None


def _request(task: Task, body: str) -> bytes:
    content = body.encode()
    head = (
        f"POST {task.path} HTTP/1.1\r\nHost: 127.0.0.1:{task.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
