"""Results as tables for people, on a terminal or in a pipe."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from benchmarks.report.tables import Part, ReportTable

WIDTH = 80
"""The least number of columns that tables are laid out for; numbers are never cut off."""
SHORT = 14
"""A name of up to this many letters is not folded."""


def print_parts(parts: Iterable[Part]) -> None:
    """Print tables on standard output, each below its title.

    Raises:
        BrokenPipeError: the reader has closed the pipe.
    """
    console = Console(markup=False, highlight=False, emoji=False)
    console.width = max(console.width, WIDTH)
    width = console.width
    with console.capture() as text:  # With a closed pipe, rich would exit the process itself.
        for number, part in enumerate(parts):
            console.print("\n" * bool(number) + part.title, style="bold")
            if part.table.rows:
                console.width = max(width, _least_width(part.table))
                console.print(_table(part.table))
                console.width = width
            if part.words:
                console.print(Text(part.words))
    print(text.get(), end="")


def _table(table: ReportTable) -> RichTable:
    shown = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    shown.show_header = any((*table.names, *table.numbers))
    for number, name in enumerate(table.names):
        # Short names stay whole, however wide the numbers are; long ones are folded.
        least = min(_width(table, number), SHORT)
        shown.add_column(name, overflow="fold", vertical="bottom", min_width=least)
    for each in table.numbers:
        shown.add_column(each, justify="right", no_wrap=True, vertical="bottom")
    for number, row in enumerate(table.rows):
        shown.add_row(*row, style="bold red" if number in table.marked else None)
    return shown


def _least_width(table: ReportTable) -> int:
    """The columns that a table takes with long names folded and numbers whole."""
    names, numbers = len(table.names), len(table.numbers)
    widths = [min(_width(table, number), SHORT) for number in range(names)]
    widths += [_width(table, names + number) for number in range(numbers)]
    return sum(widths) + 2 * (len(widths) - 1)  # Two spaces between columns.


def _width(table: ReportTable, column: int) -> int:
    """The width of a column's longest line."""
    cells = [(*table.names, *table.numbers)[column], *(row[column] for row in table.rows)]
    return max(cell_len(line) for cell in cells for line in cell.split("\n"))
