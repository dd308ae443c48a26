"""Explanation: the evidence is where the model's answer comes from, and taking it away shows that.

The shipped models are tried on drawings by people whom no training has seen: the 20 drawn in the
page, and 300 by the test writers of UCI's file where it is at hand.
"""

from __future__ import annotations

import shutil
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

import edge_app
from convert.data.sources import split_drawings
from convert.data.unipen import read_drawings
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.normalization import stack
from edge_app.digits.samples import drawings as samples
from edge_app.digits.strokes import DrawingError
from edge_app.explanation.explanation import (
    SOFTNESS,
    ExplanationError,
    explain,
    explain_drawing,
    explain_strokes,
)
from edge_app.models.answers import VariantError, classify
from edge_app.models.card import VARIANTS
from edge_app.models.cardless import CARDLESS, CRASHES, CardlessModel
from edge_app.models.classifier import Classifier, softmax
from edge_app.models.folder import load_folder
from edge_app.models.interpreter import Pixels

Image = NDArray[np.uint8]
LINE = [[[0, 0], [5, 60], [0, 100]]]


class Made:
    """A file whose outputs are made by a function of one image, float (28, 28), 0 to 1."""

    pixels: Pixels = "0-255"

    def __init__(self, outputs: Callable[[NDArray[np.float64]], dict[int, float]]) -> None:
        self._outputs = outputs

    def run(self, images: Image) -> NDArray[np.float32]:
        rows = np.zeros((len(images), 10), np.float32)
        for row, image in zip(rows, images, strict=True):
            for digit, value in self._outputs(image / 255).items():
                row[digit] = value
        return rows


def made(outputs: Callable[[NDArray[np.float64]], dict[int, float]]) -> Classifier:
    return Classifier("made", "Made", "bimoment", "logits", {"float32": Made(outputs)})


def two_bars() -> Image:
    image = np.zeros((28, 28), np.uint8)
    image[6:22, 6:9] = image[6:22, 19:22] = 255
    return image


def test_ink_that_the_answer_needs_speaks_for_it_and_other_ink_does_not() -> None:
    """A 4 for its left bar."""
    model = made(lambda image: {4: 9 * np.tanh(image[:, :12].sum() / 40), 9: 3, 1: -2})
    found = explain(model, two_bars())
    assert (found.digit, found.runner_up, found.exact) == (4, 9, False)
    assert found.evidence[8:20, 6:9].min() > 0.1
    assert abs(found.evidence[:, 18:]).max() < 0.1


def test_ink_that_speaks_for_the_runner_up_is_negative() -> None:
    model = made(lambda image: {4: 8, 9: 5 * np.tanh(image[:, 16:].sum() / 40)})
    found = explain(model, two_bars())
    assert (found.digit, found.runner_up) == (4, 9)
    assert found.evidence[8:20, 19:22].max() < -0.1
    assert abs(found.evidence[:, 6:9]).max() < 0.1


def test_empty_space_that_ink_would_turn_into_the_runner_up_speaks_for_the_digit() -> None:
    """As the gap at the top of a 4 does, which closed would make it a 9."""
    model = made(lambda image: {4: 6, 9: 1 + 4 * np.tanh(image[7:11, 11:17].sum())})
    evidence = explain(model, two_bars()).evidence
    assert evidence[8:10, 13:15].min() > 1
    assert abs(evidence[16:, :]).max() < 0.1
    # It fades from pixel to pixel.
    assert abs(np.diff(evidence, axis=0)).max() < 0.5 * evidence.max()


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_explains_the_answer_of_the_variant_that_is_shown(
    models: dict[str, edge_app.Model], variant: str
) -> None:
    for image in stack(samples(), "bimoment"):
        answers = classify(models, {"bimoment": image}, variant)
        for name, model in models.items():
            found = explain(model, image, variant)
            [row] = model.infer(image[None], variant)
            assert found.digit == answers[name]["digit"]
            assert row[found.runner_up] == np.delete(row, found.digit).max()
            assert found.evidence.shape == (28, 28)


