"""Sheets: what the page's tabs show, as texts and tables that the browser lays out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict


class Table(TypedDict, total=False):
    """Rows of texts; each begins with its name. A row of nothing but a name is the heading of those
    below it."""

    columns: list[str]
    rows: list[list[str]]
    best: list[list[int]]
    """For each row, the columns of its best values, where they are marked."""


class Drawing(TypedDict):
    """An SVG element that the server drew, with a caption."""

    svg: str
    caption: str


class Picture(TypedDict):
    """A PNG in base64, what it shows, and a caption of a few characters."""

    png: str
    name: str
    caption: str


class Gallery(TypedDict):
    """Small pictures under a heading."""

    title: str
    text: str
    pictures: list[Picture]


class Matrix(TypedDict):
    """How often a digit (row) was answered with a digit (column), under a heading."""

    title: str
    text: str
    counts: list[list[int]]


class Section(TypedDict, total=False):
    """One block of a sheet. Its parts are optional, and shown in this order."""

    title: str
    wide: bool
    """Whether it takes the whole width."""
    text: str
    picture: str
    """An SVG element: the QR code of the address above it."""
    drawings: list[Drawing]
    table: Table
    matrix: Matrix
    galleries: list[Gallery]
    facts: list[tuple[str, str]]
    """Names and values."""


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
