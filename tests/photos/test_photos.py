"""Digits of people whose writing no model was trained on, on made photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convert.data.unipen import read_drawings
from edge_app.models.classifier import Model
from tests.photos.photos import NEVER_TRAINED_ON, read_empty_sheets, read_sheets, report

pytestmark = pytest.mark.slow


def test_digits_of_strangers_are_read_on_photos(
    pen_file: Path, models: dict[str, Model], capsys: pytest.CaptureFixture[str]
) -> None:
    drawings = [each for each in read_drawings(pen_file) if each.writer in NEVER_TRAINED_ON]
    order = np.random.default_rng(0).permutation(len(drawings))[:45]
    readings = [*read_sheets(models, [drawings[number] for number in order], 0)]
    with capsys.disabled():
        print("\n" + report(models, readings))
    for name in ("mlp", "cnn"):
        assert np.mean([each.canvas[name] == each.label for each in readings]) >= 0.97
        assert np.mean([each.is_read(name) for each in readings]) >= 0.95


def test_empty_sheets_of_all_papers_give_nothing(models: dict[str, Model]) -> None:
    assert [each.seed for each in read_empty_sheets(models, 9, 0) if each.photo] == []
