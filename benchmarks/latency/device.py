"""What the device is, as far as measurements depend on it; what it does not tell is None."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import dataclass
from importlib.util import find_spec

from benchmarks.latency.conditions import read_conditions
from benchmarks.latency.plan import TENSORFLOW, installed_runtimes
from edge_app.device import description as device


@dataclass(frozen=True)
class Device(device.Device):
    """The device, and what more its speed depends on. ``runtime`` is the one that the app uses."""

    kernel: str
    """"Linux 6.6.31+rpt-rpi-v8"."""
    runtimes: list[str]
    """All that are installed, package and version."""
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
    now = read_conditions()
    return Device(
        **vars(device.describe_device()),
        kernel=f"{platform.system()} {platform.release()}",
        runtimes=[f"{name} {importlib.metadata.version(name)}" for name in installed_runtimes()],
        tensorflow=_tensorflow(),
        governor=", ".join(sorted(set(now.governors))) or None,
        frequency_mhz=max(now.frequencies_mhz, default=None),
        max_frequency_mhz=max(now.limits_mhz, default=None),
    )


def _tensorflow() -> str | None:
    """Told by its package's files: to import it takes seconds. On some systems it is named after
    the processor."""
    if find_spec(TENSORFLOW) is None:
        return None
    names = importlib.metadata.packages_distributions().get(TENSORFLOW, [])
    return next((importlib.metadata.version(name) for name in names), None)
