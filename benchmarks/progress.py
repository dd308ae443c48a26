"""A progress bar on standard error, and none where that is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

Advance = Callable[[int], object]
"""Called with the number of steps that are done since the last call."""


@contextmanager
def progress_bar(description: str, total: int) -> Iterator[Advance]:
    """Show a bar while the block runs; the value is what to call as it goes on."""
    with Progress(
        console=Console(stderr=True),
        # Drawn from within advance() alone: a thread that draws would be in the measured times.
        auto_refresh=False,
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task(description, total=total)
        yield lambda steps: progress.update(task, advance=steps, refresh=True)
