"""The models that ship: whole or left out, and what they answer."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
import shutil
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_app import Model, ModelError, load_models, normalize
from edge_app.digits.mnist import Digits
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import CARD, VARIANTS, read_card, write_card
from edge_app.models.interpreter import RUNTIMES, InterpreterError, find_runtime

CHECKED = 1000
"""Images of the test set that answers are compared on."""


@pytest.fixture(scope="module")
def models(models_folder: Path) -> dict[str, Model]:
    reports: list[str] = []
    models = load_models(models_folder, reports.append)
    assert not reports
    assert models
    return models


@pytest.fixture(scope="module")
def images(models: dict[str, Model], test_set: Digits) -> dict[str, NDArray[np.uint8]]:
    """The first images of the test set by model, as its normalization gives them."""
    checked = test_set.images[:CHECKED]
    return {
        name: np.stack([normalize(image, model.normalization) for image in checked])
        for name, model in models.items()
    }


@pytest.fixture
def copies(models_folder: Path, tmp_path: Path) -> Path:
    """A folder with copies of the models, to damage."""
    return shutil.copytree(models_folder, tmp_path / "models")


def edit_card(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    card = json.loads((folder / CARD).read_text())
    change(card)
    (folder / CARD).write_text(json.dumps(card))


def accept(**rule: Any) -> Callable[[dict[str, Any]], object]:
    """A change of a card: this acceptance rule."""
    return lambda card: card.update(acceptance=rule)


def give_probabilities(card: dict[str, Any], energy: float | None) -> None:
    """Say that the model gives probabilities, and accept them by an energy."""
    card["contract"]["output"] = "probabilities"
    card["acceptance"] = {"probability": 0.5, "energy": energy}


def replace_file(folder: Path, variant: str, change: Callable[[bytes], bytes]) -> None:
    """Change a variant's file, and the card with it: the hash is right, the content is not."""

    def record(card: dict[str, Any]) -> None:
        record = card["variants"][variant]
        path = folder / record["file"]
        content = change(path.read_bytes())
        path.write_bytes(content)
        record |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    edit_card(folder, record)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def reshape_input(content: bytes) -> bytes:
    """A model file that takes (1, 14, 56) where it took (1, 28, 28)."""
    assert struct.pack("<3i", 1, 28, 28) in content
    return content.replace(struct.pack("<3i", 1, 28, 28), struct.pack("<3i", 1, 14, 56))


