"""The processes of a run, one for each engine; what goes wrong in one becomes a sentence."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Literal

from benchmarks.latency.child import Child, ChildEnded, JobError, start_child
from benchmarks.latency.plan import NORMALIZATION, InferenceJob, Job


class Team:
    """Processes that take turns: each is started when first asked, and anew when it has ended.

    Args:
        runtime: the app's.

    Attributes:
        problems: a sentence for each thing that could not be done and that the app does, too.
        notes: the same on other runtimes and on originals, which no app needs.
    """

    def __init__(self, runtime: str) -> None:
        self.problems: list[str] = []
        self.notes: list[str] = []
        self._needed = {runtime, NORMALIZATION}
        self._versions: dict[str, str] = {}
        self._children: dict[str, tuple[Child, ExitStack]] = {}
        self._given_up: set[object] = set()

    def __enter__(self) -> Team:
        return self

    def __exit__(self, *_: object) -> None:
        for engine in list(self._children):
            self._stop(engine)

    def version(self, job: Job) -> str:
        """Name and version of the engine that has done a job."""
        return self._versions[job.engine]

    def ask(self, job: Job, do: Literal["start", "turn"], number: int = 0) -> dict[str, Any] | None:
        """Have a job done, unless it, or its model's file in that runtime, has failed before.

        Returns:
            the worker's answer, or None where there is none.
        """
        subject = (job.engine, job.use if isinstance(job, InferenceJob) else job)
        if self._given_up & {job.engine, subject}:
            return None
        child = self._find(job.engine)
        if child is None:
            return None
        try:
            return child.ask(job, do, number)
        except JobError as error:
            self._report(job.engine, f"{job} is not timed: {error}")
            self._given_up.add(subject)
            if isinstance(error, ChildEnded):
                self._stop(job.engine)
            return None

    def _find(self, engine: str) -> Child | None:
        if engine not in self._children:
            stack = ExitStack()
            try:
                child = stack.enter_context(start_child(engine))
            except JobError as error:
                self._report(engine, f"Nothing is timed with {engine}: {error}")
                self._given_up.add(engine)
                return None
            self._children[engine] = child, stack
            self._versions[engine] = child.version
        return self._children[engine][0]

    def _report(self, engine: str, sentence: str) -> None:
        (self.problems if engine in self._needed else self.notes).append(sentence)

    def _stop(self, engine: str) -> None:
        _, stack = self._children.pop(engine)
        stack.close()
