"""Workers: the same work on many items, in order, and what goes wrong in them."""

from __future__ import annotations

import math
import operator
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from convert.workers import CHUNK, work

FEW, MANY = CHUNK, 2 * CHUNK + 7


@pytest.mark.parametrize("count", [0, 1, FEW, MANY])
def test_results_come_in_the_items_order(count: int) -> None:
    assert work(operator.neg, range(count), "Negating") == [-number for number in range(count)]


@pytest.mark.parametrize("count", [FEW, MANY])
def test_what_goes_wrong_with_an_item_is_raised(count: int) -> None:
    with pytest.raises(ValueError, match="math domain error"):
        work(math.sqrt, [*range(count - 1), -1], "Rooting")


def test_many_items_are_worked_on_in_other_processes_and_few_here() -> None:
    assert set(work(_process, range(FEW), "Asking")) == {os.getpid()}
    assert os.getpid() not in work(_process, range(MANY), "Asking")


INTERRUPTED = """
import sys
sys.path.append("tests/convert")
from convert.workers import work
from test_workers import say
try:
    work(say, ["working"] * 2000, "Saying")
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interruption_from_a_terminal_is_this_process_s_alone_and_ends_soon(root: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "working\n"
        os.killpg(run.pid, signal.SIGINT)
        said, complaints = run.communicate(timeout=60)
    assert complaints == ""
    assert said.endswith("interrupted\n")
    assert said.count("working") < 2000


def say(word: str) -> None:
    """Slowly."""
    print(word, flush=True)
    time.sleep(0.01)


def _process(_: int) -> int:
    return os.getpid()


def test_workers_end_with_the_process_that_they_work_for(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    pids.mkdir()
    program = (
        "import functools, test_workers as tests; from convert.workers import work\n"
        "if __name__ == '__main__':\n"
        f"    work(functools.partial(tests._leave_pid, {str(pids)!r}), range(10**6), '')\n"
    )
    script = tmp_path / "program.py"
    script.write_text(program)
    folder = Path(__file__).parent
    path = os.pathsep.join([str(folder), str(folder.parents[1])])
    parent = subprocess.Popen([sys.executable, str(script)], env={**os.environ, "PYTHONPATH": path})
    _wait(lambda: any(pids.iterdir()))
    parent.kill()
    parent.wait()
    workers = [int(pid.name) for pid in pids.iterdir()]
    _wait(lambda: not any(_is_alive(pid) for pid in workers))


def _leave_pid(folder: str, _: int) -> None:
    (Path(folder) / str(os.getpid())).touch()


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
