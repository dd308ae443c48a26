"""The verdict on noise: on recorded timings, and on conditions that give reason to doubt them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.latency.conditions import Conditions
from benchmarks.latency.noise import judge
from benchmarks.latency.timing import Times

QUIET = Conditions(
    load_average=0.3,
    governors=["performance"] * 4,
    frequencies_mhz=[1800.0, 1800.0, 1800.0, 1800.0],
    limits_mhz=[1800.0] * 4,
    temperature_c=48.0,
    throttled=0,
    on_battery=False,
)
SILENT = Conditions(None, [], [], [], None, None, None)
"""As a virtual machine's, which tells nothing."""


def recorded(root: Path, name: str) -> dict[str, Any]:
    """``times`` by name and ``others_cores`` of a run."""
    return json.loads((root / "tests" / "data" / f"timings-{name}.json").read_text())


def times_of(run: Mapping[str, Any]) -> dict[str, Times]:
    return {name: Times(**fields) for name, fields in run["times"].items()}


@pytest.mark.parametrize("conditions", [QUIET, SILENT])
def test_a_quiet_run_is_trusted(root: Path, conditions: Conditions) -> None:
    run = recorded(root, "quiet")
    assert judge(times_of(run), [conditions] * 6, run["others_cores"]) == []


def test_a_disturbed_run_is_not(root: Path) -> None:
    run = recorded(root, "disturbed")
    spread, deviation, others = judge(times_of(run), [SILENT] * 6, run["others_cores"])
    worst = max(run["times"].values(), key=lambda times: times["spread"])["spread"]
    assert f"lie {worst:.1%} apart, more than 10%; so it is with " in spread
    assert "standard deviation" in deviation
    assert f"kept {run['others_cores']:.2f} cores busy meanwhile, more than 0.2" in others


def change(**fields: object) -> Conditions:
    return dataclasses.replace(QUIET, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ([QUIET, change(governors=["performance", "ondemand"])], ["'ondemand'", "'performance'"]),
        ([QUIET, QUIET, change(frequencies_mhz=[600.0, 1700.0])], ["1,700", "1,800 MHz", "5%"]),
        ([QUIET, change(frequencies_mhz=[1500.0, 600.0])], ["1,500", "90%", "1,800 MHz"]),
        ([QUIET, change(temperature_c=58.4)], ["from 48 to 58 °C", "10 °C"]),
        ([change(temperature_c=79.0), change(temperature_c=81.0)], ["at 81 °C", "80 °C"]),
        ([QUIET, change(throttled=0x4)], ["reported throttling (0x4,"]),
        ([QUIET, change(throttled=0x10001)], ["reported under-voltage (0x10001,"]),
        ([change(throttled=0x80000)] * 2, ["soft limit of temperature since", "0x80000"]),
        ([QUIET, change(on_battery=True)], ["battery"]),
    ],
)
def test_each_condition_is_said_once(conditions: Sequence[Conditions], words: list[str]) -> None:
    said = judge({}, conditions, 0.1)
    assert len(said) == 1
    assert all(word in said[0] for word in words)


@pytest.mark.parametrize(
    "conditions",
    [
        # A core that rests before the run is no sign; nor is one that rests beside the one at work.
        [change(frequencies_mhz=[600.0]), QUIET],
        [QUIET, change(frequencies_mhz=[600.0, 1750.0]), change(frequencies_mhz=[1780.0, 600.0])],
        [QUIET, change(temperature_c=57.9), change(temperature_c=40.0)],
        [QUIET, change(on_battery=None), change(throttled=None)],
    ],
)
def test_what_is_no_reason_for_doubt(conditions: Sequence[Conditions]) -> None:
    assert judge({}, conditions, 0.2) == []
    assert judge({}, conditions, None) == []


def test_the_limits_of_spread_and_deviation(root: Path) -> None:
    name, quiet = next(iter(times_of(recorded(root, "quiet")).items()))
    within = dataclasses.replace(quiet, spread=0.10, mean_us=10.0, std_us=1.0)
    assert judge({name: within}, [QUIET], None) == []
    [barely] = judge({name: dataclasses.replace(within, spread=0.104)}, [QUIET], 0.2)
    assert "lie 10.4% apart, more than 10%" in barely
    [barely] = judge({name: within}, [QUIET], 0.21)
    assert "kept 0.21 cores busy meanwhile, more than 0.2" in barely
    wide = dataclasses.replace(within, spread=0.11)
    assert name in judge({name: wide, "other": within}, [QUIET], None)[0]
    assert "1 of 2 timings" in judge({name: wide, "other": within}, [QUIET], None)[0]
    assert (
        "11.0% of the mean"
        in judge({name: dataclasses.replace(within, std_us=1.1)}, [QUIET], None)[0]
    )