def test_of_one_layer_the_evidence_is_the_lead_itself(models: dict[str, edge_app.Model]) -> None:
    """Weight times pixel, which adds up to the lead apart from the layer's constants."""
    model = models["dense"]
    for image in stack(samples(), "bimoment"):
        found = explain(model, image, "float32")
        assert found.exact
        drawn, blank = (
            float(row[found.digit] - row[found.runner_up])
            for row in model.infer(np.array([image, np.zeros_like(image)]), "float32")
        )
        assert found.evidence.sum() == pytest.approx(drawn - blank, abs=1e-3)
        assert not found.evidence[image == 0].any()


def test_a_file_without_a_card_is_explained_as_its_model_is(
    models: dict[str, edge_app.Model], models_folder: Path, tmp_path: Path
) -> None:
    for name in ("dense", "mlp"):
        shutil.copy(models_folder / name / "int8.tflite", tmp_path / f"{name}.tflite")
    bare = load_folder(tmp_path)
    for name in ("dense", "mlp"):
        image = stack(samples(), bare[name].normalization)[4]
        found, expected = explain(bare[name], image, CARDLESS), explain(models[name], image)
        assert found[:2] == expected[:2]
        assert found.exact == expected.exact == (name == "dense")
        np.testing.assert_allclose(found.evidence, expected.evidence, atol=1e-6)


def test_probabilities_are_explained_by_their_logarithms(
    models: dict[str, edge_app.Model],
) -> None:
    inner = models["mlp"].interpreters["float32"]

    class Softmax(Made):
        def run(self, images: Image) -> NDArray[np.float32]:
            return softmax(inner.run(images))

    soft = Classifier("soft", "Soft", "bimoment", "probabilities", {"float32": Softmax(dict)})
    image = stack(samples(), "bimoment")[3]
    found, expected = explain(soft, image), explain(models["mlp"], image, "float32")
    assert found[:2] == expected[:2]
    np.testing.assert_allclose(found.evidence, expected.evidence, atol=1e-3)


# What cannot be explained


def test_what_cannot_be_explained_is_refused_with_a_sentence(
    models: dict[str, edge_app.Model],
) -> None:
    refused: list[tuple[type[Exception], str, Any, Any, Any]] = [
        (DrawingError, "The drawing is blank, so there", [], "int8", "mlp"),
        (DrawingError, "The drawing is blank, so there", [[]], "int8", "dense"),
        (DrawingError, "The drawing is missing; expected a list", None, "int8", "mlp"),
        (VariantError, "The variant is 'int4'; expected one of float32", LINE, "int4", "mlp"),
        (VariantError, "The variant is None; expected one of", LINE, None, "mlp"),
        (ExplanationError, "The model is 'x'; expected one of dense, mlp, cnn.", LINE, "int8", "x"),
        (ExplanationError, r"The model is \[\]; expected one of", LINE, "int8", []),
    ]
    for error, sentence, strokes, variant, name in refused:
        with pytest.raises(error, match=f"^{sentence}"):
            explain_strokes(models, strokes, variant, name)
        state = {"strokes": strokes, "variant": variant, "model": name}
        assert list(explain_drawing(models, state)) == ["error"]
    nonsense: list[Any] = [None, [], "x", {}]
    for state in nonsense:
        assert list(explain_drawing(models, state)) == ["error"]


def test_outputs_that_are_not_finite_are_not_explained() -> None:
    with pytest.raises(ExplanationError, match="The model 'made' gives infinite outputs"):
        explain(made(lambda image: {4: np.inf, 9: image.sum() ** 2}), two_bars())


def test_a_file_that_answers_no_more_is_not_explained(models_folder: Path, tmp_path: Path) -> None:
    shutil.copy(models_folder / "mlp" / "int8.tflite", tmp_path / "mlp.tflite")
    models = load_folder(tmp_path)
    model = models["mlp"]
    assert isinstance(model, CardlessModel)
    model._file.file.crashes = CRASHES
    with pytest.raises(ExplanationError) as caught:
        explain_strokes(models, LINE, "int8", "mlp")
    assert str(caught.value) == "The model 'mlp' gives no answer now, or takes too long."


