"""``python -m benchmarks``: Ctrl-C ends it quietly, even while modules are imported."""

from __future__ import annotations

import sys

from edge_app.errors import exit_status


def start() -> int:
    """Run the command; returns its exit status."""
    from benchmarks.command import main

    return main()


if __name__ == "__main__":
    sys.exit(exit_status("benchmarks", start))
