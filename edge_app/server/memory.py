"""Memory: makes the C library return freed memory to the system."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # malloc.h
_LARGE = 128 * 1024


def give_back_freed_memory() -> None:
    """Keep the C library from holding on to freed memory; call it before threads start.

    By default, glibc keeps an arena for each thread and raises both thresholds to the size of the
    largest block freed so far, so that the memory of many pictures read at once stays taken
    (mallopt(3)). Other C libraries have no such function, or ignore it.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 2)
        mallopt(_MMAP_THRESHOLD, _LARGE)  # Larger blocks get pages of their own.
        mallopt(_TRIM_THRESHOLD, _LARGE)
