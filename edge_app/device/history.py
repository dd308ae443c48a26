"""History: the device's temperature and load since the app started, in little memory."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from edge_app.device import description

PERIOD_S = 30
"""Seconds between two samples."""
MOST = 240
"""Samples that are kept: those of two hours. Later, each stands for a longer time."""


class Sample(NamedTuple):
    """The processor's temperature and the load of one minute, None if unknown; the highest of each
    where a sample stands for a longer time."""

    celsius: float | None
    load: float | None


def read_sample() -> Sample:
    """Read the device's current values: a few small files of the kernel."""
    load = description.read_load()
    return Sample(description.read_cpu_celsius(), load[0] if load else None)


class History:
    """Samples at equal distances, from the start until now.

    Whenever ``MOST`` are kept, each two become one: memory is bounded, and nothing is forgotten.

    Args:
        read: takes a sample.
    """

    def __init__(self, read: Callable[[], Sample] = read_sample) -> None:
        self._read = read
        self._started = monotonic()
        self._past: list[Sample] = []
        self._span = 1  # How many samples one of the past stands for.
        self._latest: Sample | None = None  # The samples since.
        self._count = 0

    def record(self) -> None:
        """Take a sample; to be called every ``PERIOD_S`` seconds."""
        sample = self._read()
        self._latest = _highest([self._latest, sample]) if self._latest else sample
        self._count += 1
        if self._count < self._span:
            return
        past = [*self._past, self._latest]
        if len(past) == MOST:
            past = [_highest(past[at : at + 2]) for at in range(0, MOST, 2)]
            self._span *= 2
        self._past, self._latest, self._count = past, None, 0  # Another thread may be reading.

    def samples(self) -> list[Sample]:
        """The past, the oldest first, and now."""
        latest = self._latest
        return [*self._past, *([latest] if latest else []), self._read()]

    def seconds(self) -> float:
        """The time since the first sample."""
        return monotonic() - self._started


def _highest(samples: list[Sample]) -> Sample:
    temperatures, loads = zip(*samples, strict=True)
    return Sample(_most(temperatures), _most(loads))


def _most(values: tuple[float | None, ...]) -> float | None:
    return max((value for value in values if value is not None), default=None)
