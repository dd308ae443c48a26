"""Provenance: which state of this project's code made a model."""

from __future__ import annotations

import ast
import hashlib
import subprocess
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Any

from edge_app.paths import ROOT

CODE = ("convert", "edge_app")
"""The packages that have a part in making a model."""
TRAINING = "convert/train.py"
"""The file that trains."""


def commit() -> str:
    """The commit that is checked out, with "-dirty" when the code differs; "unknown" without one.

    Changed models do not count: they lie in the same checkout and change while they are made.
    """
    try:
        name = _git("describe", "--always", "--abbrev=40", "--exclude=*").strip()
        changed = _git("status", "--porcelain", "--", *CODE)
    except (OSError, subprocess.CalledProcessError):  # No git, or no checkout.
        return "unknown"
    return f"{name}-dirty" if changed else name


def code_sha256() -> str:
    """SHA-256 in hexadecimal of the code that training imports, without comments and docstrings."""
    finder = ModuleFinder([str(ROOT)])
    finder.run_script(str(ROOT / TRAINING))
    modules: dict[str, Any] = finder.modules
    files = sorted(Path(each.__file__) for each in modules.values() if each.__file__)
    code = [(str(file.relative_to(ROOT)), _syntax(file)) for file in files]
    return hashlib.sha256(repr(code).encode()).hexdigest()


def _syntax(file: Path) -> str:
    """A file's syntax without strings that stand alone: docstrings, also those of constants."""
    tree = ast.parse(file.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            texts = [each for each in node.body if isinstance(each, ast.Expr)]
            texts = [each for each in texts if isinstance(each.value, ast.Constant)]
            node.body = [each for each in node.body if each not in texts]
    return ast.dump(tree)


def _git(*words: str) -> str:
    command = ["git", *words]
    return subprocess.check_output(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
