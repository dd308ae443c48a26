"""What the device is, read from the device alone; whatever it does not tell is None."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_app.interpreter import find_runtime

_ROOT = Path("/")
_BOARD_FILES = (
    "proc/device-tree/model",  # ARM boards: "Raspberry Pi 4 Model B Rev 1.4", ended by a NUL.
    "sys/class/dmi/id/product_name",  # PCs and virtual machines.
)
_ARM_CORES = {"0xd03": "Cortex-A53", "0xd08": "Cortex-A72", "0xd0b": "Cortex-A76"}
"""Names of "CPU part" on 64-bit Raspberry Pis, whose kernel tells numbers only: 3 and Zero 2, 4, 5.
Source: Arm's technical reference manuals, register MIDR_EL1."""


@dataclass(frozen=True)
class Device:
    """The machine and the software that the measurements depend on."""

    board: str | None
    """"Raspberry Pi 4 Model B Rev 1.4", or a PC's product name."""
    cpu: str | None
    architecture: str
    """The kernel's: "aarch64", "x86_64"."""
    cores: int
    """Those that this process may use."""
    memory_bytes: int | None
    system: str
    """"Debian GNU/Linux 12 (bookworm)"."""
    python: str
    numpy: str
    runtime: str
    """The TFLite runtime's package and version: "tflite-runtime 2.14.0"."""


def describe_device() -> Device:
    """Describe the device this runs on.

    Raises:
        InterpreterError: no TFLite runtime is installed.
    """
    runtime = find_runtime()
    return Device(
        board=_board(),
        cpu=_cpu(),
        architecture=platform.machine(),
        cores=_cores(),
        memory_bytes=_memory_bytes(),
        system=_system(),
        python=platform.python_version(),
        numpy=np.__version__,
        runtime=f"{runtime.name} {runtime.version}",
    )


def _board() -> str | None:
    return next(filter(None, map(_read, _BOARD_FILES)), None)


def _cpu() -> str | None:
    cpuinfo = _read("proc/cpuinfo")
    model, part = _field(cpuinfo, "model name"), _field(cpuinfo, "CPU part")
    if model is None and part is not None:
        return _ARM_CORES.get(part, f"CPU part {part}")
    return model


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux only.
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_bytes() -> int | None:
    total = _field(_read("proc/meminfo"), "MemTotal")
    return int(total.split()[0]) * 1024 if total else None


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _read(path: str) -> str:
    """A small text file of the kernel's, or "" where there is none."""
    try:
        return (_ROOT / path).read_text(encoding="utf-8", errors="replace").strip("\0 \n")
    except OSError:
        return ""


def _field(text: str, name: str) -> str | None:
    """The value of the first line ``name : value``."""
    match = re.search(rf"^{re.escape(name)}[ \t]*:[ \t]*(\S.*?)[ \t]*$", text, re.MULTILINE)
    return match.group(1) if match else None
