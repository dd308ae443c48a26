"""A process that does jobs when it is asked to, and may end without harm."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Literal, cast

from benchmarks.latency.plan import Job
from edge_app.errors import UserError
from edge_app.models.folder import ending
from edge_app.paths import ROOT

_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",  # NumPy's other threads are of no use here, and forbid forking.
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
}


class JobError(UserError):
    """A job that cannot be done."""


class ChildEnded(JobError):  # noqa: N818 - No error of its own: the job's, or the system's.
    """The process has ended by itself."""


class Child:
    """A process that runs :mod:`benchmarks.latency.worker`.

    Attributes:
        version: its engine's name and version: "tflite-runtime 2.14.0".
    """

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self._process = process
        self._errors = errors
        self.version: str = self._read()["version"]

    def ask(self, job: Job, do: Literal["start", "turn"], number: int = 0) -> dict[str, Any]:
        """Have one job done; returns the worker's answer.

        Raises:
            JobError: it cannot be done.
            ChildEnded: the process ended; it answers nothing any more.
        """
        request = {"do": do, "job": asdict(job), "number": number}
        with contextlib.suppress(BrokenPipeError):  # Reading the answer will tell.
            print(json.dumps(request), file=self._process.stdin, flush=True)
        return self._read()

    def _read(self) -> dict[str, Any]:
        line = cast("IO[str]", self._process.stdout).readline()
        if not line.endswith("\n"):
            said = self._errors.read_text(encoding="utf-8", errors="replace").split("\n")
            last = next((text.strip() for text in reversed(said) if text.strip()), "")
            raise ChildEnded(
                f"It ended the process that ran it ({ending(self._process.wait())})"
                f"{f', which said: {last[:200]}' if last else '.'}"
            )
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise JobError(answer["error"])
        return answer


@contextmanager
def start_child(engine: str) -> Iterator[Child]:
    """Start a process for an engine's jobs; it has ended when the block is left.

    Raises:
        JobError: the engine does not work.
    """
    with tempfile.TemporaryDirectory() as folder:
        errors = Path(folder) / "stderr"
        with (
            errors.open("w") as stderr,
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.latency.worker", engine],
                cwd=ROOT,
                env={**os.environ, **_ENVIRONMENT},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                encoding="utf-8",
            ) as process,
        ):
            try:
                yield Child(process, errors)
            finally:
                process.kill()
                if process.stdin:
                    with contextlib.suppress(BrokenPipeError):  # It ended with a request unread.
                        process.stdin.close()
