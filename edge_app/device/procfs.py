"""The kernel's small files, of which a device without them says nothing: no error."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path("/")


def read(path: str) -> str:
    """A small text file's content, or "" where there is none."""
    try:
        return (ROOT / path).read_text(encoding="utf-8", errors="replace").strip("\0 \n")
    except OSError:
        return ""


def find(pattern: str) -> list[str]:
    """The files and folders that match a pattern, in order of their names."""
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))


def read_all(pattern: str) -> list[str]:
    """The contents of all files that match a pattern, those left out that tell nothing."""
    return [text for path in find(pattern) if (text := read(path))]


def cores() -> set[int]:
    """The numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux only.
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))
