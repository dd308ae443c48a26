"""A model's start: loading, first inference and memory, in a process that has done neither yet.

Started by forking from one that has imported the runtime and done nothing with it, which is as
good as new, but need not import it anew: on a Raspberry Pi that takes seconds.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from time import perf_counter_ns
from typing import NamedTuple

from edge_app import system
from edge_app.bare import ending
from edge_app.errors import UserError

PATIENCE_S = 60
"""A model that has not given an answer after this many seconds is left out."""


class StartError(UserError):
    """A model that ends or hangs the process."""


class OneStart(NamedTuple):
    """Times in nanoseconds, and resident memory in bytes before and after both."""

    load_ns: int
    first_ns: int
    before_bytes: int | None
    after_bytes: int | None


def start(load: Callable[[], Callable[[], object]]) -> OneStart:
    """Start a model in a fork of this process.

    Args:
        load: loads it, and gives its first inference, to be called.

    Raises:
        UserError: as ``load`` raises it.
        StartError: it ends or hangs the process.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_start, args=(load, sender))
    process.start()
    sender.close()
    try:
        if not receiver.poll(PATIENCE_S):
            raise StartError(f"It was run for {PATIENCE_S} seconds without an answer.")
        answer = receiver.recv()
    except EOFError:
        process.join()
        raise StartError(
            f"It ends the process that runs it ({ending(process.exitcode or 0)})."
        ) from None
    finally:
        process.kill()
        process.join()
        receiver.close()
    if isinstance(answer, UserError):
        raise answer
    return OneStart(*answer)


def _start(load: Callable[[], Callable[[], object]], sender: Connection) -> None:
    before = _resident_bytes()
    begun = perf_counter_ns()
    try:
        first = load()
    except UserError as error:
        sender.send(error)
        return
    loaded = perf_counter_ns()
    first()
    answered = perf_counter_ns()
    sender.send((loaded - begun, answered - loaded, before, _resident_bytes()))


def _resident_bytes() -> int | None:
    """Source: proc(5), /proc/[pid]/statm, second field, in pages."""
    pages = system.read("proc/self/statm").split()
    return int(pages[1]) * os.sysconf("SC_PAGE_SIZE") if pages else None
