"""Errors that a user can fix, and how a command reports how it ended."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

INTERRUPTED = 128 + signal.SIGINT
"""The exit status of a command that Ctrl-C ended."""


class UserError(Exception):
    """Its text is a sentence or two: what was found, what was expected, what to do.

    Commands print it and exit with status 1; any other exception is a bug and keeps its traceback.
    """


def exit_status(program: str, run: Callable[[], int | None]) -> int:
    """Run a command's work and turn its end into an exit status, without a traceback.

    Args:
        program: the name to print before an error's sentence: "edge_app".
        run: does the work; returns its exit status, None for success.
    """
    try:
        return run() or 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except UserError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] in {"benchmarks", "convert", "edge_app"}:
            raise
        print(
            f"{program}: {error.name} is not installed for {sys.executable}; start the command "
            "with .venv/bin/python or, for convert, .venv-dev/bin/python; README.md makes both.",
            file=sys.stderr,
        )
        return 1


def ending(status: int) -> str:
    """How a process ended, by its status from :mod:`subprocess`: "SIGSEGV" or "status 1"."""
    return signal.Signals(-status).name if status < 0 else f"status {status}"
