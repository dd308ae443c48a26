"""``python -m edge_app``: what Ctrl-C does, before anything that takes time."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT
"""The exit status of a command that Ctrl-C ended."""


def start() -> int:
    """Run the command; returns its exit status."""
    signal.signal(signal.SIGINT, _leave)
    from edge_app.command import main

    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return main()
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, _leave)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """End at once: nothing is there yet, or any more, that would have to be put in order."""
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    sys.exit(start())
