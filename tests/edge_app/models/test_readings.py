"""Readings: each drawing is classified once, by every variant of every model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.normalization import views
from edge_app.models.acceptance import Acceptance
from edge_app.models.answers import classify
from edge_app.models.cardless import NoAnswerError
from edge_app.models.classifier import Classifier, Model, normalizations
from edge_app.models.readings import NONE, NOT_SURE, Readings


def test_they_are_what_the_api_answers(
    models: dict[str, Model], page_drawings: list[LabelledDrawing]
) -> None:
    readings = Readings(models)
    for name, drawing in enumerate(page_drawings):
        readings.add(name, drawing)
    found = readings.of(range(len(page_drawings)))
    assert found.shape == (20, 3, 4)
    for drawing, row in zip(page_drawings, found, strict=True):
        images = views(drawing.strokes, normalizations(models.values()))
        for column, variant in enumerate(readings.variants):
            answers = classify(models, images, variant).values()
            expected = [each["digit"] if each["accepted"] else NOT_SURE for each in answers]
            assert row[:, column].tolist() == expected


def test_who_is_never_sure_lacks_a_variant_or_fails_is_told_apart(
    models: dict[str, Model], drawings: list[LabelledDrawing]
) -> None:
    class Broken:
        pixels = "0-255"

        def run(self, _: Any) -> Any:
            raise NoAnswerError("It crashed.")

    files = models["mlp"].interpreters
    broken: Any = {"tflite": Broken()}
    all_of_them = {
        "unsure": Classifier("unsure", "", "box", "logits", files, Acceptance(2, None)),
        "half": Classifier("half", "", "bimoment", "logits", {"int8": files["int8"]}),
        "broken": Classifier("broken", "", "bimoment", "logits", broken),
    }
    readings = Readings(all_of_them)
    readings.add(3, drawings[3])
    assert readings.of([3])[0].tolist() == [[NOT_SURE] * 4, [3] * 4, [NONE] * 4]


def test_what_is_not_known_is_said_and_others_can_be_forgotten(
    models: dict[str, Model], drawings: list[LabelledDrawing]
) -> None:
    readings = Readings(models)
    assert readings.of([]).shape == (0, 3, 4)
    readings.add(1, drawings[1])
    readings.add(2, None)  # The drawing has been removed meanwhile.
    assert 1 in readings
    assert 2 in readings
    assert 3 not in readings
    assert (readings.of([2, 3]) == NONE).all()
    readings.keep([1])
    assert 1 in readings
    assert 2 not in readings
    assert np.unique(readings.of([1])).tolist() == [1]


@pytest.mark.parametrize("names", [[], [5]])
def test_nothing_is_forgotten_that_is_asked_for(models: dict[str, Model], names: list[int]) -> None:
    readings = Readings(models)
    readings.add(5, None)
    readings.keep(names)
    assert (5 in readings) == (5 in names)
