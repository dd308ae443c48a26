"""The device's description and condition: from a Raspberry Pi's files, a PC's, and none at all."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import pytest

from edge_app.device import procfs
from edge_app.device.description import Condition, describe_device, read_condition
from edge_app.models.interpreter import find_runtime

PI = {
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "proc/cpuinfo": (
        "processor\t: 0\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n\n"
        "Serial\t\t: 10000000deadbeef\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n"
    ),
    "proc/meminfo": "MemTotal:        3884384 kB\nMemFree: 1 kB\nMemAvailable:    3000000 kB\n",
    "proc/loadavg": "0.52 0.58 0.59 1/345 6789\n",
    "proc/uptime": "350735.47 1234567.89\n",
    "proc/self/statm": "61235 35000 2345 1 0 20000 0\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48686\n",
}
PC = {
    "sys/class/dmi/id/product_name": "NUC7i5BNH\n",
    "proc/cpuinfo": "model\t\t: 17\nmodel name\t: Intel(R) Core(TM) i5  CPU\nflags\t: fpu\n",
    "sys/class/thermal/thermal_zone0/type": "acpitz\n",
    "sys/class/thermal/thermal_zone0/temp": "27800\n",
    "sys/class/thermal/thermal_zone1/type": "x86_pkg_temp\n",
    "sys/class/thermal/thermal_zone1/temp": "51000\n",
    "sys/class/hwmon/hwmon0/name": "nvme\n",
    "sys/class/hwmon/hwmon0/temp1_input": "70000\n",
    "sys/class/hwmon/hwmon1/name": "coretemp\n",
    "sys/class/hwmon/hwmon1/temp1_input": "52000\n",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(procfs, "ROOT", tmp_path)
    return tmp_path


def record(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def test_raspberry_pi(root: Path) -> None:
    record(root, PI)
    found = describe_device()
    assert (found.board, found.cpu) == ("Raspberry Pi 4 Model B Rev 1.4", "Cortex-A72")
    assert found.memory_bytes == 3884384 * 1024
    assert read_condition() == Condition(
        cpu_celsius=48.686,
        load=(0.52, 0.58, 0.59),
        uptime_s=350735.47,
        available_bytes=3000000 * 1024,
        resident_bytes=35000 * os.sysconf("SC_PAGE_SIZE"),
    )


def test_pc(root: Path) -> None:
    record(root, PC)
    found = describe_device()
    assert (found.board, found.cpu) == ("NUC7i5BNH", "Intel(R) Core(TM) i5  CPU")
    assert read_condition().cpu_celsius == 52
    record(root, {"proc/cpuinfo": "CPU part\t: 0xd99\n"})  # An ARM core that is not known.
    assert describe_device().cpu == "CPU part 0xd99"


@pytest.mark.parametrize("temperature", ["", "-274000", "200000", "nan"])
def test_a_sensor_that_is_broken_tells_nothing(root: Path, temperature: str) -> None:
    record(root, PI | {"sys/class/thermal/thermal_zone0/temp": temperature})
    assert read_condition().cpu_celsius is None


@pytest.mark.parametrize("content", [None, "", "MemTotal\nmodel name\t:\nCPU part"])
def test_files_that_are_missing_or_tell_nothing(root: Path, content: str | None) -> None:
    if content is not None:
        record(root, dict.fromkeys(PI, content) | {"proc/device-tree/model": ""})
    found = describe_device()
    assert (found.board, found.cpu, found.memory_bytes) == (None, None, None)
    assert read_condition() == Condition(None, None, None, None, None)


def test_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    found = describe_device()
    assert found.architecture == platform.machine()
    assert 1 <= found.cores <= (os.cpu_count() or 1)
    assert found.python == platform.python_version()
    assert found.runtime == f"{find_runtime().name} {find_runtime().version}"
    now = read_condition()
    assert 10**6 < (now.resident_bytes or 0) < (found.memory_bytes or 0)
    assert now.uptime_s
    monkeypatch.setattr(platform, "freedesktop_os_release", dict)  # It does not say.
    assert describe_device().system == platform.system()


def test_memory_and_processor_time_of_a_process() -> None:
    before = procfs.cpu_seconds()
    held = bytearray(os.urandom(1)) * 50_000_000
    while procfs.cpu_seconds() == before:
        pass  # Working.
    assert (procfs.resident_bytes(os.getpid()) or 0) > len(held)
    assert procfs.cpu_seconds() == pytest.approx(time.process_time(), abs=0.5)
    assert procfs.cpu_seconds(2**30) is None
    assert procfs.resident_bytes(2**30) is None
