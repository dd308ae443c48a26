"""What is printed when the page can be opened: with a QR code where that is of use."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Iterator
from typing import TextIO

import pytest

from app import PATIENCE_S, PYTHON, ROOT
from edge_app.device.invitation import invitation
from edge_app.device.qr import encode, to_lines

LAN = "http://192.168.1.20:7860"
WORDS = f"Open:    {LAN}\n         http://pi.local:7860"
ADDRESSES = [LAN, "http://pi.local:7860"]


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
    assert invitation(ADDRESSES, terminal).split("\n") == [
        *WORDS.split("\n"),
        *to_lines(encode(LAN)),
    ]


def test_a_code_wider_than_the_terminal_is_left_out(terminal: TextIO) -> None:
    resize(terminal.fileno(), 33)
    assert "█" in invitation(ADDRESSES, terminal)
    for columns in (32, 0):
        resize(terminal.fileno(), columns)
        assert invitation(ADDRESSES, terminal) == WORDS


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:7860", "http://127.0.0.2:80", "http://[::1]:7860", "http://localhost:7860"],
)
def test_an_address_that_no_phone_can_open_has_no_code(terminal: TextIO, address: str) -> None:
    assert invitation([address], terminal) == f"Open:    {address}"


def test_an_address_too_long_for_a_code_has_none(terminal: TextIO) -> None:
    address = f"http://{'x' * 100}.local:7860"
    assert invitation([address], terminal) == f"Open:    {address}"


def test_what_is_no_terminal_for_drawings_gets_words(
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


@pytest.mark.parametrize("lan", [True, False])
def test_the_app_prints_the_code_on_a_terminal(*, lan: bool) -> None:
    """The real one, made to believe in an address on the LAN while it listens on this device."""
    pretend = "import edge_app.command as app; app.urls = lambda host, port: [{!r}]; app.main()"
    command = ["-c", pretend.format(LAN)] if lan else ["-m", "edge_app"]
    there, here = pty.openpty()
    resize(here, 80)
    process = subprocess.Popen(
        [PYTHON, *command, "--host", "127.0.0.1", "--port", "0"],
        cwd=ROOT,
        env=os.environ | {"TERM": "xterm", "PYTHONIOENCODING": "utf-8"},
        stdout=here,
    )
    os.close(here)
    printed = b""
    try:
        while b"Ctrl-C stops." not in printed:
            printed += os.read(there, 65536)
    finally:
        process.terminate()
        status = process.wait(PATIENCE_S)
        os.close(there)
    assert status == 0
    code = "\r\n".join(to_lines(encode(LAN))).encode()
    assert (code in printed) is lan
    assert (b"\x1b" in printed) is lan
