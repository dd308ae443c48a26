"""Functions in another process: results, errors, crashes, hangs, and no process that stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NoReturn

import pytest

from app import ROOT, until
from benchmarks.process import PATIENCE_S, ProcessEndedError, Worker
from edge_app.device import procfs
from edge_app.errors import UserError


def fail(text: str) -> NoReturn:
    raise UserError(text)


def crash(text: str) -> NoReturn:
    os.write(2, text.encode())
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_functions_run_in_one_other_process(method: str, capfd: pytest.CaptureFixture[str]) -> None:
    with Worker(method) as worker:  # type: ignore[arg-type]
        other = worker.call(os.getpid)
        assert other != os.getpid()
        assert worker.call(pow, 2, 10) == 1024
        worker.call(os.write, 1, b"noise of a library")
        with pytest.raises(UserError, match="a sentence"):
            worker.call(fail, "a sentence")
        assert worker.call(os.getpid) == other
        os.kill(other, signal.SIGINT)  # As from a terminal, where it is this process's alone.
        assert worker.call(os.getpid) == other
    with pytest.raises(ProcessLookupError):
        os.kill(other, 0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("function", "arguments", "reason"),
    [
        (crash, ("first\nOut of luck\n",), r"SIGKILL; last output: Out of luck"),
        (divmod, (1, 0), "ZeroDivisionError: integer"),
        (time.sleep, (3600,), r"no answer within 0\.1 seconds"),
    ],
)
def test_a_process_that_crashes_or_hangs_tells_why_and_is_ended(
    function: Callable[..., object], arguments: tuple[object, ...], reason: str
) -> None:
    patience_s = 0.1 if function is time.sleep else PATIENCE_S
    with Worker() as worker:
        process = worker.call(os.getpid)
        with pytest.raises(ProcessEndedError, match=reason):
            worker.call(function, *arguments, patience_s=patience_s)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_worker_ends_with_the_process_that_started_it() -> None:
    code = (
        "import os, time\nfrom benchmarks.process import Worker\n"
        "worker = Worker()\nprint(worker.call(os.getpid), flush=True)\n"
        "worker.call(time.sleep, 3600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8"
    ) as parent:
        assert parent.stdout
        worker = int(parent.stdout.readline())
        parent.kill()
    until(lambda: not procfs.resident_bytes(worker))  # None if it is gone, 0 if it is a zombie.
