"""Files without a card, which run in a process of their own.

A malformed file can end or hang the process that runs it: when it is opened, or on any image, even
after it has read a thousand. No ``except`` catches that, so one :mod:`edge_app.models.worker` runs
all of these files, from the first try to the end. If it ends or hangs, the file that it was running
is to blame, and a new one starts; a file that is to blame for the third time is left out. The app
itself never opens such a file.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import weakref
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import IO, Any, cast, get_args

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.normalization import NORMALIZATIONS
from edge_app.errors import UserError, ending
from edge_app.models.card import FileRecord, Output, record_file
from edge_app.models.classifier import Classifier, Measured
from edge_app.models.interpreter import CLASSES, PIXELS, Pixels, find_runtime
from edge_app.models.probe import Usage
from edge_app.paths import ROOT

CARDLESS = "tflite"
"""The name of the only variant of a model without a card, however its file is quantized."""
LOAD_S = 20
"""Seconds in which a file must be tried or loaded."""
RUN_S = 1
"""Seconds in which it must answer to an image."""
CRASHES = 3
"""A file that has ended or hung its process so often is left out."""

_GRACE_S = 1
"""How much longer to wait for a process that should have ended itself."""
_LONGEST_ANSWER = 10**5
_DAMAGE = "It damages the process that runs it"


class CardlessFileError(UserError):
    """A file without a card that cannot be used."""


class NoAnswerError(UserError):
    """A file gives no answer, now or any more."""


class CardlessModel(Classifier):
    """A classifier in a single file, without a card, that runs in a :class:`Worker`."""

    def __init__(self, name: str, usage: Usage, file: File, worker: Worker) -> None:
        self._file = RemoteFile(file, worker)
        super().__init__(
            name,
            f"{name} (no card)",
            usage.normalization,
            usage.output,
            {CARDLESS: self._file},
            files={CARDLESS: file.record},
        )

    @property
    def is_left_out(self) -> bool:
        """Whether it has crashed too often and answers no more."""
        return self._file.file.is_left_out

    def measure(self, image: NDArray[np.uint8], variant: str) -> Measured:  # noqa: ARG002
        """Like that of any classifier; the time is the inference's alone, without the way to it.

        Raises:
            NoAnswerError: the file ends or hangs its process on this image, or has just done so on
                another, or has been left out. It does not wait for a new process.
        """
        return self._file.measure(image)


@dataclass(eq=False)
class File:
    """A file without a card, its record and its pixels, and how often it has given no answer."""

    path: Path
    record: FileRecord
    pixels: Pixels
    crashes: int = 0

    @property
    def is_left_out(self) -> bool:
        """Whether it is not run any more."""
        return self.crashes >= CRASHES


class RemoteFile:
    """A file in a worker, to be used like an :class:`edge_app.models.interpreter.Interpreter`."""

    def __init__(self, file: File, worker: Worker) -> None:
        self.file = file
        self.pixels = file.pixels
        self._worker = worker

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Outputs, float32 (N, 10), for pixels, uint8 (N, 28, 28). It waits for a new process.

        Raises:
            NoAnswerError: the file ends or hangs its process, or has been left out.
        """
        found = [self._worker.run(self.file, image, wait=True).outputs for image in images]
        return np.concatenate([np.empty((0, CLASSES), np.float32), *found])

    def measure(self, image: NDArray[np.uint8]) -> Measured:
        """See :meth:`CardlessModel.measure`."""
        return self._worker.run(self.file, image, wait=False)


