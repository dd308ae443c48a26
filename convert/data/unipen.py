"""Files of drawn digits to train on: JSON Lines, or UNIPEN as the UCI data set "Pen-Based
Recognition of Handwritten Digits" uses it.

Its file ``pendigits-orig.tra`` (E. Alpaydin, F. Alimoglu, 1998; CC BY 4.0) holds the pen's path of
7,494 digits by 30 writers, after a few lines about the whole file. One digit looks like this::

    .SEGMENT DIGIT 0-1 ? "4"     the numbers of its strokes, and its label
    .COMMENT 4 12  224           the second number is the writer's
    .PEN_DOWN
     267  333                    a point; y grows upwards
    .PEN_UP
    .DT 100

Format: I. Guyon, L. Schomaker, R. Plamondon, M. Liberman, S. Janet, "UNIPEN project of on-line data
exchange and recognizer benchmarks", ICPR 1994.
"""

from __future__ import annotations

import re
from pathlib import Path

from edge_app.digits.labelled import LINE, LabelledDrawing, read_json_lines, read_lines
from edge_app.digits.strokes import DrawingError, parse_strokes

_HEADER = re.compile(r"(\.(INCLUDE|LEXICON|HIERARCHY)\b.*)?")
_SEGMENT = re.compile(r'\.SEGMENT\s+DIGIT\s+\d+(-\d+)?\s+\?\s+"(?P<label>\d)"')
_COMMENT = re.compile(r"\.COMMENT\s+\d+\s+(?P<writer>\d+)\s+\d+")
_POINT = re.compile(r"(?P<x>-?\d+)\s+(?P<y>-?\d+)")
_IGNORED = re.compile(r"(\.DT\b.*)?")


def read_drawings(path: str | Path) -> list[LabelledDrawing]:
    """Read a file of labelled drawings, plain or ``.gz``: JSON Lines or UNIPEN, by its content.

    Raises:
        DrawingError: the file is missing or unreadable, is in neither format, or has a bad line.
    """
    first = read_lines(path)[0]
    if first.startswith("{"):
        return read_json_lines(path)
    if first.startswith("."):
        return read_unipen(path)
    raise DrawingError(
        f"{path} starts with {first!r:.40}; expected JSON Lines ({LINE}) "
        "or UNIPEN (lines that start with a dot)."
    )


def read_unipen(path: str | Path) -> list[LabelledDrawing]:
    """Read a UNIPEN file of digits, plain or ``.gz``; y is flipped to grow downwards.

    Raises:
        DrawingError: the file is missing or unreadable, has a line where it does not belong, or
            names the writers of only some digits.
    """
    drawings: list[LabelledDrawing] = []
    ends = []
    digit: _Digit | None = None
    lines = [line.strip() for line in read_lines(path)]
    for number, (line, following) in enumerate(zip(lines, [*lines[1:], None], strict=True), 1):
        try:
            if line.startswith(".SEGMENT"):
                digit = _Digit(line)
            elif digit:
                digit.take(line)
            else:
                _match(_HEADER, line, "UNIPEN's .SEGMENT")
            if digit and (following is None or following.startswith(".SEGMENT")):
                drawings.append(digit.drawing())
                ends.append(number)
        except DrawingError as error:
            raise DrawingError(f"{path}, line {number}: {error}") from error
    if not drawings:
        raise DrawingError(f"{path} has no line that starts with .SEGMENT; expected one per digit.")
    nameless = [end for end, drawing in zip(ends, drawings, strict=True) if drawing.writer is None]
    if nameless and len(nameless) < len(drawings):
        raise DrawingError(
            f"{path}, line {nameless[0]}: The digit that ends here has no writer, while others "
            "have one; expected .COMMENT and three numbers, the second being the writer's."
        )
    return drawings


class _Digit:
    """One digit while its lines are read."""

    def __init__(self, segment: str) -> None:
        self._label = int(_match(_SEGMENT, segment, '.SEGMENT DIGIT 0 ? "8"')["label"])
        self._writer: int | None = None
        self._strokes: list[list[tuple[int, int]]] = []
        self._pen_is_down = False

    def take(self, line: str) -> None:
        if line.startswith(".COMMENT"):
            self._writer = int(_match(_COMMENT, line, ".COMMENT and three numbers")["writer"])
        elif self._pen_is_down and line == ".PEN_UP":
            self._pen_is_down = False
        elif self._pen_is_down:
            point = _match(_POINT, line, "a point's x and y, or .PEN_UP")
            self._strokes[-1].append((int(point["x"]), -int(point["y"])))
        elif line == ".PEN_DOWN":
            self._pen_is_down = True
            self._strokes.append([])
        else:
            _match(_IGNORED, line, ".PEN_DOWN or .SEGMENT")

    def drawing(self) -> LabelledDrawing:
        strokes = parse_strokes(self._strokes)
        if self._pen_is_down or not strokes:
            raise DrawingError(
                "The digit ends here without a stroke, or in the middle of one; expected points "
                "between .PEN_DOWN and .PEN_UP."
            )
        return LabelledDrawing(self._label, strokes, self._writer)


def _match(pattern: re.Pattern[str], line: str, expected: str) -> re.Match[str]:
    match = pattern.fullmatch(line)
    if match is None:
        raise DrawingError(f"Found {line!r:.60}; expected {expected}.")
    return match
