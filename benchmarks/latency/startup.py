"""A model's start: loading, first inference and memory, in a process that has done neither yet.

Started by forking from one that has imported the runtime, which need not be imported anew: on a
Raspberry Pi that takes seconds. A fork begins without the runtime's pages, and fetches those that
it uses from memory. The first copy of a model pays for these, so memory is that of a second one.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from time import perf_counter_ns
from typing import NamedTuple

from edge_app.device import procfs as system
from edge_app.errors import UserError
from edge_app.models.folder import ending

PATIENCE_S = 60
"""A model that has not given an answer after this many seconds is left out."""


class StartError(UserError):
    """A model that ends or hangs the process."""


class OneStart(NamedTuple):
    """Times in nanoseconds, and the resident memory in bytes that a second copy of the model takes
    once it has run; None where the kernel or the C library does not tell."""

    load_ns: int
    first_ns: int
    memory_bytes: int | None


def start(content: bytes, load: Callable[[bytes], Callable[[], object]]) -> OneStart:
    """Start a model in a fork of this process.

    Args:
        content: its file's bytes.
        load: loads them, and gives the model's first inference, to be called.

    Raises:
        UserError: as ``load`` raises it.
        StartError: it ends or hangs the process.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_start, args=(content, load, sender))
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


def _start(
    content: bytes, load: Callable[[bytes], Callable[[], object]], sender: Connection
) -> None:
    begun = perf_counter_ns()
    try:
        first = load(content)
    except UserError as error:
        sender.send(error)
        return
    loaded = perf_counter_ns()
    first()
    answered = perf_counter_ns()
    before = _resident_bytes()
    second = load(bytes(bytearray(content)))  # Of its own, as a model holds its file's bytes.
    second()
    after = _resident_bytes()
    memory = None if before is None or after is None else after - before
    sender.send((loaded - begun, answered - loaded, memory))


def _resident_bytes() -> int | None:
    """Without what has been freed: a second copy would go there, and seem to take nothing.

    Source: proc(5), /proc/[pid]/statm, second field, in pages; malloc_trim(3), glibc's.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return None
    trim(0)
    pages = system.read("proc/self/statm").split()
    return int(pages[1]) * os.sysconf("SC_PAGE_SIZE") if pages else None
