"""``python -m edge_app``: handles Ctrl-C before anything slow is imported."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from edge_app.errors import INTERRUPTED, exit_status


def start() -> int:
    """Run the command; returns its exit status."""
    signal.signal(signal.SIGINT, _leave)
    try:
        return exit_status("edge_app", _run)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, _leave)


def _run() -> None:
    from edge_app.command import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """Exit at once: there is nothing to clean up yet, or any more."""
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    sys.exit(start())
