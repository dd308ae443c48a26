"""Provenance: which state of this project's code made a model."""

from __future__ import annotations

import ast
import hashlib
import subprocess
from collections.abc import Iterator

from edge_app.paths import ROOT

CODE = ("convert", "edge_app")
"""The packages that have a part in making a model."""
TRAINING = "convert.train"
"""The module that trains."""


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
    seen: dict[str, str] = {}
    waiting = [TRAINING]
    while waiting:
        name = waiting.pop()
        if name.partition(".")[0] in CODE and name not in seen and (tree := _tree(name)):
            seen[name] = ast.dump(tree)
            waiting += _imports(tree)
    return hashlib.sha256(repr(sorted(seen.items())).encode()).hexdigest()


def _tree(module: str) -> ast.Module | None:
    """A module's syntax without docstrings; None if the name is not a module's."""
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not path.is_file():
        return None
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            # Strings that stand alone: docstrings, also those of constants and fields.
            texts = [each for each in node.body if isinstance(each, ast.Expr)]
            texts = [each for each in texts if isinstance(each.value, ast.Constant)]
            node.body = [each for each in node.body if each not in texts]
    return tree


def _imports(tree: ast.Module) -> Iterator[str]:
    """The names of what may be modules that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _git(*words: str) -> str:
    command = ["git", *words]
    return subprocess.check_output(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
