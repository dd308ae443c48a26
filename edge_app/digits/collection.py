"""The collection: drawings and their labels, in a file to which each adds a line.

The file is JSON Lines; :mod:`edge_app.digits.labelled` and ``python -m convert train`` read it.
A drawing is on the disk when :meth:`Collection.save` returns. A power cut loses at most the one
being written; its torn line is removed when the app starts again.

The last line is removed by cutting it off. Another one is overwritten with spaces, its line break
too: JSON allows spaces before the next line's drawing, so that nothing needs to be moved.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import mmap
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from edge_app.digits.labelled import LabelledDrawing, format_line, parse_drawing, parse_line
from edge_app.digits.strokes import DrawingError
from edge_app.errors import UserError

DEFAULT_LIMIT = 50_000_000
"""Bytes: some 30,000 drawings."""

_REMOVABLE = 1000
"""How many of the latest drawings can be removed again."""
_BLOCK = 1 << 20
_OWN_START = b'{"label":'
"""How every line begins that was written here."""


class CollectionError(UserError):
    """Drawings cannot be stored in a file, now or ever."""


class State(NamedTuple):
    """How far a file can be read."""

    edition: int
    """Another number once lines are gone or have moved; what was read before may be wrong then."""
    size: int
    """Of the file, in bytes."""


class Collection:
    """A file of labelled drawings, open in one app. Its methods may be called in any thread.

    Args:
        path: the file; created if it does not exist.
        limit: the largest size of the file, in bytes.
        report: called with a sentence if a torn line was removed.

    Raises:
        CollectionError: it cannot be written, is in use by another app, or holds
            something other than labelled drawings.
    """

    def __init__(self, path: Path, limit: int, report: Callable[[str], None]) -> None:
        self.path = path
        self._limit = limit
        self._report = report
        self._lock = threading.RLock()
        self._descriptor = -1
        self._size = 0
        self._count = 0
        self._edition = 0
        self._places: dict[str, tuple[int, int] | None] = {}
        """By key, where the latest drawings' lines are, and how long, in bytes; None if removed."""
        if path.suffix == ".gz":
            raise CollectionError(f"{path} is a .gz file, which cannot grow; choose another.")
        self._open()

    @property
    def count(self) -> int:
        """How many drawings the file holds."""
        return self._count

    def close(self) -> None:
        """Release the file, so that another app can use it."""
        with self._lock:
            self._close()

    def save(self, drawing: LabelledDrawing, key: str | None = None) -> int:
        """Store a drawing durably.

        Args:
            drawing: stored once, however often it comes with the same key.
            key: for :meth:`remove`; secret, because whoever knows it can remove the drawing.

        Returns:
            How many drawings there are now.

        Raises:
            CollectionError: it is not stored: the file or the disk is full, or cannot be written.
        """
        line = format_line(drawing).encode()
        with self._lock:
            self._reopen_changed()
            if key is not None and self._places.get(key):
                return self._count
            if self._size + len(line) > self._limit:
                raise CollectionError(
                    f"The drawing is not stored: {self.path} has reached its limit of "
                    f"{self._limit:,} bytes (--save-limit)."
                )
            try:
                self._append(line)
            except OSError as error:
                raise CollectionError(
                    f"The drawing is not stored: {self.path} cannot be written ({error.strerror})."
                ) from error
            if key is not None:
                self._places[key] = (self._size, len(line))
                if len(self._places) > _REMOVABLE:
                    del self._places[next(iter(self._places))]
            self._size += len(line)
            self._count += 1
            return self._count

    def remove(self, key: str) -> int:
        """Remove a drawing that was stored with this key: one of the latest 1,000 of this app.

        It may have been removed already, by a call whose answer was lost.

        Returns:
            How many drawings there are now.

        Raises:
            CollectionError: there is none, or the file cannot be written.
        """
        with self._lock:
            self._reopen_changed()
            if key not in self._places:
                raise CollectionError(
                    f"The drawing stays stored: only the latest {_REMOVABLE:,} since the app "
                    "started can be taken back."
                )
            place = self._places[key]
            if place is None:
                return self._count
            self._remove(*place)
            self._places[key] = None
            return self._count

    def state(self) -> State:
        """How far :meth:`read` reads now.

        Raises:
            CollectionError: someone has put something else in the file's place.
        """
        with self._lock:
            self._reopen_changed()
            return State(self._edition, self._size)

    def read(self, start: int, least: int = _BLOCK) -> bytes:
        """Read whole lines.

        Args:
            start: where a line begins, in bytes.
            least: how much to read, in bytes; more if the first line is longer.

        Returns:
            Lines with their line breaks; empty at the end of the file. A line may begin with
            spaces: there was a drawing that is removed.

        Raises:
            CollectionError: the file cannot be read.
        """
        with self._lock:
            try:
                while content := os.pread(self._descriptor, least, start):
                    if end := content.rfind(b"\n") + 1:
                        return content[:end]
                    if start + len(content) >= self._size:
                        break  # Someone else is writing.
                    least *= 2
            except OSError as error:
                raise CollectionError(
                    f"The drawings in {self.path} cannot be read ({error.strerror})."
                ) from error
        return b""

    def discard(self, start: int, name: str) -> int:
        """Remove any drawing, whoever stored it.

        Args:
            start: where its line begins, without spaces before it, in bytes.
            name: see :func:`identity`; it may have been removed, and the file may have changed.

        Returns:
            How many drawings there are now.

        Raises:
            CollectionError: it is not there, or the file cannot be written.
        """
        with self._lock:
            self._reopen_changed()
            line = self.read(start, 1 << 16).partition(b"\n")[0]
            if identity(line) != name or not _is_drawing(line, first=start == 0):
                raise CollectionError(
                    "That drawing is no longer there; open this tab again to see those that are."
                )
            self._remove(start, len(line) + 1)
            for key, place in self._places.items():
                if place and place[0] == start:
                    self._places[key] = None
            return self._count

    def _remove(self, start: int, length: int) -> None:
        try:
            self._erase(start, length)
        except OSError as error:
            self._close()  # The next call finds out what the file holds.
            raise CollectionError(
                f"The drawing may still be stored: {self.path} cannot be written "
                f"({error.strerror})."
            ) from error
        self._edition += 1
        self._count -= 1

    def _erase(self, start: int, length: int) -> None:
        if start + length == self._size:
            os.ftruncate(self._descriptor, start)
            self._size = start
            os.fsync(self._descriptor)
            return
        # The file's own descriptor writes at its end only.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(descriptor, b" " * length, start)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _reopen_changed(self) -> None:
        """Open the file again if someone moved, emptied or edited it."""
        if self._changed():
            self._close()
            self._open()

    def _append(self, line: bytes) -> None:
        try:
            rest = line
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError:
            # If this fails too, the next call finds the size changed and repairs the file.
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise

    def _changed(self) -> bool:
        """Whether the file is not the one that this object last wrote."""
        try:
            there = self.path.stat()
            return (
                not os.path.samestat(there, os.fstat(self._descriptor))
                or there.st_size != self._size
            )
        except OSError:
            return True

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._places.clear()

    def _open(self) -> None:
        try:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
            self._descriptor = os.open(self.path, flags, 0o644)
            if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
                raise CollectionError(
                    f"{self.path} is not a regular file; choose another for --save-drawings."
                )
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._edition += 1
            self._repair()
            _sync_folder(self.path.parent)
        except BlockingIOError as error:
            self._close()
            raise CollectionError(
                f"Another app stores drawings in {self.path}; stop it, or choose another file."
            ) from error
        except OSError as error:
            self._close()
            raise CollectionError(
                f"Drawings cannot be stored in {self.path} ({error.strerror}); "
                "choose another file for --save-drawings."
            ) from error
        except CollectionError:
            self._close()
            raise

    def _repair(self) -> None:
        """Count the drawings, and mend the end of the file if a power cut tore it."""
        self._size, self._count = os.fstat(self._descriptor).st_size, 0
        if not self._size:
            return
        with mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ) as content:
            start = content.rfind(b"\n", 0, self._size - 1) + 1
            first, last = content[: content.find(b"\n") + 1] if start else b"", content[start:]
            blocks = range(0, start, _BLOCK)
            self._count = sum(content[at : min(at + _BLOCK, start)].count(b"\n") for at in blocks)
        last = last.lstrip(b" ")  # Drawings that were removed.
        if start and not _is_drawing(first, first=True):
            raise self._foreign(1)
        if not last:
            pass
        elif _is_drawing(last, first=not start):
            self._count += 1
            if not last.endswith(b"\n"):
                self._size += os.write(self._descriptor, b"\n")
        elif _is_torn(last, first=not start):
            os.ftruncate(self._descriptor, start)
            self._size = start
            self._report(f"{self.path} ended in a line cut off, as by a power cut; it is removed.")
        else:
            raise self._foreign(self._count + 1)
        os.fsync(self._descriptor)

    def _foreign(self, line: int) -> CollectionError:
        return CollectionError(
            f"Line {line} of {self.path} is not a labelled drawing; "
            "choose another file for --save-drawings."
        )


