"""Readiness: uvicorn's server, which says when it serves."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn


class ReadyServer(uvicorn.Server):
    """Runs until a signal. Its own handlers stand before it serves, so that none gets lost.

    Args:
        config: uvicorn's.
        missed: asked once they stand; gives the signal that came before, if one did.
        ready: called once, when the server serves and no signal has come.
    """

    def __init__(
        self, config: uvicorn.Config, missed: Callable[[], int | None], ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._missed = missed
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn, which stops at once afterwards where it was told to."""
        await super().startup(sockets)
        signal = self._missed()
        if signal is not None:
            self.handle_exit(signal, None)
        if not self.should_exit:
            self._ready()
