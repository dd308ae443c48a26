"""Progress bars: on a terminal, and nowhere else."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

BAR = """
import time
from convert.progress import bar
with bar("Simple Dense", total=10_000, done=5000) as update:
    for _ in range(10):
        time.sleep(0.05)
        update(advance=1)
    update(note="validation 97.25%")
"""
TRACK = """
from convert.progress import track
assert list(track([3, 1, 2], "Normalizing")) == [3, 1, 2]
"""


@pytest.mark.parametrize("script", [BAR, TRACK])
def test_nothing_is_written_to_a_file(script: str, root: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout == run.stderr == ""


def on_terminal(script: str, root: Path) -> str:
    """What a script writes to standard error, on a terminal 80 columns wide; the last of it."""
    terminal, end = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80", "NO_COLOR": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=root, env=environment, stdout=end, stderr=end
    ) as run:
        os.close(end)
        written = b""
        while chunk := _read(terminal):
            written += chunk
    os.close(terminal)
    assert run.returncode == 0, written
    lines = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"\r", written).decode().replace("\n", "\r")
    return [line for line in lines.split("\r") if line.strip()][-1]


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's end of a terminal's file.
        return b""


def test_a_terminal_shows_what_is_done_and_a_note_within_its_width(root: Path) -> None:
    line = on_terminal(BAR, root)
    assert line.startswith("Simple Dense")
    assert " 50% " in line
    assert line.rstrip().endswith("validation 97.25%")
    assert len(line) <= 80


def test_the_time_left_of_what_was_begun_before_is_reckoned_from_now(root: Path) -> None:
    # Another 4,990 steps of a twentieth of a second and more; counting the others: half of one.
    (minutes, seconds) = re.findall(r" 0:(\d\d):(\d\d) ", on_terminal(BAR, root))[0]
    assert 200 < 60 * int(minutes) + int(seconds) < 2000


def test_items_are_tracked_on_a_terminal(root: Path) -> None:
    line = on_terminal(TRACK, root)
    assert line.startswith("Normalizing")
    assert " 100% " in line