def test_three_models_ship_in_every_variant_the_most_accurate_last(
    models: dict[str, Model],
) -> None:
    assert {name: model.title for name, model in models.items()} == {
        "dense": "Simple Dense",
        "mlp": "Multi-layer Perceptron",
        "cnn": "Convolutional Network",
    }
    assert list(models) == ["dense", "mlp", "cnn"]
    assert all(model.variants == VARIANTS for model in models.values())


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(
            lambda folder: flip_a_bit(folder / "int8.tflite"),
            r"int8\.tflite is corrupt: found \d+ bytes with SHA-256",
            id="a bit flipped",
        ),
        pytest.param(
            lambda folder: cut_off(folder / "float32.tflite"),
            r"float32\.tflite is corrupt: found \d+ bytes .* expected \d+ with",
            id="a file cut off",
        ),
        pytest.param(
            lambda folder: (folder / "float16.tflite").unlink(),
            r"float16\.tflite is missing; fetch it or convert the model again",
            id="a variant missing",
        ),
        pytest.param(
            lambda folder: (folder / "model.keras").unlink(),
            r"model\.keras is missing; fetch it or convert the model again",
            id="the original missing",
        ),
        pytest.param(
            lambda folder: flip_a_bit(folder / "reference.npz"),
            r"reference\.npz is corrupt",
            id="the reference damaged",
        ),
        pytest.param(
            lambda folder: replace_file(folder, "dynamic", lambda _: b"not a model at all"),
            r"dynamic\.tflite: \S+ \S+ does not load it",
            id="another kind of file",
        ),
        pytest.param(
            lambda folder: replace_file(folder, "float32", reshape_input),
            r"float32\.tflite: Its inputs and outputs have the shapes \(1, 14, 56\), \(1, 10\); "
            r"expected one input \(1, 28, 28\), .* and one output \(1, 10\)",
            id="another input shape",
        ),
        pytest.param(
            lambda folder: (folder / CARD).unlink(),
            r"card\.json is missing; every model's folder has one",
            id="the card missing",
        ),
        pytest.param(
            lambda folder: (folder / CARD).write_bytes((folder / CARD).read_bytes()[:200]),
            r"card\.json cannot be read",
            id="the card cut off",
        ),
        pytest.param(
            lambda folder: (folder / CARD).write_bytes(b"\xff\xfe"),
            r"card\.json cannot be read",
            id="the card no text",
        ),
        pytest.param(
            lambda folder: (folder / CARD).write_text("[]"),
            r"card\.json is no model card: it holds a list, not an object",
            id="the card a list",
        ),
    ],
)
def test_a_damaged_model_is_left_out_whole_and_the_others_load(
    damage: Callable[[Path], object], reason: str, copies: Path
) -> None:
    damage(copies / "dense")
    reports: list[str] = []
    assert list(load_models(copies, reports.append)) == ["mlp", "cnn"]
    assert len(reports) == 1
    assert reports[0].startswith("Model 'dense' is left out: ")
    assert reports[0].endswith(".")
    assert "\n" not in reports[0]
    assert re.search(reason, reports[0])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda card: card.update(format=2), "it has format 2, expected 1"),
        (lambda card: card.pop("contract"), "field 'contract' is missing"),
        (lambda card: card["variants"].pop("int8"), "field 'int8' is missing"),
        (lambda card: card.update(parameters=None), "is no model card"),
        (lambda card: card.update(training=3), "is no model card"),
        (
            lambda card: card["contract"].update(normalization="none"),
            "unknown normalization 'none'",
        ),
        (lambda card: card["contract"].update(output="votes"), "unknown output 'votes'"),
        (lambda card: card["original"].update(accuracy="good"), "is no model card"),
        (lambda card: card["original"].update(sha256="0" * 64), "model.keras is corrupt"),
        (lambda card: card["variants"]["int8"].update(bytes=1), "int8.tflite is corrupt"),
        (
            lambda card: card["variants"]["int8"].update(file="../mlp/int8.tflite"),
            "file '../mlp/int8.tflite' lies outside of the model's folder",
        ),
        (
            lambda card: card["original"].update(file="/etc/hostname"),
            "file '/etc/hostname' lies outside of the model's folder",
        ),
        (lambda card: card["original"].update(file=".."), "cannot be read"),
        (lambda card: card["original"].update(file=""), "cannot be read"),
        (lambda card: card.update(name="mlp"), "its card names it 'mlp'"),
        (lambda card: card.update(parameters=math.inf), "cannot convert float infinity"),
        (lambda card: card["reference"].pop("original_sha256"), "'original_sha256' is missing"),
        (lambda card: card["budget"].pop("agreement"), "field 'agreement' is missing"),
        (lambda card: card["budget"].update(agreement=99.8), "an agreement of 99.8, not of 0 to 1"),
        (lambda card: card["budget"].update(agreement=None), "None is not a finite number"),
        (lambda card: card["budget"].update(bytes=0), "allows 0 bytes, not a whole number"),
        (lambda card: card["budget"].update(bytes=1.5), "allows 1.5 bytes, not a whole number"),
        (lambda card: card["budget"].update(bytes=True), "allows True bytes, not a whole number"),
        (lambda card: card.update(budget=0.1), "is no model card"),
        (lambda card: card.update(acceptance=0.5), "its acceptance is a float, not an object"),
        (lambda card: card.update(acceptance=[0.5, 3]), "its acceptance is a list, not an object"),
        (lambda card: card.update(acceptance={}), "field 'probability' is missing"),
        (accept(energy=3), "field 'probability' is missing"),
        (accept(probability=0.5), "field 'energy' is missing"),
        (accept(probability=1.1, energy=None), "asks for a probability of 1.1, not of 0 to 1"),
        (accept(probability=-0.1, energy=3), "asks for a probability of -0.1, not of 0 to 1"),
        (accept(probability=None, energy=3), "None is not a finite number"),
        (accept(probability="0.5", energy=3), "'0.5' is not a finite number"),
        (accept(probability=True, energy=3), "True is not a finite number"),
        (accept(probability=0.5, energy=math.nan), "nan is not a finite number"),
        (accept(probability=0.5, energy=[3]), "[3] is not a finite number"),
        (accept(probability=0.5, energy=10**400), "is no model card: int too large"),
        (lambda card: give_probabilities(card, 3), "asks for an energy, which only logits have"),
    ],
)
def test_a_model_whose_card_was_edited_is_left_out(
    change: Callable[[dict[str, Any]], object], reason: str, copies: Path
) -> None:
    edit_card(copies / "dense", change)
    reports: list[str] = []
    assert list(load_models(copies, reports.append)) == ["mlp", "cnn"]
    assert len(reports) == 1
    assert reason in reports[0]
    assert reports[0].endswith(".")


