"""Noise: whether the timings of a run can be trusted, by the limits below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.latency.device import Conditions
from benchmarks.latency.timing import Times
from edge_app.device.throttling import HOT_C, named

SPREAD = 0.10
"""How far the repeated medians of a workload may differ, as a fraction."""
DEVIATION = 0.10
"""Largest standard deviation, as a fraction of the mean. Source: pyperf's ``check``."""
OTHERS_CORES = 0.2
"""How many cores other programs may keep busy on average; an idle desktop stays below it."""
GOVERNOR = "performance"
"""Other governors of cpufreq choose the frequency by the recent load."""
FREQUENCY_CHANGE = 0.05
"""How far the frequency of the fastest core may change, as a fraction."""
FREQUENCY_OF_LIMIT = 0.90
"""The least frequency of the fastest core, as a fraction of the highest possible."""
WARMING_C = 10.0
"""How much warmer than at the start the processor may get at any time."""


def judge(
    times: Mapping[str, Times], conditions: Sequence[Conditions], others_cores: float | None
) -> list[str]:
    """Say why a run's timings should not be trusted.

    Args:
        times: of every workload, by a name for people.
        conditions: before the run and at least once during it, in order of time.
        others_cores: cores that other programs kept busy meanwhile.

    Returns:
        A sentence with the value and the limit for each limit that is exceeded; empty if the
        timings can be trusted.
    """
    said = [*_noisy(times)]
    if others_cores is not None and others_cores > OTHERS_CORES:
        said.append(
            f"Other programs kept {others_cores:.2f} cores busy (limit {OTHERS_CORES:g}); close "
            "them and measure again."
        )
    if others := sorted({name for read in conditions for name in read.governors} - {GOVERNOR}):
        said.append(
            f"The CPU governor is {' and '.join(map(repr, others))}, not {GOVERNOR!r}: the "
            f"frequency depends on the recent load. Set it with: sudo sh -c 'echo {GOVERNOR} | tee "
            "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor'"
        )
    said += _frequency(conditions[1:])
    said += _temperature([c.temperature_c for c in conditions if c.temperature_c is not None])
    said += _throttled(conditions)
    if any(read.on_battery for read in conditions):
        said.append("The device ran on battery, which may slow it down; plug it in.")
    return said


def _noisy(times: Mapping[str, Times]) -> Iterator[str]:
    spreads = {name: each.spread for name, each in times.items()}
    deviations = {name: each.std_us / each.mean_us for name, each in times.items()}
    for limit, what, found in (
        (SPREAD, "the medians of {} differ by {:.1%} between rounds", spreads),
        (DEVIATION, "the standard deviation of {} is {:.1%} of its mean", deviations),
    ):
        if exceeding := [(value, name) for name, value in found.items() if value > limit]:
            value, name = max(exceeding)
            yield (
                f"Noisy timings: {what.format(name, value)} (limit {limit:.0%}); "
                f"{len(exceeding)} of {len(found)} timings exceed the limit."
            )


def _frequency(conditions: Sequence[Conditions]) -> Iterator[str]:
    """Of the fastest core: the others rest, and it is not known which one worked."""
    fastest = [max(read.frequencies_mhz) for read in conditions if read.frequencies_mhz]
    if not fastest:
        return
    highest = max((max(read.limits_mhz) for read in conditions if read.limits_mhz), default=0)
    if max(fastest) > min(fastest) * (1 + FREQUENCY_CHANGE):
        yield (
            f"The CPU's frequency changed between {min(fastest):,.0f} and {max(fastest):,.0f} MHz "
            f"(limit {FREQUENCY_CHANGE:.0%})."
        )
    if min(fastest) < highest * FREQUENCY_OF_LIMIT:
        yield (
            f"The CPU ran at {min(fastest):,.0f} MHz, below {FREQUENCY_OF_LIMIT:.0%} of the "
            f"{highest:,.0f} MHz that it can reach."
        )


def _temperature(degrees: Sequence[float]) -> Iterator[str]:
    if degrees and max(degrees) - degrees[0] > WARMING_C:
        yield (
            f"The processor warmed up from {degrees[0]:.0f} to {max(degrees):.0f} °C "
            f"(limit {WARMING_C:.0f} °C more)."
        )
    if degrees and max(degrees) >= HOT_C:
        yield (
            f"The processor reached {max(degrees):.0f} °C; from {HOT_C:.0f} °C on it may slow down."
        )


def _throttled(conditions: Sequence[Conditions]) -> Iterator[str]:
    bits = 0
    for read in conditions:
        bits |= read.throttled or 0
    now, since = named(bits)
    if now:
        yield f"The board reported {', '.join(now)} (0x{bits:x}, expected 0x0)."
    if since:
        yield (
            f"The board has reported {', '.join(since)} since boot (0x{bits:x}, expected "
            "0x0); check its power supply and cooling."
        )
