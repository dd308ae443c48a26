"""The models that ship: their answers in every variant, compared with the original's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_app import Model, load_models
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import stack
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import VARIANTS
from edge_app.models.interpreter import find_runtime

CHECKED = 500
"""Images of the test set that answers are compared on."""


@pytest.fixture(scope="module")
def models(models_folder: Path) -> dict[str, Model]:
    return load_models(models_folder, pytest.fail)


@pytest.fixture(scope="module")
def images(models: dict[str, Model], test_set: Digits) -> dict[str, NDArray[np.uint8]]:
    """The first images of the test set by model, as its normalization makes them."""
    checked = test_set.images[:CHECKED]
    return {name: stack(checked, model.normalization) for name, model in models.items()}


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_answer_is_what_is_predicted_and_accepted_by_the_rule(
    variant: str, models: dict[str, Model], images: dict[str, NDArray[np.uint8]]
) -> None:
    dense, digits = models["dense"], images["dense"][:200]
    # Strict enough to refuse some of the digits.
    strict = Model(replace(dense.card, acceptance=Acceptance(0.99, 9)), dense.interpreters)
    answer = strict.answer(digits, variant)
    np.testing.assert_array_equal(answer.probabilities, dense.predict(digits, variant))
    energy = np.log(np.exp(answer.outputs.astype(np.float64)).sum(axis=1))
    expected = (answer.probabilities.max(axis=1) >= 0.99) & (energy >= 9)
    np.testing.assert_array_equal(answer.accepted, expected)
    assert 0 < expected.sum() < 200
    lenient = Model(replace(dense.card, acceptance=None), dense.interpreters)
    assert lenient.answer(digits, variant).accepted.all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_predictions_are_probabilities_whatever_the_images_around_them(
    variant: str, models: dict[str, Model], images: dict[str, NDArray[np.uint8]]
) -> None:
    for name, model in models.items():
        together = model.predict(images[name][:20], variant)
        assert together.dtype == np.float32
        assert (together >= 0).all()
        np.testing.assert_allclose(together.sum(axis=1), 1, rtol=1e-5)
        alone = [model.predict(image[None], variant)[0] for image in images[name][19::-1]]
        np.testing.assert_array_equal(together, alone[::-1])
        assert model.predict(images[name][:0], variant).shape == (0, 10)
        if variant == "int8":  # The default.
            np.testing.assert_array_equal(model.predict(images[name][:20]), together)


@pytest.mark.parametrize(
    "images",
    [np.zeros((28, 28), "u1"), np.zeros((1, 28, 27), "u1"), np.zeros((1, 28, 28), "f4")],
)
def test_other_images_and_variants_are_refused(
    images: NDArray[Any], models: dict[str, Model]
) -> None:
    with pytest.raises(ValueError, match=r"were given; expected \(N, 28, 28\) and uint8"):
        models["dense"].predict(images)
    with pytest.raises(ValueError, match="'int4'; expected float32, float16, dynamic, int8"):
        models["dense"].predict(images, "int4")


def test_several_threads_get_the_answers_of_one(
    models: dict[str, Model], images: dict[str, NDArray[np.uint8]]
) -> None:
    model, digits = models["dense"], images["dense"][:200]
    expected = model.predict(digits)
    starts = range(0, 200, 5)
    with ThreadPoolExecutor(8) as threads:
        # Each begins elsewhere, so that at any time they ask about different images.
        answers = threads.map(lambda start: model.predict(np.roll(digits, start, 0)), starts)
        for start, answer in zip(starts, answers, strict=True):
            np.testing.assert_array_equal(answer, np.roll(expected, start, 0))


@pytest.mark.parametrize(
    ("variant", "least"),
    [("float32", 0.998), ("float16", 0.998), ("dynamic", 0.99), ("int8", 0.994)],
)
def test_variants_answer_as_the_original_does(
    variant: str,
    least: float,
    models: dict[str, Model],
    models_folder: Path,
    images: dict[str, NDArray[np.uint8]],
    test_set: Digits,
) -> None:
    for name, model in models.items():
        reference = model.card.reference
        assert reference.dataset_sha256 == test_set.sha256()
        original = np.load(models_folder / name / reference.file)["probabilities"]
        found = model.predict(images[name], variant)
        if variant == "float32":
            np.testing.assert_allclose(found, original[:CHECKED], atol=1e-3)
        answers = found.argmax(axis=1)
        assert (answers == original[:CHECKED].argmax(axis=1)).mean() >= least
        # On a twentieth of the test set: within three standard errors of the card's accuracy.
        told = model.card.variants[variant].accuracy
        error = (told * (1 - told) / CHECKED) ** 0.5
        right = float((answers == test_set.labels[:CHECKED]).mean())
        assert right == pytest.approx(told, abs=3 * error)


def test_int8_takes_pixels_as_they_are_and_gives_logits(
    models: dict[str, Model], models_folder: Path, images: dict[str, NDArray[np.uint8]]
) -> None:
    for name, model in models.items():
        content = (models_folder / name / model.files["int8"].file).read_bytes()
        [tensor] = find_runtime().interpreter(model_content=content).get_input_details()
        assert tensor["dtype"] == np.uint8
        assert tensor["quantization"] == (1.0, 0)
        # Probabilities would not show a wrong zero point: softmax takes no notice of it.
        exact, found = (model.infer(images[name], variant) for variant in ("float32", "int8"))
        assert found.mean() == pytest.approx(exact.mean(), abs=0.1)
        assert found.std() == pytest.approx(exact.std(), rel=0.02)