@pytest.mark.parametrize("rule", [Acceptance(0.9, 3.5), Acceptance(1, None), None])
def test_a_card_keeps_its_acceptance_rule(
    rule: Acceptance | None, models_folder: Path, tmp_path: Path
) -> None:
    card = dataclasses.replace(read_card(models_folder / "mlp"), acceptance=rule)
    write_card(card, tmp_path)
    assert read_card(tmp_path) == card


def test_a_card_without_a_rule_accepts_everything(
    copies: Path, images: dict[str, NDArray[np.uint8]]
) -> None:
    for name in images:
        edit_card(copies / name, lambda card: card.pop("acceptance", None))
    for name, model in load_models(copies).items():
        assert model.acceptance is None
        assert model.answer(images[name][:5]).accepted.tolist() == [True] * 5


def test_a_rule_s_numbers_may_be_whole_ones(copies: Path) -> None:
    edit_card(copies / "dense", accept(probability=1, energy=9))
    assert load_models(copies)["dense"].acceptance == Acceptance(1.0, 9.0)


def test_a_model_of_probabilities_may_have_a_rule_without_energy(copies: Path) -> None:
    edit_card(copies / "dense", lambda card: give_probabilities(card, None))
    assert load_models(copies)["dense"].acceptance == Acceptance(0.5, None)


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_answer_is_what_is_predicted_and_accepted_by_the_rule(
    variant: str, copies: Path, images: dict[str, NDArray[np.uint8]]
) -> None:
    # Strict enough to refuse some of the digits.
    edit_card(copies / "dense", accept(probability=0.99, energy=9))
    model, digits = load_models(copies)["dense"], images["dense"][:200]
    answer = model.answer(digits, variant)
    np.testing.assert_array_equal(answer.probabilities, model.predict(digits, variant))
    energy = np.log(np.exp(answer.outputs.astype(np.float64)).sum(axis=1))
    expected = (answer.probabilities.max(axis=1) >= 0.99) & (energy >= 9)
    np.testing.assert_array_equal(answer.accepted, expected)
    assert 0 < expected.sum() < 200


def test_a_model_left_out_is_logged_where_nobody_asks_for_reports(
    copies: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (copies / "mlp" / CARD).unlink()
    load_models(copies)
    assert [record.getMessage()[:26] for record in caplog.records] == ["Model 'mlp' is left out: /"]


def test_hidden_folders_and_stray_files_are_no_models(copies: Path) -> None:
    (copies / ".staging-1").mkdir()
    (copies / "README.md").write_text("notes")
    reports: list[str] = []
    assert list(load_models(copies, reports.append)) == ["dense", "mlp", "cnn"]
    assert not reports


def test_models_are_ordered_by_the_accuracy_on_their_cards(copies: Path) -> None:
    edit_card(copies / "mlp", lambda card: card["original"].update(accuracy=0.5))
    assert list(load_models(copies)) == ["mlp", "dense", "cnn"]


def test_an_empty_models_folder_gives_no_models(tmp_path: Path) -> None:
    assert load_models(tmp_path) == {}


def test_a_missing_models_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"missing cannot be read \(No such file or directory\); exp"
    ):
        load_models(tmp_path / "missing")


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("count", [0, 1, 7])
def test_predictions_are_probabilities(
    count: int, variant: str, models: dict[str, Model], images: dict[str, NDArray[np.uint8]]
) -> None:
    for name, model in models.items():
        probabilities = model.predict(images[name][:count], variant)
        assert probabilities.shape == (count, 10)
        assert probabilities.dtype == np.float32
        assert (probabilities >= 0).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_int8_is_what_predict_answers_with_unasked(
    models: dict[str, Model], images: dict[str, NDArray[np.uint8]]
) -> None:
    for name, model in models.items():
        np.testing.assert_array_equal(
            model.predict(images[name][:5]), model.predict(images[name][:5], "int8")
        )


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_answer_does_not_depend_on_the_images_around_it(
    variant: str, models: dict[str, Model], images: dict[str, NDArray[np.uint8]]
) -> None:
    for name, model in models.items():
        together = model.predict(images[name][:20], variant)
        alone = [model.predict(image[None], variant)[0] for image in images[name][19::-1]]
        np.testing.assert_array_equal(together, alone[::-1])


def test_an_unknown_variant_is_refused_with_the_known_ones(models: dict[str, Model]) -> None:
    expected = "Unknown variant 'int4'; expected float32, float16, dynamic, int8."
    with pytest.raises(ValueError, match=re.escape(expected)):
        models["dense"].predict(np.zeros((1, 28, 28), np.uint8), "int4")


