"""Clients: drawings sent to a server over HTTP, by several at once, and each answer's time.

They are a process of their own (``python -m benchmarks.serving.clients``), which reads a
:class:`Task` on its standard input and writes a :class:`Load` on its standard output, both JSON:
neither what measures nor what is measured waits for them. Only the standard library is imported.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from time import perf_counter_ns

from edge_app.paths import ROOT

PATIENCE_S = 60
"""An answer that takes longer counts as an error."""

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Task:
    """What to send, and where to."""

    port: int
    """On 127.0.0.1."""
    path: str
    bodies: list[str]
    """JSON, sent in turn and over again."""
    prefix: str
    """What the body of every right answer begins with."""
    clients: int
    """At once, each on a connection that it keeps, the next drawing sent as soon as the last one is
    answered."""
    requests: int
    """Of all clients together."""


@dataclass(frozen=True)
class Load:
    """What became of them."""

    seconds: float
    """From the first request to the last answer."""
    times_ms: list[float]
    """Each right answer's time, in milliseconds, from the request's first byte to the answer's
    last."""
    errors: int
    """Requests without a right answer: another status than 200, another body, none at all."""


def send(task: Task) -> Load:
    """Do the task in a process of its own.

    Raises:
        RuntimeError: that process failed.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.serving.clients"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        result, _ = process.communicate(json.dumps(asdict(task)))
    finally:
        process.kill()  # Which does nothing to one that has ended.
        process.wait()
    if process.returncode:
        raise RuntimeError(f"The clients ended with status {process.returncode}.")
    return Load(**json.loads(result))


async def work(task: Task) -> Load:
    """Do the task here. Every client is connected before the first request is sent."""
    requests = islice(cycle(_request(task, body) for body in task.bodies), task.requests)
    clients = [_Client(task) for _ in range(task.clients)]
    await asyncio.gather(*(client.connect() for client in clients), return_exceptions=True)
    start = perf_counter_ns()
    # One iterator for all: who is free takes the next.
    await asyncio.gather(*(client.work(requests) for client in clients))
    return Load(
        seconds=(perf_counter_ns() - start) / 1e9,
        times_ms=[time_ms for client in clients for time_ms in client.times_ms],
        errors=sum(client.errors for client in clients),
    )


class _Client:
    """One of them. HTTP/1.1 (RFC 9112) as far as Uvicorn's answers need it."""

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


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(work(Task(**json.load(sys.stdin)))))))
