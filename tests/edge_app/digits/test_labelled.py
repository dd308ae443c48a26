"""Files of labelled drawings: JSON Lines, UNIPEN, and what is said of a bad line."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from convert.data.drawings import read_drawings
from convert.data.unipen import read_unipen
from edge_app.digits.labelled import LabelledDrawing, read_json_lines
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


def check_digits(drawings: list[LabelledDrawing]) -> None:
    """That the drawings are those of :data:`UNIPEN`."""
    assert [(drawing.label, drawing.writer) for drawing in drawings] == [(8, 12), (4, 7)]
    strokes = [[line.tolist() for line in drawing.strokes] for drawing in drawings]
    assert strokes == [[[[267, -333], [267, 336]]], [[[1, -2]], [[3, -4]]]]
    assert drawings[0].strokes[0].dtype == np.float64


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n"])
def test_json_lines_are_read(end: str, tmp_path: Path) -> None:
    path = tmp_path / "drawings.jsonl"
    path.write_text(f'{GOOD}\n{{"label": 0, "strokes": [[[7, 8]]]}}{end}', newline="")
    first, second = read_json_lines(path)
    assert (first.label, second.label) == (3, 0)
    assert (first.writer, second.writer) == (None, None)
    assert [line.tolist() for line in first.strokes] == [[[1, 2], [3.5, 4]], [[5, 6]]]
    assert first.strokes[0].dtype == np.float64


def test_gzipped_json_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "drawings.jsonl.gz"
    path.write_bytes(gzip.compress(GOOD.encode()))
    assert [drawing.label for drawing in read_json_lines(str(path))] == [3]


def test_the_tests_own_drawings_are_the_ten_digits(drawings: list[LabelledDrawing]) -> None:
    assert [drawing.label for drawing in drawings] == list(range(10))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", "Found no JSON"),
        ("3", "Found JSON of type int"),
        ("[]", "Found JSON of type list"),
        ('{"label": 3', "Found no JSON"),
        ("[" * 100_000, "Found no JSON"),
        ('{"strokes": [[[1, 2]]]}', "The label is None"),
        ('{"label": true, "strokes": [[[1, 2]]]}', "The label is True"),
        ('{"label": 10, "strokes": [[[1, 2]]]}', "The label is 10"),
        ('{"label": -1, "strokes": [[[1, 2]]]}', "The label is -1"),
        ('{"label": 3.0, "strokes": [[[1, 2]]]}', "The label is 3.0"),
        ('{"label": "3", "strokes": [[[1, 2]]]}', "The label is '3'"),
        ('{"label": 3}', "The drawing is missing"),
        ('{"label": 3, "strokes": []}', "The drawing is blank"),
        ('{"label": 3, "strokes": [[]]}', "The drawing is blank"),
        ('{"label": 3, "strokes": [[[1, 2, 3]]]}', "Stroke 1 holds something other than points"),
        ('{"label": 3, "strokes": [[[1, NaN]]]}', "Stroke 1 has a coordinate that is not a number"),
    ],
)
def test_a_bad_line_is_named_with_what_was_found_and_expected(
    line: str, found: str, tmp_path: Path
) -> None:
    path = tmp_path / "drawings.jsonl"
    path.write_text(f"{GOOD}\n{line}\n{GOOD}\n")
    with pytest.raises(DrawingError) as refusal:
        read_json_lines(path)
    sentence = str(refusal.value)
    assert sentence.startswith(f"{path}, line 2: {found}")
    assert "expected" in sentence or "between" in sentence
    assert sentence.endswith(".")
    assert len(sentence) < 400


def test_unipen_is_read_with_y_down_and_its_writers(tmp_path: Path) -> None:
    path = tmp_path / "pen.tra"
    path.write_text(UNIPEN)
    check_digits(read_unipen(path))


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


def test_unipen_without_a_digit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pen.tra"
    path.write_text(".INCLUDE dene.doc\n.HIERARCHY DIGIT\n")
    with pytest.raises(DrawingError, match=r"has no line that starts with \.SEGMENT"):
        read_unipen(path)


def test_the_pen_file_holds_7494_digits_by_thirty_writers(pen_file: Path) -> None:
    drawings = read_drawings(pen_file)
    assert len(drawings) == 7494
    writers = Counter(drawing.writer for drawing in drawings)
    assert sorted(writers, key=lambda writer: writer or 0) == list(range(1, 31))
    assert min(writers.values()) >= 247
    assert sum(len(drawing.strokes) for drawing in drawings) == 9433
    assert {drawing.label for drawing in drawings} == set(range(10))
    # A 7 is wide above and narrow below: y is down.
    tops, bottoms = zip(
        *(_widths(np.concatenate(drawing.strokes)) for drawing in drawings if drawing.label == 7),
        strict=True,
    )
    assert np.median(tops) > 2 * np.median(bottoms)


def _widths(points: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> tuple[float, float]:
    """How wide the upper and the lower quarter of a drawing is."""
    x, y = points.T
    top, bottom = y.min(), y.max()
    upper, lower = y < top + (bottom - top) / 4, y > bottom - (bottom - top) / 4
    return float(np.ptp(x[upper])), float(np.ptp(x[lower]))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_the_format_is_found_by_content(suffix: str, tmp_path: Path) -> None:
    lines, unipen = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    for path, text in ((lines, GOOD), (unipen, UNIPEN)):
        path.write_bytes(gzip.compress(text.encode()) if suffix else text.encode())
    assert [drawing.label for drawing in read_drawings(lines)] == [3]
    check_digits(read_drawings(unipen))


@pytest.mark.parametrize("text", ["", "\n\n", "label,strokes\n3,5\n"])
def test_another_format_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "drawings.csv"
    path.write_text(text)
    with pytest.raises(DrawingError, match=r"drawings\.csv starts with .*; expected JSON Lines"):
        read_drawings(path)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.jsonl", None, r"cannot be read \(No such file or directory\)\.$"),
        ("binary.jsonl", b"\xff\xfe\x00", "is damaged or no text"),
        ("cut.jsonl.gz", gzip.compress(UNIPEN.encode())[:-20], "is damaged or no text"),
        ("plain.jsonl.gz", GOOD.encode(), "cannot be read .*gzip"),
        ("bad.jsonl.gz", gzip.compress(b"")[:10] + b"\xff" * 20, "is damaged or no text"),
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


def test_a_folder_is_no_file_of_drawings(tmp_path: Path) -> None:
    with pytest.raises(DrawingError, match=r"cannot be read \(Is a directory\)"):
        read_drawings(tmp_path)
