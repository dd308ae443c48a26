"""QR codes, compared with those of another encoder, and as the text that a terminal shows."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest

from edge_app.device.qr import QUIET, TooLongError, encode, encode_with, to_lines, to_svg

ADDRESS = "http://192.168.1.20:7860"
CODE = """
    #######...#....##.#######
    #.....#.###..#.##.#.....#
    #.###.#.#......#..#.###.#
    #.###.#..#..#.....#.###.#
    #.###.#.###.##.#..#.###.#
    #.....#.#.#.#####.#.....#
    #######.#.#.#.#.#.#######
    ........#.##...##........
    ##.#..##...###....###.##.
    ..#.#..#.#.##.#...##....#
    .####.#....##.#...#.#..##
    #..###..#######.#.##.....
    ..#.#####.##.####.##.#.##
    .....#..##.#..#.###..##.#
    #..##.###..#.##.#..#..#.#
    .####..###.#.###.###.#.#.
    ##.#..###.#.#.#########..
    ........###.#...#...###.#
    #######.#..##.###.#.#..##
    #.....#..#..#..##...####.
    #.###.#..##.##..#####..#.
    #.###.#.####.#####..#.#..
    #.###.#..##.#..#.#.####.#
    #.....#.#.#..##.#....#...
    #######.##...##.####...##
"""
"""As the package qrcode 8.2 makes it with mask 7, and zxing-cpp 3.1.1 reads it."""


def test_an_address_s_code_is_the_standard_s() -> None:
    assert ["".join(".#"[int(dark)] for dark in row) for row in encode(ADDRESS)] == CODE.split()


@pytest.mark.parametrize(
    ("length", "side", "sha256"),
    [
        (17, 21, "a58d2977b9c08b20348adcd0e949d96c200b4ae2bc864472bc2ec574fa00f3c6"),
        (32, 25, "e4fbaffba37b7433c3da831390f5ba75623f0b726b1f65d8119dbc720064655b"),
        (53, 29, "82f83d5a3211e4c6ad4f3f014b8e80692e8b3fe73f1b8980d11321a23803129d"),
        (78, 33, "7fcbcdc888f2e27f2194c195ff66e22ce95834535e39fea725ec160da9e1ef75"),
        (106, 37, "5534ebf0923e9a028cced6569514fbd0c75eb69c95ebe5f8083a19ea55424e06"),
    ],
)
def test_the_longest_texts_of_every_version_with_every_mask(
    length: int, side: int, sha256: str
) -> None:
    """The hashes are of what qrcode 8.2 makes."""
    text = f"{ADDRESS}/" * 5
    codes = [encode_with(text[:length].encode(), mask) for mask in range(8)]
    assert {code.shape for code in codes} == {(side, side)}
    packed = b"".join(np.packbits(code).tobytes() for code in codes)
    assert hashlib.sha256(packed).hexdigest() == sha256
    assert any((encode(text[:length]) == code).all() for code in codes)
    if length < 106:
        assert len(encode(text[: length + 1])) == side + 4


def test_a_longer_text_does_not_fit() -> None:
    with pytest.raises(TooLongError, match="107 bytes are too many"):
        encode("x" * 107)


def test_the_terminal_s_lines_show_the_code_and_light_around_it() -> None:
    code = encode(ADDRESS)
    shown = []
    for line in to_lines(code):
        found = re.fullmatch("\x1b\\[38;5;16;48;5;231m([ ▀▄█]*)\x1b\\[0m", line)
        assert found
        shown += [[half in "▀█" for half in found[1]], [half in "▄█" for half in found[1]]]
    framed = np.pad(code, QUIET)
    assert len(shown) == len(framed) + 1  # Two rows a line: of an odd number, one is left over.
    assert (np.array(shown[:-1]) == framed).all()
    assert not any(shown[-1])


def test_the_svg_shows_the_code_on_white_and_light_around_it() -> None:
    code = encode(ADDRESS)
    svg = to_svg(code)
    side = len(code) + 2 * QUIET
    assert f'viewBox="0 0 {side} {side}"' in svg
    assert f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/>' in svg
    shown = np.zeros((side, side), bool)
    for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", svg):
        shown[int(y), int(x)] = True
    assert (shown == np.pad(code, QUIET)).all()