def identity(line: bytes) -> str:
    """A name for the drawing in a line: 16 hexadecimal digits, the same for the same line."""
    return hashlib.blake2b(line.strip(), digest_size=8).hexdigest()


def keepers(collection: Collection) -> tuple[Callable[[object], dict[str, Any]], ...]:
    """The functions that the page calls by name, in threads: a memory card can be slow."""

    def save(drawing: object) -> dict[str, Any]:
        """Store ``{"strokes": [...], "label": 0 to 9, "key": text}``; returns the count, or an
        error. Without a key of 16 to 64 characters it cannot be removed again."""
        try:
            labelled = parse_drawing(drawing)
            return {"count": collection.save(labelled, _key(drawing))}
        except UserError as error:
            return {"error": str(error)}

    def remove(request: object) -> dict[str, Any]:
        """Remove the drawing with a ``{"key": text}``; returns the count, or an error."""
        try:
            return {"count": collection.remove(_key(request) or "")}
        except UserError as error:
            return {"error": str(error)}

    def stored(_: object) -> dict[str, Any]:
        """Return the count."""
        return {"count": collection.count}

    return save, remove, stored


def _key(request: object) -> str | None:
    key = request.get("key") if isinstance(request, dict) else None
    return key if isinstance(key, str) and 16 <= len(key) <= 64 else None


def _is_drawing(line: bytes, *, first: bool) -> bool:
    try:
        parse_line(line.decode("utf-8-sig" if first else "utf-8"))
    except (DrawingError, UnicodeDecodeError):
        return False
    return True


def _is_torn(line: bytes, *, first: bool) -> bool:
    """Whether a line that is not a drawing is the beginning of one that was written here.

    What a file system has not written when the power fails can also read as zeros. If it is the
    first line, the file may be someone else's, so a format that begins with a zero or with our
    first character is not taken for ours.
    """
    begun = (
        line.startswith(_OWN_START) or not line.strip(b"\0")
        if first
        else line.startswith((_OWN_START, b"\0")) or _OWN_START.startswith(line.rstrip(b"\n"))
    )
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return begun
    return False


def _sync_folder(folder: Path) -> None:
    """Make a new file's name durable as well."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
