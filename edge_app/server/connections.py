"""Connections: how many there may be, and how long a client may keep one waiting."""

from __future__ import annotations

import asyncio
import logging
import resource

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

PATIENCE_S = 15
"""Seconds that a client may take to send a request, and to take each 64 KiB of an answer."""
MAX_HEAD = 16 * 1024
"""Longest head of a request, in bytes: its first line and its headers."""
MAX_PIPELINED = 32
"""Requests that a client may send ahead, before the one that is being answered is."""
SPARE_FILES = 256
"""Descriptors kept for everything else, and for connections that are being closed."""


def _most() -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 512 if files == resource.RLIM_INFINITY else max(16, min(512, (files - SPARE_FILES) // 2))


MOST = _most()
"""Connections at once, each with a descriptor of its own and one of the file that it may be sent; a
browser opens up to six."""

_log = logging.getLogger("edge_app")


class Connection(HttpToolsProtocol):
    """A connection that is closed when its client is too slow, or when there are too many.

    Then the one that has kept the server waiting longest goes: of the new one's address if that has
    more than three quarters of all connections, else of all. So whoever opens many closes their
    own.
    """

    waits_since: float
    """Since when it waits for its client, in the loop's seconds."""
    _unparsed = 0
    """Bytes that the parser holds back, because a head or a trailer has not come to its end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called when a client has connected."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self.waits_since = self.loop.time()
        everyone = [
            each
            for each in self.connections
            if isinstance(each, Connection) and not each.transport.is_closing()
        ]
        neighbours = [each for each in everyone if each._address() == self._address()]
        for crowd, most in ((neighbours, MOST * 3 // 4), (everyone, MOST)):
            if len(crowd) > most:
                _log.warning("There are too many connections; the idlest are closed.")
                min(crowd, key=lambda each: each.waits_since).transport.abort()
                break

    def data_received(self, data: bytes) -> None:
        """Called with what the client sent. The parser itself would hold back any amount."""
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response(f"The request's head is longer than {MAX_HEAD:,} bytes.")

    def on_message_begin(self) -> None:
        """Called when a request begins."""
        if len(self.pipeline) >= MAX_PIPELINED:
            raise ValueError("Too many requests are sent ahead.")  # Answered with 400.
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Called at the end of a request's head."""
        self._unparsed = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Called with a part of a request's body."""
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Called at the end of a request."""
        self._unparsed = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Called when an answer is complete; the wait for the next request begins."""
        self.waits_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Called when the client takes an answer more slowly than it is made."""
        self.waits_since = self.loop.time()
        super().pause_writing()

    def check(self) -> None:
        """Close the connection if its client has kept it waiting too long."""
        cycle = self.cycle
        working = cycle and not cycle.more_body and not cycle.response_complete
        if working and not self.flow.write_paused:
            self.waits_since = self.loop.time()
        elif self.loop.time() - self.waits_since > PATIENCE_S:
            self.transport.abort()

    def _address(self) -> str | None:
        return self.client[0] if self.client else None
