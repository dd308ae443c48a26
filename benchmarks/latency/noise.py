"""The verdict on noise: when the times of a run should not be trusted, and why.

The rule is the thresholds below and :func:`judge`, which applies them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.latency.conditions import Conditions
from benchmarks.latency.timing import Times

SPREAD = 0.10
"""Repeated medians of one workload lie within this part of each other."""
DEVIATION = 0.10
"""The standard deviation is less than this part of the mean. Source: pyperf's ``check``."""
OTHERS_CORES = 0.2
"""Other programs keep fewer cores busy than this, on average: a desktop at rest stays below it."""
GOVERNOR = "performance"
"""Other governors of cpufreq choose a frequency by what has just been done."""
FREQUENCY_CHANGE = 0.05
"""The fastest core's frequency stays within this part of itself from one part to the next."""
FREQUENCY_OF_LIMIT = 0.90
"""And is at least this part of the most that it can be."""
WARMING_C = 10.0
"""The processor grows no warmer than by this from before to the warmest moment."""
HOT_C = 80.0
"""And stays cooler than this, where a Raspberry Pi begins to slow itself down.
Source: Raspberry Pi's documentation, "Frequency management and thermal control"."""
THROTTLED = {
    0: "under-voltage",
    1: "a capped frequency",
    2: "throttling",
    3: "the soft limit of temperature",
}
"""Bits of ``vcgencmd get_throttled``: now, and 16 higher since it was switched on.
Source: Raspberry Pi's documentation, "vcgencmd"."""
SINCE_BOOT = 16


def judge(
    times: Mapping[str, Times], conditions: Sequence[Conditions], others_cores: float | None
) -> list[str]:
    """Say why a run's times should not be trusted.

    Args:
        times: of every workload, by what people call it.
        conditions: before the run, and at least once more while it went on, in order of time.
        others_cores: cores that other programs kept busy meanwhile.

    Returns:
        a sentence for each part of the rule that is broken, with what was found and the limit;
        none where the times can be trusted.
    """
    broken = [
        _spread(times),
        _deviation(times),
        _others(others_cores),
        _governor(conditions),
        *_frequency(conditions[1:]),
        *_temperature([read.temperature_c for read in conditions]),
        *_throttled([read.throttled for read in conditions]),
        _battery(conditions),
    ]
    return [sentence for sentence in broken if sentence]


def _spread(times: Mapping[str, Times]) -> str | None:
    spreads = {name: measured.spread for name, measured in times.items()}
    return _worst(spreads, SPREAD, "repeated medians of {name} lie {found:.1%} apart")


def _deviation(times: Mapping[str, Times]) -> str | None:
    deviations = {name: measured.std_us / measured.mean_us for name, measured in times.items()}
    return _worst(
        deviations,
        DEVIATION,
        "times of {name} have a standard deviation of {found:.1%} of the mean",
    )


def _worst(found: Mapping[str, float], limit: float, what: str) -> str | None:
    too_much = {name: value for name, value in found.items() if value > limit}
    if not too_much:
        return None
    name = max(too_much, key=lambda each: too_much[each])
    return (
        f"The {what.format(name=name, found=too_much[name])}, more than {limit:.0%}; "
        f"so it is with {len(too_much)} of {len(found)} timings."
    )


def _others(cores: float | None) -> str | None:
    if cores is None or cores <= OTHERS_CORES:
        return None
    return (
        f"Other programs kept {cores:.2f} cores busy meanwhile, more than {OTHERS_CORES:g}; "
        "end them and measure again."
    )


def _governor(conditions: Sequence[Conditions]) -> str | None:
    others = sorted({name for read in conditions for name in read.governors} - {GOVERNOR})
    if not others:
        return None
    return (
        f"The CPU governor is {' and '.join(map(repr, others))}, not {GOVERNOR!r}: the frequency "
        f"depends on what was done before. Set it: sudo sh -c 'echo {GOVERNOR} | tee "
        "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor'"
    )


def _frequency(conditions: Sequence[Conditions]) -> list[str]:
    """Of the fastest core: which one did the work is not known, and the others rest."""
    fastest = [max(read.frequencies_mhz) for read in conditions if read.frequencies_mhz]
    limits = [max(read.limits_mhz) for read in conditions if read.limits_mhz]
    said = []
    if fastest and max(fastest) > min(fastest) * (1 + FREQUENCY_CHANGE):
        said.append(
            f"The CPU's frequency changed between {min(fastest):,.0f} and {max(fastest):,.0f} MHz, "
            f"by more than {FREQUENCY_CHANGE:.0%}."
        )
    if fastest and limits and min(fastest) < max(limits) * FREQUENCY_OF_LIMIT:
        said.append(
            f"The CPU ran at {min(fastest):,.0f} MHz, below {FREQUENCY_OF_LIMIT:.0%} of the "
            f"{max(limits):,.0f} MHz that it can."
        )
    return said


def _temperature(read: Sequence[float | None]) -> list[str]:
    degrees = [temperature for temperature in read if temperature is not None]
    said = []
    if degrees and max(degrees) - degrees[0] > WARMING_C:
        said.append(
            f"The processor grew warmer, from {degrees[0]:.0f} to {max(degrees):.0f} °C, by more "
            f"than {WARMING_C:.0f} °C."
        )
    if degrees and max(degrees) >= HOT_C:
        said.append(
            f"The processor was at {max(degrees):.0f} °C; from {HOT_C:.0f} °C on it may slow "
            "itself down."
        )
    return said


def _throttled(read: Sequence[int | None]) -> list[str]:
    bits = 0
    for told in read:
        bits |= told or 0
    now = [name for bit, name in THROTTLED.items() if bits >> bit & 1]
    since = [
        name
        for bit, name in THROTTLED.items()
        if bits >> (bit + SINCE_BOOT) & 1 and name not in now
    ]
    said = []
    if now:
        said.append(f"The board reported {', '.join(now)} (0x{bits:x}, expected 0x0).")
    if since:
        said.append(
            f"The board has reported {', '.join(since)} since it was switched on (0x{bits:x}, "
            "expected 0x0); look after its supply and cooling."
        )
    return said


def _battery(conditions: Sequence[Conditions]) -> str | None:
    if not any(read.on_battery for read in conditions):
        return None
    return "The device ran on its battery, which may slow it down; plug it in."
