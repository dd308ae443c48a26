"""The terminal: where to open the page, in words and, for a phone's camera, as a QR code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TextIO

from edge_app.device.addresses import is_here
from edge_app.device.qr import QUIET, TooLongError, encode, to_lines


def invitation(addresses: Sequence[str], stream: TextIO) -> str:
    """What to print on a stream when the page can be opened.

    Args:
        addresses: as :func:`edge_app.device.addresses.urls` gives them. The first one's QR code
        follows
            where a phone could open it, and the stream leads to a terminal that can show it.
    """
    lines = ["Open:    " + "\n         ".join(addresses)]
    if _can_draw(stream) and not is_here(addresses[0]):
        try:
            code = encode(addresses[0])
        except TooLongError:  # No phone's camera would like it either.
            return lines[0]
        if os.get_terminal_size(stream.fileno()).columns >= len(code) + 2 * QUIET:
            lines += to_lines(code)
    return "\n".join(lines)


def _can_draw(stream: TextIO) -> bool:
    encoding = (stream.encoding or "").lower().replace("-", "")
    return stream.isatty() and encoding == "utf8" and os.environ.get("TERM", "dumb") != "dumb"
