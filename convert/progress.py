"""A progress bar on standard error, and none where that is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
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
