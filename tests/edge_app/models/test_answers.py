"""Classification: one drawing, every model's answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_app import Model, load_models
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.normalization import Drawing, Normalization, views
from edge_app.models.acceptance import Acceptance
from edge_app.models.answers import VariantError, answer_drawing, classify
from edge_app.models.card import VARIANTS
from edge_app.models.classifier import Classifier, normalizations


@pytest.fixture(scope="module")
def models(models_folder: Path) -> dict[str, Model]:
    return load_models(models_folder)


def see(models: Mapping[str, Classifier], strokes: Drawing) -> dict[Normalization, Any]:
    return views(strokes, normalizations(models.values()))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_model_reads_the_synthetic_digits(
    variant: str, models: dict[str, Model], drawings: list[LabelledDrawing]
) -> None:
    for drawing in drawings:
        answers = classify(models, see(models, drawing.strokes), variant)
        assert list(answers) == list(models)
        for answer in answers.values():
            assert answer["digit"] == drawing.label
            assert answer["variant"] == variant
            assert answer["latency_us"] > 0
            assert answer["probabilities"][drawing.label] == max(answer["probabilities"])
            assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("scale", [0.013, 0.4, 1.7, 290.1])
@pytest.mark.parametrize("place", [(0, 0), (417.3, -12.9), (-80_000, 5.1)])
def test_outputs_are_the_same_bit_for_bit_at_any_size_and_place(
    scale: float,
    place: tuple[float, float],
    models: dict[str, Model],
    page_drawings: list[LabelledDrawing],
) -> None:
    for drawing in page_drawings:
        moved = [np.array(stroke) * scale + place for stroke in drawing.strokes]
        images, expected = see(models, moved), see(models, drawing.strokes)
        for model in models.values():
            found, known = (
                model.predict(each[model.normalization][None], "int8")
                for each in (images, expected)
            )
            np.testing.assert_array_equal(found, known)


def test_a_blank_canvas_has_no_digit(models: dict[str, Model]) -> None:
    for answer in classify(models, see(models, []), "int8").values():
        assert answer == {
            "digit": None,
            "accepted": False,
            "probabilities": [0.0] * 10,
            "variant": "int8",
            "latency_us": 0.0,
            "drift": None,
            "float32_digit": None,
        }


def test_an_unfinished_drawing_is_answered_but_not_compared(
    models: dict[str, Model], drawings: list[LabelledDrawing]
) -> None:
    strokes = [np.asarray(stroke).tolist() for stroke in drawings[3].strokes]
    state = {"strokes": strokes, "variant": "int8"}
    whole = answer_drawing(models, state, "int8")["answers"]
    quick = answer_drawing(models, {**state, "unfinished": True}, "int8")["answers"]
    for name, answer in quick.items():
        assert whole[name]["drift"] is not None
        compared = {"drift": None, "float32_digit": None, "latency_us": answer["latency_us"]}
        assert answer == {**whole[name], **compared}


@pytest.mark.parametrize("variant", VARIANTS)
def test_drift_is_the_largest_difference_from_float32(
    variant: str, models: dict[str, Model], drawings: list[LabelledDrawing]
) -> None:
    for drawing in drawings:
        images = see(models, drawing.strokes)
        for name, answer in classify(models, images, variant).items():
            image = images[models[name].normalization][None]
            exact = models[name].predict(image, "float32")[0]
            drifted = models[name].predict(image, variant)[0]
            assert answer["drift"] == pytest.approx(np.abs(drifted - exact).max(), abs=1e-6)
            assert answer["float32_digit"] == exact.argmax()
            if variant == "float32":
                assert answer["drift"] == 0


class Fixed:
    """Stands for an interpreter: gives the outputs that it was told to."""

    def __init__(self, outputs: list[float]) -> None:
        self.outputs = np.array([outputs], np.float32)

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.outputs.repeat(len(images), axis=0)


NESTED: Any = json.loads("[" * 900 + "]" * 900)
SURE, TORN = [0.0, 9.0, *[0.0] * 8], [0.0, 1.0, 0.9, *[0.0] * 7]
PROBABLE = [0.05, 0.05, 0.6, 0.3, *[0.0] * 6]
REVERSED, INFINITE = Fixed(PROBABLE[::-1]), Fixed([np.inf] * 10)
STRICT, LENIENT = Acceptance(0.9, 3.0), Acceptance(0.5, None)


@pytest.mark.filterwarnings("error")
def test_models_of_every_kind_answer_together_as_each_does_alone(
    drawings: list[LabelledDrawing],
) -> None:
    kinds: list[Any] = [
        ("sure", "logits", {"float32": Fixed(TORN), "int8": Fixed(SURE)}, STRICT),
        ("torn", "logits", {"float32": Fixed(SURE), "int8": Fixed(TORN)}, STRICT),
        ("probable", "probabilities", {"float32": REVERSED, "int8": Fixed(PROBABLE)}, LENIENT),
        ("single", "probabilities", {"tflite": Fixed(PROBABLE)}, None),
        ("broken", "logits", {"float32": Fixed(SURE), "int8": Fixed([np.nan] * 10)}, LENIENT),
        ("infinite", "probabilities", dict.fromkeys(("float32", "int8"), INFINITE), LENIENT),
    ]
    models = {
        name: Classifier(name, name, "bimoment", output, interpreters, rule)
        for name, output, interpreters, rule in kinds
    }
    image = see(models, drawings[4].strokes)["bimoment"]
    together = classify(models, {"bimoment": image}, "int8")
    assert list(together) == list(models)
    for name, model in models.items():
        with np.errstate(invalid="ignore"):
            alone = model.answer(image[None], "int8")
        answer = together[name]
        np.testing.assert_allclose(answer["probabilities"], alone.probabilities[0], atol=1e-6)
        assert answer["accepted"] == bool(alone.accepted[0])
        assert answer["digit"] == alone.probabilities[0].argmax()
        assert (answer["drift"] is None) == (name == "single")
    accepted = [name for name, answer in together.items() if answer["accepted"]]
    assert accepted == ["sure", "probable", "single"]
    assert together["probable"]["drift"] == pytest.approx(0.6)
    assert together["probable"]["float32_digit"] == 7
    # A single file answers every request, and has nothing to drift from.
    assert (together["single"]["variant"], together["single"]["float32_digit"]) == ("tflite", None)


@pytest.mark.parametrize(("energy", "digit_like"), [(3.0, False), (1.0, True), (None, True)])
def test_the_page_gets_to_know_whether_the_energy_is_too_low(
    drawings: list[LabelledDrawing], energy: float | None, digit_like: bool
) -> None:
    outputs: Any = {"int8": Fixed(TORN)}  # Its energy is 2.6.
    models = {
        name: Classifier(name, name, "bimoment", "logits", outputs, rule)
        for name, rule in (("ruled", Acceptance(0.9, energy)), ("free", None))
    }
    state = {"strokes": [stroke.tolist() for stroke in drawings[4].strokes], "variant": "int8"}
    answers = answer_drawing(models, state, "int8")["answers"]
    found = {name: (answer["accepted"], answer["digit_like"]) for name, answer in answers.items()}
    assert found == {"ruled": (False, digit_like), "free": (True, True)}
    blank = answer_drawing(models, {"strokes": []}, "int8")["answers"]
    assert all(answer["digit_like"] for answer in blank.values())


@pytest.mark.filterwarnings("error")
def test_float32_has_no_drift_even_where_it_is_not_finite(drawings: list[LabelledDrawing]) -> None:
    interpreters: Any = {"float32": INFINITE, "int8": Fixed(SURE)}
    models = {"m": Classifier("m", "M", "bimoment", "logits", interpreters)}
    answer = classify(models, see(models, drawings[4].strokes), "float32")["m"]
    assert answer["drift"] == 0


def test_an_unknown_variant_is_refused(models: dict[str, Model]) -> None:
    with pytest.raises(VariantError, match=r"'int4'; expected one of float32, float16, dynamic, i"):
        classify(models, see(models, []), "int4")


@pytest.mark.parametrize("variant", [None, 8, ["int8"], {"int8": 1}, NESTED])
def test_what_is_no_text_is_not_a_variant(variant: Any, models: dict[str, Model]) -> None:
    with pytest.raises(VariantError, match=r"The variant is .{1,60}; expected one of float32,"):
        classify(models, see(models, []), variant)
