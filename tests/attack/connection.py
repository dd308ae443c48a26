"""A connection to the app: sends bytes, and reads answers only as far as counting them needs."""

from __future__ import annotations

import contextlib
import re
import socket
from typing import NamedTuple

PATIENCE_S = 30
"""How long to wait for an answer."""
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class Answer(NamedTuple):
    """One answer."""

    status: int
    head: bytes
    body: bytes
    last: bool
    """Whether the app closes the connection now."""


class Connection:
    """One connection.

    Args:
        address: the app's, "127.0.0.1:7860".
        source: the client's own address, one of 127.0.0.0/8.
    """

    def __init__(self, address: bytes, source: str) -> None:
        host, _, port = address.decode().partition(":")
        self._socket = socket.create_connection((host, int(port)), PATIENCE_S, (source, 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def send(self, content: bytes, patience_s: float = PATIENCE_S) -> None:
        """Send everything.

        Raises:
            OSError: the app has closed the connection, or takes no more.
        """
        self._socket.settimeout(patience_s)
        self._socket.sendall(content)

    def read(self, *, bodiless: bool = False, patience_s: float = PATIENCE_S) -> Answer | None:
        """The next answer; None if the app closes the connection before its end.

        Raises:
            TimeoutError: it does not come.
            OSError: the connection was reset.
        """
        self._socket.settimeout(patience_s)
        head = self._until(b"\r\n\r\n")
        if head is None:
            return None
        status = int(head[9:12])
        if status < 200:
            return self.read(bodiless=bodiless, patience_s=patience_s)
        length = _LENGTH.search(head)
        last = bool(_CLOSE.search(head))
        if bodiless or status in {204, 304}:
            body: bytes | None = b""
        elif length:
            body = self._exactly(int(length[1]))
        elif _CHUNKED.search(head):
            body = self._chunks()
        else:
            body, last = self._rest(), True
        return None if body is None else Answer(status, head, body, last)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()

    def _more(self) -> bool:
        received = self._socket.recv(1 << 18)
        self._received += received
        return bool(received)

    def _until(self, end: bytes) -> bytes | None:
        while (place := self._received.find(end)) < 0:
            if not self._more():
                return None
        return self._take(place + len(end))

    def _exactly(self, length: int) -> bytes | None:
        while len(self._received) < length:
            if not self._more():
                return None
        return self._take(length)

    def _chunks(self) -> bytes | None:
        body = b""
        while True:
            line = self._until(b"\r\n")
            chunk = None if line is None else self._exactly(int(line, 16) + 2)
            if chunk is None:
                return None
            if chunk == b"\r\n":
                return body
            body += chunk[:-2]

    def _rest(self) -> bytes:
        while self._more():
            pass
        return self._take(len(self._received))

    def _take(self, length: int) -> bytes:
        taken, self._received = self._received[:length], self._received[length:]
        return taken
