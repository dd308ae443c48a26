"""The invitation on the terminal: where to open the page, in words and as a QR code for phones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import zip_longest
from typing import TextIO

import segno

from edge_app.device.addresses import is_here

QUIET = 4
"""Light modules around a QR code, on every side."""


def invitation(addresses: Sequence[str], stream: TextIO | None) -> str:
    """The text to print once the page can be opened.

    Args:
        addresses: as :func:`edge_app.device.addresses.urls` gives them. A QR code of the first one
            follows if a phone could open it and the stream is a terminal that can show it.
        stream: where the text will be printed; None if standard output is closed.
    """
    lines = ["Open:    " + "\n         ".join(addresses)]
    if stream and _can_draw(stream) and not is_here(addresses[0]):
        code = segno.make_qr(addresses[0])
        if os.get_terminal_size(stream.fileno()).columns >= code.symbol_size(border=QUIET)[0]:
            lines += _to_lines(code)
    return "\n".join(lines)


def _can_draw(stream: TextIO) -> bool:
    encoding = (stream.encoding or "").lower().replace("-", "")
    return stream.isatty() and encoding == "utf8" and os.environ.get("TERM", "dumb") != "dumb"


def _to_lines(code: segno.QRCode) -> list[str]:
    """Two rows of modules per line, black on white whatever the terminal's colours."""
    rows = [bytes(row) for row in code.matrix_iter(border=QUIET)]
    pairs = zip_longest(rows[::2], rows[1::2], fillvalue=bytes(len(rows)))
    lines = (
        "".join(" ▄▀█"[2 * upper + lower] for upper, lower in zip(*pair, strict=True))
        for pair in pairs
    )
    return [f"\x1b[38;5;16;48;5;231m{line}\x1b[0m" for line in lines]
