"""The class so far: the drawings that were stored, and what the models read in them."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.collection import Collection
from edge_app.digits.contents import Contents
from edge_app.digits.labelled import LabelledDrawing
from edge_app.errors import UserError
from edge_app.models.classifier import Classifier
from edge_app.models.readings import NONE, NOT_SURE, Readings
from edge_app.page.names import short
from edge_app.page.threads import BusyError, Threads

SHOWN = 48
"""Drawings that are shown at once."""
WAITING = 16
"""How many requests may wait for the thread that reads and classifies drawings."""
QUIET_S = 0.5
"""Seconds without anybody drawing until drawings are classified."""
NICENESS = 10
"""How far that thread stands back behind others."""
_BLOCK = 1 << 16
_POINTS = 200
"""The most points of a picture, which is too small to show more."""
_DISCARDABLE = re.compile(r"([0-9]{1,15})-([0-9a-f]{16})")


class Classroom:
    """Shows a collection. All its work is done in one thread, which stands back.

    Drawings are classified once, the newest first, from when somebody first looks; nothing is
    classified while somebody draws.

    Args:
        models: by name, in the order in which their answers are shown.
        variant: the one that the page starts with; it decides what a model reads.
        collection: the drawings.
    """

    def __init__(
        self, models: Mapping[str, Classifier], variant: str, collection: Collection
    ) -> None:
        self._collection = collection
        self._contents = Contents(collection)
        self._readings = Readings(models)
        self._names = [short(model.name, model.title) for model in models.values()]
        self._column = self._readings.variants.index(variant)
        self._threads = Threads(1, WAITING)
        self._work: asyncio.Task[None] | None = None
        self._next = -1
        self._drawn_at = -math.inf

    def wait(self) -> None:
        """Somebody draws: classify nothing for a moment."""
        self._drawn_at = time.monotonic()

    async def look(self, request: object) -> dict[str, Any]:
        """What the tab shows of the drawings.

        Args:
            request: ``{"digit": 0 to 9 or null, "page": 0 or more}``, unchecked: the drawings with
                a label, or all, ``SHOWN`` at a time.
        """
        seen: dict[str, Any] = await self._threads.run(self._look, request)
        if seen["classified"] < seen["count"] and (self._work is None or self._work.done()):
            self._work = asyncio.create_task(self._classify())
        return seen

    async def progress(self) -> dict[str, int]:
        """How many drawings there are, and how many of them are classified."""
        found: dict[str, int] = await self._threads.run(self._progress)
        return found

    async def discard(self, request: object) -> dict[str, Any]:
        """Remove the drawing with an ``{"id": text}``; returns the count, or an error."""
        name = request.get("id") if isinstance(request, dict) else None
        match = _DISCARDABLE.fullmatch(name) if isinstance(name, str) else None
        if match is None:
            return {"error": "The id is not one of a drawing; expected that of a drawing shown."}
        try:
            removed = self._collection.discard
            return {"count": await self._threads.run(removed, int(match[1]), match[2])}
        except UserError as error:
            return {"error": str(error)}

    async def lines(self) -> AsyncIterator[bytes]:
        """The drawings as JSON Lines, block by block."""
        start, size = 0, (await self._threads.run(self._collection.state)).size
        while start < size:
            block = await self._threads.run(self._collection.read, start, _BLOCK)
            if not block:
                break
            start += len(block)
            # Drawings that were removed have left spaces.
            yield re.sub(rb"^(\xef\xbb\xbf)? *", b"", block, flags=re.MULTILINE)

    def _look(self, request: object) -> dict[str, Any]:
        _stand_back()
        self._contents.update()
        self._next = len(self._contents) - 1
        labels = np.array(self._contents.labels, np.uint8)
        self._readings.keep(self._contents.names)
        readings = self._readings.of(self._contents.names)
        digit, page = _parse(request)
        found = np.arange(len(labels)) if digit is None else np.flatnonzero(labels == digit)
        usual = readings[found, :, self._column]
        wrong = ((usual != labels[found, None]) & (usual != NONE)).any(axis=1)
        order = found[np.lexsort((-found, ~wrong, -disagreement(readings[found], self._column)))]
        pages = max(1, math.ceil(len(order) / SHOWN))
        page = min(page, pages - 1)
        return {
            **self._progress(),
            "variant": self._readings.variants[self._column],
            "digits": np.bincount(labels, minlength=10).tolist(),
            "models": [
                {"name": name, **_confusion(labels, readings[:, number, self._column])}
                for number, name in enumerate(self._names)
            ],
            "page": page,
            "pages": pages,
            "drawings": [*self._shown(order[page * SHOWN : (page + 1) * SHOWN], readings)],
        }

    def _progress(self) -> dict[str, int]:
        names = self._contents.names
        return {
            "count": len(names),
            "classified": sum(name in self._readings for name in names),
        }

    def _shown(
        self, numbers: NDArray[np.intp], readings: NDArray[np.uint8]
    ) -> Iterator[dict[str, Any]]:
        for number in numbers.tolist():
            drawing = self._contents.drawing(number)
            if drawing is None:
                continue
            start, name = self._contents.where(number)
            yield {
                "id": f"{start}-{name}",
                "label": drawing.label,
                "strokes": _picture(drawing),
                "note": self._note(drawing.label, readings[number]),
            }

    def _note(self, label: int, readings: NDArray[np.uint8]) -> str:
        """Who reads something other than the label, and which variants read something else."""
        parts = []
        for name, row in zip(self._names, readings.tolist(), strict=True):
            usual = row[self._column]
            if usual not in (label, NONE):
                parts.append(f"{name}: {_word(usual)}")
            for variant, reading in zip(self._readings.variants, row, strict=True):
                if reading not in (usual, NONE):
                    parts.append(f"{name} {variant}: {_word(reading)}")
        more = f" and {len(parts) - 3} more" if len(parts) > 3 else ""
        return ", ".join(parts[:3]) + more

    async def _classify(self) -> None:
        """Classify what is left, and take half of the thread's time at most."""
        more = True
        while more:
            if time.monotonic() - self._drawn_at < QUIET_S:
                await asyncio.sleep(QUIET_S / 5)
                continue
            start = time.monotonic()
            try:
                more = await self._threads.run(self._classify_next)
            except BusyError:
                pass  # After those who wait.
            except UserError:
                return  # The file is gone; who looks next is told why.
            await asyncio.sleep(time.monotonic() - start)

    def _classify_next(self) -> bool:
        """Classify one drawing; returns whether there was one."""
        names = self._contents.names
        self._next = min(self._next, len(names) - 1)
        while self._next >= 0 and names[self._next] in self._readings:
            self._next -= 1
        if self._next < 0:
            return False
        self._readings.add(names[self._next], self._contents.drawing(self._next))
        return True


