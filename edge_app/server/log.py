"""The log: standard error, with each kind of message once an hour, whatever clients send."""

from __future__ import annotations

import logging
import time
import traceback

PAUSE_S = 3600
"""Seconds until a kind of message is printed again."""
KINDS = 100
"""How many kinds are printed in that time."""


def start_log() -> None:
    """Print warnings and errors of the app and its libraries on standard error."""
    handler = logging.StreamHandler()
    handler.addFilter(Once())
    logging.basicConfig(format="edge_app: %(message)s", level=logging.WARNING, handlers=[handler])


class Once(logging.Filter):
    """Lets through one message of each kind: from one place in the code, about one kind of error.

    A client that makes the app repeat a message must not fill an SD card with it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[object, ...], float] = {}
        """By kind, when it was last printed."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to print the message."""
        now = time.monotonic()
        self._last = {kind: then for kind, then in self._last.items() if then > now - PAUSE_S}
        kind = (record.name, record.pathname, record.lineno, *_origin(record))
        if kind in self._last or len(self._last) >= KINDS:
            return False
        self._last[kind] = now
        return True


def _origin(record: logging.LogRecord) -> tuple[object, ...]:
    """An exception's type, and the line that raised it."""
    if not record.exc_info or record.exc_info[1] is None:
        return ()
    frames = traceback.extract_tb(record.exc_info[2])
    return (record.exc_info[0], *((frames[-1].filename, frames[-1].lineno) if frames else ()))
