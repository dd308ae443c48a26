"""QR codes of addresses: ISO/IEC 18004, bytes in versions 1 to 5 with error correction L.

That much holds 106 bytes, in one block of codewords, and needs no package: none that Gradio brings
makes QR codes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

QUIET = 4
"""Light modules around the code, on every side."""
_CODEWORDS = {1: (19, 7), 2: (34, 10), 3: (55, 15), 4: (80, 20), 5: (108, 26)}
"""Of data and of error correction, by version."""
_PADDING = b"\xec\x11"
_FINDER, _ALIGNMENT = 7, 5
"""Sides of the squares in three corners, and of the one near the fourth."""
_UNDECIDED = -1

_MASKS: tuple[Callable[[NDArray[np.int_], NDArray[np.int_]], NDArray[np.int_]], ...] = (
    lambda row, column: (row + column) % 2,
    lambda row, column: row % 2 + 0 * column,
    lambda row, column: column % 3 + 0 * row,
    lambda row, column: (row + column) % 3,
    lambda row, column: (row // 2 + column // 3) % 2,
    lambda row, column: row * column % 2 + row * column % 3,
    lambda row, column: (row * column % 2 + row * column % 3) % 2,
    lambda row, column: ((row + column) % 2 + row * column % 3) % 2,
)
"""A module is inverted where its mask is 0."""

_BAD_RUN = 5
_LIKE_A_FINDER = np.array([1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0])


class TooLongError(ValueError):
    """A text that does not fit."""


def encode(text: str) -> NDArray[np.bool_]:
    """The QR code of a text: bool (side, side), True where it is dark, without the quiet zone.

    Raises:
        TooLongError: the text has more than 106 bytes.
    """
    content = text.encode()
    return min((encode_with(content, mask) for mask in range(len(_MASKS))), key=_penalty)


def encode_with(content: bytes, mask: int) -> NDArray[np.bool_]:
    """The QR code with one of the eight masks, 0 to 7, of which :func:`encode` takes the best."""
    need = len(content) + 2  # The mode and the length before it, and zeros after it.
    version = next((each for each, (data, _) in _CODEWORDS.items() if need <= data), None)
    if version is None:
        raise TooLongError(f"{len(content)} bytes are too many for a QR code of version 5.")
    codewords = _codewords(content, *_CODEWORDS[version])
    modules = _patterns(version)
    _place_format(modules, mask)
    _place_data(modules, codewords, mask)
    return modules == 1


def to_lines(modules: NDArray[np.bool_]) -> list[str]:
    """A QR code for a terminal, black on white whatever its colours, two rows of modules a line."""
    framed = np.pad(modules, QUIET)
    framed = np.pad(framed, ((0, len(framed) % 2), (0, 0)))
    lines = (
        "".join(" ▄▀█"[2 * upper + lower] for upper, lower in zip(*pair, strict=True))
        for pair in zip(framed[::2].astype(int), framed[1::2].astype(int), strict=True)
    )
    return [f"\x1b[38;5;16;48;5;231m{line}\x1b[0m" for line in lines]


def to_svg(modules: NDArray[np.bool_]) -> str:
    """A QR code as an SVG element, black on white whatever surrounds it, one unit a module."""
    side = len(modules) + 2 * QUIET
    path = "".join(
        f"M{column + QUIET} {row + QUIET}h1v1h-1z" for row, column in np.argwhere(modules)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img" '
        f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path d="{path}"/></svg>'
    )


# Codewords


def _codewords(content: bytes, data: int, correction: int) -> bytes:
    length = len(content)
    # Four bits say that bytes come, eight how many; four zeros end them.
    bits = (0b0100 << 8 | length) << 8 * length | int.from_bytes(content, "big")
    message = (bits << 4).to_bytes(length + 2, "big")
    message += (_PADDING * data)[: data - len(message)]
    return message + _remainder(message, correction)


def _remainder(message: bytes, length: int) -> bytes:
    """Reed-Solomon: what is left of the message after division by (x - 1)(x - 2)(x - 4)..."""
    divisor = [1]
    root = 1
    for _ in range(length):
        divisor = [
            one ^ _multiply(other, root)
            for one, other in zip([*divisor, 0], [0, *divisor], strict=True)
        ]
        root = _multiply(root, 2)
    rest = list(message) + [0] * length
    for at in range(len(message)):
        factor = rest[at]
        for offset, value in enumerate(divisor):
            rest[at + offset] ^= _multiply(value, factor)
    return bytes(rest[len(message) :])


def _multiply(one: int, other: int) -> int:
    """In the field of 256 elements, modulo x^8 + x^4 + x^3 + x^2 + 1."""
    product = 0
    while other:
        if other & 1:
            product ^= one
        one = one << 1 ^ (0x11D if one & 0x80 else 0)
        other >>= 1
    return product


# Modules: 1 dark, 0 light


def _patterns(version: int) -> NDArray[np.int8]:
    """What every code of a version has; the rest is undecided."""
    side = 17 + 4 * version
    modules = np.full((side, side), _UNDECIDED, np.int8)
    modules[6, :] = modules[:, 6] = np.arange(side) % 2 == 0
    corner = np.zeros((_FINDER + 1, _FINDER + 1), np.int8)
    corner[:_FINDER, :_FINDER] = _square(_FINDER)
    modules[: _FINDER + 1, : _FINDER + 1] = corner
    modules[: _FINDER + 1, -_FINDER - 1 :] = corner[:, ::-1]
    modules[-_FINDER - 1 :, : _FINDER + 1] = corner[::-1]
    if version > 1:
        modules[-9:-4, -9:-4] = _square(_ALIGNMENT)
    modules[-8, 8] = 1
    return modules


def _square(side: int) -> NDArray[np.int8]:
    """A dark frame, a light one in it, and a dark middle."""
    square = np.ones((side, side), np.int8)
    square[1:-1, 1:-1] = 0
    square[2:-2, 2:-2] = 1
    return square


def _place_format(modules: NDArray[np.int8], mask: int) -> None:
    """Write the level of error correction and the mask, twice."""
    value = 0b01 << 3 | mask  # 01 is level L.
    rest = value << 10
    for bit in range(14, 9, -1):
        if rest >> bit & 1:
            rest ^= 0b10100110111 << bit - 10
    bits = [((value << 10 | rest) ^ 0b101010000010010) >> bit & 1 for bit in range(15)]
    modules[[0, 1, 2, 3, 4, 5, 7, 8], 8] = bits[:8]
    modules[8, [7, 5, 4, 3, 2, 1, 0]] = bits[8:]
    modules[8, :-9:-1] = bits[:8]
    modules[-7:, 8] = bits[8:]


def _place_data(modules: NDArray[np.int8], codewords: bytes, mask: int) -> None:
    """Fill in the codewords, in columns of two from the right, up and down in turn."""
    side = len(modules)
    free = modules == _UNDECIDED
    inverted = _MASKS[mask](*np.ogrid[:side, :side]) == 0
    bits = np.unpackbits(np.frombuffer(codewords, np.uint8))
    rights = [right for right in range(side - 1, 0, -2) if right > 6]
    rights += [5, 3, 1]  # Column 6 is a pattern throughout.
    places = [
        (row, column)
        for turn, right in enumerate(rights)
        for row in (range(side) if turn % 2 else range(side - 1, -1, -1))
        for column in (right, right - 1)
        if free[row, column]
    ]
    # A few modules are left over: zeros.
    for (row, column), bit in zip(places, [*bits, *[0] * 7], strict=False):
        modules[row, column] = bit ^ inverted[row, column]


def _penalty(code: NDArray[np.bool_]) -> int:
    """How hard a code is to read, by the standard's four rules."""
    modules = code.astype(int)
    score = 0
    for lines in (modules, modules.T):
        for line in lines:
            ends = np.flatnonzero(np.diff(line, prepend=-1, append=-1))
            runs = np.diff(ends)
            score += int((runs[runs >= _BAD_RUN] - 2).sum())
            windows = np.lib.stride_tricks.sliding_window_view(line, len(_LIKE_A_FINDER))
            for pattern in (_LIKE_A_FINDER, _LIKE_A_FINDER[::-1]):
                score += 40 * int((windows == pattern).all(axis=1).sum())
    blocks = modules[1:, 1:] + modules[1:, :-1] + modules[:-1, 1:] + modules[:-1, :-1]
    score += 3 * int(np.isin(blocks, (0, 4)).sum())
    return score + 10 * int(abs(modules.mean() - 0.5) * 20)
