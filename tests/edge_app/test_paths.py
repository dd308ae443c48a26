"""Where the last benchmark is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_app.paths import results_path


@pytest.mark.parametrize(
    ("state", "folder"),
    [("", ".local/state"), ("relative", ".local/state"), ("/var/lib/pi", "/var/lib/pi")],
)
def test_the_user_s_state_folder(monkeypatch: pytest.MonkeyPatch, state: str, folder: str) -> None:
    monkeypatch.setenv("HOME", "/home/pi")
    monkeypatch.setenv("XDG_STATE_HOME", state)
    assert results_path() == Path("/home/pi", folder, "digit-canvas", "benchmark.json")


def test_a_user_without_a_home_has_a_path_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", unknown)
    assert results_path() == Path("/.local/state/digit-canvas/benchmark.json")
