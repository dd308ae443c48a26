"""Workers: the same work on many items, on every core, under one progress bar."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TypeVar

from tqdm import tqdm

FEW = 1000
"""Up to so many items, starting other processes takes longer than it saves."""
CHUNK = 250
"""How many items a worker takes at a time."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def work(
    function: Callable[[Item], Result], items: Sequence[Item], description: str
) -> list[Result]:
    """The function's result for each item, in the items' order.

    Up to :data:`FEW` items are worked on in this process; for more, the function must be one that
    can be pickled. The progress bar, which the description begins, goes to standard error, and only
    if that is a terminal.
    """
    bar = partial(tqdm, desc=description, total=len(items), disable=None)
    if len(items) <= FEW:
        return list(bar(map(function, items)))
    # Not forked: a forked process has none of TensorFlow's threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=context, initializer=_begin) as executor:
        # A terminal interrupts all of its processes. The workers, which start here, inherit that
        # interruptions are ignored, and leave them to this process.
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            results = executor.map(function, items, chunksize=CHUNK)
        finally:
            signal.signal(signal.SIGINT, handler)
        return list(bar(results))


def _begin() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """In a worker: end when the process that started it is killed."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
