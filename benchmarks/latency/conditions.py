"""Conditions: what else the device is doing while it is measured, and how fast it lets itself run.

Linux tells; whatever it does not tell is None, or an empty list.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
from dataclasses import dataclass
from time import monotonic

from edge_app.device import procfs as system
from edge_app.device.description import read_cpu_celsius

_VCGENCMD_PATIENCE_S = 5


@dataclass(frozen=True)
class Conditions:
    """The device at one moment."""

    load_average: float | None
    """Tasks that ran or waited to, on average of the last minute; the benchmark's own are among
    them."""
    governors: list[str]
    """cpufreq's, one a core: "performance", "ondemand", ...; empty where there is none."""
    frequencies_mhz: list[float]
    """Now, one a core."""
    limits_mhz: list[float]
    """The most that each core can run at."""
    temperature_c: float | None
    """The processor's, degrees Celsius: of several zones the warmest."""
    throttled: int | None
    """The bits of a Raspberry Pi's ``vcgencmd get_throttled``; None on other boards."""
    on_battery: bool | None
    """Whether it runs on a battery; None where there is none."""


@dataclass(frozen=True)
class CpuTime:
    """CPU time that has been used, in seconds: by everyone on the cores that this process may use,
    and by this process and those of its children that have ended."""

    at: float
    """When it was read, in seconds of a clock that has no meaning but by differences."""
    everyone: float | None
    """Time stolen by other machines on the same host included."""
    own: float


def read_conditions() -> Conditions:
    """Read what the device tells now."""
    return Conditions(
        load_average=_load_average(),
        governors=system.read_all("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"),
        frequencies_mhz=_mhz("scaling_cur_freq"),
        limits_mhz=_mhz("cpuinfo_max_freq"),
        temperature_c=read_cpu_celsius(),
        throttled=_throttled(),
        on_battery=_on_battery(),
    )


def read_cpu_time() -> CpuTime:
    """Read how much CPU time has been used so far."""
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return CpuTime(
        monotonic(),
        _busy_seconds(),
        sum(usage.ru_utime + usage.ru_stime for usage in own),
    )


def others_cores(before: CpuTime, after: CpuTime) -> float | None:
    """How many cores others have kept busy, on average: 1.0 is one core all of the time.

    ((everyone's time) - (own time)) / (time that has passed), at least 0; the benchmark's own
    processes must have ended, or theirs counts as others'.
    """
    if before.everyone is None or after.everyone is None or after.at <= before.at:
        return None
    others = (after.everyone - before.everyone) - (after.own - before.own)
    return round(max(0.0, others / (after.at - before.at)), 3)


def _load_average() -> float | None:
    words = system.read("proc/loadavg").split()
    return float(words[0]) if words else None


def _mhz(file: str) -> list[float]:
    texts = system.read_all(f"sys/devices/system/cpu/cpu[0-9]*/cpufreq/{file}")
    return [int(text) / 1000 for text in texts if text.isdigit()]  # The kernel tells kHz.


def _throttled() -> int | None:
    """``vcgencmd get_throttled`` prints "throttled=0x50005"."""
    command = shutil.which("vcgencmd", path=str(system.ROOT / "usr/bin"))
    if command is None:
        return None
    try:
        printed = subprocess.run(
            [command, "get_throttled"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_VCGENCMD_PATIENCE_S,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.fullmatch(r"throttled=0x([0-9a-fA-F]+)", printed.strip())
    return int(match.group(1), 16) if match else None


def _on_battery() -> bool | None:
    """Whether a battery of the system's is being emptied; a mouse's does not count."""
    batteries = [
        supply
        for supply in system.find("sys/class/power_supply/*")
        if system.read(f"{supply}/type") == "Battery" and system.read(f"{supply}/scope") != "Device"
    ]
    if not batteries:
        return None
    return any(system.read(f"{battery}/status") == "Discharging" for battery in batteries)


def _busy_seconds() -> float | None:
    """Of the cores that this process may use, all time but idle and waiting for input or output.

    Source: proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, in ticks;
    a guest's time after these is in user's.
    """
    ticks = 0
    found = False
    cores = {f"cpu{core}" for core in system.cores()}
    for line in system.read("proc/stat").splitlines():
        name, *times = line.split()
        if name in cores:
            found = True
            ticks += sum(int(times[column]) for column in (0, 1, 2, 5, 6, 7))
    return ticks / os.sysconf("SC_CLK_TCK") if found else None
