"""Files that end or hang the process that runs them, whatever the installed runtime makes of them.

No file is known that does so each time, so a runtime that does it stands in its place.
"""

from __future__ import annotations

from pathlib import Path

from app import ROOT

CULPRIT = b"culprit"
"""The last bytes of such a file; a real runtime ignores them."""

CRASH = "os.kill(os.getpid(), signal.SIGSEGV)"
HANG = "time.sleep(1000)"
HANG_IN_C = "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]); signal.pause()"
CRASH_LATE = f"self.runs = getattr(self, 'runs', 0) + 1; self.runs > 100 and {CRASH}"
"""After more images than a trial takes."""

_RUNTIME = """
import functools, os, signal, sys, time
sys.path.insert(0, {root!r})
from edge_app.models import interpreter
runtime = interpreter.find_runtime()

class Interpreter(runtime.interpreter):
    def __init__(self, model_content, **options):
        super().__init__(model_content=model_content, **options)
        self.is_culprit = model_content.endswith({culprit!r})

    def invoke(self):
        if self.is_culprit and os.path.exists({trigger!r}):
            {action}
        super().invoke()

runtime = runtime._replace(interpreter=Interpreter)
interpreter.find_runtime = functools.cache(lambda *_: runtime)
"""


def culprit_runtime(action: str, trigger: Path) -> str:
    """A ``sitecustomize`` for other processes, in which the installed runtime does something else
    when it is to run a culprit.

    Args:
        action: a line of Python.
        trigger: a file; nothing happens while it does not exist.
    """
    names = {"root": str(ROOT), "culprit": CULPRIT, "trigger": str(trigger), "action": action}
    return _RUNTIME.format(**names)
