"""Engines: a process for each runtime, and a sentence for whatever goes wrong in one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from benchmarks.latency.plan import NORMALIZATION, InferenceJob, Job
from benchmarks.latency.workloads import describe_engine
from benchmarks.process import ProcessEndedError, Worker
from edge_app.errors import UserError

Answer = TypeVar("Answer")


class Engines(AbstractContextManager["Engines"]):
    """Processes that take turns, each started when it is first needed and again after a crash.

    Args:
        runtime: the package of the runtime that the app uses.

    Attributes:
        problems: a sentence for each job of the app's own that failed.
        notes: the same for other runtimes and for Keras, which the app does not need.
    """

    def __init__(self, runtime: str) -> None:
        self.problems: list[str] = []
        self.notes: list[str] = []
        self._needed = {runtime, NORMALIZATION}
        self._versions: dict[str, str] = {}
        self._workers: dict[str, Worker] = {}
        self._given_up: set[object] = set()

    def __exit__(self, *_: object) -> None:
        for worker in self._workers.values():
            worker.close()

    def version(self, job: Job) -> str:
        """Name and version of the engine that has done a job."""
        return self._versions[job.engine]

    def run(self, function: Callable[..., Answer], job: Job, *arguments: Any) -> Answer | None:
        """Run ``function(job, *arguments)`` in the process of the job's engine.

        Returns:
            the function's result; None if it failed, or if the same file has failed in this engine
            before.
        """
        subject = (job.engine, job.use if isinstance(job, InferenceJob) else job)
        if self._given_up & {job.engine, subject}:
            return None
        try:
            worker = self._find(job.engine)
        except UserError as error:
            self._report(job.engine, f"Nothing is timed with {job.engine}: {error}", job.engine)
            return None
        try:
            return worker.call(function, job, *arguments)
        except UserError as error:
            self._report(job.engine, f"{job} is not timed: {error}", subject)
            if isinstance(error, ProcessEndedError):
                self._workers.pop(job.engine).close()
            return None

    def _find(self, engine: str) -> Worker:
        if engine not in self._workers:
            self._workers[engine] = Worker()
            self._versions[engine] = self._workers[engine].call(describe_engine, engine)
        return self._workers[engine]

    def _report(self, engine: str, sentence: str, given_up: object) -> None:
        self._given_up.add(given_up)
        (self.problems if engine in self._needed else self.notes).append(sentence)
