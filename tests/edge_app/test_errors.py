"""How commands report errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("program", ["edge_app", "benchmarks", "convert"])
def test_a_python_without_the_packages_is_told_which_one_has_them(program: str, root: Path) -> None:
    # Without what is installed, as a system's Python is.
    command = [sys.executable, "-S", "-m", program]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"{program}: ")
    assert f" is not installed for {sys.executable}; start the command with" in ended.stderr
    assert ".venv/bin/python" in ended.stderr
    assert "Traceback" not in ended.stderr
