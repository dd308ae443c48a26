"""A second runtime for other processes: the installed one under another's name."""

from __future__ import annotations

from pathlib import Path

from edge_app.models.interpreter import RUNTIMES, find_runtime

SECOND = next(package for package in RUNTIMES if package != find_runtime().name)
"""The package that stands for the second runtime."""

_INTERPRETER = """
import sys
from {module} import Interpreter
with open({log!r}, "a") as log:
    print(sys.orig_argv, file=log)
"""


def install_second_runtime(folder: Path) -> tuple[Path, Path]:
    """Make ``SECOND`` importable, version 0, whether it is installed or not.

    Returns:
        The folder for PYTHONPATH, and a file that gets the command line of every process that
        imports it.
    """
    place, log = folder / "second", folder / "imported"
    module, record = SECOND.replace("-", "_"), place / f"{SECOND.replace('-', '_')}-0.dist-info"
    for path in (place / module, record):
        path.mkdir(parents=True)
    (place / module / "__init__.py").touch()
    text = _INTERPRETER.format(module=RUNTIMES[find_runtime().name], log=str(log))
    (place / module / "interpreter.py").write_text(text)
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {SECOND}\nVersion: 0\n")
    return place, log
