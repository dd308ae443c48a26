"""The terminal: results as tables for people, there or in a pipe."""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from benchmarks.tables import Part, Table

WIDTH = 80
"""The tables are laid out for this many columns; a narrower terminal wraps their lines."""
SHORT = 18
"""Letters in a name that is not folded."""


def print_parts(parts: Iterable[Part]) -> None:
    """Print tables on standard output, each below its title."""
    console = Console(markup=False, highlight=False, emoji=False)
    console.width = max(console.width, WIDTH)
    _print(parts, console)


def print_text(parts: Iterable[Part]) -> str:
    """The same as plain text."""
    file = StringIO()
    _print(parts, Console(file=file, width=WIDTH, markup=False, highlight=False, emoji=False))
    return re.sub(r" +$", "", file.getvalue(), flags=re.MULTILINE)


def _print(parts: Iterable[Part], console: Console) -> None:
    for number, part in enumerate(parts):
        if number:
            console.print()
        console.print(part.title, style="bold")
        console.print(_table(part.table))
        if part.words:
            console.print(Text(part.words))


def _table(table: Table) -> RichTable:
    shown = RichTable(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    shown.show_header = any((*table.names, *table.numbers))
    for number, name in enumerate(table.names):
        # Short names stay whole, whatever the numbers would like to have; long ones are folded.
        width = max((len(row[number]) for row in table.rows), default=0)
        shown.add_column(name, overflow="fold", vertical="bottom", min_width=min(width, SHORT))
    for each in table.numbers:
        shown.add_column(each, justify="right", no_wrap=True, vertical="bottom")
    for number, row in enumerate(table.rows):
        shown.add_row(*row, style="bold red" if number in table.marked else None)
    return shown
