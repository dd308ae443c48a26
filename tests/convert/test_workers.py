"""Workers: the same work on many items, in order, and what happens when something goes wrong."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from convert.workers import CHUNK, FEW, work

MANY = FEW + CHUNK + 7
PATIENCE_S = 120

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("count", [0, 1, FEW, MANY])
def test_results_come_in_order_and_only_many_items_go_to_other_processes(count: int) -> None:
    results = work(_process, range(count), "Asking")
    assert [number for number, _ in results] == list(range(count))
    assert any(process != os.getpid() for _, process in results) == (count == MANY)


def _process(number: int) -> tuple[int, int]:
    return number, os.getpid()


@pytest.mark.parametrize("count", [FEW, MANY])
def test_an_error_with_one_item_is_raised(count: int) -> None:
    with pytest.raises(ValueError, match="math domain error"):
        work(math.sqrt, [*range(count - 1), -1], "Rooting")


SCRIPT = """
import sys
sys.path += {paths!r}
from convert.workers import work
import test_workers
if __name__ == "__main__":
    try:
        work(test_workers.leave_mark, [{marks!r}] * {count}, "Working")
    except KeyboardInterrupt:
        print("interrupted")
"""


@contextmanager
def working(count: int, marks: Path, root: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a session of its own, whose workers leave so many marks in a folder."""
    path = marks.with_name("script.py")
    paths = [str(root), str(Path(__file__).parent)]
    path.write_text(SCRIPT.format(paths=paths, marks=str(marks), count=count))
    command, pipe = [sys.executable, str(path)], subprocess.PIPE
    with subprocess.Popen(command, start_new_session=True, stdout=pipe, stderr=pipe) as run:
        try:
            yield run
        finally:
            run.kill()


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    (tmp_path / "marks").mkdir()
    return tmp_path / "marks"


def leave_mark(folder: str) -> None:
    """In a worker: append a byte to a file named by the process's number, slowly."""
    with (Path(folder) / str(os.getpid())).open("ab") as file:
        file.write(b".")
    time.sleep(0.002)


def test_ctrl_c_is_for_the_main_process_alone_which_then_ends_soon(root: Path, marks: Path) -> None:
    count = CHUNK * (20 + (os.cpu_count() or 1))
    with working(count, marks, root) as run:
        # Workers start while the main process ignores interruptions.
        _wait(lambda: any(marks.iterdir()) and not _ignores_sigint(run.pid))
        os.killpg(run.pid, signal.SIGINT)
        said, complaints = run.communicate(timeout=PATIENCE_S)
    assert (said, complaints) == (b"interrupted\n", b"")
    assert sum(mark.stat().st_size for mark in marks.iterdir()) < count


def test_workers_end_when_the_main_process_is_killed(root: Path, marks: Path) -> None:
    with working(10**6, marks, root) as run:
        _wait(lambda: any(marks.iterdir()))
    workers = [int(mark.name) for mark in marks.iterdir()]
    assert run.pid not in workers
    _wait(lambda: not any(map(_is_alive, workers)))


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    return _status(pid).get("State", "Z")[0] != "Z"


def _ignores_sigint(pid: int) -> bool:
    return bool(int(_status(pid)["SigIgn"], 16) >> (signal.SIGINT - 1) & 1)


def _status(pid: int) -> dict[str, str]:
    """The fields of a process's status, none when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