def disagreement(readings: NDArray[np.uint8], column: int) -> NDArray[np.int64]:
    """How much readings, uint8 (N, models, variants), differ in each drawing: int64 (N,).

    What counts most is whether models read different digits in the usual variant, whose column is
    given; then, whether variants of one model do; then, whether only some are sure.
    """
    usual = readings[:, :, column]
    return (
        4 * _differ(usual, NOT_SURE)
        + 2 * _differ(readings, NOT_SURE).any(axis=1)
        + (_differ(usual, NONE) | _differ(readings, NONE).any(axis=1))
    )


def _differ(readings: NDArray[np.uint8], limit: int) -> NDArray[np.bool_]:
    """Whether readings below the limit differ along the last axis."""
    counted = readings < limit
    least = np.where(counted, readings, 255).min(axis=-1)
    return np.where(counted, readings, 0).max(axis=-1) > least


def _confusion(labels: NDArray[np.uint8], readings: NDArray[np.uint8]) -> dict[str, Any]:
    """How often a model read what: rows are labels, columns digits and "not sure"."""
    known = readings != NONE
    cells = labels[known].astype(np.int64) * (NOT_SURE + 1) + readings[known]
    table = np.bincount(cells, minlength=10 * (NOT_SURE + 1)).reshape(10, NOT_SURE + 1)
    return {
        "read": int(table.sum()),
        "right": int(table[range(10), range(10)].sum()),
        "confusion": table.tolist(),
    }


def _picture(drawing: LabelledDrawing) -> list[list[int]]:
    """Strokes as x, y, x, y ... in a square of 100 by 100, with a margin for the pen."""
    points = np.concatenate(drawing.strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = 84 / max(*(high - low), 1e-9)
    step = math.ceil(len(points) / _POINTS)
    lines = []
    for stroke in drawing.strokes:
        part = np.concatenate([stroke[:-1:step], stroke[-1:]])
        line = np.rint((part - (low + high) / 2) * scale + 50).astype(np.int64)
        new = np.concatenate([[True], (np.diff(line, axis=0) != 0).any(axis=1)])
        lines.append(line[new].ravel().tolist())
    return lines


def _parse(request: object) -> tuple[int | None, int]:
    asked = request if isinstance(request, dict) else {}
    digit, page = asked.get("digit"), asked.get("page")
    return (
        digit if type(digit) is int and 0 <= digit <= 9 else None,
        page if type(page) is int and 0 <= page < 10**6 else 0,
    )


def _word(reading: int) -> str:
    return "not sure" if reading == NOT_SURE else str(reading)


def _stand_back() -> None:
    """Let every other thread of the device go first."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def viewers(room: Classroom, *, removable: bool) -> tuple[Callable[[object], Any], ...]:
    """The functions that the tab calls by name.

    Args:
        room: what they show.
        removable: whether drawings can be removed; else there is no function for it.
    """

    async def classroom(request: object) -> dict[str, Any]:
        """Return what the tab shows, or an error."""
        try:
            return {**await room.look(request), "removable": removable}
        except BusyError:
            raise
        except UserError as error:
            return {"error": str(error)}

    async def progress(_: object) -> dict[str, int]:
        """Return how many drawings there are, and how many of them are classified."""
        return await room.progress()

    async def discard(request: object) -> dict[str, Any]:
        """Remove a drawing; returns the count, or an error."""
        return await room.discard(request)

    return (classroom, progress, discard) if removable else (classroom, progress)