@pytest.mark.parametrize(
    "images",
    [
        pytest.param(np.zeros((28, 28), np.uint8), id="one image by itself"),
        pytest.param(np.zeros((1, 784), np.uint8), id="flat"),
        pytest.param(np.zeros((1, 28, 28, 1), np.uint8), id="with channels"),
        pytest.param(np.zeros((1, 28, 27), np.uint8), id="narrower"),
        pytest.param(np.zeros((1, 28, 28), np.float32), id="floats"),
    ],
)
def test_images_of_another_shape_or_dtype_are_refused(
    images: NDArray[Any], models: dict[str, Model]
) -> None:
    with pytest.raises(ValueError, match=r"were given; expected \(N, 28, 28\) and uint8"):
        models["dense"].predict(images)


def test_several_threads_get_the_answers_of_one(
    models: dict[str, Model], images: dict[str, NDArray[np.uint8]]
) -> None:
    model, digits = models["dense"], images["dense"][:200]
    expected = model.predict(digits)
    with ThreadPoolExecutor(8) as threads:
        # Each begins elsewhere, so that at any time they ask about different images.
        answers = threads.map(
            lambda start: model.predict(np.roll(digits, start, 0)), range(0, 200, 5)
        )
        for start, answer in zip(range(0, 200, 5), answers, strict=True):
            np.testing.assert_array_equal(answer, np.roll(expected, start, 0))


def test_the_reference_is_of_the_committed_test_set(
    models: dict[str, Model], models_folder: Path, test_set: Digits
) -> None:
    for name, model in models.items():
        assert model.card.reference.dataset_sha256 == test_set.sha256()
        assert reference(models_folder / name, model).shape == (len(test_set.labels), 10)


def test_float32_gives_the_original_s_probabilities(
    models: dict[str, Model], models_folder: Path, images: dict[str, NDArray[np.uint8]]
) -> None:
    for name, model in models.items():
        expected = reference(models_folder / name, model)[:CHECKED]
        np.testing.assert_allclose(model.predict(images[name], "float32"), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("variant", "least"),
    [("float32", 0.999), ("float16", 0.999), ("dynamic", 0.99), ("int8", 0.995)],
)
def test_variants_answer_as_the_original_does(
    variant: str,
    least: float,
    models: dict[str, Model],
    models_folder: Path,
    images: dict[str, NDArray[np.uint8]],
) -> None:
    for name, model in models.items():
        expected = reference(models_folder / name, model)[:CHECKED].argmax(axis=1)
        found = model.predict(images[name], variant).argmax(axis=1)
        assert (found == expected).mean() >= least


def test_cards_tell_the_accuracy_truly(
    models: dict[str, Model], images: dict[str, NDArray[np.uint8]], test_set: Digits
) -> None:
    # On a tenth of the test set: within three standard errors.
    labels = test_set.labels[:CHECKED]
    for name, model in models.items():
        told = model.card.variants["int8"].accuracy
        found = float((model.predict(images[name], "int8").argmax(axis=1) == labels).mean())
        assert found == pytest.approx(told, abs=3 * (told * (1 - told) / CHECKED) ** 0.5)


def test_int8_takes_the_pixels_as_they_are(models: dict[str, Model], models_folder: Path) -> None:
    for name, model in models.items():
        content = (models_folder / name / model.card.variants["int8"].file).read_bytes()
        interpreter = find_runtime().interpreter(model_content=content)
        (tensor,) = interpreter.get_input_details()
        assert tensor["dtype"] == np.uint8
        assert tensor["quantization"] == (1.0, 0)


def test_int8_gives_the_logits_themselves(
    models: dict[str, Model], images: dict[str, NDArray[np.uint8]]
) -> None:
    # Probabilities would not show a zero point gone wrong: softmax takes no notice.
    for name, model in models.items():
        exact, found = (
            model.interpreters[variant].run(images[name]) for variant in ("float32", "int8")
        )
        assert found.mean() == pytest.approx(exact.mean(), abs=0.1)
        assert found.std() == pytest.approx(exact.std(), rel=0.02)


def reference(folder: Path, model: Model) -> NDArray[np.float32]:
    """The original's probabilities on the test set, (N, 10)."""
    with np.load(folder / model.card.reference.file) as arrays:
        return np.asarray(arrays["probabilities"], np.float32)


@pytest.mark.parametrize("package", RUNTIMES)
def test_a_runtime_can_be_chosen(package: str) -> None:
    if find_spec(RUNTIMES[package].split(".")[0]) is None:
        with pytest.raises(InterpreterError, match=f"expected {package}; run: pip install"):
            find_runtime(package)
    elif package == find_runtime().name:  # Another one may not share this process.
        assert find_runtime(package) == find_runtime()
