"""The class so far: what the tab says of the stored drawings, and that it keeps nobody waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_app.digits.collection import Collection, identity
from edge_app.digits.labelled import LabelledDrawing, format_line
from edge_app.models.classifier import Model
from edge_app.models.readings import NONE, NOT_SURE
from edge_app.page import classroom as module
from edge_app.page.classroom import SHOWN, Classroom, disagreement, viewers


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with closing(Collection(tmp_path / "drawings.jsonl", 10_000_000, print)) as opened:
        yield opened


@pytest.fixture
def room(models: dict[str, Model], collection: Collection) -> Classroom:
    return Classroom(models, "int8", collection)


async def settled(room: Classroom, **request: Any) -> dict[str, Any]:
    """What is shown once everything is classified."""
    seen = await room.look(request)
    while seen["classified"] < seen["count"]:
        await asyncio.sleep(0.01)
        seen = await room.look(request)
    return seen


def test_it_counts_shows_and_compares_the_drawings(
    room: Classroom, collection: Collection, page_drawings: list[LabelledDrawing]
) -> None:
    for drawing in page_drawings:
        collection.save(drawing)
    wrong = LabelledDrawing(3, page_drawings[-1].strokes)  # It is a 9.
    collection.save(wrong)
    seen = asyncio.run(settled(room))
    assert seen["count"] == seen["classified"] == 21
    assert seen["digits"] == [2, 2, 2, 3, 2, 2, 2, 2, 2, 2]
    assert (seen["page"], seen["pages"]) == (0, 1)
    assert [model["name"] for model in seen["models"]] == ["Simple Dense", "MLP", "CNN"]
    cnn = seen["models"][2]
    assert (cnn["read"], cnn["right"]) == (21, 20)
    assert cnn["confusion"][3] == [0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0]
    shown = {each["note"] for each in seen["drawings"] if each["label"] == 3}
    assert any("MLP: 9, CNN: 9" in note for note in shown)
    [*pictures] = (each["strokes"] for each in seen["drawings"])
    numbers = [number for picture in pictures for stroke in picture for number in stroke]
    assert min(numbers) == 8
    assert max(numbers) == 92
    assert all(type(number) is int for number in numbers)


def test_those_of_one_digit_and_page_after_page(
    room: Classroom, collection: Collection, drawings: list[LabelledDrawing]
) -> None:
    lines = [format_line(drawings[number % 2]) for number in range(2 * SHOWN + 20)]
    collection.path.write_text("".join(lines))

    nonsense: list[Any] = [None, [], {"digit": True, "page": "x"}, {"digit": 10, "page": -1}]

    async def look() -> None:
        ids = []
        for page in (0, 1, 2, 3):  # The last one is shown if there are no more.
            seen = await room.look({"page": page})
            assert (seen["page"], seen["pages"]) == (min(page, 2), 3)
            ids.append([each["id"] for each in seen["drawings"]])
        assert [len(page) for page in ids] == [SHOWN, SHOWN, 20, 20]
        assert len({each for page in ids for each in page}) == len(lines)
        seen = await room.look({"digit": 1})
        assert {each["label"] for each in seen["drawings"]} == {1}
        assert seen["digits"][:3] == [SHOWN + 10, SHOWN + 10, 0]
        for request in nonsense:
            assert (await room.look(request))["pages"] == 3

    asyncio.run(look())


def test_who_disagrees_comes_first() -> None:
    readings = np.array(
        [
            [[4, 4], [4, 4]],
            [[4, 4], [4, NOT_SURE]],
            [[4, 4], [9, 4]],  # Variants of a model differ.
            [[4, 4], [NONE, NONE]],
            [[4, 9], [4, 4]],  # Models differ.
            [[NONE, NONE], [NONE, NONE]],
            [[9, 9], [4, 4]],
        ],
        np.uint8,
    )
    assert disagreement(readings, 1).tolist() == [0, 1, 3, 0, 7, 0, 5]
    assert disagreement(readings[:0], 1).tolist() == []


def test_nothing_is_classified_while_somebody_draws_and_each_drawing_once(
    room: Classroom,
    collection: Collection,
    drawings: list[LabelledDrawing],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added: list[int] = []
    add = room._readings.add

    def count(name: int, drawing: LabelledDrawing | None) -> None:
        added.append(name)
        add(name, drawing)

    monkeypatch.setattr(room._readings, "add", count)
    for drawing in drawings:
        collection.save(drawing)

    async def watch() -> None:
        monkeypatch.setattr(module, "QUIET_S", 1e6)
        room.wait()
        assert (await room.look({}))["classified"] == 0
        await asyncio.sleep(0.05)
        assert added == []
        assert await room.progress() == {"count": 10, "classified": 0}
        assert room._work
        room._work.cancel()
        await asyncio.sleep(0)
        monkeypatch.setattr(module, "QUIET_S", 0)
        await settled(room)
        assert len(added) == 10
        collection.save(drawings[0])  # The same once more is known.
        assert (await room.look({}))["classified"] == 11
        collection.save(LabelledDrawing(1, drawings[4].strokes))
        assert (await settled(room))["count"] == 12
        assert len(added) == 11

    asyncio.run(watch())


def test_a_download_has_what_training_reads(
    room: Classroom, collection: Collection, drawings: list[LabelledDrawing]
) -> None:
    lines = [format_line(drawing) for drawing in drawings * 30]
    collection.path.write_text("\ufeff" + "".join(lines), encoding="utf-8")
    collection.state()  # Opens the new file.
    where = len("\ufeff".encode()) + len(lines[0])
    collection.discard(where, identity(lines[1].encode()))

    async def download() -> list[bytes]:
        return [block async for block in room.lines()]

    blocks = asyncio.run(download())
    assert len(blocks) > 1
    assert b"".join(blocks).decode() == "".join([lines[0], *lines[2:]])


def test_a_drawing_is_removed_where_that_is_allowed_and_nowhere_else(
    room: Classroom, collection: Collection, drawings: list[LabelledDrawing]
) -> None:
    assert [each.__name__ for each in viewers(room, removable=False)] == ["classroom", "progress"]
    look, _, discard = viewers(room, removable=True)
    for drawing in drawings:
        collection.save(drawing)

    async def remove() -> None:
        for request in (None, {}, {"id": 3}, {"id": "0"}, {"id": "0-" + 16 * "g"}):
            assert "not one of a drawing" in (await discard(request))["error"]
        seen = await look({"digit": 4})
        assert seen["removable"]
        [four] = seen["drawings"]
        assert await discard({"id": four["id"]}) == {"count": 9}
        assert "no longer there" in (await discard({"id": four["id"]}))["error"]
        assert (await look({"digit": 4}))["drawings"] == []

    asyncio.run(remove())


def test_a_file_that_is_gone_is_said(room: Classroom, collection: Collection) -> None:
    collection.path.unlink()
    collection.path.write_text("Dear diary\n")
    look, *_ = viewers(room, removable=False)
    assert "not a labelled drawing" in asyncio.run(look({}))["error"]
