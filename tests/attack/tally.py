"""The tally: what became of the attempts, by kind."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one attempt."""

    ANSWERED = "answered"
    REFUSED = "refused"  # 4xx
    BUSY = "busy"  # 503
    FAULT = "5xx"  # Any other: the app's own mistake, or a client's that it takes for one.
    DROPPED = "dropped"  # Closed without an answer.
    LEFT = "left"  # The client did not wait for an answer.
    HUNG = "hung"  # No answer in time.


def outcome_of(status: int) -> Outcome:
    if status == 503:
        return Outcome.BUSY
    if status >= 500:
        return Outcome.FAULT
    return Outcome.REFUSED if status >= 400 else Outcome.ANSWERED


class Tally:
    """Counts outcomes and remembers the first attempts that went wrong. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counts: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
        self.slowest: defaultdict[str, float] = defaultdict(float)
        """By kind, seconds that the slowest answer took."""
        self.faults: dict[str, int] = {}
        """By status and kind, or by kind for hangs, the number of the first such attempt."""

    def add(self, number: int, kind: str, outcome: Outcome, status: int, seconds: float) -> None:
        with self._lock:
            self.counts[kind][outcome] += 1
            self.slowest[kind] = max(self.slowest[kind], seconds)
            if outcome in {Outcome.FAULT, Outcome.HUNG}:
                what = f"{status} for {kind}" if status else f"no answer for {kind}"
                self.faults.setdefault(what, number)

    def total(self, outcome: Outcome | None = None) -> int:
        """How many attempts came to an outcome; all if None."""
        with self._lock:
            return sum(
                counts.total() if outcome is None else counts[outcome]
                for counts in self.counts.values()
            )
