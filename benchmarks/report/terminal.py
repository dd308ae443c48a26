"""Results as tables for people, on a terminal or in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
                widths = _least_widths(part.table)
                # Two spaces between columns.
                console.width = max(width, sum(widths) + 2 * (len(widths) - 1))
                console.print(_table(part.table, widths))
                console.width = width
            if part.words:
                console.print(Text(part.words))
    print(text.get(), end="")


def _table(table: ReportTable, widths: Sequence[int]) -> RichTable:
    shown = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    shown.show_header = any((*table.names, *table.numbers))
    for name, width in zip(table.names, widths, strict=False):
        # Short names stay whole, however wide the numbers are; long ones are folded.
        shown.add_column(name, overflow="fold", vertical="bottom", min_width=width)
    for each in table.numbers:
        shown.add_column(each, justify="right", no_wrap=True, vertical="bottom")
    for number, row in enumerate(table.rows):
        shown.add_row(*row, style="bold red" if number in table.marked else None)
    return shown


def _least_widths(table: ReportTable) -> list[int]:
    """The width of each column with long names folded and numbers whole."""
    columns = zip((*table.names, *table.numbers), *table.rows, strict=True)
    widths = [max(map(cell_len, "\n".join(column).split("\n"))) for column in columns]
    names = len(table.names)
    return [min(width, SHORT) for width in widths[:names]] + widths[names:]
