"""Files of labelled drawings: JSON Lines, and what is said about a bad line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from edge_app.digits.labelled import read_json_lines
from edge_app.digits.strokes import DrawingError

GOOD = '{"label": 3, "strokes": [[[1, 2], [3.5, 4]], [[5, 6]]]}'


@pytest.mark.parametrize("end", ["", "\n\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])  # As Notepad writes it.
def test_json_lines_are_read(mark: str, end: str, tmp_path: Path) -> None:
    content = f'{mark}{GOOD}\n{{"label": 0, "strokes": [[[7, 8]]]}}{end}'.encode()
    plain, packed = tmp_path / "drawings.jsonl", tmp_path / "drawings.jsonl.gz"
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))
    for path in (plain, packed):
        first, second = read_json_lines(str(path))
        assert (first.label, second.label) == (3, 0)
        assert [line.tolist() for line in first.strokes] == [[[1, 2], [3.5, 4]], [[5, 6]]]
        assert first.strokes[0].dtype == np.float64


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", "Found no JSON"),
        ("[]", "Found JSON of type list"),
        ("[" * 100_000, "Found no JSON"),
        ('{"strokes": [[[1, 2]]]}', "The label is None"),
        ('{"label": true, "strokes": [[[1, 2]]]}', "The label is True"),
        ('{"label": 10, "strokes": [[[1, 2]]]}', "The label is 10"),
        ('{"label": -1, "strokes": [[[1, 2]]]}', "The label is -1"),
        ('{"label": 3.0, "strokes": [[[1, 2]]]}', "The label is 3.0"),
        (f'{{"label": {"[" * 900}{"]" * 900}, "strokes": []}}', "The label is of type list"),
        ('{"label": 3}', "The drawing is missing"),
        ('{"label": 3, "strokes": [[]]}', "The drawing is blank"),
        ('{"label": 3, "strokes": [[[1, NaN]]]}', "Stroke 1 has a coordinate that is not a number"),
    ],
)
def test_a_bad_line_is_named_with_what_was_found(line: str, found: str, tmp_path: Path) -> None:
    path = tmp_path / "drawings.jsonl"
    path.write_text(f"{GOOD}\n{line}\n{GOOD}\n")
    with pytest.raises(DrawingError) as refusal:
        read_json_lines(path)
    assert str(refusal.value).startswith(f"{path}, line 2: {found}")
    assert len(str(refusal.value)) < 400
