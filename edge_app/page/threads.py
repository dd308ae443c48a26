"""Threads for what would keep the event loop, and so everybody who draws, waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from edge_app.errors import UserError


class BusyError(UserError):
    """The device has more to do than it can take on."""


class Threads:
    """Runs functions a few at a time, and refuses those that would wait too long.

    Args:
        workers: how many run at once.
        waiting: how many more may wait for their turn.
    """

    def __init__(self, workers: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(workers)
        self._most = workers + waiting
        self._taken = 0

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a function in a thread and wait for its result.

        Raises:
            BusyError: too many are waiting already.
        """
        if self._taken >= self._most:
            raise BusyError("The device is busy; try again in a moment.")
        self._taken += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, function, *arguments)
        finally:
            self._taken -= 1