class Worker:
    """The process that runs all files without a card; a new one replaces one that has ended.

    It starts with the first file, prints nothing, never sees Ctrl-C, and ends with this process.

    Args:
        report: called with a sentence whenever a file gives no answer, from any thread.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._files: list[File] = []
        self._process: _Process | None = None
        """Has loaded every file that is not left out; None until it has."""
        self._turn = threading.Lock()
        self._starter = threading.Thread()

    def load(self, name: str, path: Path) -> CardlessModel:
        """Find out how to use a file, and load it.

        Raises:
            CardlessFileError: it cannot be used.
            CardError: it cannot be read.
        """
        record = record_file(path)
        try:
            process = self.start()
            usage = _read_usage(process.ask("probe", LOAD_S, **_where(path, record)))
            file = File(path, record, usage.pixels)
            process.load(len(self._files), file)
        except _ProcessError as error:
            self._end()
            raise CardlessFileError(f"{error}; convert it again.") from None
        except OSError as error:
            raise CardlessFileError(f"Its process does not start ({error.strerror}).") from error
        self._files.append(file)
        return CardlessModel(name, usage, file, self)

    def settle(self) -> None:
        """Start the process again if the last file to be loaded has ended it.

        Without it the first answers would be missing.
        """
        if any(not file.is_left_out for file in self._files):
            with suppress(OSError):  # The first answer tries again.
                self.start()

    def start(self) -> _Process:
        """Start the process if there is none, and load every file that is not left out.

        Raises:
            OSError: no process can be started.
        """
        while self._process is None:
            process = _Process()
            served = [(n, file) for n, file in enumerate(self._files) if not file.is_left_out]
            if all(self._load_again(process, number, file) for number, file in served):
                self._process = process
        return self._process

    def run(self, file: File, image: NDArray[np.uint8], wait: bool) -> Measured:
        """Run a file on an image, uint8 (28, 28).

        Args:
            wait: whether to wait for a new process that is being started.

        Raises:
            NoAnswerError: there is no answer.
        """
        if self._process is None and not file.is_left_out:
            self._start_aside(wait)
        with self._turn:
            if self._process is None or file.is_left_out:
                raise NoAnswerError(f"{file.path} gives no answer: it ended or hung its process.")
            number, pixels = self._files.index(file), b64encode(image.tobytes()).decode()
            try:
                return _read_outputs(self._process.ask("run", RUN_S, number=number, image=pixels))
            except (_ProcessError, CardlessFileError) as error:
                self._blame(file, error)
                if isinstance(error, _ProcessError):
                    self._end()
                raise NoAnswerError(f"{file.path} gives no answer: {error}") from None
            except BaseException:  # Ctrl-C, for one: the answer may still come.
                self._end()
                raise

    def _start_aside(self, wait: bool) -> None:
        """Start the process in a thread, unless that is being done: it takes seconds on a Pi."""
        with self._turn:
            if self._process is None and not self._starter.is_alive():
                self._starter = threading.Thread(target=self._try_to_start, daemon=True)
                self._starter.start()
        if wait:
            self._starter.join()

    def _try_to_start(self) -> None:
        try:
            self.start()
        except OSError as error:
            for file in self._files:
                file.crashes = CRASHES
            self._report(f"Files without a card answer no more: no process ({error.strerror}).")
        if all(file.is_left_out for file in self._files):  # It would only take memory.
            self._end()

    def _load_again(self, process: _Process, number: int, file: File) -> bool:
        """Whether the process survives it."""
        try:
            process.load(number, file)
        except CardlessFileError as error:  # It has changed since.
            file.crashes = CRASHES
            self._report(f"The file {file.path.name!r} is left out from now on: {error}")
        except _ProcessError as error:
            self._blame(file, error)
            return False
        return True

    def _blame(self, file: File, error: UserError) -> None:
        file.crashes += 1
        end = "; it is left out from now on." if file.is_left_out else "."
        self._report(f"The file {file.path.name!r} gave no answer: {str(error).rstrip('.')}{end}")

    def _end(self) -> None:
        if self._process:
            self._process.close()
        self._process = None


class _ProcessError(UserError):
    """A process has ended, or hangs, or answers nonsense; it is closed. Its text is a part of a
    sentence."""


class _Process:
    """One process of :mod:`edge_app.models.worker`, which is ended when this is forgotten."""

    def __init__(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "edge_app.models.worker", find_runtime().name],
            cwd=ROOT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # More would only take memory.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # Ctrl-C goes to the terminal's own session.
        )
        self._requests = cast("IO[bytes]", self._popen.stdin)
        self._answers = cast("IO[bytes]", self._popen.stdout)
        self._asked = 0
        self.close = weakref.finalize(self, _close, self._popen)
        """End the process; a second call does nothing."""

    def load(self, number: int, file: File) -> None:
        """Load a file, to be run by that number; raises like :meth:`ask`."""
        where = _where(file.path, file.record)
        self.ask("load", LOAD_S, **where, number=number, pixels=file.pixels)

    def ask(self, do: str, seconds: float, **arguments: Any) -> dict[str, Any]:
        """Its answer to a request.

        Raises:
            CardlessFileError: the answer is an error.
            _ProcessError: there is no answer in time, or something else.
        """
        self._asked += 1
        try:
            request = json.dumps({"id": self._asked, "do": do, "seconds": seconds, **arguments})
            self._requests.write(request.encode() + b"\n")
            found = json.loads(self._line(monotonic() + seconds + _GRACE_S))
        except (TimeoutError, EOFError, BrokenPipeError) as error:
            raise _ProcessError(self._ending(seconds, error)) from None
        except ValueError:
            found = None
        # A line that a file has written itself must not leave the true answer to the next request.
        if not isinstance(found, dict) or found.pop("id", None) != self._asked:
            self.close()
            raise _ProcessError(_DAMAGE)
        if "error" in found:
            raise CardlessFileError(str(found["error"]))
        return found

    def _line(self, deadline: float) -> bytes:
        """The next line that it writes."""
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        line = b""
        while not line.endswith(b"\n"):
            if not poll.poll(max(0, deadline - monotonic()) * 1000):
                raise TimeoutError
            part = self._answers.read(_LONGEST_ANSWER)
            if not part:
                raise EOFError
            line += part
            if len(line) > _LONGEST_ANSWER:
                raise ValueError("The answer is too long.")
        return line

    def _ending(self, seconds: float, error: Exception) -> str:
        """How it ended, as a part of a sentence. It is closed."""
        hung = f"It did not respond within {seconds:g} second{'' if seconds == 1 else 's'}"
        try:
            status = self._popen.wait(0 if isinstance(error, TimeoutError) else _GRACE_S)
        except subprocess.TimeoutExpired:
            return hung
        finally:
            self.close()
        if status == -signal.SIGALRM:
            return hung
        return f"It ends the process that runs it ({ending(status)})"


def _close(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


def _where(path: Path, record: FileRecord) -> dict[str, Any]:
    return {"folder": str(path.parent.resolve()), "file": asdict(record)}


# A file may also damage what its process answers.


def _read_usage(answer: dict[str, Any]) -> Usage:
    known = {"normalization": NORMALIZATIONS, "pixels": PIXELS, "output": get_args(Output)}
    if answer.keys() != known.keys() or any(answer[name] not in known[name] for name in known):
        raise _ProcessError(_DAMAGE)
    return Usage(**answer)


def _read_outputs(answer: dict[str, Any]) -> Measured:
    try:
        outputs = np.array([answer["outputs"]], np.float32)
        latency_us = float(answer["latency_us"])
    except (KeyError, TypeError, ValueError):
        raise _ProcessError(_DAMAGE) from None
    if outputs.shape != (1, CLASSES):
        raise _ProcessError(_DAMAGE)
    return Measured(outputs, latency_us)
