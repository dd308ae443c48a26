"""Paths: the repository, the models that ship, and the user's last benchmark."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The repository's folder."""
MODELS = ROOT / "models"
"""The models that ship."""


def results_path() -> Path:
    """The file of the last benchmark: ``~/.local/state/digit-canvas/benchmark.json``.

    ``$XDG_STATE_HOME`` replaces ``~/.local/state`` if it is an absolute path, as the XDG Base
    Directory Specification says. The folder need not exist.
    """
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        state = _home() / ".local" / "state"
    return state / "digit-canvas" / "benchmark.json"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # The system does not know the user, and $HOME is not set.
        return Path("/")
