"""Provenance: which state of this project's code made a model."""

from __future__ import annotations

import hashlib
import subprocess

from edge_app.paths import ROOT

CODE = ("convert", "edge_app")
"""The folders whose code has a part in making a model."""


def commit() -> str:
    """The commit that is checked out, "-dirty" behind it when the code differs; "unknown" without.

    Models, which lie in the same checkout, change while they are made: they do not count.
    """
    try:
        name = _git("describe", "--always", "--abbrev=40", "--exclude=*").strip()
        changed = _git("status", "--porcelain", "--", *CODE)
    except (OSError, subprocess.CalledProcessError):  # No git, or no checkout.
        return "unknown"
    return f"{name}-dirty" if changed else name


def code_sha256() -> str:
    """SHA-256 in hexadecimal of the code as it is, committed or not."""
    digest = hashlib.sha256()
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _git(*words: str) -> str:
    command = ["git", *words]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout
