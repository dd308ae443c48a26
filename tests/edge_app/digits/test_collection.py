"""The collection: what is stored stays, what is torn is mended, what is foreign is left alone."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import App, get, post, run, start
from edge_app.digits.collection import Collection, CollectionError, parse_size
from edge_app.digits.labelled import LabelledDrawing, format_line, parse_line, read_json_lines

ONE = LabelledDrawing(1, [np.array([[500.0, 100.0], [500.0, 900.0]])])
LINE = '{"label":1,"strokes":[[[500,100],[500,900]]]}\n'
ROOM = 1_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "drawings.jsonl"


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def collect(path: Path, reports: list[str]) -> Iterator[Callable[..., Collection]]:
    """Opens the collection; those that a test opened are closed after it."""
    opened: list[Collection] = []

    def collect(limit: int = ROOM) -> Collection:
        opened.append(Collection(path, limit, reports.append))
        return opened[-1]

    yield collect
    for each in opened:
        each.close()


Collect = Callable[..., Collection]


# The file


def test_a_drawing_a_line_as_training_reads_them(
    collect: Collect, path: Path, drawings: list[LabelledDrawing]
) -> None:
    collection = collect()
    assert [collection.save(drawing) for drawing in drawings] == list(range(1, 11))
    assert collection.count == 10
    for read, drawing in zip(read_json_lines(path), drawings, strict=True):
        assert read.label == drawing.label
        assert all(
            (one == other).all() for one, other in zip(read.strokes, drawing.strokes, strict=True)
        )


def test_whole_numbers_are_written_as_such_and_others_exactly() -> None:
    assert format_line(ONE) == LINE
    fine = LabelledDrawing(0, [np.array([[0.1 + 0.2, -1e-7], [1e6, 2.0]]), np.array([[3.0, 4.0]])])
    line = format_line(fine)
    assert line.endswith(",[[3,4]]]}\n")
    assert (parse_line(line).strokes[0] == fine.strokes[0]).all()


def test_what_was_there_stays_and_is_counted(collect: Collect, path: Path) -> None:
    path.write_text(LINE * 5)
    collection = collect()
    assert collection.count == 5
    assert collection.save(ONE) == 6
    assert path.read_text() == LINE * 6


def test_each_drawing_is_synced_before_it_counts(
    collect: Collect, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = collect()
    synced = []
    original = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        original(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    collection.save(ONE)
    collection.save(ONE)
    assert synced == [len(LINE), 2 * len(LINE)]
    assert path.stat().st_size == 2 * len(LINE)


def test_many_at_once_each_get_a_line(collect: Collect, path: Path) -> None:
    collection = collect()
    drawn = [LabelledDrawing(number % 10, [np.full((200, 2), number)]) for number in range(200)]
    with ThreadPoolExecutor(16) as pool:
        counts = list(pool.map(collection.save, drawn))
    assert sorted(counts) == list(range(1, 201))
    read = read_json_lines(path)
    assert sorted(int(drawing.strokes[0][0, 0]) for drawing in read) == list(range(200))


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
        assert reports.pop() == (
            f"The last line of {path} was cut off, as by a power cut: removed."
        )
        assert collection.save(ONE) == before + 1
        assert path.read_text() == LINE * (before + 1)
        collection.close()


@pytest.mark.parametrize("torn", ["\0" * 40, LINE[:20] + "\0" * 20, "\0" * 20 + LINE[20:]])
def test_zeros_that_were_never_written_are_removed(
    collect: Collect, path: Path, reports: list[str], torn: str
) -> None:
    path.write_text(LINE + torn)
    assert collect().count == 1
    assert path.read_text() == LINE
    assert len(reports) == 1


def test_a_first_drawing_of_which_only_zeros_were_written_is_removed(
    collect: Collect, path: Path, reports: list[str]
) -> None:
    path.write_bytes(bytes(40))
    assert collect().count == 0
    assert path.read_bytes() == b""
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
        b"notes of mine",
        b"notes of mine\n",
        b"notes of mine\n" + LINE.encode(),
        LINE.encode() + b"notes of mine\n",
        LINE.encode() + b"notes of mine",
        b'{"label":"cat","strokes":[]}\n',
        b'{"label":"cat","strokes":[]}',
        b'{"name":"x"}\n',
        b"[1, 2]",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"SQLite format 3\x00",
        "é".encode("latin-1"),
        b"\0\0\x08\x01\0\0\0\x05\x07\x02\x01\0\x04",  # MNIST's labels look like this.
        bytes(40) + LINE.encode(),
        b'{"lab',
        b"{",
        b"{\n",
        b"\n",
    ],
)
def test_a_file_of_something_else_is_left_as_it_is(
    collect: Collect, path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    with pytest.raises(CollectionError, match=r"^Line [12] of .* is no labelled drawing; choose"):
        collect()
    assert path.read_bytes() == content


def test_what_cannot_be_a_file_to_add_to_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path, sentence in {
        tmp_path: "Is a directory",
        fifo: "is no file",
        Path("/dev/full"): "is no file",
        tmp_path / "nowhere" / "drawings.jsonl": "No such file or directory",
        tmp_path / "drawings.jsonl.gz": "a .gz; choose another name",
    }.items():
        with pytest.raises(CollectionError, match=sentence):
            Collection(path, ROOM, print)


def test_two_apps_do_not_share_a_file(collect: Collect) -> None:
    first = collect()
    with pytest.raises(CollectionError, match="Another app stores drawings in"):
        collect()
    first.close()
    assert collect().save(ONE) == 1


def test_at_its_limit_nothing_more_is_stored(collect: Collect, path: Path) -> None:
    collection = collect(3 * len(LINE) + 1)
    assert [collection.save(ONE) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(CollectionError, match=r"has reached its limit of 139 bytes \(--save-lim"):
        collection.save(ONE)
    assert collection.count == 3
    assert path.read_text() == LINE * 3


def test_a_full_disk_costs_the_new_drawing_only(
    collect: Collect, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = collect()
    collection.save(ONE)
    original = os.write
    room = [10]

    def write(descriptor: int, content: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = original(descriptor, content[: room[0]])
        room[0] -= written
        return written

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(CollectionError, match=r"is not stored: .* \(No space left on device"):
            collection.save(ONE)
        assert path.read_text() == LINE
        # Not even what was begun can be taken back.
        room[0] = 10
        patch.setattr(os, "ftruncate", lambda *_: os.close(-1))
        with pytest.raises(CollectionError, match="No space left on device"):
            collection.save(ONE)
        assert path.read_text() == LINE + LINE[:10]
    assert collection.save(ONE) == 2
    assert path.read_text() == LINE * 2


def test_a_sync_that_fails_is_said(
    collect: Collect, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = collect()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: os.close(-1))
        with pytest.raises(CollectionError, match="cannot be written"):
            collection.save(ONE)
    assert collection.save(ONE) == 1
    assert path.read_text() == LINE


def test_a_file_moved_away_is_made_anew(collect: Collect, path: Path) -> None:
    collection = collect()
    collection.save(ONE)
    path.rename(path.with_name("kept.jsonl"))
    assert collection.save(ONE) == 1
    assert path.read_text() == path.with_name("kept.jsonl").read_text() == LINE
    path.unlink()
    assert collection.save(ONE) == 1
    path.write_text(LINE * 7)
    assert collection.save(ONE) == 8
    path.write_text("notes of mine")
    for _ in range(2):
        with pytest.raises(CollectionError, match=r"Line 1 of .* is no labelled drawing"):
            collection.save(ONE)
    path.unlink()
    assert collection.save(ONE) == 1


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("200000", 200_000),
        ("50MB", 50_000_000),
        (" 50 mb ", 50_000_000),
        ("1.5G", 1_500_000_000),
        ("20kB", 20_000),
        ("7B", 7),
    ],
)
def test_sizes_have_units(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-5", "0", "0.1", "1e3", "5 TB", "5 MiB", "5MB5", "٣"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid size .*; expected one such as 50MB"):
        parse_size(text)


# In the app


def canvas_of(app: App) -> dict[str, Any]:
    """The component that calls."""
    components = get(f"{app.url}/config").json()["components"]
    [canvas] = [each for each in components if each["props"].get("elem_id") == "canvas"]
    assert isinstance(canvas, dict)
    return canvas


def call(app: App, name: str, data: object) -> dict[str, Any]:
    """Call a function of the page as its canvas does."""
    request = {
        "data": data,
        "component_id": canvas_of(app)["id"],
        "fn_name": name,
        "session_hash": "test",
    }
    answer = post(f"{app.url}/gradio_api/component_server", request)
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert isinstance(result, dict)
    return result


def offers(app: App) -> list[str]:
    """The functions that the page is offered."""
    properties = canvas_of(app)["props"]
    functions = list(properties["server_fns"])
    assert properties["props"]["saves"] == ("save" in functions)
    return functions


STROKES = [[[500, 100], [500, 900]]]


def test_without_the_option_nothing_is_stored_or_offered(app: App) -> None:
    assert offers(app) == ["answer"]
    request = {"data": {"strokes": STROKES, "label": 1}, "component_id": canvas_of(app)["id"]}
    for name in ("save", "stored"):
        answer = post(
            f"{app.url}/gradio_api/component_server",
            {**request, "fn_name": name, "session_hash": "test"},
        )
        assert answer.status_code == 404
    assert "Stores" not in app.printed("stdout")


def test_the_app_stores_what_it_is_given_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "drawings.jsonl"
    with start(tmp_path, "--save-drawings", path) as app:
        assert f"Stores:  drawings in {path}, 0 so far\n" in app.printed("stdout")
        assert offers(app) == ["answer", "save", "stored"]
        assert call(app, "stored", []) == {"count": 0}
        with ThreadPoolExecutor(8) as pool:
            saved = pool.map(
                lambda label: call(app, "save", {"strokes": STROKES, "label": label}), range(10)
            )
            assert sorted(answer["count"] for answer in saved) == list(range(1, 11))
        for drawing, sentence in [
            ({"strokes": STROKES, "label": 10}, "The label is 10; expected a whole number, 0 to 9"),
            ({"strokes": STROKES}, "The label is None; expected a whole number"),
            ({"strokes": [], "label": 1}, "The drawing is blank; expected strokes with points."),
            ({"strokes": [["x"]], "label": 1}, "Stroke 1 holds something other than points"),
            ([], "Found JSON of type list; expected"),
            (None, "Found JSON of type NoneType; expected"),
        ]:
            assert call(app, "save", drawing)["error"].startswith(sentence)
        app.process.kill()  # As a power cut does, but for what the disk has not written.
        app.process.wait()
        assert left_in_memory(app)
    killed = app
    assert sorted(drawing.label for drawing in read_json_lines(path)) == list(range(10))
    with path.open("a") as file:
        file.write(LINE[:-9])
    with start(tmp_path, "--save-drawings", path) as app:
        assert f"Stores:  drawings in {path}, 10 so far\n" in app.printed("stdout")
        assert f"edge_app: The last line of {path} was cut off" in app.printed("stderr")
        assert left_in_memory(app)
        assert not left_in_memory(killed)
        assert call(app, "stored", []) == {"count": 10}
        assert call(app, "save", {"strokes": STROKES, "label": 1}) == {"count": 11}
    assert len(read_json_lines(path)) == 11


def left_in_memory(app: App) -> list[Path]:
    """The temporary folder of the app, with what is in it."""
    return [path for path in app.files() if f"/digits-{app.process.pid}-" in str(path)]


def test_the_page_is_told_when_there_is_no_room(tmp_path: Path) -> None:
    path = tmp_path / "drawings.jsonl"
    path.write_text(LINE)
    with start(tmp_path, "--save-drawings", path, "--save-limit", "0.1kB") as app:
        drawing = {"strokes": STROKES, "label": 1}
        # No file may grow past this now, as on a full disk.
        resource.prlimit(app.process.pid, resource.RLIMIT_FSIZE, (60, 60))
        answer = call(app, "save", drawing)
        assert answer["error"] == (
            f"The drawing is not stored: {path} cannot be written (File too large)."
        )
        assert path.read_text() == LINE
        assert call(app, "stored", []) == {"count": 1}
        assert app.process.poll() is None
    with start(tmp_path, "--save-drawings", path, "--save-limit", "0.1kB") as app:
        assert call(app, "save", drawing) == {"count": 2}
        answer = call(app, "save", drawing)
        assert answer["error"].endswith("has reached its limit of 100 bytes (--save-limit).")
        assert app.stop(signal.SIGINT) == 0
    assert path.read_text() == LINE * 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "(Is a directory); choose another file for --save-drawings."),
        ("notes of mine", "Line 1 of "),
    ],
)
def test_a_file_that_cannot_be_used_is_said_at_once(
    tmp_path: Path, content: str | None, sentence: str
) -> None:
    path = tmp_path / "drawings"
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)
    done = run(tmp_path, "--port", "0", "--save-drawings", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("edge_app: ")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_size_that_is_none_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "--save-drawings", tmp_path / "file", "--save-limit", "much")
    assert done.returncode == 2
    assert "argument --save-limit: invalid size 'much'; expected one such as 50MB" in done.stderr
