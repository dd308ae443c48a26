"""Noise: recorded timings of a quiet and of a disturbed run, and conditions that cause doubt."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.latency.device import Conditions
from benchmarks.latency.noise import judge
from benchmarks.latency.timing import Times

QUIET = Conditions(
    load_average=0.3,
    governors=["performance"] * 4,
    frequencies_mhz=[1800.0] * 4,
    limits_mhz=[1800.0] * 4,
    temperature_c=48.0,
    throttled=0,
    on_battery=False,
)
SILENT = Conditions(None, [], [], [], None, None, None)
"""As on a virtual machine."""


def recorded(root: Path, name: str) -> tuple[dict[str, Times], float]:
    """Times by name, and the cores that other programs kept busy."""
    path = root / "tests" / "data" / f"timings-{name}.json"
    run = json.loads(path.read_text(encoding="utf-8"))
    times = {each: Times(**fields) for each, fields in run["times"].items()}
    return times, float(run["others_cores"])


def test_a_quiet_run_is_trusted_and_a_disturbed_one_is_not(root: Path) -> None:
    times, others = recorded(root, "quiet")
    assert judge(times, [QUIET] * 6, others) == judge(times, [SILENT] * 6, others) == []
    times, others = recorded(root, "disturbed")
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
        ([QUIET, change(temperature_c=58.4)], ["from 48 to 58 °C", "10 °C"]),
        # Warm in the middle of the run and cool again at its end.
        ([QUIET, change(temperature_c=61.0), QUIET], ["from 48 to 61 °C", "10 °C"]),
        ([change(temperature_c=79.0), change(temperature_c=81.0)], ["81 °C", "80 °C"]),
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
    fields: dict[str, float], others: float | None, words: str | None, root: Path
) -> None:
    times, _ = recorded(root, "quiet")
    steady = dataclasses.replace(next(iter(times.values())), spread=0.0, mean_us=10.0, std_us=0.0)
    changed = dataclasses.replace(steady, **fields)  # type: ignore[arg-type]
    found = judge({"one": changed, "other": steady}, [QUIET], others)
    assert len(found) == (words is not None)
    assert words is None or words in found[0]
