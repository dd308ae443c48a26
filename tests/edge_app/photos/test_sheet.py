"""Sheets: digits on made photos are found and read, and nothing is found on empty ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.normalization import views
from edge_app.models.answers import classify
from edge_app.models.classifier import Model
from edge_app.photos.photo import read_photo
from sheets import PAPERS, PENS, Paper, Pen, photograph

pytestmark = pytest.mark.slow

Read = Callable[[str], list[tuple[int | None, int | None]]]


@pytest.fixture
def read(models: dict[str, Model]) -> Read:
    """Reads a photo: for each digit, what the CNN and the MLP answer."""

    def answers(text: str) -> list[tuple[int | None, int | None]]:
        found = []
        for digit in read_photo(text):
            answer = classify(models, views(digit.strokes, ["bimoment"]), "int8")
            found.append((answer["cnn"]["digit"], answer["mlp"]["digit"]))
        return found

    return answers


@pytest.mark.parametrize("paper", PAPERS)
def test_digits_drawn_in_the_page_are_read_on_any_paper_and_of_any_pen(
    read: Read, page_drawings: list[LabelledDrawing], paper: Paper
) -> None:
    wrong = []
    for number, drawing in enumerate(page_drawings[::2]):
        pen = PENS[number % len(PENS)]
        text = photograph([drawing.strokes], number, paper, pen).text
        if read(text) != [(drawing.label, drawing.label)]:
            wrong.append((number, drawing.label, pen))
    assert len(wrong) <= 1, wrong


@pytest.mark.parametrize("paper", PAPERS)
def test_empty_sheets_have_no_digits(read: Read, paper: Paper) -> None:
    assert [seed for seed in range(5) if read(photograph([], seed, paper).text)] == []


@pytest.mark.parametrize(("paper", "pen"), [*zip(PAPERS, PENS, strict=True)])
def test_several_digits_are_read_in_order(
    read: Read, page_drawings: list[LabelledDrawing], paper: Paper, pen: Pen
) -> None:
    seed = 10 * PAPERS.index(paper) + PENS.index(pen)
    order = np.random.default_rng(seed).permutation(len(page_drawings))[:8]
    chosen = [page_drawings[number] for number in order]
    photo = photograph([each.strokes for each in chosen], seed, paper, pen, columns=4, finger=False)
    found = [digit.box for digit in read_photo(photo.text)]
    assert found == [pytest.approx(box, abs=0.02) for box in photo.boxes]
    right = [
        each == (digit.label,) * 2 for each, digit in zip(read(photo.text), chosen, strict=True)
    ]
    assert sum(right) >= 7
