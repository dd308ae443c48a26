"""Files of drawn digits, in UNIPEN's format or JSON Lines, told apart by their content."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from convert.data.unipen import read_drawings, read_unipen
from edge_app.digits.strokes import DrawingError

GOOD = '{"label": 3, "strokes": [[[1, 2], [3.5, 4]], [[5, 6]]]}'
UNIPEN = """\
.INCLUDE        dene.doc

.LEXICON "0" "1" "2"
.HIERARCHY      DIGIT

.SEGMENT DIGIT    0 ? "8"
.COMMENT 8 12  224
.PEN_DOWN
 267  333
 267 -336
.PEN_UP
.DT 100

.SEGMENT DIGIT 1-2 ? "4"
.COMMENT 4 7    3
.PEN_DOWN
1 2
.PEN_UP
.DT 100
.PEN_DOWN
3 4
.PEN_UP
.DT 100
"""


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_the_format_is_found_by_content_and_unipen_read_with_y_down(
    suffix: str, tmp_path: Path
) -> None:
    lines, unipen = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    for path, text in ((lines, GOOD), (unipen, UNIPEN)):
        path.write_bytes(gzip.compress(text.encode()) if suffix else text.encode())
    assert [drawing.label for drawing in read_drawings(lines)] == [3]
    drawings = read_drawings(unipen)
    assert [(drawing.label, drawing.writer) for drawing in drawings] == [(8, 12), (4, 7)]
    strokes = [[line.tolist() for line in drawing.strokes] for drawing in drawings]
    assert strokes == [[[[267, -333], [267, 336]]], [[[1, -2]], [[3, -4]]]]
    assert drawings[0].strokes[0].dtype == np.float64


@pytest.mark.parametrize(
    ("old", "new", "line", "found"),
    [
        ('? "8"', '? "x"', 6, "Found '.SEGMENT DIGIT"),
        (".COMMENT 8 12  224", ".COMMENT by hand", 7, "Found '.COMMENT by hand'"),
        (" 267  333", " 267", 9, "Found '267'"),
        (" 267  333", "267 x", 9, "Found '267 x'"),
        (" 267  333", " 267 2000000", 13, "Stroke 1 has a coordinate"),
        (" 267 -336\n.PEN_UP", " 267 -336", 11, "Found '.DT 100'"),
        (".PEN_DOWN\n 267", " 267", 8, "Found '267  333'"),
        (".PEN_DOWN\n 267  333\n 267 -336\n.PEN_UP\n", "", 9, "The digit ends here"),
        ("\n3 4\n.PEN_UP\n.DT 100\n", "\n3 4\n", 21, "The digit ends here"),
        ('.SEGMENT DIGIT 1-2 ? "4"', '.SEG DIGIT 1-2 ? "4"', 14, "Found '.SEG DIGIT"),
        ('.SEGMENT DIGIT    0 ? "8"', "", 7, "Found '.COMMENT 8 12"),
        (".HIERARCHY", "Some text", 4, "Found 'Some text"),
    ],
)
def test_a_bad_line_of_unipen_is_named(
    old: str, new: str, line: int, found: str, tmp_path: Path
) -> None:
    assert UNIPEN.count(old) == 1
    path = tmp_path / "pen.tra"
    path.write_text(UNIPEN.replace(old, new))
    with pytest.raises(DrawingError) as refusal:
        read_unipen(path)
    assert str(refusal.value).startswith(f"{path}, line {line}: {found}")
    assert str(refusal.value).endswith(".")


def test_unipen_that_names_some_writers_only_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "digits.tra"
    path.write_text(UNIPEN.replace(".COMMENT 4 7    3\n", ""))
    last = len(path.read_text().rstrip().splitlines())
    with pytest.raises(DrawingError, match=f"line {last}: The digit that ends here has no writer"):
        read_unipen(path)
    path.write_text(re.sub(r"\.COMMENT.*\n", "", UNIPEN))
    assert [drawing.writer for drawing in read_unipen(path)] == [None, None]


def test_the_pen_file_holds_7494_digits_by_thirty_writers(pen_file: Path) -> None:
    drawings = read_drawings(pen_file)
    assert len(drawings) == 7494
    writers = Counter(drawing.writer for drawing in drawings)
    assert sorted(writers, key=lambda writer: writer or 0) == list(range(1, 31))
    assert min(writers.values()) >= 247
    assert sum(len(drawing.strokes) for drawing in drawings) == 9433
    assert {drawing.label for drawing in drawings} == set(range(10))
    # A 7 starts at its top: y is down.
    sevens = [np.concatenate(each.strokes)[:, 1] for each in drawings if each.label == 7]
    assert np.mean([y[0] < y.mean() for y in sevens]) > 0.9


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.jsonl", None, r"cannot be read \(No such file or directory\)\.$"),
        (".", None, r"cannot be read \(Is a directory\)\.$"),
        ("empty.csv", b"\n\n", "starts with .*; expected JSON Lines"),
        ("drawings.csv", b"label,strokes\n3,5\n", "starts with .*; expected JSON Lines"),
        ("header.tra", b".INCLUDE dene.doc\n", r"has no line that starts with \.SEGMENT"),
        ("binary.jsonl", b"\xff\xfe\x00", "is damaged or not text"),
        ("cut.jsonl.gz", gzip.compress(UNIPEN.encode())[:-20], "is damaged or not text"),
        ("plain.jsonl.gz", GOOD.encode(), "cannot be read .*gzip"),
        ("bad.jsonl.gz", gzip.compress(b"", mtime=0)[:10] + b"\xff" * 20, "is damaged or not text"),
    ],
)
def test_an_unreadable_file_is_one_sentence(
    name: str, content: bytes | None, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DrawingError, match=reason) as refusal:
        read_drawings(path)
    assert str(refusal.value).startswith(str(path))
