"""Contents: what a collection holds, kept up to date as drawings come and go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge_app.digits import contents as module
from edge_app.digits.collection import Collection, CollectionError
from edge_app.digits.contents import Contents
from edge_app.digits.labelled import LabelledDrawing, format_line

KEY = "a key of 16 letters"


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with closing(Collection(tmp_path / "drawings.jsonl", 1_000_000, print)) as opened:
        yield opened


@pytest.fixture
def contents(collection: Collection) -> Contents:
    return Contents(collection)


def labels(contents: Contents) -> list[int]:
    """Those of all drawings, which are found again."""
    contents.update()
    for number, label in enumerate(contents.labels):
        drawing = contents.drawing(number)
        assert drawing
        assert drawing.label == label
    return list(contents.labels)


def test_it_follows_what_is_stored_and_removed(
    collection: Collection, contents: Contents, drawings: list[LabelledDrawing]
) -> None:
    assert labels(contents) == []
    for drawing in drawings[:3]:
        collection.save(drawing)
    collection.save(drawings[3], KEY)
    assert labels(contents) == [0, 1, 2, 3]
    collection.save(drawings[4])
    collection.remove(KEY)
    assert labels(contents) == [0, 1, 2, 4]
    for number, left in ((0, [1, 2, 4]), (2, [1, 2])):  # The first one, and the last one.
        assert collection.discard(*contents.where(number)) == len(left)
        assert labels(contents) == left
    again = Contents(collection)
    assert labels(again) == [1, 2]
    assert again.names == contents.names


def test_a_drawing_is_discarded_once_and_no_other_in_its_place(
    collection: Collection, contents: Contents, drawings: list[LabelledDrawing]
) -> None:
    for drawing in drawings[:2]:
        collection.save(drawing, f"{KEY} {drawing.label}")
    contents.update()
    first, last = contents.where(0), contents.where(1)
    for place in ((first[0], last[1]), (last[0] + 1, last[1]), (10**15, last[1])):
        with pytest.raises(CollectionError, match="no longer there"):
            collection.discard(*place)
    collection.discard(*last)
    collection.save(drawings[2])
    with pytest.raises(CollectionError, match="no longer there"):
        collection.discard(*last)
    assert collection.remove(f"{KEY} 1") == 2  # Who stored it may still try.
    assert contents.drawing(1) is None  # Before it is brought up to date.
    assert labels(contents) == [0, 2]


def test_lines_of_other_programs_are_read_and_those_that_are_no_drawings_are_not(
    collection: Collection, contents: Contents, drawings: list[LabelledDrawing]
) -> None:
    line = '{"strokes": [[[1, 2]]], "label": 7}'
    spaced = '{"label": 6, "strokes": [[[1, 2]]]}'
    others = f"\ufeff{line}\r\n\n[]\n{spaced}\n{format_line(drawings[5])}"
    collection.path.write_text(others, encoding="utf-8")
    assert labels(contents) == [7, 6, 5]


def test_only_the_latest_of_very_many_are_kept(
    collection: Collection,
    contents: Contents,
    drawings: list[LabelledDrawing],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST", 4)
    for drawing in drawings[:6]:
        collection.save(drawing)
    assert labels(contents) == [2, 3, 4, 5]
    collection.save(drawings[6])
    assert labels(contents) == [3, 4, 5, 6]


def test_a_line_that_is_longer_than_a_block_is_read_whole(
    collection: Collection, drawings: list[LabelledDrawing]
) -> None:
    for drawing in drawings:
        collection.save(drawing)
    whole = collection.path.read_bytes()
    found, start = [], 0
    while block := collection.read(start, 100):
        found.append(block)
        start += len(block)
    assert len(found) == len(drawings)
    assert b"".join(found) == whole
