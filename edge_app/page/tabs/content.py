"""Sheets: what the page's tabs show, as texts and tables that the browser lays out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict


class Table(TypedDict):
    """Rows of texts; each begins with its name."""

    columns: list[str]
    rows: list[list[str]]


class Section(TypedDict, total=False):
    """One block of a sheet. Its parts are optional, and shown in this order."""

    title: str
    text: str
    picture: str
    """An SVG element."""
    facts: list[tuple[str, str]]
    """Names and values."""
    table: Table


class Sheet(TypedDict):
    """What a tab shows."""

    title: str
    text: str
    warnings: list[str]
    sections: list[Section]


Sheets = Mapping[str, Callable[[], Sheet | None]]
"""By tab, a function that returns its sheet as it is now, or None if there is nothing to show."""

NOTHING = "-"
"""Shown instead of an unknown value."""


def size(number: float | None) -> str:
    """Bytes for people, as the canvas shows them: "9.8 kB", "1.5 MB"."""
    if number is None:
        return NOTHING
    if number >= 1e9:
        return f"{number / 1e9:.1f} GB"
    if number >= 1e6:
        return f"{number / 1e6:.1f} MB"
    return f"{number / 1e3:.{1 if number < 1e5 else 0}f} kB"


def percent(part: float | None) -> str:
    """A fraction, 0 to 1, for people: "99.56%"."""
    return NOTHING if part is None else f"{100 * part:.2f}%"
