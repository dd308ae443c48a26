"""The device and its conditions, by the files of a Raspberry Pi 4, of a laptop, and by none; and
noise: recorded timings of a quiet and of a disturbed run, and conditions that cause doubt."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.latency import device
from benchmarks.latency.device import Conditions, CpuTime
from benchmarks.latency.noise import judge
from benchmarks.latency.timing import Times
from edge_app.device import description, procfs, throttling
from edge_app.paths import ROOT
from made_results import TIMES

CPU = "sys/devices/system/cpu"
THERMAL = "sys/class/thermal/thermal_zone"
POWER = "sys/class/power_supply"


def cpufreq(core: int, governor: str, now_khz: int, most_khz: int) -> dict[str, str]:
    values = {"scaling_governor": governor, "scaling_cur_freq": now_khz}
    values |= {"cpuinfo_max_freq": most_khz}
    return {f"{CPU}/cpu{core}/cpufreq/{file}": f"{value}\n" for file, value in values.items()}


PI_4 = {
    "proc/loadavg": "0.52 0.58 0.59 1/189 4211\n",
    **cpufreq(0, "ondemand", 1500000, 1800000),
    **cpufreq(1, "ondemand", 600000, 1800000),
    f"{CPU}/cpufreq/policy0/scaling_governor": "ondemand\n",
    f"{THERMAL}0/type": "cpu-thermal\n",
    f"{THERMAL}0/temp": "48199\n",
    "usr/bin/vcgencmd": '#!/bin/sh\n[ "$*" = get_throttled ] && echo throttled=0x50005\n',
}
MOUSE = {
    f"{POWER}/hidpp_battery_0/type": "Battery\n",
    f"{POWER}/hidpp_battery_0/scope": "Device\n",
    f"{POWER}/hidpp_battery_0/status": "Discharging\n",
}
LAPTOP = {
    "proc/loadavg": "1.02 0.58 0.59 1/1189 14211\n",
    **cpufreq(0, "powersave", 3899998, 4200000),
    f"{THERMAL}0/type": "acpitz\n",
    f"{THERMAL}0/temp": "95000\n",
    f"{THERMAL}1/type": "x86_pkg_temp\n",
    f"{THERMAL}1/temp": "61000\n",
    f"{THERMAL}2/type": "iwlwifi_1\n",
    f"{THERMAL}2/temp": "\n",
    f"{POWER}/AC/type": "Mains\n",
    f"{POWER}/AC/online": "0\n",
    f"{POWER}/BAT0/type": "Battery\n",
    **MOUSE,
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(procfs, "ROOT", tmp_path)
    return tmp_path


def clock() -> tuple[str | None, float | None, float | None]:
    found = device.describe_device()
    return found.governor, found.frequency_mhz, found.max_frequency_mhz


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        path.chmod(0o755)


def test_raspberry_pi(root: Path) -> None:
    write(root, PI_4)
    expected = Conditions(0.52, ["ondemand"] * 2, [1500, 600], [1800] * 2, 48.199, 0x50005, None)
    assert device.read_conditions() == expected
    assert clock() == ("ondemand", 1500, 1800)


@pytest.mark.parametrize("status", ["Discharging", "Charging", "Full", "Not charging"])
def test_laptop(root: Path, status: str) -> None:
    write(root, {**LAPTOP, f"{POWER}/BAT0/status": status})
    on_battery = status == "Discharging"
    expected = Conditions(1.02, ["powersave"], [3899.998], [4200], 61, None, on_battery)
    assert device.read_conditions() == expected


@pytest.mark.parametrize("files", [{}, MOUSE, dict.fromkeys(PI_4, "\n")])
def test_unknown_conditions(root: Path, files: Mapping[str, str]) -> None:
    write(root, files)
    assert device.read_conditions() == Conditions(None, [], [], [], None, None, None)
    assert device.read_cpu_time().everyone is None
    assert clock() == (None, None, None)


@pytest.mark.parametrize(
    "script",
    ["#!/bin/sh\nexit 1", "#!/bin/sh\necho failed", "#!/bin/sh\nexec sleep 60", "no program"],
)
def test_vcgencmd_fails_or_hangs(root: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "_PATIENCE_S", 0.1)
    write(root, {"usr/bin/vcgencmd": script})
    assert device.read_conditions().throttled is None


def test_busy_time_is_that_of_the_cores_in_use(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """user 1, nice 2, system 4, (idle 8, iowait 16), irq 32, softirq 64, steal 128, (guests)."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 10})
    monkeypatch.setattr(os, "sysconf", lambda _: 100)
    cores = "".join(f"cpu{core} 100 200 400 800 1600 3200 6400 12800 9 9\n" for core in (0, 1, 10))
    write(root, {"proc/stat": f"cpu  9 9 9 9 9 9 9 9 9 9\n{cores}intr 1 2 3\n"})
    assert device.read_cpu_time().everyone == 2 * (1 + 2 + 4 + 32 + 64 + 128)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (CpuTime(0, 100, 5), CpuTime(10, 125, 15), 1.5),
        (CpuTime(0, 100, 5), CpuTime(10, 110, 15.2), 0.0),
        (CpuTime(0, None, 5), CpuTime(10, None, 15), None),
        (CpuTime(10, 100, 5), CpuTime(10, 125, 15), None),
    ],
)
def test_others_cores(before: CpuTime, after: CpuTime, expected: float | None) -> None:
    assert device.others_cores(before, after) == expected


