"""Contents: which drawings a collection holds, and where, without keeping the drawings."""

from __future__ import annotations

import re
from array import array

from edge_app.digits.collection import Collection, State, identity
from edge_app.digits.labelled import LabelledDrawing, parse_line
from edge_app.digits.strokes import DrawingError

MOST = 50_000
"""The latest drawings of a collection, more than its default limit holds; older ones are left out,
to bound time and memory."""
_LINE = re.compile(rb"[^\n]*\n")
_LABEL = re.compile(rb'\s*\{"label": ?([0-9]),')
"""How lines begin that the app or a program in Python wrote."""


class Contents:
    """The latest drawings of a collection, the oldest first; 25 bytes of memory for each.

    One thread at a time may use it.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._state = State(0, 0)
        self._end = 0
        self.labels = array("B")
        """0 to 9."""
        self.names = array("Q")
        """See :func:`edge_app.digits.collection.identity`, as numbers."""
        self._starts = array("q")
        self._lengths = array("l")

    def __len__(self) -> int:
        return len(self.labels)

    def update(self) -> None:
        """Read on, or all of it again if drawings have been removed.

        Raises:
            CollectionError: the file cannot be read, or holds something else by now.
        """
        state = self._collection.state()
        if state.edition != self._state.edition:
            self._forget(len(self))
            self._end = 0
        self._state = state
        while self._end < state.size:
            block = self._collection.read(self._end)
            if not block:
                break
            for line in _LINE.findall(block):
                self._add(line)
                self._end += len(line)
            self._forget(len(self) - MOST)

    def _add(self, line: bytes) -> None:
        match = _LABEL.match(line)
        try:
            label = int(match[1]) if match else parse_line(_text(line)).label
        except (DrawingError, UnicodeDecodeError):
            return  # Among someone else's drawings; training would complain.
        self.labels.append(label)
        self.names.append(int(identity(line), 16))
        kept = line.lstrip()
        self._starts.append(self._end + len(line) - len(kept))
        self._lengths.append(len(kept))

    def _forget(self, oldest: int) -> None:
        for column in (self.labels, self.names, self._starts, self._lengths):
            del column[: max(0, oldest)]

    def where(self, number: int) -> tuple[int, str]:
        """Where the drawing's line begins, in bytes, and its name, as
        :meth:`edge_app.digits.collection.Collection.discard` takes them."""
        return self._starts[number], f"{self.names[number]:016x}"

    def drawing(self, number: int) -> LabelledDrawing | None:
        """Read a drawing; None if it is no longer there, or damaged."""
        start, name = self.where(number)
        line = self._collection.read(start, self._lengths[number]).partition(b"\n")[0]
        if identity(line) != name:
            return None
        try:
            return parse_line(_text(line))
        except (DrawingError, UnicodeDecodeError):
            return None


def _text(line: bytes) -> str:
    return line.decode("utf-8-sig")
