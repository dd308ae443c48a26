"""Markdown: a file whose marked part is the benchmarks' own output, such as the README."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from benchmarks.report.tables import Part
from benchmarks.report.terminal import print_text, warn
from edge_app.errors import UserError

BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"
"""Lines of their own; what stands between them is replaced."""

_MARKED = re.compile(rf"^{BEGIN}$.*?^{END}$", re.DOTALL | re.MULTILINE)


class MarkdownError(UserError):
    """A file without a place for the output."""


def read_marked(path: Path) -> str:
    """A Markdown file's text.

    Raises:
        MarkdownError: it cannot be read, or has no two marks.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise MarkdownError(
            f"{path} cannot be read ({reason}); name a Markdown file that exists."
        ) from error
    if not _MARKED.search(text):
        raise MarkdownError(
            f"{path} has no place for the tables; expected two lines {BEGIN!r} and {END!r}."
        )
    return text


def fill(text: str, parts: Iterable[Part], warnings: Iterable[str]) -> str:
    """The text with these tables, and why not to trust them, and nothing else between its marks."""
    block = f"{BEGIN}\n```\n{print_text(parts)}{warn(warnings)}```\n{END}"
    return _MARKED.sub(lambda _: block, text)
