"""What the device is, read from the device alone; whatever it does not tell is None."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from benchmarks.conditions import read_conditions
from benchmarks.jobs import TENSORFLOW, installed_runtimes
from benchmarks.system import cores, read
from edge_app.interpreter import find_runtime

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
    kernel: str
    """"Linux 6.6.31+rpt-rpi-v8"."""
    python: str
    numpy: str
    runtime: str
    """The TFLite runtime that the app uses, package and version: "tflite-runtime 2.14.0"."""
    runtimes: list[str]
    """All that are installed."""
    tensorflow: str | None
    """Its version; None where it is not installed."""
    governor: str | None
    """cpufreq's, "performance" or "ondemand, performance" where cores differ; None without it, as
    on virtual machines."""
    frequency_mhz: float | None
    """The fastest core's, now."""
    max_frequency_mhz: float | None
    """The most that a core can run at."""


def describe_device() -> Device:
    """Describe the device this runs on.

    Raises:
        InterpreterError: no TFLite runtime is installed.
    """
    runtime = find_runtime()
    now = read_conditions()
    return Device(
        board=_board(),
        cpu=_cpu(),
        architecture=platform.machine(),
        cores=len(cores()),
        memory_bytes=_memory_bytes(),
        system=_system(),
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        numpy=np.__version__,
        runtime=f"{runtime.name} {runtime.version}",
        runtimes=[f"{name} {importlib.metadata.version(name)}" for name in installed_runtimes()],
        tensorflow=_tensorflow(),
        governor=", ".join(sorted(set(now.governors))) or None,
        frequency_mhz=max(now.frequencies_mhz, default=None),
        max_frequency_mhz=max(now.limits_mhz, default=None),
    )


def _board() -> str | None:
    return next(filter(None, map(read, _BOARD_FILES)), None)


def _cpu() -> str | None:
    cpuinfo = read("proc/cpuinfo")
    model, part = _field(cpuinfo, "model name"), _field(cpuinfo, "CPU part")
    if model is None and part is not None:
        return _ARM_CORES.get(part, f"CPU part {part}")
    return model


def _memory_bytes() -> int | None:
    total = _field(read("proc/meminfo"), "MemTotal")
    return int(total.split()[0]) * 1024 if total else None


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _tensorflow() -> str | None:
    """Told by its package's files: to import it takes seconds. On some systems it is named after
    the processor."""
    if find_spec(TENSORFLOW) is None:
        return None
    names = importlib.metadata.packages_distributions().get(TENSORFLOW, [])
    return next((importlib.metadata.version(name) for name in names), None)


def _field(text: str, name: str) -> str | None:
    """The value of the first line ``name : value``."""
    match = re.search(rf"^{re.escape(name)}[ \t]*:[ \t]*(\S.*?)[ \t]*$", text, re.MULTILINE)
    return match.group(1) if match else None
