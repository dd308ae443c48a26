"""State: where this user's programs keep what they have found out about this device."""

from __future__ import annotations

import os
from pathlib import Path


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
