"""The terminal: results as tables for people, there or in a pipe."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from io import StringIO

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from benchmarks.report.tables import Part, Table

WIDTH = 80
"""The tables are laid out for this many columns; a narrower terminal wraps their lines, and a table
that needs more has longer ones: numbers are never cut off."""
SHORT = 14
"""Letters in a name that is not folded."""


def print_parts(parts: Iterable[Part]) -> None:
    """Print tables on standard output, each below its title.

    Raises:
        BrokenPipeError: nobody reads them any more.
    """
    console = Console(markup=False, highlight=False, emoji=False)
    console.width = max(console.width, WIDTH)
    with console.capture() as text:  # Into a closed pipe, rich would end the process by itself.
        _print(parts, console)
    print(text.get(), end="")


def print_text(parts: Iterable[Part]) -> str:
    """The same as plain text."""
    file = StringIO()
    _print(parts, Console(file=file, width=WIDTH, markup=False, highlight=False, emoji=False))
    return re.sub(r" +$", "", file.getvalue(), flags=re.MULTILINE)


def warn(warnings: Iterable[str]) -> str:
    """Why not to trust the times, as text below the tables."""
    return "".join(f"\n{textwrap.fill(f'Warning: {each}', WIDTH)}\n" for each in warnings)


def _print(parts: Iterable[Part], console: Console) -> None:
    for number, part in enumerate(parts):
        if number:
            console.print()
        console.print(part.title, style="bold")
        width = console.width
        console.width = max(width, _least_width(part.table))
        if part.table.rows:
            console.print(_table(part.table))
        console.width = width
        if part.words:
            console.print(Text(part.words))


def _table(table: Table) -> RichTable:
    shown = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    shown.show_header = any((*table.names, *table.numbers))
    for number, name in enumerate(table.names):
        # Short names stay whole, whatever the numbers would like to have; long ones are folded.
        least = min(_width(table, number), SHORT)
        shown.add_column(name, overflow="fold", vertical="bottom", min_width=least)
    for each in table.numbers:
        shown.add_column(each, justify="right", no_wrap=True, vertical="bottom")
    for number, row in enumerate(table.rows):
        shown.add_row(*row, style="bold red" if number in table.marked else None)
    return shown


def _least_width(table: Table) -> int:
    """Columns that it takes with its long names folded and its numbers whole."""
    names, numbers = len(table.names), len(table.numbers)
    widths = [min(_width(table, number), SHORT) for number in range(names)]
    widths += [_width(table, names + number) for number in range(numbers)]
    return sum(widths) + 2 * (len(widths) - 1)  # Two spaces between two.


def _width(table: Table, column: int) -> int:
    """Of its longest line."""
    cells = [(*table.names, *table.numbers)[column], *(row[column] for row in table.rows)]
    return max(cell_len(line) for cell in cells for line in cell.split("\n"))
