"""Tables of results, which the terminal and the HTML page both show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

UNKNOWN = "-"
Columns = Mapping[str, Callable[[Any], str]]
"""Headings, and what each column shows of a row's item."""


@dataclass
class ReportTable:
    """Cells as text: first columns of names, then columns of numbers."""

    names: tuple[str, ...]
    numbers: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    marked: set[int] = field(default_factory=set)
    """The indices of highlighted rows."""

    def add(self, *cells: str, is_marked: bool = False) -> None:
        """Add a row; missing cells at its end are empty."""
        if is_marked:
            self.marked.add(len(self.rows))
        missing = len(self.names) + len(self.numbers) - len(cells)
        self.rows.append((*cells, *[""] * missing))


@dataclass(frozen=True)
class Part:
    """A table with its title and an explanation."""

    title: str
    table: ReportTable
    words: str = ""


def tabulate(names: Columns, numbers: Columns, items: Iterable[Any]) -> ReportTable:
    """A table with a row for each item."""
    shows = [*names.values(), *numbers.values()]
    rows = [tuple(show(item) for show in shows) for item in items]
    return ReportTable(tuple(names), tuple(numbers), rows)


def number(value: float | None) -> str:
    """A number with one decimal, or none from a thousand up; a dash for an unknown one."""
    if value is None:
        return UNKNOWN
    return f"{value:,.1f}" if abs(value) < 999.95 else f"{value:,.0f}"


def percent(part: float) -> str:
    """A fraction, 0 to 1, in percent."""
    return f"{100 * part:.2f}"
