"""The device's conditions: from the files of a Raspberry Pi 4, a laptop, and none at all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.latency import conditions
from benchmarks.latency.conditions import (
    Conditions,
    CpuTime,
    others_cores,
    read_conditions,
    read_cpu_time,
)
from edge_app.device import procfs as system

PI_4 = {
    "proc/loadavg": "0.52 0.58 0.59 1/189 4211\n",
    **{
        f"sys/devices/system/cpu/cpu{core}/cpufreq/{file}": f"{value}\n"
        for core in range(4)
        for file, value in {
            "scaling_governor": "ondemand",
            "scaling_cur_freq": 600000 if core else 1500000,
            "cpuinfo_max_freq": 1800000,
        }.items()
    },
    "sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "ondemand\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48199\n",
    "usr/bin/vcgencmd": '#!/bin/sh\n[ "$*" = get_throttled ] && echo throttled=0x50005\n',
}
LAPTOP = {
    "proc/loadavg": "1.02 0.58 0.59 1/1189 14211\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "3899998\n",
    "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "4200000\n",
    "sys/class/thermal/thermal_zone0/type": "acpitz\n",
    "sys/class/thermal/thermal_zone0/temp": "95000\n",
    "sys/class/thermal/thermal_zone1/type": "x86_pkg_temp\n",
    "sys/class/thermal/thermal_zone1/temp": "61000\n",
    "sys/class/thermal/thermal_zone2/type": "iwlwifi_1\n",
    "sys/class/thermal/thermal_zone2/temp": "\n",
    "sys/class/power_supply/AC/type": "Mains\n",
    "sys/class/power_supply/AC/online": "0\n",
    "sys/class/power_supply/BAT0/type": "Battery\n",
    "sys/class/power_supply/BAT0/status": "Discharging\n",
}
MOUSE = {
    "sys/class/power_supply/hidpp_battery_0/type": "Battery\n",
    "sys/class/power_supply/hidpp_battery_0/scope": "Device\n",
    "sys/class/power_supply/hidpp_battery_0/status": "Discharging\n",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(system, "ROOT", tmp_path)
    return tmp_path


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        path.chmod(0o755)


def test_raspberry_pi(root: Path) -> None:
    write(root, PI_4)
    assert read_conditions() == Conditions(
        load_average=0.52,
        governors=["ondemand"] * 4,
        frequencies_mhz=[1500.0, 600.0, 600.0, 600.0],
        limits_mhz=[1800.0] * 4,
        temperature_c=48.199,
        throttled=0x50005,
        on_battery=None,
    )


def test_laptop_on_its_battery(root: Path) -> None:
    write(root, {**LAPTOP, **MOUSE})
    assert read_conditions() == Conditions(
        load_average=1.02,
        governors=["powersave"],
        frequencies_mhz=[3899.998],
        limits_mhz=[4200.0],
        temperature_c=61.0,
        throttled=None,
        on_battery=True,
    )


@pytest.mark.parametrize("status", ["Charging", "Full", "Not charging"])
def test_laptop_that_is_plugged_in(root: Path, status: str) -> None:
    write(root, {**LAPTOP, **MOUSE, "sys/class/power_supply/BAT0/status": status})
    assert read_conditions().on_battery is False


def test_other_zones_say_nothing_of_the_processor(root: Path) -> None:
    write(root, {name: text for name, text in LAPTOP.items() if "thermal_zone1" not in name})
    assert read_conditions().temperature_c is None


@pytest.mark.parametrize("files", [{}, MOUSE, dict.fromkeys(PI_4, "\n")])
def test_device_that_tells_nothing(root: Path, files: Mapping[str, str]) -> None:
    write(root, files)
    assert read_conditions() == Conditions(None, [], [], [], None, None, None)
    assert read_cpu_time().everyone is None


@pytest.mark.parametrize(
    "script",
    ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho 'VCHI initialization failed'\n", "no program"],
)
def test_vcgencmd_that_fails(root: Path, script: str) -> None:
    write(root, {"usr/bin/vcgencmd": script})
    assert read_conditions().throttled is None


def test_vcgencmd_that_hangs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "_VCGENCMD_PATIENCE_S", 0.1)
    write(root, {"usr/bin/vcgencmd": "#!/bin/sh\nexec sleep 60\n"})
    assert read_conditions().throttled is None


def test_busy_time_is_that_of_the_cores_in_use(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """user 1, nice 2, system 4, (idle 8, iowait 16), irq 32, softirq 64, steal 128, (guests)."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 10})
    monkeypatch.setattr(os, "sysconf", lambda _: 100)
    cores = "".join(f"cpu{core} 100 200 400 800 1600 3200 6400 12800 9 9\n" for core in (0, 1, 10))
    write(root, {"proc/stat": f"cpu  9 9 9 9 9 9 9 9 9 9\n{cores}intr 1 2 3\n"})
    assert read_cpu_time().everyone == 2 * (1 + 2 + 4 + 32 + 64 + 128)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (CpuTime(0, 100, 5), CpuTime(10, 125, 15), 1.5),
        (CpuTime(0, 100, 5), CpuTime(10, 110, 15.2), 0.0),
        (CpuTime(0, None, 5), CpuTime(10, None, 15), None),
        (CpuTime(10, 100, 5), CpuTime(10, 125, 15), None),
    ],
)
def test_others_cores_by_hand(before: CpuTime, after: CpuTime, expected: float | None) -> None:
    assert others_cores(before, after) == expected


def test_a_child_that_has_ended_counts_as_own() -> None:
    before = read_cpu_time()
    subprocess.run([sys.executable, "-c", "sum(range(10**6))"], check=True)
    assert read_cpu_time().own > before.own
