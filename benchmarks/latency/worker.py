"""The program that runs jobs in a process of its own.

It is started as ``python -m benchmarks.latency.worker ENGINE``.

The engine is a TFLite runtime's package (two of them may not share a process), "tensorflow", or
"normalization". A line of JSON on standard output tells its version; then each line of JSON on
standard input is a request, ``{"do": "start" or "turn", "job": {...}, "number": turn}``, and is
answered by a line. Between two requests the process sleeps, so that others can be timed.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchmarks.latency.plan import (
    NORMALIZATION,
    TENSORFLOW,
    InferenceJob,
    Job,
    ModelUse,
    NormalizingJob,
    OriginalJob,
)
from benchmarks.latency.startup import OneStart, start
from benchmarks.latency.timing import Pace, Workload, pace, take_turn
from benchmarks.latency.workloads import load, make_workload
from edge_app.digits.normalization import rasterize
from edge_app.digits.samples import drawings
from edge_app.errors import UserError
from edge_app.models.card import FileRecord, read_file
from edge_app.models.interpreter import find_runtime


def main() -> None:
    """Run the program."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # Whatever libraries may print.

    def answer(make: Callable[[], dict[str, Any]]) -> None:
        try:
            told = make()
        except UserError as error:
            told = {"error": str(error)}
        print(json.dumps(told), file=answers, flush=True)

    engine = sys.argv[1]
    answer(lambda: {"version": _version(engine)})
    for line in sys.stdin:
        answer(partial(_do, json.loads(line)))


def _version(engine: str) -> str:
    """The engine's name and version; it is imported by that."""
    if engine == NORMALIZATION:
        return f"numpy {importlib.metadata.version('numpy')}"
    if engine == TENSORFLOW:
        # The package goes by several names; the module knows.
        import keras  # noqa: PLC0415 - As all of TensorFlow, installed where models are trained.
        import tensorflow  # noqa: PLC0415

        return f"tensorflow {tensorflow.__version__}, keras {keras.__version__}"
    runtime = find_runtime(engine)
    return f"{runtime.name} {runtime.version}"


def _do(request: dict[str, Any]) -> dict[str, Any]:
    job = _job(request["job"])
    if request["do"] == "start" and isinstance(job, InferenceJob):
        return _start(job)._asdict()
    return take_turn(*_prepare(job), request["number"])._asdict()


def _start(job: InferenceJob) -> OneStart:
    content = read_file(Path(job.use.folder), job.use.file)
    image = rasterize(drawings()[0], job.use.normalization)[None]

    def load_model(content: bytes) -> Callable[[], object]:
        return partial(load(job.use, job.engine, content).infer, image, job.use.variant)

    return start(content, load_model)


@cache
def _prepare(job: Job) -> tuple[Workload, Pace]:
    workload = make_workload(job)
    return workload, pace(workload)


def _job(fields: dict[str, Any]) -> Job:
    if "use" in fields:
        use = {**fields["use"], "file": FileRecord(**fields["use"]["file"])}
        return InferenceJob(**{**fields, "use": ModelUse(**use)})
    if "file" in fields:
        return OriginalJob(**{**fields, "file": FileRecord(**fields["file"])})
    return NormalizingJob(**fields)


if __name__ == "__main__":
    main()
