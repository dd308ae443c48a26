"""What is no digit: the drawings that models learn to refuse, and those that judge them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.data.non_digits import NON_DIGITS, NonDigit, read_non_digits
from convert.strokes import outliers
from convert.strokes.hand import SIZE, drawn, length
from convert.strokes.outliers import KINDS, draw_outliers
from edge_app import rasterize
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.strokes import DrawingError

GOOD = '{"kind": "spiral", "strokes": [[[1, 2], [3.5, 4]], [[5, 6]]]}'
ROUNDS = 25
"""How many drawings of each kind are looked at."""


@pytest.fixture(scope="module")
def of_kind(drawings: list[LabelledDrawing]) -> dict[str, list[outliers.Strokes]]:
    made = draw_outliers(ROUNDS * len(KINDS), drawings, np.random.default_rng(3))
    assert len(made) == ROUNDS * len(KINDS)
    return {kind: made[number :: len(KINDS)] for number, kind in enumerate(KINDS)}


def arrays(drawings: list[outliers.Strokes]) -> Iterator[NDArray[np.float64]]:
    return (stroke for strokes in drawings for stroke in strokes)


def test_the_same_seed_draws_the_same_and_another_seed_something_else(
    drawings: list[LabelledDrawing],
) -> None:
    first, again, other = (
        draw_outliers(2 * len(KINDS), drawings, np.random.default_rng(seed)) for seed in (7, 7, 8)
    )
    for one, same in zip(arrays(first), arrays(again), strict=True):
        np.testing.assert_array_equal(one, same)
    alike = sum(map(np.array_equal, map(rasterize, first), map(rasterize, other)))
    assert alike <= 2  # A single dot looks like a single dot.


def test_kinds_take_turns(drawings: list[LabelledDrawing], monkeypatch: pytest.MonkeyPatch) -> None:
    for number, kind in enumerate(KINDS):
        marked = [np.full((1, 2), float(number))]
        monkeypatch.setitem(KINDS, kind, lambda *_, marked=marked: marked)
    made = draw_outliers(len(KINDS) + 2, drawings, np.random.default_rng(0))
    assert [int(strokes[0][0, 0]) for strokes in made] == [*range(len(KINDS)), 0, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_drawing_can_be_shown_to_a_model(
    kind: str, of_kind: dict[str, list[outliers.Strokes]]
) -> None:
    for strokes in of_kind[kind]:
        for stroke in strokes:
            assert stroke.dtype == np.float64
            assert stroke.ndim == 2
            assert stroke.shape[1] == 2
            assert np.isfinite(stroke).all()
        assert 1 <= sum(map(len, strokes)) < 400
        assert rasterize(strokes).max() > 200  # A dot's darkest pixel is not always full.


@pytest.mark.parametrize("kind", KINDS)
def test_drawings_of_a_kind_differ(kind: str, of_kind: dict[str, list[outliers.Strokes]]) -> None:
    images = {rasterize(strokes).tobytes() for strokes in of_kind[kind]}
    assert len(images) > 0.8 * ROUNDS


def test_a_single_line_is_no_one(drawings: list[LabelledDrawing]) -> None:
    generator = np.random.default_rng(1)
    made = [KINDS["lines"](drawings, generator) for _ in range(400)]
    spans = np.array([np.ptp(strokes[0], axis=0) for strokes in made if len(strokes) == 1])
    assert len(spans) > 50
    assert (spans[:, 0] > 1.2 * spans[:, 1]).all()


def test_a_scribble_is_longer_than_any_digit(
    of_kind: dict[str, list[outliers.Strokes]], drawings: list[LabelledDrawing]
) -> None:
    longest = max(_tangledness(drawing.strokes) for drawing in drawings)
    assert min(map(_tangledness, of_kind["scribbles"])) > longest


def _tangledness(strokes: outliers.Strokes) -> float:
    extent = np.hypot(*np.ptp(np.concatenate(strokes), axis=0))
    return float(sum(map(length, strokes)) / extent)


def test_numbers_hold_the_strokes_of_their_digits_side_by_side() -> None:
    bar = np.array([(0.0, 0.0), (0.0, 100.0)])
    generator = np.random.default_rng(2)
    for _ in range(20):
        strokes = KINDS["numbers"]([LabelledDrawing(1, [bar])], generator)
        places = [stroke[0, 0] for stroke in strokes]
        assert len(strokes) in {2, 3}
        assert (np.diff(places) > 0.1 * SIZE).all()  # Ones never touch.
        assert all(length(stroke) == pytest.approx(SIZE) for stroke in strokes)


def test_a_hand_keeps_dots_and_trembles_on_lines() -> None:
    dot, line = drawn(
        [np.array([(5.0, 5.0)]), np.array([(0.0, 0.0), (100.0, 0.0)])], np.random.default_rng(0)
    )
    assert dot.shape == (1, 2)
    assert len(line) >= 25
    along = line - line[0]
    across = along @ np.array([-along[-1, 1], along[-1, 0]]) / np.hypot(*along[-1])
    assert 0.1 < across.std() < 0.1 * SIZE


# The drawings that judge


def test_the_committed_drawings_are_many_and_of_every_kind() -> None:
    found = read_non_digits()
    kinds = Counter(drawing.kind for drawing in found)
    assert len(found) >= 400
    for kind in ("dots", "scribble", "cross", "box", "spiral", "letter", "two digits"):
        assert kinds[kind] >= 30, kind
    assert NON_DIGITS.stat().st_size < 350_000


def test_the_committed_drawings_fit_the_canvas_and_differ() -> None:
    found = read_non_digits()
    points = np.concatenate([stroke for drawing in found for stroke in drawing.strokes])
    assert points.min() >= 0
    assert points.max() <= 280
    images = [rasterize(drawing.strokes) for drawing in found]
    assert all(image.max() > 200 for image in images)
    assert len({image.tobytes() for image in images}) > 0.97 * len(found)


def test_a_line_is_read_with_its_kind(tmp_path: Path) -> None:
    path = tmp_path / "others.jsonl"
    path.write_text(f"{GOOD}\n")
    (drawing,) = read_non_digits(path)
    assert isinstance(drawing, NonDigit)
    assert drawing.kind == "spiral"
    assert [stroke.tolist() for stroke in drawing.strokes] == [[[1, 2], [3.5, 4]], [[5, 6]]]
    assert drawing.strokes[0].dtype == np.float64


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", "Found no JSON"),
        ("[" * 100_000, "Found no JSON"),
        ("[]", "Found JSON of type list"),
        ('{"strokes": [[[1, 2]]]}', "The kind is None"),
        ('{"kind": "", "strokes": [[[1, 2]]]}', "The kind is ''"),
        ('{"kind": 3, "strokes": [[[1, 2]]]}', "The kind is 3"),
        ('{"kind": "spiral"}', "The drawing is missing"),
        ('{"kind": "spiral", "strokes": [[]]}', "The drawing is blank"),
        (json.dumps({"kind": "spiral", "strokes": [[[1]]]}), "Stroke 1 holds something other"),
    ],
)
def test_a_bad_line_is_named_with_what_was_found_and_expected(
    line: str, found: str, tmp_path: Path
) -> None:
    path = tmp_path / "others.jsonl"
    path.write_text(f"{GOOD}\n{line}\n{GOOD}\n")
    with pytest.raises(DrawingError) as refusal:
        read_non_digits(path)
    sentence = str(refusal.value)
    assert sentence.startswith(f"{path}, line 2: {found}")
    assert "expected" in sentence
    assert len(sentence) < 400
