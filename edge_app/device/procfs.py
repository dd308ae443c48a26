"""The kernel's small text files. A file that is missing reads as unknown, never as an error."""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path("/")


def read(path: str) -> str:
    """The content of a small text file, or "" if it cannot be read."""
    try:
        return (ROOT / path).read_text(encoding="utf-8", errors="replace").strip("\0 \n")
    except OSError:
        return ""


def find(pattern: str) -> list[str]:
    """The files and folders that match a pattern, ordered by name."""
    try:
        return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))
    except OSError:  # A device went away meanwhile.
        return []


def read_all(pattern: str) -> list[str]:
    """The contents of all files that match a pattern, without empty ones."""
    return [text for path in find(pattern) if (text := read(path))]


def cores() -> set[int]:
    """The numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux only.
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def resident_bytes(process: int | str = "self") -> int | None:
    """The memory that a process holds, in bytes; None if it has ended or there is no /proc.

    Source: proc(5), /proc/[pid]/statm, second field, in pages.
    """
    match = re.match(r"\d+ (\d+) ", read(f"proc/{process}/statm"), re.ASCII)
    return int(match[1]) * os.sysconf("SC_PAGE_SIZE") if match else None


def cpu_seconds(process: int | str = "self") -> float | None:
    """The processor time that a process has used; None if it has ended or there is no /proc.

    Source: proc(5), /proc/[pid]/stat, utime and stime: the 12th and 13th field after the name.
    """
    fields = read(f"proc/{process}/stat").rpartition(")")[2].split()
    if len(fields) < 13:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
