"""The witness: an honest visitor who draws all the time, and who watches memory and log."""

from __future__ import annotations

import json
import os
import statistics
import threading
import time
from types import TracebackType

from app import App
from tests.attack.attempts import Target, page_call, post
from tests.attack.connection import Connection

SOURCE = "127.0.2.1"
"""The visitor's address; the attackers have others."""
PAUSE_S = 0.1
"""Between two drawings."""
SAMPLE_S = 0.02
"""Between two looks at the memory."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident(process: int) -> int:
    """The memory that a process takes, in bytes; 0 if it has ended."""
    try:
        with open(f"/proc/{process}/statm", encoding="ascii") as statm:  # noqa: PTH123 - Often.
            return int(statm.read().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


class Witness:
    """Watches an app while it is attacked; use it as a context.

    Args:
        app: the app.
        target: the same, with a login of the visitor's own.
    """

    def __init__(self, app: App, target: Target) -> None:
        self._app = app
        call = page_call(target, "answer", {"strokes": [[[10, 10], [90, 10], [40, 100]]]})
        self._host, self._drawing = target.host, post(target, "component_server", call)
        self._end = threading.Event()
        self._threads = [threading.Thread(target=each) for each in (self._draw, self._watch)]
        self.before = self.peak = self.after = resident(app.process.pid)
        self.times: list[float] = []
        """Seconds that each drawing took."""
        self.failures: list[str] = []
        """Drawings that were not answered."""

    def __enter__(self) -> Witness:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()
        self.after = resident(self._app.process.pid)

    def alive(self) -> bool:
        return self._app.process.poll() is None

    def log(self) -> tuple[int, int]:
        """Bytes and tracebacks on standard error."""
        content = (self._app.folder / "stderr").read_bytes()
        return len(content), content.count(b"Traceback (most recent call last)")

    def median(self) -> float:
        return statistics.median(self.times) if self.times else 0.0

    def _draw(self) -> None:
        while not self._end.wait(PAUSE_S) and self.alive():
            since = time.monotonic()
            try:
                connection = Connection(self._host, SOURCE)
                try:
                    connection.send(self._drawing)
                    answer = connection.read()
                finally:
                    connection.close()
                if answer is None or "answers" not in json.loads(answer.body):
                    self.failures.append(str(answer)[:200])
            except (OSError, ValueError) as error:
                self.failures.append(repr(error))
            self.times.append(time.monotonic() - since)

    def _watch(self) -> None:
        while not self._end.wait(SAMPLE_S):
            self.peak = max(self.peak, resident(self._app.process.pid))
