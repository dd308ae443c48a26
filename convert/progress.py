"""Progress bars on standard error, and none where that is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from rich import progress
from rich.console import Console

Item = TypeVar("Item")


def track(items: Collection[Item], description: str) -> Iterable[Item]:
    """The items, with a bar that moves by one for each; standard output stays clean."""
    return progress.track(
        items,
        description,
        total=len(items),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )


@contextmanager
def bar(description: str, total: int, done: int) -> Iterator[Callable[..., None]]:
    """A bar for work of ``total`` steps, of which ``done`` were done before.

    Gives what moves it, with ``advance=1``, and what notes a word at its end, with ``note="..."``.
    The time left is reckoned from what is done under it, not from what was done before.
    """
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(bar_width=20),  # A note, too, finds room in 80 columns.
        progress.TaskProgressColumn(),
        progress.TimeRemainingColumn(elapsed_when_finished=True),
        progress.TextColumn("{task.fields[note]}"),
    )
    console, disable = Console(stderr=True), not sys.stderr.isatty()
    with progress.Progress(*columns, console=console, disable=disable) as display:
        task = display.add_task(description, total=total, completed=done, note="")
        yield partial(display.update, task)
