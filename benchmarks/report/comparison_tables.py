"""A comparison with an earlier result as tables."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.report.comparison import Change, Comparison, Quantity
from benchmarks.report.tables import Part, Table

_TITLES: dict[Quantity, str] = {
    "bytes": "size, kB",
    "accuracy": "accuracy, %",
    "agreement": "agreement, %",
    "median_us": "latency, µs",
}
_SCALES: dict[Quantity, float] = {
    "bytes": 1e-3,
    "accuracy": 100,
    "agreement": 100,
    "median_us": 1,
}
_VERDICTS = {"other": "not compared"}


def comparison_tables(comparison: Comparison) -> Iterator[Part]:
    """What changed, and what of it is noise; what is the same is counted."""
    table = Table(("model", "variant", "quantity"), ("before", "now", "change", "verdict"))
    changed = [change for change in comparison.changes if change.verdict != "same"]
    for change in changed:
        table.add(*_row(change), is_marked=change.verdict == "worse")
    same = len(comparison.changes) - len(changed)
    words = [
        f"{same} of {len(comparison.changes)} quantities{_kinds(comparison)} are just the same.",
        *(
            f"{_name(each)}: {each.reason}."
            for each in changed
            if each.verdict in {"better", "worse"}
        ),
        *comparison.notes,
    ]
    yield Part(f"Changes since {comparison.before}", table, "\n".join(words))


def _kinds(comparison: Comparison) -> str:
    kinds = dict.fromkeys(_kind(change) for change in comparison.changes)
    return f" ({', '.join(kinds)})" if kinds else ""


def _row(change: Change) -> tuple[str, ...]:
    scale = _SCALES[change.quantity]
    moved = (change.now - change.before) * scale
    is_latency = change.quantity == "median_us"
    return (
        change.model,
        change.variant,
        _TITLES[change.quantity],
        f"{change.before * scale:,.2f}",
        f"{change.now * scale:,.2f}",
        f"{change.now / change.before - 1:+.1%}" if is_latency else f"{moved:+.2f}",
        _VERDICTS.get(change.verdict, change.verdict),
    )


def _name(change: Change) -> str:
    return f"{change.model} {change.variant}, {_kind(change)}"


def _kind(change: Change) -> str:
    return _TITLES[change.quantity].split(",")[0]
