"""Workers: the same work on many items, in order, and what goes wrong in them."""

from __future__ import annotations

import math
import operator
import os
import signal
import subprocess
import sys
import time
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
sys.path.append("tests")
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
