"""Device facts and current condition, read from the device itself; unknown values are None."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edge_app.device import procfs
from edge_app.device.throttling import read_throttled
from edge_app.models.interpreter import find_runtime

_BOARD_FILES = (
    "proc/device-tree/model",  # ARM boards: "Raspberry Pi 4 Model B Rev 1.4", ended by a NUL.
    "sys/class/dmi/id/product_name",  # PCs and virtual machines.
)
_ARM_CORES = {"0xd03": "Cortex-A53", "0xd08": "Cortex-A72", "0xd0b": "Cortex-A76"}
"""Names of "CPU part" on 64-bit Raspberry Pis, whose kernel gives only numbers: 3 and Zero 2, 4, 5.
Source: Arm's technical reference manuals, register MIDR_EL1."""
_SENSORS = (
    ("sys/class/thermal/thermal_zone*", "type", "temp"),  # ARM boards, and Intel's processors.
    ("sys/class/hwmon/hwmon*", "name", "temp1_input"),  # AMD's processors.
)
"""Sensors: their folders, the file with their name, and the one with thousandths of a degree."""
_CPU_SENSOR = re.compile(r"cpu|soc|x86_pkg_temp|coretemp|k10temp", re.ASCII | re.IGNORECASE)
_PLAUSIBLE_C = (-40.0, 150.0)


@dataclass(frozen=True)
class Device:
    """The machine and the software that run the models."""

    board: str | None
    """"Raspberry Pi 4 Model B Rev 1.4", or a PC's product name."""
    cpu: str | None
    architecture: str
    """As the kernel names it: "aarch64", "x86_64"."""
    cores: int
    """How many this process may use."""
    memory_bytes: int | None
    system: str
    """"Debian GNU/Linux 12 (bookworm)"."""
    python: str
    numpy: str
    runtime: str
    """The TFLite runtime's package and version: "tflite-runtime 2.14.0"."""


@dataclass(frozen=True)
class Condition:
    """The device at one moment."""

    cpu_celsius: float | None
    """The processor's temperature; with several sensors, the highest."""
    load: tuple[float, float, float] | None
    """Processes running or waiting to run, averaged over 1, 5 and 15 minutes."""
    uptime_s: float | None
    """Seconds since the device was started."""
    available_bytes: int | None
    """Memory available without swapping."""
    resident_bytes: int | None
    """Memory held by this process."""
    throttled: int | None = None
    """See :func:`edge_app.device.throttling.read_throttled`."""


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
        cores=len(procfs.cores()),
        memory_bytes=_kibibytes("proc/meminfo", "MemTotal"),
        system=_system(),
        python=platform.python_version(),
        numpy=np.__version__,
        runtime=f"{runtime.name} {runtime.version}",
    )


def read_condition() -> Condition:
    """Read the device's current condition."""
    uptime = _numbers("proc/uptime")
    return Condition(
        cpu_celsius=read_cpu_celsius(),
        load=read_load(),
        uptime_s=uptime[0] if uptime else None,
        available_bytes=_kibibytes("proc/meminfo", "MemAvailable"),
        resident_bytes=procfs.resident_bytes(),
        throttled=read_throttled(),
    )


def read_cpu_celsius() -> float | None:
    """The processor's temperature now; with several sensors, the highest."""
    return max(_cpu_temperatures(), default=None)


def read_load() -> tuple[float, float, float] | None:
    """Processes running or waiting to run, averaged over the last 1, 5 and 15 minutes."""
    load = _numbers("proc/loadavg")
    return (load[0], load[1], load[2]) if len(load) >= 3 else None


def _board() -> str | None:
    return next(filter(None, map(procfs.read, _BOARD_FILES)), None)


def _cpu() -> str | None:
    cpuinfo = procfs.read("proc/cpuinfo")
    model, part = _field(cpuinfo, "model name"), _field(cpuinfo, "CPU part")
    if model is None and part is not None:
        return _ARM_CORES.get(part, f"CPU part {part}")
    return model


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _cpu_temperatures() -> Iterator[float]:
    """In degrees Celsius, without sensors that are asleep or broken."""
    low, high = _PLAUSIBLE_C
    for folders, name, value in _SENSORS:
        for folder in procfs.find(folders):
            if not _CPU_SENSOR.search(procfs.read(f"{folder}/{name}")):
                continue
            for number in _numbers(f"{folder}/{value}"):
                if low <= number / 1000 <= high:
                    yield number / 1000


def _kibibytes(path: str, name: str) -> int | None:
    """The bytes that a line ``name: number kB`` gives."""
    match = re.match(r"([0-9]+) kB$", _field(procfs.read(path), name) or "")
    return int(match[1]) * 1024 if match else None


def _numbers(path: str) -> list[float]:
    """The numbers that a file begins with."""
    numbers = re.match(r"(?:\s*-?[0-9]+(?:\.[0-9]+)?(?=\s|$))*", procfs.read(path))
    return [float(number) for number in numbers[0].split()] if numbers else []


def _field(text: str, name: str) -> str | None:
    """The value of the first line ``name : value``."""
    match = re.search(rf"^{re.escape(name)}[ \t]*:[ \t]*(\S.*?)[ \t]*$", text, re.MULTILINE)
    return match.group(1) if match else None
