"""The device, as far as timings depend on it, and its load, clock and temperature meanwhile.

They are read from Linux; unknown values are None or an empty list.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from time import monotonic

from benchmarks.latency.plan import TENSORFLOW, installed_runtimes
from edge_app.device import description, procfs
from edge_app.device.throttling import read_throttled


@dataclass(frozen=True)
class BenchmarkDevice(description.Device):
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


@dataclass(frozen=True)
class Conditions:
    """The device at one moment.

    ``load_average`` is the average number of running or waiting tasks in the last minute, the
    benchmark's included. ``governors`` are cpufreq's ("performance"), ``frequencies_mhz`` the
    current ones and ``limits_mhz`` the highest ones, each by core. ``temperature_c`` is the
    processor's, of the warmest zone. ``throttled`` holds the bits of a Raspberry Pi's
    ``vcgencmd get_throttled``. ``on_battery`` is None without a battery.
    """

    load_average: float | None
    governors: list[str]
    frequencies_mhz: list[float]
    limits_mhz: list[float]
    temperature_c: float | None
    throttled: int | None
    on_battery: bool | None


@dataclass(frozen=True)
class CpuTime:
    """CPU time used so far, in seconds, at a moment of which only differences have a meaning: by
    everyone on the cores that this process may use, including time stolen by other machines on the
    same host, and by this process and its ended children."""

    at: float
    everyone: float | None
    own: float


def describe_device() -> BenchmarkDevice:
    """Describe the device this runs on.

    Raises:
        InterpreterError: no TFLite runtime is installed.
    """
    now = read_conditions()
    return BenchmarkDevice(
        **vars(description.describe_device()),
        kernel=f"{platform.system()} {platform.release()}",
        runtimes=[f"{name} {importlib.metadata.version(name)}" for name in installed_runtimes()],
        tensorflow=_tensorflow(),
        governor=", ".join(sorted(set(now.governors))) or None,
        frequency_mhz=max(now.frequencies_mhz, default=None),
        max_frequency_mhz=max(now.limits_mhz, default=None),
    )


def read_conditions() -> Conditions:
    """Read the current conditions."""
    load = procfs.read("proc/loadavg").split()
    return Conditions(
        load_average=float(load[0]) if load else None,
        governors=procfs.read_all("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"),
        frequencies_mhz=_mhz("scaling_cur_freq"),
        limits_mhz=_mhz("cpuinfo_max_freq"),
        temperature_c=description.read_cpu_celsius(),
        throttled=read_throttled(),
        on_battery=_on_battery(),
    )


def read_cpu_time() -> CpuTime:
    """Read the CPU time used so far."""
    return CpuTime(monotonic(), _busy_seconds(), sum(os.times()[:4]))


def others_cores(before: CpuTime, after: CpuTime) -> float | None:
    """How many cores other programs kept busy on average: 1.0 is one core all the time.

    ((everyone's time) - (own time)) / (elapsed time), at least 0. The benchmark's own processes
    must have ended, or their time counts as others'.
    """
    if before.everyone is None or after.everyone is None or after.at <= before.at:
        return None
    others = (after.everyone - before.everyone) - (after.own - before.own)
    return round(max(0.0, others / (after.at - before.at)), 3)


def _mhz(file: str) -> list[float]:
    texts = procfs.read_all(f"sys/devices/system/cpu/cpu[0-9]*/cpufreq/{file}")
    return [int(text) / 1000 for text in texts if text.isdigit()]  # The kernel gives kHz.


def _on_battery() -> bool | None:
    """Whether a battery of the system, not of a mouse, is discharging."""
    states = [
        procfs.read(f"{supply}/status")
        for supply in procfs.find("sys/class/power_supply/*")
        if procfs.read(f"{supply}/type") == "Battery" and procfs.read(f"{supply}/scope") != "Device"
    ]
    return "Discharging" in states if states else None


def _busy_seconds() -> float | None:
    """The busy time of the cores that this process may use, without idle and iowait.

    Source: proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, in ticks;
    the guests' time that follows is part of user.
    """
    lines = [line.split() for line in procfs.read("proc/stat").splitlines()]
    cores = {f"cpu{core}" for core in procfs.cores()}
    found = [line for line in lines if line[0] in cores]
    ticks = sum(int(line[column]) for line in found for column in (1, 2, 3, 6, 7, 8))
    return ticks / os.sysconf("SC_CLK_TCK") if found else None


def _tensorflow() -> str | None:
    """From the package's metadata, as importing takes seconds; its name differs by system."""
    names = importlib.metadata.packages_distributions().get(TENSORFLOW, [])
    return next((importlib.metadata.version(name) for name in names), None)
