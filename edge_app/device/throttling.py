"""Throttling: whether a Raspberry Pi slows its processor down, because of heat or low voltage."""

from __future__ import annotations

import re
import shutil
import subprocess

from edge_app.device import procfs

HOT_C = 80.0
"""From this temperature on a Raspberry Pi slows itself down.
Source: Raspberry Pi's documentation, "Frequency management and thermal control"."""
THROTTLED = {
    0: "under-voltage",
    1: "a capped frequency",
    2: "throttling",
    3: "the soft limit of temperature",
}
"""Bits of ``vcgencmd get_throttled``: now, and 16 higher since boot.
Source: Raspberry Pi's documentation, "vcgencmd"."""
SINCE_BOOT = 16

_PATIENCE_S = 5


def read_throttled() -> int | None:
    """The bits of ``vcgencmd get_throttled``, which prints "throttled=0x50005"; None without it."""
    command = shutil.which("vcgencmd", path=str(procfs.ROOT / "usr/bin"))
    if command is None:
        return None
    try:
        printed = subprocess.run(
            [command, "get_throttled"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE_S,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.fullmatch(r"throttled=0x([0-9a-fA-F]{1,8})", printed.strip())
    return int(match.group(1), 16) if match else None


def named(bits: int) -> tuple[list[str], list[str]]:
    """What the bits say in words: of now, and of the time since boot apart from that."""
    now = [name for bit, name in THROTTLED.items() if bits >> bit & 1]
    ever = [name for bit, name in THROTTLED.items() if bits >> (bit + SINCE_BOOT) & 1]
    return now, [name for name in ever if name not in now]
