"""Paths: the repository, the models that ship, and what this user's programs find out here."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The folder that the project runs from."""
MODELS = ROOT / "models"
"""The models that ship."""


def results_path() -> Path:
    """The file of the last benchmark: ``~/.local/state/digit-canvas/benchmark.json``.

    ``$XDG_STATE_HOME`` stands for the first part where it is set to an absolute path, as the XDG
    Base Directory Specification has it. The folder need not exist.
    """
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        state = _home() / ".local" / "state"
    return state / "digit-canvas" / "benchmark.json"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # A user that the system does not know, and no $HOME.
        return Path("/")
