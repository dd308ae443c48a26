"""Tables of results, as the terminal and the report both show them: the same words and numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

UNKNOWN = "-"


@dataclass
class Table:
    """Cells as text, below two kinds of columns: first those that name, then numbers."""

    names: tuple[str, ...]
    numbers: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    marked: set[int] = field(default_factory=set)
    """Numbers of the rows that stand out."""

    def add(self, *cells: str, is_marked: bool = False) -> None:
        """One more row; cells that are left out at its end are empty."""
        if is_marked:
            self.marked.add(len(self.rows))
        missing = len(self.names) + len(self.numbers) - len(cells)
        self.rows.append((*cells, *[""] * missing))


@dataclass(frozen=True)
class Part:
    """A table with its title, and what to know to read it."""

    title: str
    table: Table
    words: str = ""


def number(value: float | None) -> str:
    """One decimal, none from a thousand up, and a dash for what is unknown."""
    if value is None:
        return UNKNOWN
    return f"{value:,.1f}" if abs(value) < 999.95 else f"{value:,.0f}"


def percent(part: float) -> str:
    """A part, 0 to 1, in percent."""
    return f"{100 * part:.2f}"
