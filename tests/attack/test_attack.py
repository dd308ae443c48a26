"""A short attack, with every kind of attempt, on the app as it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.attack]


@pytest.fixture(scope="module")
def results(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The tool's results. What it says of time is left alone."""
    file = tmp_path_factory.mktemp("attack") / "results.json"
    amounts = ("--requests", "15000", "--drawings", "2000", "--models", "12")
    tool = root / "tests" / "attack" / "attack.py"
    ended = subprocess.run(
        [sys.executable, tool, "--seed", "11", *amounts, "--json", file],
        capture_output=True,
        text=True,
        check=False,
    )
    print(ended.stdout)  # Shown if a test fails: it says how to repeat what broke a bound.
    assert file.exists(), ended.stderr
    found = json.loads(file.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_everything_was_sent(results: dict[str, Any]) -> None:
    assert results["tried"] > 15_000
    assert results["soak_drawings"] == 2000
    assert results["models_damaged"] == 12
    for outcome in ("answered", "refused", "busy", "left"):
        assert results[outcome] > 0, outcome


def test_nothing_that_is_sent_brings_the_app_down(results: dict[str, Any]) -> None:
    assert results["crashes"] == 0
    assert results["exit_status"] == 0
    assert results["visitor_drawings"] > 0


def test_no_mistake_of_a_client_is_taken_for_the_apps_own(results: dict[str, Any]) -> None:
    assert results["5xx"] == 0
    assert results["tracebacks"] == 0


def test_memory_log_and_files_stay_small(results: dict[str, Any]) -> None:
    assert results["memory_peak"] < 256e6
    assert results["soak_memory_peak"] < 256e6
    assert results["log_bytes"] < 1e6
    assert results["files_written"] == 0


def test_damaged_models_keep_no_other_from_serving(results: dict[str, Any]) -> None:
    assert results["starts_lost"] == 0
