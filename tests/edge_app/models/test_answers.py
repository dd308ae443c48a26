"""Classification: one drawing, every model's answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_app import Model, load_models, rasterize
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.normalization import Normalization
from edge_app.models.acceptance import Acceptance
from edge_app.models.answers import VariantError, classify, views
from edge_app.models.card import VARIANTS
from edge_app.models.classifier import Classifier


@pytest.fixture(scope="module")
def models(models_folder: Path) -> dict[str, Model]:
    return load_models(models_folder)


def test_a_view_is_the_drawing_in_a_normalization_that_a_model_uses(
    models: dict[str, Model], drawings: list[LabelledDrawing]
) -> None:
    images = views(models, drawings[3].strokes)
    assert set(images) == {model.normalization for model in models.values()}
    assert set(images) <= set(get_args(Normalization))
    for normalization, image in images.items():
        np.testing.assert_array_equal(image, rasterize(drawings[3].strokes, normalization))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_model_reads_the_synthetic_digits(
    variant: str, models: dict[str, Model], drawings: list[LabelledDrawing]
) -> None:
    for drawing in drawings:
        answers = classify(models, views(models, drawing.strokes), variant)
        assert list(answers) == list(models)
        for answer in answers.values():
            assert answer["digit"] == drawing.label
            assert answer["variant"] == variant
            assert answer["latency_us"] > 0
            assert answer["probabilities"][drawing.label] == max(answer["probabilities"])
            assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-4)


def test_an_answer_that_the_rule_refuses_keeps_its_digit(
    models: dict[str, Model], drawings: list[LabelledDrawing]
) -> None:
    mlp = models["mlp"]
    ruled = {
        name: Model(replace(mlp.card, acceptance=rule), mlp.interpreters)
        for name, rule in {
            "none": None,
            "lenient": Acceptance(0, None),
            "strict": Acceptance(0, 1e9),
        }.items()
    }
    answers = classify(ruled, views(ruled, drawings[3].strokes), "int8")
    assert [answer["accepted"] for answer in answers.values()] == [True, True, False]
    assert [answer["digit"] for answer in answers.values()] == [3, 3, 3]
    for answer in classify(ruled, views(ruled, []), "int8").values():
        assert answer["digit"] is None
        assert answer["accepted"] is False


def test_a_blank_canvas_has_no_digit(models: dict[str, Model]) -> None:
    for answer in classify(models, views(models, []), "int8").values():
        assert answer == {
            "digit": None,
            "accepted": False,
            "probabilities": [0.0] * 10,
            "variant": "int8",
            "latency_us": 0.0,
            "drift": None,
            "float32_digit": None,
        }


@pytest.mark.parametrize("variant", VARIANTS)
def test_drift_is_the_largest_difference_from_float32(
    variant: str, models: dict[str, Model], drawings: list[LabelledDrawing]
) -> None:
    for drawing in drawings:
        images = views(models, drawing.strokes)
        for name, answer in classify(models, images, variant).items():
            image = images[models[name].normalization][None]
            exact = models[name].predict(image, "float32")[0]
            drifted = models[name].predict(image, variant)[0]
            assert answer["drift"] == pytest.approx(np.abs(drifted - exact).max(), abs=1e-6)
            assert answer["float32_digit"] == exact.argmax()
            if variant == "float32":
                assert answer["drift"] == 0


class Told:
    """Stands for an interpreter: gives the logits that it was told to."""

    def __init__(self, digit: int) -> None:
        self.digit = digit

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.eye(10, dtype=np.float32)[[self.digit] * len(images)]


def test_an_answer_that_flips_tells_what_float32_reads(drawings: list[LabelledDrawing]) -> None:
    interpreters: Any = {"float32": Told(4), "int8": Told(9)}
    model = Classifier("told", "Told", "moments", "logits", interpreters)
    answer = classify({"told": model}, views({"told": model}, drawings[4].strokes), "int8")["told"]
    assert (answer["digit"], answer["float32_digit"]) == (9, 4)
    assert answer["drift"] == pytest.approx((np.e - 1) / (np.e + 9), abs=1e-6)


def test_a_single_file_has_nothing_to_drift_from(drawings: list[LabelledDrawing]) -> None:
    interpreters: Any = {"tflite": Told(4)}
    model = Classifier("bare", "Bare", "moments", "logits", interpreters)
    answer = classify({"bare": model}, views({"bare": model}, drawings[4].strokes), "int8")["bare"]
    assert answer["drift"] is None
    assert answer["float32_digit"] is None


class Fixed:
    """Stands for an interpreter: gives the outputs that it was told to."""

    def __init__(self, outputs: list[float]) -> None:
        self.outputs = np.array([outputs], np.float32)

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.outputs.repeat(len(images), axis=0)


SURE, TORN = [0.0, 9.0, *[0.0] * 8], [0.0, 1.0, 0.9, *[0.0] * 7]
PROBABLE = [0.05, 0.05, 0.6, 0.3, *[0.0] * 6]
TWO = ("float32", "int8")
STRICT, LENIENT = Acceptance(0.9, 3.0), Acceptance(0.5, None)


@pytest.mark.filterwarnings("error")
def test_models_of_every_kind_answer_together_as_each_does_alone(
    drawings: list[LabelledDrawing],
) -> None:
    kinds: list[Any] = [
        ("sure", "logits", {"float32": Fixed(TORN), "int8": Fixed(SURE)}, STRICT),
        ("torn", "logits", {"float32": Fixed(SURE), "int8": Fixed(TORN)}, STRICT),
        (
            "probable",
            "probabilities",
            {"float32": Fixed(PROBABLE[::-1]), "int8": Fixed(PROBABLE)},
            LENIENT,
        ),
        ("single", "probabilities", {"tflite": Fixed(PROBABLE)}, None),
        ("broken", "logits", {"float32": Fixed(SURE), "int8": Fixed([np.nan] * 10)}, LENIENT),
        ("infinite", "probabilities", {name: Fixed([np.inf] * 10) for name in TWO}, LENIENT),
    ]
    models = {
        name: Classifier(name, name, "moments", output, interpreters, rule)
        for name, output, interpreters, rule in kinds
    }
    image = views(models, drawings[4].strokes)["moments"]
    together = classify(models, {"moments": image}, "int8")
    assert list(together) == list(models)
    for name, model in models.items():
        with np.errstate(invalid="ignore"):
            alone = model.answer(image[None], "int8")
        answer = together[name]
        np.testing.assert_allclose(answer["probabilities"], alone.probabilities[0], atol=1e-6)
        assert answer["accepted"] == bool(alone.accepted[0])
        assert answer["digit"] == alone.probabilities[0].argmax()
        assert (answer["drift"] is None) == (name == "single")
    accepted = {name: answer["accepted"] for name, answer in together.items()}
    assert accepted == {
        "sure": True,
        "torn": False,
        "probable": True,
        "single": True,
        "broken": False,
        "infinite": False,
    }
    assert together["probable"]["drift"] == pytest.approx(0.6)
    assert together["probable"]["float32_digit"] == 7


@pytest.mark.filterwarnings("error")
def test_float32_has_no_drift_even_where_it_is_not_finite(drawings: list[LabelledDrawing]) -> None:
    interpreters: Any = {"float32": Fixed([np.inf] * 10), "int8": Fixed(SURE)}
    models = {"m": Classifier("m", "M", "moments", "logits", interpreters)}
    answer = classify(models, views(models, drawings[4].strokes), "float32")["m"]
    assert answer["drift"] == 0


def test_an_unknown_variant_is_refused(models: dict[str, Model]) -> None:
    with pytest.raises(VariantError, match=r"'int4'; expected one of float32, float16, dynamic, i"):
        classify(models, views(models, []), "int4")
