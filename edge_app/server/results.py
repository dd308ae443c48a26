"""Results: answers of the API that wait to be fetched, a bounded number for a bounded time."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from edge_app.page.threads import BusyError

MOST = 256
"""How many wait at once."""
KEPT_S = 60
"""How long each waits, in seconds."""


class Result(NamedTuple):
    """One answer."""

    session: str
    """Who fetches it; several answers can wait for one session."""
    event: str
    """The call that it answers."""
    outcome: dict[str, Any]
    """``{"data": [answer]}``, or ``{"error": sentence}``."""
    expires: float
    """When it is dropped, in seconds of the monotonic clock."""


class Results:
    """All that wait."""

    def __init__(self) -> None:
        self._waiting: list[Result] = []

    def make_room(self) -> None:
        """Drop what has expired.

        Raises:
            BusyError: there is no room for another one.
        """
        now = time.monotonic()
        self._waiting = [each for each in self._waiting if each.expires > now]
        if len(self._waiting) >= MOST:
            raise BusyError(
                f"{MOST} answers are waiting to be fetched; try again in {KEPT_S} seconds."
            )

    def add(self, session: str, event: str, outcome: dict[str, Any]) -> None:
        """Keep an answer.

        Raises:
            BusyError: there is no room for it.
        """
        self.make_room()
        self._waiting.append(Result(session, event, outcome, time.monotonic() + KEPT_S))

    def take(self, session: str) -> list[Result]:
        """Remove and return the answers for a session, the oldest first."""
        found = [each for each in self._waiting if each.session == session]
        self._waiting = [each for each in self._waiting if each.session != session]
        return found

    def drop(self, event: object) -> None:
        """Remove the answer to a call, if it waits."""
        self._waiting = [each for each in self._waiting if each.event != event]
