"""Workers: the same work on many items, on every core, under one progress bar."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from convert.progress import track

CHUNK = 250
"""Items that a worker takes at a time."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def work(
    function: Callable[[Item], Result], items: Sequence[Item], description: str
) -> list[Result]:
    """Each item's result, in their order; a few are worked on here, without the workers' start.

    Args:
        function: of a module, not of another function: it is called in other processes.
        items: what it is called with.
        description: stands before the bar.
    """
    if len(items) <= CHUNK:
        return [function(item) for item in track(items, description)]
    # Not forked: TensorFlow's threads do not come along into a forked process.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=context, initializer=_begin) as executor:
        # A terminal interrupts all of its processes: workers, which start here and take over what
        # is ignored, leave that to this one.
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            results = executor.map(function, items, chunksize=CHUNK)
        finally:
            signal.signal(signal.SIGINT, handler)
        return [result for result, _ in zip(results, track(items, description), strict=True)]


def _begin() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """In a worker: when the process that it works for was killed, nobody is left to work for."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