def test_a_file_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_app.explanation.logits.LONGEST_S", 0)
    with pytest.raises(ExplanationError, match="takes too long"):
        explain(made(lambda image: {4: image.sum() ** 2}), two_bars())


def test_the_view_is_what_the_model_saw_and_the_numbers_are_rows(
    models: dict[str, edge_app.Model],
) -> None:
    for name in models:
        found = explain_strokes(models, LINE, "int8", name)
        assert list(found) == ["digit", "runner_up", "view", "evidence", "exact"]
        view = np.frombuffer(b64decode(found["view"]), np.uint8).reshape(28, 28)
        lines = [np.array(stroke, np.float64) for stroke in LINE]
        np.testing.assert_array_equal(view, edge_app.rasterize(lines))
        assert np.array(found["evidence"]).shape == (28, 28)
        drawn = explain_drawing(models, {"strokes": LINE, "variant": "int8", "model": name})
        assert len(drawn.pop("placement")) == 6
        assert np.shape(drawn.pop("balance")) == (2, 2)
        assert drawn == found


# Faithfulness


def without(image: Image, order: NDArray[Any], part: float = 0.2) -> Image:
    """An image without a part of its ink, taken away pixel by pixel in this order."""
    ink = image.ravel()[order].astype(np.float64)
    before = ink.cumsum() - ink
    left = image.ravel().astype(np.float64)
    left[order] = ink - np.clip(part * ink.sum() - before, 0, ink)
    return np.rint(left).astype(np.uint8).reshape(28, 28)


class Tried(NamedTuple):
    """On which part of the drawings the digit gets less probable without the fifth of the ink that
    is said to speak most for it than without a random fifth."""

    scattered: float
    """A random fifth of single pixels."""
    together: float
    """One of a few places, as what is said is."""
    milliseconds: float
    """The median time of an explanation; printed, not tested."""


def try_on(model: Classifier, drawings: list[LabelledDrawing]) -> Tried:
    generator = np.random.default_rng(0)
    images = stack((drawing.strokes for drawing in drawings), model.normalization)
    explain(model, images[0])  # The first time, it is found out whether the model is one layer.
    times, right = [], []
    for image in images:
        start = perf_counter()
        found = explain(model, image)
        times.append(perf_counter() - start)
        inked = np.flatnonzero(image)
        said = inked[np.argsort(-found.evidence.ravel()[inked], kind="stable")]
        places = inked[np.argsort(smooth_noise(generator).ravel()[inked])]
        orders = [said, generator.permutation(inked), places]
        trials = np.array([without(image, order) for order in orders])
        less, *others = model.predict(trials)[:, found.digit]
        right.append([less < other for other in others])
    scattered, together = np.mean(right, axis=0).tolist()
    return Tried(scattered, together, 1000 * float(np.median(times)))


def smooth_noise(generator: np.random.Generator) -> NDArray[np.float64]:
    """Noise whose values are alike within a disc of an explanation, (28, 28)."""
    spectrum = np.fft.fft2(generator.normal(size=(28, 28)))
    frequencies = np.add.outer(np.fft.fftfreq(28) ** 2, np.fft.fftfreq(28) ** 2)
    return np.fft.ifft2(spectrum * np.exp(-2 * (np.pi * SOFTNESS) ** 2 * frequencies)).real


@pytest.mark.parametrize("name", ["dense", "mlp", "cnn"])
def test_without_the_ink_that_is_said_to_speak_for_the_digit_it_is_less_probable(
    models: dict[str, edge_app.Model], page_drawings: list[LabelledDrawing], name: str
) -> None:
    assert try_on(models[name], page_drawings).scattered >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dense", "mlp", "cnn"])
def test_the_same_on_300_drawings_by_people_never_trained_on(
    models: dict[str, edge_app.Model], pen_file: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    drawings = split_drawings(read_drawings(pen_file)).test
    tried = try_on(models[name], drawings[:: len(drawings) // 300][:300])
    with capsys.disabled():
        print(
            f"\n{name}: less probable than without a random fifth on {tried.scattered:.1%}, "
            f"one that lies together {tried.together:.1%}; {tried.milliseconds:.1f} ms"
        )
    assert tried.scattered >= 0.9
    assert tried.together >= 0.85
