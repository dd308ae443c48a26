"""Worker: the program that runs all files without a card, in a process of its own.

:mod:`edge_app.models.cardless` starts ``python -m edge_app.models.worker RUNTIME`` and talks to it
in lines of JSON, one answer to each request, with the request's ``id``. A request also has ``do``
and ``seconds``; once these have passed, the kernel ends the process, even if it hangs and nobody is
left to notice.

=========  ===============================================  =====================================
``do``     takes                                            answers
=========  ===============================================  =====================================
``probe``  ``folder`` and ``file``, a :class:`FileRecord`   the fields of a :class:`Usage`
``load``   the same, ``number`` and ``pixels``              nothing
``run``    ``number``, ``image`` in base64, 28 x 28 bytes   ``outputs``, 10, and ``latency_us``
=========  ===============================================  =====================================

Instead, any may answer ``{"error": sentence}``. The program ends with its input, and so with the
process that started it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from base64 import b64decode
from dataclasses import asdict
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np

from edge_app.digits.normalization import SIZE
from edge_app.errors import UserError
from edge_app.models.card import FileRecord, read_file
from edge_app.models.interpreter import Interpreter, choose_runtime
from edge_app.models.probe import try_out

MEMORY_GIB = 2
"""Address space for the process: a malformed file can ask for all the memory there is."""


def answer(request: dict[str, Any], interpreters: dict[int, Interpreter]) -> dict[str, Any]:
    """Do what a request asks for; ``interpreters`` are the files that were loaded, by number."""
    if request["do"] == "run":
        image = np.frombuffer(b64decode(request["image"]), np.uint8).reshape(1, SIZE, SIZE)
        start = perf_counter_ns()
        outputs = interpreters[request["number"]].run(image)
        latency_us = (perf_counter_ns() - start) / 1000
        return {"outputs": outputs[0].tolist(), "latency_us": latency_us}
    content = read_file(Path(request["folder"]), FileRecord(**request["file"]))
    if request["do"] == "probe":
        return asdict(try_out(content))
    interpreters[request["number"]] = Interpreter(content, request["pixels"])
    return {}


def main() -> None:
    """Run the program."""
    # Whatever the runtime prints goes to standard error, not among the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    limit = MEMORY_GIB * 2**30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    choose_runtime(sys.argv[1])
    interpreters: dict[int, Interpreter] = {}
    for line in sys.stdin:
        request = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, request["seconds"])
        try:
            found = answer(request, interpreters)
        except UserError as error:
            found = {"error": str(error)}
        except MemoryError:
            found = {
                "error": f"It asks for more than {MEMORY_GIB} GiB of memory; convert it again."
            }
        except Exception as error:  # noqa: BLE001 - A file can break anything.
            found = {"error": f"It fails when it runs ({type(error).__name__}: {error!s:.200})."}
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps({"id": request["id"], **found}), file=answers, flush=True)


if __name__ == "__main__":
    main()
