"""Run functions in another process, which may crash or hang without harming this one."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, TypeVar

from edge_app.errors import UserError, ending

PATIENCE_S = 300
"""A process that has not answered after this many seconds is given up."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",  # NumPy's other threads would only get in the way of forking.
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
}

Answer = TypeVar("Answer")


class ProcessEndedError(UserError):
    """The process ended or hung before it answered."""


class Worker(AbstractContextManager["Worker"]):
    """A process that runs one function after another until it is closed.

    It never prints: whatever it writes to standard output or error goes to a file whose last line
    becomes part of the error if it crashes. Ctrl-C does not reach it, but it never outlives this
    process.

    Args:
        method: "spawn" for a new interpreter, "fork" for a copy of this process.
    """

    def __init__(self, method: Literal["spawn", "fork"] = "spawn") -> None:
        context: Any = multiprocessing.get_context(method)
        self._errors = tempfile.NamedTemporaryFile()  # noqa: SIM115 - Closed with the worker.
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._errors.name, os.getpid())
        )
        resource_tracker.ensure_running()  # Starting it unblocks SIGINT.
        # The process starts with the same signals blocked, and never sees Ctrl-C.
        unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
        theirs.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(
        self,
        function: Callable[..., Answer],
        *arguments: Any,
        patience_s: float | None = PATIENCE_S,
    ) -> Answer:
        """Run a function in the process and return its result.

        Args:
            function: a function of a module; it, its arguments and its result are pickled.
            arguments: the function's.
            patience_s: how long to wait for the result; None for as long as it takes.

        Raises:
            UserError: raised by the function.
            ProcessEndedError: the process ended or did not answer in time; close it.
        """
        try:
            self._connection.send((function, arguments))
            if not self._connection.poll(patience_s):
                raise ProcessEndedError(f"It gave no answer within {patience_s:g} seconds.")
            error, answer = self._connection.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            said = Path(self._errors.name).read_text(encoding="utf-8", errors="replace").split("\n")
            last = next((line.strip() for line in reversed(said) if line.strip()), "nothing")
            raise ProcessEndedError(
                f"It ended the process that ran it ({ending(self._process.exitcode or 0)}; "
                f"last output: {last[:200]})."
            ) from None
        if error:
            raise error
        result: Answer = answer
        return result

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._connection.close()
        self._errors.close()


def _serve(connection: Connection, errors: str, parent: int) -> None:
    if end_with_parent := getattr(ctypes.CDLL(None), "prctl", None):  # Linux only.
        end_with_parent(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    os.environ.update(_ENVIRONMENT)  # Before the first function comes, and NumPy with it.
    try:
        descriptor = os.open(errors, os.O_WRONLY | os.O_APPEND)
    except FileNotFoundError:
        return  # Ctrl-C came before the worker was ready, and its file went with it.
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    while True:
        try:
            function, arguments = connection.recv()
        except EOFError:
            return
        try:
            connection.send((None, function(*arguments)))
        except UserError as error:
            connection.send((error, None))
