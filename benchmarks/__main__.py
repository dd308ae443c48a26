"""``python -m benchmarks``: Ctrl-C ends it quietly from the first moment on."""

from __future__ import annotations

import sys

from edge_app.__main__ import INTERRUPTED


def start() -> int:
    """Run the command; returns its exit status."""
    try:
        from benchmarks.command import main

        return main()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(start())
