"""Workers: the same work on many items, on every core, under one progress bar."""

from __future__ import annotations

import multiprocessing
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
    """Each item's result, in their order.

    Args:
        function: of a module, not of another function: it is called in other processes.
        items: what it is called with.
        description: stands before the bar.
    """
    # Not forked: TensorFlow's threads do not come along into a forked process.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=context) as executor:
        results = executor.map(function, items, chunksize=CHUNK)
        return [result for result, _ in zip(results, track(items, description), strict=True)]
