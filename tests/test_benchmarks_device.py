"""The device's description: from a Raspberry Pi's files, a PC's, and none at all."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

import pytest

from benchmarks.device import describe_device
from edge_app import system
from edge_app.interpreter import find_runtime

PI_CPUINFO = """\
processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: {part}
CPU revision\t: 3

Revision\t: c03114
Serial\t\t: 10000000deadbeef
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""


def write(root: Path, name: str, content: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(system, "ROOT", tmp_path)
    return tmp_path


def test_raspberry_pi(root: Path) -> None:
    write(root, "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
    write(root, "proc/cpuinfo", PI_CPUINFO.format(part="0xd08"))
    write(root, "proc/meminfo", "MemTotal:        3884384 kB\nMemFree:          100000 kB\n")
    for core, governor in enumerate(("performance", "ondemand")):
        folder = f"sys/devices/system/cpu/cpu{core}/cpufreq"
        write(root, f"{folder}/scaling_governor", f"{governor}\n")
        write(root, f"{folder}/scaling_cur_freq", f"{600000 * (core + 1)}\n")
        write(root, f"{folder}/cpuinfo_max_freq", "1800000\n")
    found = describe_device()
    assert found.governor == "ondemand, performance"
    assert found.frequency_mhz == 1200
    assert found.max_frequency_mhz == 1800
    assert found.board == "Raspberry Pi 4 Model B Rev 1.4"
    assert found.cpu == "Cortex-A72"
    assert found.memory_bytes == 3884384 * 1024


def test_unknown_arm_core_keeps_its_number(root: Path) -> None:
    write(root, "proc/cpuinfo", PI_CPUINFO.format(part="0xd99"))
    assert describe_device().cpu == "CPU part 0xd99"


def test_pc(root: Path) -> None:
    write(root, "sys/class/dmi/id/product_name", "NUC7i5BNH\n")
    write(
        root,
        "proc/cpuinfo",
        "model\t\t: 17\nmodel name\t: Intel(R) Core(TM) i5  CPU\nflags\t: fpu\n",
    )
    found = describe_device()
    assert found.board == "NUC7i5BNH"
    assert found.cpu == "Intel(R) Core(TM) i5  CPU"


@pytest.mark.parametrize("content", [None, "", "\n", "MemTotal\nmodel name\t:\nCPU part"])
def test_files_that_are_missing_or_tell_nothing(root: Path, content: str | None) -> None:
    for name in ("proc/device-tree/model", "proc/cpuinfo", "proc/meminfo"):
        if content is not None:
            write(root, name, content if name != "proc/device-tree/model" else "")
    found = describe_device()
    assert (found.board, found.cpu, found.memory_bytes) == (None, None, None)
    assert (found.governor, found.frequency_mhz, found.max_frequency_mhz) == (None, None, None)


def test_this_machine() -> None:
    found = describe_device()
    assert found.architecture == platform.machine()
    assert 1 <= found.cores <= (os.cpu_count() or 1)
    assert found.python == platform.python_version()
    assert found.runtime == f"{find_runtime().name} {find_runtime().version}"
    assert found.runtimes[0] == found.runtime
    assert re.fullmatch(r"\d+\.\d+\.\d+", found.tensorflow or "")
    assert found.kernel == f"Linux {os.uname().release}"
    assert found.system


def test_system_without_a_release_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> dict[str, str]:
        raise OSError

    monkeypatch.setattr(platform, "freedesktop_os_release", missing)
    assert describe_device().system == platform.system()
