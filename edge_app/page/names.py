"""Names of models that are short enough for one line about all of them."""

from __future__ import annotations

_INITIALS = 3
"""Names of so many letters are abbreviations."""


def short(name: str, title: str) -> str:
    """For people: "MLP", but "Simple Dense"."""
    return name.upper() if len(name) <= _INITIALS else title
