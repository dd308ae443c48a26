"""The collection: what is stored stays, what is torn is mended, what is foreign is left alone."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import App, call, component, start
from edge_app.digits.collection import Collection, CollectionError
from edge_app.digits.labelled import LabelledDrawing, format_line, parse_line, read_json_lines

ONE = LabelledDrawing(1, [np.array([[500.0, 100.0], [500.0, 900.0]])])
LINE = '{"label":1,"strokes":[[[500,100],[500,900]]]}\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "drawings.jsonl"


@pytest.fixture
def reports() -> list[str]:
    return []


Collect = Callable[..., Collection]


@pytest.fixture
def collect(path: Path, reports: list[str]) -> Iterator[Collect]:
    """Opens the collection; those that a test opened are closed after it."""
    with contextlib.ExitStack() as opened:

        def collect(limit: int = 1_000_000) -> Collection:
            return opened.enter_context(contextlib.closing(Collection(path, limit, reports.append)))

        yield collect


# The file


def test_a_drawing_a_line_as_training_reads_them(
    collect: Collect, path: Path, drawings: list[LabelledDrawing]
) -> None:
    collection = collect()
    assert [collection.save(drawing) for drawing in drawings] == list(range(1, 11))
    assert collection.count == 10
    for read, drawing in zip(read_json_lines(path), drawings, strict=True):
        assert read.label == drawing.label
        assert [line.tolist() for line in read.strokes] == [
            line.tolist() for line in drawing.strokes
        ]


def test_whole_numbers_are_written_as_such_and_others_exactly() -> None:
    assert format_line(ONE) == LINE
    fine = LabelledDrawing(0, [np.array([[0.1 + 0.2, -1e-7], [1e6, 2.0]]), np.array([[3.0, 4.0]])])
    line = format_line(fine)
    assert line.endswith(",[[3,4]]]}\n")
    assert (parse_line(line).strokes[0] == fine.strokes[0]).all()


@pytest.mark.parametrize("mark", ["", "\ufeff"])  # As Notepad writes it.
def test_what_was_there_stays_and_is_counted(collect: Collect, path: Path, mark: str) -> None:
    path.write_text(mark + LINE * 5)
    collection = collect()
    assert collection.count == 5
    assert collection.save(ONE) == 6
    assert path.read_text() == mark + LINE * 6


def test_the_file_s_name_and_each_drawing_are_on_the_disk_before_they_count(
    collect: Collect, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[Path, int]] = []

    def fsync(descriptor: int) -> None:
        target = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append((target, target.stat().st_size if target.is_file() else 0))

    monkeypatch.setattr(os, "fsync", fsync)
    collection = collect()
    assert (path.parent, 0) in synced
    synced.clear()
    collection.save(ONE)
    collection.save(ONE)
    assert synced == [(path, len(LINE)), (path, 2 * len(LINE))]


def test_many_at_once_each_get_a_line(collect: Collect, path: Path) -> None:
    drawn = [LabelledDrawing(number % 10, [np.full((200, 2), number)]) for number in range(200)]
    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(collect().save, drawn)) == list(range(1, 201))
    read = read_json_lines(path)
    assert sorted(int(drawing.strokes[0][0, 0]) for drawing in read) == list(range(200))


# Removal


def labels(path: Path) -> list[int]:
    return [drawing.label for drawing in read_json_lines(path)]


def test_what_is_removed_is_gone_and_every_other_drawing_stays(
    collect: Collect, path: Path, reports: list[str]
) -> None:
    path.write_text(LINE)
    collection = collect()
    for label in range(2, 8):
        collection.save(LabelledDrawing(label, ONE.strokes), f"key {label}")
    left = [1, *range(2, 8)]
    for label in (4, 3, 6, 7):  # One in front of another, and the last after another.
        left.remove(label)
        assert collection.remove(f"key {label}") == len(left)
        assert labels(path) == left
        assert f'"label":{label}' not in path.read_text()
        assert collection.remove(f"key {label}") == len(left)  # Perhaps the answer was lost.
    for _ in range(2):
        assert collection.count == len(left)
        collection.close()
        collection = collect()
        assert collection.save(ONE) == len(left) + 1
        left.append(1)
        assert labels(path) == left
    assert reports == []
    with pytest.raises(
        CollectionError, match="stays stored: only the latest 1,000 since"
    ):  # Keys are known to the app that they were given to.
        collection.remove("key 2")


def test_a_line_torn_after_a_removed_one_is_removed_as_well(
    collect: Collect, path: Path, reports: list[str]
) -> None:
    collection = collect()
    for key in ("first", "second"):
        collection.save(ONE, key)
    collection.remove("first")
    collection.close()
    whole = path.read_text()
    path.write_text(whole + whole[:-9])
    assert collect().count == 1
    assert (path.read_text(), len(reports)) == (whole, 1)


def test_a_drawing_with_a_known_key_is_not_stored_twice(collect: Collect, path: Path) -> None:
    collection = collect()
    assert [collection.save(ONE, key) for key in ("one", "one", "other")] == [1, 1, 2]
    assert collection.remove("one") == 1
    assert collection.save(ONE, "one") == 2  # It can be stored again.
    for number in range(1000):
        collection.save(ONE, f"later {number}")
    with pytest.raises(CollectionError):  # Only so many keys are remembered.
        collection.remove("other")
    assert collection.remove("later 0") == 1001
    path.write_text(LINE * 3)  # What was stored under these keys is not there any more.
    with pytest.raises(CollectionError):
        collection.remove("later 1")
    assert path.read_text() == LINE * 3


def test_a_disk_that_fails_a_removal_costs_no_other_drawing(
    collect: Collect, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    collection = collect()
    for others in range(2):  # The file ends with the drawing, or does not.
        for number in range(others + 1):
            collection.save(ONE, f"key {number}")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fails)
            with pytest.raises(CollectionError, match=r"may still be stored: .* cannot be written"):
                collection.remove("key 0")
        assert collection.save(ONE) == others + 1
        assert labels(path) == [1] * (others + 1)
        path.write_text("")


# After a power cut


@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_line_torn_anywhere_is_removed_and_no_other(
    collect: Collect, path: Path, reports: list[str], before: int
) -> None:
    # As the first line, less of it could be anybody's.
    for end in range(1 if before else len('{"label":'), len(LINE) - 1):
        path.write_text(LINE * before + LINE[:end])
        collection = collect()
        assert path.read_text() == LINE * before
        assert "cut off" in reports.pop()
        assert collection.save(ONE) == before + 1
        assert path.read_text() == LINE * (before + 1)
        collection.close()


@pytest.mark.parametrize(
    "content", [LINE + "\0" * 40, LINE + LINE[:20] + "\0" * 20, LINE + "\0" + LINE[1:], "\0" * 40]
)
def test_zeros_that_were_never_written_are_removed(
    collect: Collect, path: Path, reports: list[str], content: str
) -> None:
    path.write_text(content)
    assert collect().count == content.startswith(LINE)
    assert path.read_text() == (LINE if content.startswith(LINE) else "")
    assert len(reports) == 1


def test_a_whole_last_line_without_its_end_is_kept(
    collect: Collect, path: Path, reports: list[str]
) -> None:
    path.write_text(LINE + LINE.rstrip())
    collection = collect()
    assert (collection.count, path.read_text(), reports) == (2, LINE * 2, [])
    assert collection.save(ONE) == 3
    assert path.read_text() == LINE * 3


# What is in the way


@pytest.mark.parametrize(
    "content",
    [
        b"notes of mine\n",
        b"notes of mine\n" + LINE.encode(),
        LINE.encode() + b"notes of mine",
        b'{"label":"cat","strokes":[]}\n',
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"\0\0\x08\x01\0\0\0\x05\x07\x02\x01\0\x04",  # MNIST's labels look like this.
        bytes(40) + LINE.encode(),
        b"[" * 100_000,
        b'{"lab',
        LINE.encode()
        + b"\xef\xbb\xbf"
        + LINE.encode(),  # A byte order mark comes first or not at all.
    ],
)
def test_a_file_of_something_else_is_left_as_it_is(
    collect: Collect, path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    with pytest.raises(CollectionError, match=r"^Line [12] of .* is not a labelled drawing; "):
        collect()
    assert path.read_bytes() == content


def test_what_cannot_be_a_file_to_add_to_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path, sentence in {
        tmp_path: "Is a directory",
        fifo: "is not a regular file",
        Path("/dev/full"): "is not a regular file",
        tmp_path / "nowhere" / "drawings.jsonl": "No such file or directory",
        tmp_path / "drawings.jsonl.gz": "is a .gz file, which cannot grow",
    }.items():
        with pytest.raises(CollectionError, match=sentence):
            Collection(path, 1000, print)


def test_two_apps_do_not_share_a_file(collect: Collect) -> None:
    first = collect()
    with pytest.raises(CollectionError, match="Another app stores drawings in"):
        collect()
    first.close()
    assert collect().save(ONE) == 1


@pytest.mark.parametrize("rest", [0, len(LINE) - 1])
def test_the_file_may_be_filled_up_to_its_limit(collect: Collect, path: Path, rest: int) -> None:
    limit = 3 * len(LINE) + rest
    collection = collect(limit)
    assert [collection.save(ONE) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(CollectionError, match=rf"its limit of {limit} bytes \(--save-limit"):
        collection.save(ONE)
    assert collection.count == 3
    assert path.read_text() == LINE * 3


def test_a_full_disk_costs_the_new_drawing_only(
    collect: Collect, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection, write, room = collect(), os.write, [10]
    collection.save(ONE)

    def write_until_full(descriptor: int, content: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = write(descriptor, content[: room[0]])
        room[0] -= written
        return written

    def fails(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write_until_full)
        with pytest.raises(CollectionError, match=r"is not stored: .* \(No space left on device"):
            collection.save(ONE)
        assert path.read_text() == LINE
        # Not even what was begun can be taken back.
        room[0] = 10
        patch.setattr(os, "ftruncate", fails)
        with pytest.raises(CollectionError, match="No space left on device"):
            collection.save(ONE)
        assert path.read_text() == LINE + LINE[:10]
    assert collection.save(ONE) == 2
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(CollectionError, match="cannot be written"):
            collection.save(ONE)
    assert collection.save(ONE) == 3
    assert path.read_text() == LINE * 3


def test_a_file_moved_away_is_made_anew(collect: Collect, path: Path) -> None:
    collection, kept = collect(), path.with_name("kept.jsonl")
    collection.save(ONE)
    path.rename(kept)
    assert collection.save(ONE) == 1
    assert path.read_text() == kept.read_text() == LINE
    path.write_text(LINE * 7)
    assert collection.save(ONE) == 8
    path.write_text("notes of mine")
    for _ in range(2):
        with pytest.raises(CollectionError, match=r"Line 1 of .* is not a labelled drawing"):
            collection.save(ONE)
    path.unlink()
    assert collection.save(ONE) == 1


# In the app

STROKES = [[[500, 100], [500, 900]]]
STAYS = "The drawing stays stored: only the latest 1,000 since the app started can be taken back."
REFUSED = {"error": STAYS}


@pytest.mark.slow
def test_without_the_option_nothing_is_stored_or_offered(app: App) -> None:
    assert component(app, "canvas")["props"]["server_fns"] == ["answer", "explain", "photo"]
    assert component(app, "canvas")["props"]["props"]["saves"] is False
    drawing = {"strokes": STROKES, "label": 1}
    assert call(app, "canvas", "save", drawing).status_code == 404
    assert "Stores" not in app.printed("stdout")


@pytest.mark.slow
def test_the_app_stores_what_it_is_given_and_goes_on_after_a_power_cut(tmp_path: Path) -> None:
    path = tmp_path / "drawings.jsonl"

    def save(app: App, drawing: object) -> Any:
        return call(app, "canvas", "save", drawing).json()

    with start(tmp_path, "--save-drawings", path) as app:
        assert f"Stores:  drawings in {path}, 0 so far\n" in app.printed("stdout")
        functions = component(app, "canvas")["props"]["server_fns"]
        assert functions == ["answer", "explain", "photo", "save", "remove", "stored"]
        with ThreadPoolExecutor(8) as pool:
            drawn = [{"strokes": STROKES, "label": label} for label in range(10)]
            saved = pool.map(lambda drawing: save(app, drawing), drawn)
            assert sorted(answer["count"] for answer in saved) == list(range(1, 11))
        assert save(app, None)["error"].startswith("Found JSON of type NoneType; expected")
        key = "0123456789abcdef"
        assert save(app, {"strokes": STROKES, "label": 1, "key": key}) == {"count": 11}
        for request, answer in (
            ({"key": key}, {"count": 10}),
            ({"key": key[1:]}, REFUSED),
            ([], REFUSED),
        ):
            assert call(app, "canvas", "remove", request).json() == answer
        app.process.kill()
        app.process.wait()
    assert sorted(drawing.label for drawing in read_json_lines(path)) == list(range(10))
    with path.open("a") as file:
        file.write(LINE[:-9])
    with start(tmp_path, "--save-drawings", path, "--save-limit", str(11 * len(LINE))) as app:
        assert f"Stores:  drawings in {path}, 10 so far\n" in app.printed("stdout")
        assert f"edge_app: {path} ended in a line cut off" in app.printed("stderr")
        assert call(app, "canvas", "stored", []).json() == {"count": 10}
        assert save(app, {"strokes": STROKES, "label": 1}) == {"count": 11}
        assert "has reached its limit of 506 bytes" in save(app, drawn[0])["error"]
    assert len(read_json_lines(path)) == 11
