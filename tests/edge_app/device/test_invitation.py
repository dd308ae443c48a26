"""What is printed when the page can be opened: with a QR code where that is of use."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest
import segno

from app import launch
from edge_app.device.invitation import invitation

LAN = "http://192.168.1.20:7860"
ADDRESSES = [LAN, "http://pi.local:7860"]
WORDS = f"Open:    {LAN}\n         http://pi.local:7860"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    """A terminal of 80 columns, with colours and UTF-8."""
    monkeypatch.setenv("TERM", "xterm-256color")
    there, here = pty.openpty()
    resize(here, 80)
    with open(here, "w", encoding="utf-8") as stream:  # noqa: PTH123 - A descriptor, no path.
        yield stream
    os.close(there)


def resize(descriptor: int, columns: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def test_a_phone_s_address_comes_with_its_code(terminal: TextIO) -> None:
    first, second, *code = invitation(ADDRESSES, terminal).split("\n")
    assert [first, second] == WORDS.split("\n")
    assert modules(code) == [[*row] for row in segno.make_qr(LAN).matrix_iter(border=4)]


def modules(lines: list[str]) -> list[list[int]]:
    """The rows of a QR code that is printed black on white, 1 for dark."""
    rows = []
    for line in lines:
        found = re.fullmatch("\x1b\\[38;5;16;48;5;231m([ ▀▄█]*)\x1b\\[0m", line)
        assert found
        rows += [[int(half in halves) for half in found[1]] for halves in ("▀█", "▄█")]
    # Two rows a line: of an odd number, one is left over.
    left_over = rows.pop()
    assert len(rows) == len(rows[0])
    assert not any(left_over)
    return rows


def test_a_code_wider_than_the_terminal_is_left_out(terminal: TextIO) -> None:
    resize(terminal.fileno(), 33)
    assert "█" in invitation(ADDRESSES, terminal)
    for columns in (32, 0):
        resize(terminal.fileno(), columns)
        assert invitation(ADDRESSES, terminal) == WORDS


def test_an_address_that_no_phone_can_open_has_no_code(terminal: TextIO) -> None:
    assert invitation(["http://127.0.0.1:80"], terminal) == "Open:    http://127.0.0.1:80"


def test_a_stream_that_cannot_show_a_code_gets_words(
    terminal: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(os.devnull, "w", encoding="utf-8") as stream:  # noqa: PTH123
        assert invitation(ADDRESSES, stream) == WORDS
    with open(os.dup(terminal.fileno()), "w", encoding="ascii") as stream:  # noqa: PTH123
        assert invitation(ADDRESSES, stream) == WORDS
    monkeypatch.setenv("TERM", "dumb")
    assert invitation(ADDRESSES, terminal) == WORDS
    monkeypatch.delenv("TERM")
    assert invitation(ADDRESSES, terminal) == WORDS


@pytest.mark.slow
def test_the_app_prints_the_code_on_a_terminal(tmp_path: Path) -> None:
    """Made to believe in an address on the LAN while it listens on this device only."""
    pretend = f"import edge_app.command as app; app.urls = lambda *_: [{LAN!r}]; app.main()"
    there, here = pty.openpty()
    resize(here, 80)
    with launch(tmp_path, script=pretend, stdout=here, TERM="xterm", PYTHONUTF8="1"):
        os.close(here)
        printed = ""
        while "Ctrl-C stops." not in printed:
            printed += os.read(there, 65536).decode(errors="replace")
    os.close(there)
    assert "\x1b[38;5;16;48;5;231m" in printed
