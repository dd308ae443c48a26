"""What a device's speed depends on besides what test_device.py has: its clock, and versions."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.latency.device import describe_device
from edge_app.device import description as device
from edge_app.device import procfs as system


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(system, "ROOT", tmp_path)
    return tmp_path


def test_the_clock(root: Path) -> None:
    for core, governor in enumerate(("performance", "ondemand")):
        folder = root / f"sys/devices/system/cpu/cpu{core}/cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text(f"{governor}\n")
        (folder / "scaling_cur_freq").write_text(f"{600000 * (core + 1)}\n")
        (folder / "cpuinfo_max_freq").write_text("1800000\n")
    found = describe_device()
    assert found.governor == "ondemand, performance"
    assert found.frequency_mhz == 1200
    assert found.max_frequency_mhz == 1800


def test_a_device_that_tells_nothing_of_its_clock(root: Path) -> None:
    assert root.is_dir()
    found = describe_device()
    assert (found.governor, found.frequency_mhz, found.max_frequency_mhz) == (None, None, None)


def test_this_machine() -> None:
    found, described = describe_device(), vars(device.describe_device())
    assert {name: getattr(found, name) for name in described} == described
    assert found.runtimes[0] == found.runtime
    assert found.kernel == f"Linux {os.uname().release}"
    has_tensorflow = re.fullmatch(r"\d+\.\d+\.\d+", found.tensorflow or "") is not None
    assert has_tensorflow == (find_spec("tensorflow") is not None)
