"""The device, as far as timings depend on it; unknown values are None."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import dataclass

from benchmarks.latency.conditions import read_conditions
from benchmarks.latency.plan import TENSORFLOW, installed_runtimes
from edge_app.device import description as device


@dataclass(frozen=True)
class BenchmarkDevice(device.Device):
    """The device and what its speed depends on. ``runtime`` is the one that the app uses.

    ``kernel`` is "Linux 6.6.31+rpt-rpi-v8"; ``runtimes`` are all installed ones, package and
    version; ``governor`` is cpufreq's ("ondemand, performance" if cores differ), None on virtual
    machines; the frequencies are the current one of the fastest core and the highest possible one.
    """

    kernel: str
    runtimes: list[str]
    tensorflow: str | None
    governor: str | None
    frequency_mhz: float | None
    max_frequency_mhz: float | None


def describe_device() -> BenchmarkDevice:
    """Describe the device this runs on.

    Raises:
        InterpreterError: no TFLite runtime is installed.
    """
    now = read_conditions()
    return BenchmarkDevice(
        **vars(device.describe_device()),
        kernel=f"{platform.system()} {platform.release()}",
        runtimes=[f"{name} {importlib.metadata.version(name)}" for name in installed_runtimes()],
        tensorflow=_tensorflow(),
        governor=", ".join(sorted(set(now.governors))) or None,
        frequency_mhz=max(now.frequencies_mhz, default=None),
        max_frequency_mhz=max(now.limits_mhz, default=None),
    )


def _tensorflow() -> str | None:
    """From the package's metadata, as importing takes seconds; its name differs by system."""
    names = importlib.metadata.packages_distributions().get(TENSORFLOW, [])
    return next((importlib.metadata.version(name) for name in names), None)
