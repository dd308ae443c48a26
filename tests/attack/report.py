"""The report: what the attack did, in a table, and which bounds it broke."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.attack.models import Loading
from tests.attack.soak import ENOUGH, FLAT, Soaking
from tests.attack.tally import Outcome, Tally
from tests.attack.witness import Witness

MEMORY = 256e6
"""Bytes that the app may take at any moment."""
LOG = 1e6
"""Bytes that it may print on standard error."""
HANG_S = 2.0
"""Seconds after which an answer to an honest visitor counts as a hang."""


class Report:
    """Collects results, by name, and the bounds that they break."""

    def __init__(self) -> None:
        self.results: dict[str, Any] = {}
        self.broken: list[str] = []

    def add_attack(self, tally: Tally, witness: Witness, repeat: str, last: list[int]) -> None:
        """Add what came of requests.

        Args:
            repeat: the command that repeats one, without its number.
            last: the numbers of those that were sent last.
        """
        figures = {
            "crashes": int(not witness.alive()),
            "tried": tally.total(),
            **{each.value: tally.total(each) for each in Outcome},
            "slowest_s": max(tally.slowest.values(), default=0.0),
            "visitor_drawings": len(witness.times),
            "visitor_failures": len(witness.failures),
            "visitor_median_s": witness.median(),
            "visitor_slowest_s": max(witness.times, default=0.0),
            "memory_before": witness.before,
            "memory_peak": witness.peak,
            "memory_after": witness.after,
        }
        self.results |= figures
        numbers = " ".join(map(str, last))
        self._check(figures["crashes"] == 0, f"the app ended; one of these did it: {numbers}")
        for what, number in tally.faults.items():
            self.broken.append(f"{what}; repeat: {repeat} --only {number}")
        self._check(not witness.failures, f"a visitor got no answer: {witness.failures[:1]}")
        slowest = figures["visitor_slowest_s"]
        self._check(slowest <= HANG_S, f"a visitor waited {slowest:.1f} s; at most {HANG_S} s")
        self._check_memory(witness.peak)

    def add_files(self, files: set[Path]) -> None:
        """Add the files that the app has written, apart from the drawings that it stores."""
        self.results["files_written"] = len(files)
        self._check(not files, f"the app wrote {sorted(map(str, files))[:3]}")

    def add_end(self, status: int, witness: Witness) -> None:
        """Add how the app ended, and what it had printed by then."""
        log, tracebacks = witness.log()
        self.results |= {"exit_status": status, "log_bytes": log, "tracebacks": tracebacks}
        self._check(status == 0, f"the app ended with status {status} when it was told to stop")
        self._check(log < LOG, f"the log has {log:,} bytes; at most {LOG:,.0f}")
        self._check(not tracebacks, f"the log has {tracebacks} tracebacks")

    def add_soak(self, soaking: Soaking, witness: Witness) -> None:
        """Add what came of valid drawings."""
        growth = soaking.growth()
        self.results |= {
            "soak_drawings": soaking.drawings,
            "soak_memory_before": witness.before,
            "soak_memory_peak": witness.peak,
            "soak_memory_after": witness.after,
            "soak_growth_per_100000": growth,
        }
        self._check(witness.alive(), "the app ended while it was soaked")
        if soaking.drawings >= ENOUGH:
            grown = f"{growth / 1e6:.1f} MB per 100,000 drawings"
            self._check(growth < FLAT, f"memory grows by {grown}; at most {FLAT / 1e6:.0f} MB")
        self._check_memory(witness.peak)

    def add_models(self, loading: Loading) -> None:
        """Add what came of damaged models."""
        self.results |= {"models_damaged": loading.damaged, "starts_lost": len(loading.lost)}
        self.broken += [f"a start was lost; repeat: {each}" for each in loading.lost]

    def text(self) -> str:
        """For people."""
        lines = [
            f"{name.replace('_', ' '):<24}{_shown(name, value):>12}"
            for name, value in self.results.items()
        ]
        lines += (
            ["", *(f"BROKEN: {each}" for each in self.broken)]
            if self.broken
            else ["", "No bound is broken."]
        )
        return "\n".join(lines)

    def _check_memory(self, peak: int) -> None:
        megabytes = f"{peak / 1e6:.0f} MB; at most {MEMORY / 1e6:.0f} MB"
        self._check(peak < MEMORY, f"memory reached {megabytes}")

    def _check(self, held: bool, sentence: str) -> None:
        if not held:
            self.broken.append(sentence)


def by_kind(tally: Tally) -> str:
    """A row for each kind of attempt."""
    columns = [each.value for each in Outcome]
    lines = [f"{'kind':<18}" + "".join(f"{each:>10}" for each in columns) + f"{'slowest':>10}"]
    for kind, counts in sorted(tally.counts.items()):
        numbers = "".join(f"{counts[each]:>10,}" for each in Outcome)
        lines.append(f"{kind:<18}{numbers}{tally.slowest[kind] * 1000:>7,.0f} ms")
    return "\n".join(lines)


def _shown(name: str, value: float) -> str:
    if "memory" in name or "growth" in name:
        return f"{value / 1e6:.1f} MB"
    return f"{value * 1000:,.0f} ms" if name.endswith("_s") else f"{value:,}"