def test_a_child_that_has_ended_counts_as_own() -> None:
    before = device.read_cpu_time()
    subprocess.run([sys.executable, "-c", "sum(range(10**6))"], check=True)
    assert device.read_cpu_time().own > before.own


def test_this_machine() -> None:
    found, described = device.describe_device(), vars(description.describe_device())
    assert {name: getattr(found, name) for name in described} == described
    assert found.runtimes[0] == found.runtime
    assert found.kernel == f"Linux {os.uname().release}"
    assert (found.tensorflow is not None) == (find_spec("tensorflow") is not None)


QUIET = Conditions(0.3, ["performance"] * 4, [1800.0] * 4, [1800.0] * 4, 48.0, 0, False)
SILENT = Conditions(None, [], [], [], None, None, None)
"""As on a virtual machine."""


def recorded(name: str) -> tuple[dict[str, Times], float]:
    """Times by name, and the cores that other programs kept busy."""
    run = json.loads((ROOT / "tests" / "data" / f"timings-{name}.json").read_bytes())
    times = {each: Times(**fields) for each, fields in run["times"].items()}
    return times, float(run["others_cores"])


def test_a_quiet_run_is_trusted_and_a_disturbed_one_is_not() -> None:
    times, others = recorded("quiet")
    assert judge(times, [QUIET] * 6, others) == judge(times, [SILENT] * 6, others) == []
    times, others = recorded("disturbed")
    spread, deviation, busy = judge(times, [SILENT] * 6, others)
    worst = max(each.spread for each in times.values())
    assert f"{worst:.1%} between rounds (limit 10%)" in spread
    assert "standard deviation" in deviation
    assert f"kept {others:.2f} cores busy (limit 0.2)" in busy


def change(**fields: object) -> Conditions:
    return dataclasses.replace(QUIET, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ([QUIET, change(governors=["performance", "ondemand"])], ["'ondemand'", "'performance'"]),
        ([QUIET, QUIET, change(frequencies_mhz=[600.0, 1700.0])], ["1,700", "1,800 MHz", "5%"]),
        ([QUIET, change(frequencies_mhz=[1500.0, 600.0])], ["1,500", "90%", "1,800 MHz"]),
        # Warm in the middle of the run and cool again at its end.
        ([QUIET, change(temperature_c=58.4), QUIET], ["from 48 to 58 °C", "10 °C"]),
        ([change(temperature_c=each) for each in (79.0, 81.0, 79.0)], ["81 °C", "80 °C"]),
        ([QUIET, change(throttled=0x4)], ["reported throttling (0x4,"]),
        ([QUIET, change(throttled=0x10001)], ["reported under-voltage (0x10001,"]),
        ([change(throttled=0x80000)] * 2, ["soft limit of temperature since boot", "0x80000"]),
        ([QUIET, change(on_battery=True)], ["battery"]),
    ],
)
def test_each_condition_is_named_once(conditions: Sequence[Conditions], words: list[str]) -> None:
    [sentence] = judge({}, conditions, 0.1)
    assert all(word in sentence for word in words)


@pytest.mark.parametrize(
    "conditions",
    [
        # A core may rest before the run, and beside the one at work.
        [change(frequencies_mhz=[600.0]), QUIET],
        [QUIET, change(frequencies_mhz=[600.0, 1750.0]), change(frequencies_mhz=[1780.0, 600.0])],
        [QUIET, change(temperature_c=57.9), change(temperature_c=40.0)],
        [QUIET, change(on_battery=None), change(throttled=None)],
    ],
)
def test_conditions_that_are_no_reason_for_doubt(conditions: Sequence[Conditions]) -> None:
    assert judge({}, conditions, 0.2) == judge({}, conditions, None) == []


@pytest.mark.parametrize(
    ("fields", "others", "words"),
    [
        ({"spread": 0.10, "std_us": 1.0}, 0.2, None),
        ({"spread": 0.104}, 0.2, "the medians of one differ by 10.4%"),
        ({"std_us": 1.1}, None, "11.0% of its mean (limit 10%); 1 of 2 timings"),
        ({}, 0.21, "kept 0.21 cores busy"),
    ],
)
def test_limits_are_exceeded_only_beyond_them(
    fields: dict[str, float], others: float | None, words: str | None
) -> None:
    steady = dataclasses.replace(TIMES, spread=0.0, mean_us=10.0, std_us=0.0)
    changed = dataclasses.replace(steady, **fields)  # type: ignore[arg-type]
    found = judge({"one": changed, "other": steady}, [QUIET], others)
    assert len(found) == (words is not None)
    assert words is None or words in found[0]
