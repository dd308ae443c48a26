"""Glyphs: letters and little pictures that nobody takes for digits, as a pen's paths.

Letters that look like somebody's digit are left out:
0: C D O Q U u, which are round, open or tailed; a ring; and the Greek Phi, a 0 struck through
1: I i J j l; and an A without its bar, which looks like a 1 with a long flag
2: Z z. 3: B. 4: d Y y. 5: S s. 6: b G. 8: B. 9: a e g q

About half of the other letters, E N R V f m p t among them, appear only in the drawings that judge
models (``non-digits.jsonl``): that shows whether a model knows letters or just these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convert.strokes.geometry import rounded

_LETTERS = (
    # One string per stroke, with its corners "x,y"; "~" rounds them.
    ["5,0 0,10", "5,0 10,10", "2,6 8,6"],  # A
    ["0,10 5,0 10,10", "2,7 8,7"],
    ["0,0 0,10", "0,0 7,0", "0,5 6,5"],  # F
    ["7,0 0,0 0,10", "0,4 5,4"],
    ["0,0 0,10", "8,0 8,10", "0,5 8,5"],  # H
    ["0,0 0,10", "0,5 8,5", "8,0 8,10"],
    ["0,0 0,10", "7,0 0,6", "2,4 8,10"],  # K
    ["0,0 0,10", "7,1 0,5 7,10"],
    ["0,0 0,10 8,10"],  # L, with a long foot
    ["0,10 0,0 5,7 10,0 10,10"],  # M
    ["0,10 2,0 5,9 8,0 10,10"],
    ["0,0 0,10", "~0,0 5,0 8,1 8,4 6,5 0,5"],  # P
    ["~0,10 0,5 0,0 6,-1 8,2 6,5 0,5"],
    ["0,0 9,0", "4.5,0 4.5,10"],  # T
    ["4.5,0 4.5,10", "0,0 9,0"],
    ["0,0 3,10 6,2 9,10 12,0"],  # W
    ["~0,0 0,7 2,10 5,9 6,3 6,8 8,10 11,8 12,0"],
    ["0,0 8,10", "8,0 0,10"],  # X
    ["0,0 0,10", "~0,7 2,4 5,4 6,6 6,10"],  # h
    ["~0,0 0,5 0,10 0,8 1,5 4,4 6,5 6,8 6,10"],
    ["0,0 0,10", "5,4 0,7 5,10"],  # k
    ["0,-1 0,10", "~0,5 1,1 4,0 7,1 7,5 7,10"],  # n, with a spur
    ["0,0 0,10", "~0,5 1,2 3,0 6,0 7,1"],  # r, with a long arm
    ["0,0 10,0", "2,0 2,10", "8,0 8,10"],  # Π
    ["0,0 10,10", "10,0 0,10", "5,0 5,10"],  # Ж
    ["~0,0 0,4 2,7 8,7 10,4 10,0", "5,0 5,10"],  # Ψ
    ["0,10 3,10", "~3,10 0,7 0,1 5,-1 10,1 10,7 7,10", "7,10 10,10"],  # Ω
    ["9,0 1,0 5,5 1,10 9,10"],  # Σ
    ["0,0 0,10", "5,0 5,10", "10,0 10,10", "0,10 10,10"],  # Ш
)
_PICTURES = (
    ["~5,3 4,0 1,-1 0,2 1,5 5,9", "~5,3 6,0 9,-1 10,2 9,5 5,9"],  # Hearts
    ["~5,3 5,1 3,-1 0,0 0,4 3,7 5,10 5,10 7,7 10,4 10,0 7,-1 5,1 5,3"],
    ["0,8 1.6,10 9,0"],  # Check mark
    ["0,10 0,4 5,0 10,4 10,10 0,10"],  # Houses
    ["0,4 5,0 10,4", "1,4 1,10 9,10 9,4", "4,10 4,7 6,7 6,10"],
    ["0,10 10,10 0,4 10,4 0,10 0,4 5,0 10,4 10,10"],
    ["0,2 0,9 7,9 7,2 0,2", "~7,3 10,3 10,7 7,7"],  # Cup
    ["~0,5 1,1 5,0 9,1 10,5", "0,5 10,5", "~5,5 5,9 4,10 3,9"],  # Umbrella
    ["0,6 12,6 10,10 2,10 0,6", "6,6 6,0 10,5 6,5"],  # Boat
    ["0,0 10,0 10,7 0,7 0,0", "0,0 5,4 10,0"],  # Envelope
    ["0,3 4,0 10,0 10,6 6,9 0,9 0,3 6,3 6,9", "6,3 10,0"],  # Cube
    ["0,0 8,0 0,10 8,10 0,0"],  # Hourglass
    ["0,0 10,8 10,0 0,8 0,0"],  # Bow
    ["0,10 0,2 2,6 5,0 8,6 10,2 10,10 0,10"],  # Crown
    ["0,0 0,12", "0,0 8,2 0,5"],  # Flag
    ["2,0 2,10", "5,0 5,10", "0,3 7,3", "0,7 7,7"],  # Hash
)
_FACE = "~5,0 2,0 0,2 0,5 0,8 2,10 5,10 8,10 10,8 10,5 10,2 8,0 5,0"
_FACES = (
    [_FACE, "3,3", "7,3", "~2,6 3,8 5,8.5 7,8 8,6"],
    [_FACE, "3,3 3,4", "7,3 7,4", "~2,8 4,6 6,6 8,8"],
    [_FACE, "3,4", "7,4", "3,7 7,7"],
    [_FACE, "2,3 4,3", "6,3 8,3", "5,4 5,6", "~2,6 3,8 5,8.5 7,8 8,6"],
    ["0,0", "5,0", "~-2,4 0,7 2,8 5,7 7,4"],
)


def _path(stroke: str) -> NDArray[np.float64]:
    points = [point.split(",") for point in stroke.removeprefix("~").split()]
    path = np.array(points, dtype=np.float64)
    return rounded(path) if stroke.startswith("~") else path


LETTERS = [[_path(stroke) for stroke in glyph] for glyph in _LETTERS]
"""The strokes of each letter, float64 (corners, 2), y down, about 10 units high."""
PICTURES = [[_path(stroke) for stroke in glyph] for glyph in _PICTURES + _FACES]
"""As :data:`LETTERS`."""
