"""Drift: the figures put together, the sets they are taken on, and the gate that reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.drift.budget import failures
from benchmarks.drift.datasets import LabelledSet, drawn_set, mnist_set
from benchmarks.drift.drift import (
    Drift,
    DriftError,
    Flip,
    ModelDrift,
    Original,
    compare,
    compare_model,
    measure_drift,
    measure_quality,
)
from benchmarks.drift.predictions import predict, steps
from benchmarks.drift.reference import read_reference
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import normalize, rasterize
from edge_app.models.card import VARIANTS, Budget, Card, read_card
from edge_app.models.classifier import Model, load_models
from edge_app.models.metrics import expected_calibration_error, wilson_interval
from probability_tables import probabilities

COUNT = 300


@pytest.fixture(scope="module")
def models(models_folder: Path) -> dict[str, Model]:
    return load_models(models_folder)


@pytest.fixture(scope="module")
def few(test_set: Digits) -> LabelledSet:
    """The first 300 test images."""
    digits = Digits(test_set.images[:COUNT], test_set.labels[:COUNT])
    return mnist_set(digits, ["moments"], lambda _: None)


ORIGINAL = probabilities({0: 1.0}, {1: 1.0}, {2: 0.5, 3: 0.5}, {4: 1.0})
VARIANT = probabilities({0: 1.0}, {5: 1.0}, {2: 0.25, 3: 0.75}, {4: 0.75, 0: 0.25})
LABELS = [0, 1, 3, 9]


def test_compare_puts_the_metrics_together() -> None:
    found = compare(ORIGINAL, VARIANT, LABELS)
    assert found.accuracy == 0.5
    assert found.accuracy_interval == wilson_interval(2, 4)
    assert found.accuracy_by_class == (1.0, 0.0, None, 1.0, *[None] * 5, 0.0)
    assert found.calibration_error == expected_calibration_error(VARIANT, LABELS)
    assert [each.count for each in found.reliability] == [*[0] * 11, 2, 0, 0, 2]
    assert (found.flips_to_wrong, found.flips_to_right, found.accuracy_loss_points) == (1, 1, 0.0)
    assert (found.agreement, found.mcnemar_p) == (0.5, 1.0)
    assert (found.largest_difference, found.mean_difference) == (1.0, 3 / 40)
    assert found.kl_divergence > 1
    # Signal 1 + 1 + 1/2 + 1, noise 2 + 2/16 + 2/16.
    assert found.signal_to_noise_db == pytest.approx(10 * np.log10(3.5 / 2.25))
    assert np.argwhere(found.flip_matrix).tolist() == [[1, 5], [2, 3]]
    assert found.flips == (Flip(1, 1, 1, 1.0, 5, 1.0), Flip(2, 3, 2, 0.5, 3, 0.75))


def test_compare_of_one_with_itself_finds_nothing() -> None:
    table = np.random.default_rng(0).dirichlet(np.ones(10), size=50)
    found = compare(table, table, table.argmax(axis=1))
    assert (found.accuracy, found.agreement, found.accuracy_loss_points) == (1.0, 1.0, 0.0)
    assert (found.mcnemar_p, found.kl_divergence, found.signal_to_noise_db) == (1.0, 0.0, None)
    assert (found.largest_difference, found.mean_difference, found.flips) == (0.0, 0.0, ())


def test_one_image_is_enough() -> None:
    found = compare(ORIGINAL[:1], VARIANT[1:2], LABELS[:1])
    assert (found.accuracy, found.accuracy_loss_points, found.mcnemar_p) == (0.0, 100.0, 1.0)


@pytest.mark.parametrize("rows", [ORIGINAL, ORIGINAL[:1]])
def test_drift_is_json_as_it_is(rows: NDArray[np.float32]) -> None:
    labels = LABELS[: len(rows)]
    drift = compare_model("x", Original(rows, "stored"), {"int8": rows}, labels)
    fields = json.loads(json.dumps(asdict(drift), allow_nan=False))
    assert fields["origin"] == "stored"
    assert fields["variants"]["int8"]["signal_to_noise_db"] is None
    assert len(fields["variants"]["int8"]["flip_matrix"]) == 10
    assert fields["original"]["reliability"][0] == {
        "count": 0,
        "confidence": None,
        "accuracy": None,
    }


def test_outputs_that_are_no_numbers_are_named() -> None:
    wrong = {"float16": ORIGINAL, "dynamic": ORIGINAL * np.float32(np.nan)}
    with pytest.raises(DriftError, match=r"dense's dynamic is unknown: .* not finite"):
        compare_model("dense", Original(ORIGINAL, "stored"), wrong, LABELS)
    with pytest.raises(DriftError, match=r"dense's original is unknown: .* not finite"):
        compare_model("dense", Original(wrong["dynamic"], "recomputed"), {}, LABELS)


def test_every_variant_is_run_on_every_image(models: dict[str, Model], few: LabelledSet) -> None:
    done: list[int] = []
    found = predict(models, few.images, done.append)
    assert (
        sum(done)
        == steps(models, few.images)
        == COUNT * sum(len(model.variants) for model in models.values())
    )
    assert list(found) == list(models)
    for name, outputs in found.items():
        assert tuple(outputs) == VARIANTS
        for variant, table in outputs.items():
            alone = [
                models[name].predict(image[None], variant)[0] for image in few.images["moments"]
            ]
            assert (table == alone).all(), (name, variant)


def test_what_fails_in_a_thread_is_told(few: LabelledSet, models: dict[str, Model]) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(models, few.images, interrupt)


def test_drift_is_measured_against_the_reference(
    models: dict[str, Model], few: LabelledSet, models_folder: Path, test_set: Digits
) -> None:
    stored = {
        name: read_reference(models_folder / name, model.card, test_set).probabilities[:COUNT]
        for name, model in models.items()
    }
    originals = {name: Original(table, "stored") for name, table in stored.items()}
    drift = measure_drift(models, few, originals, lambda _: None, pytest.fail)
    for name, found in drift.items():
        assert (found.images, found.origin) == (COUNT, "stored")
        assert found.original == measure_quality(stored[name], few.labels)
        assert tuple(found.variants) == VARIANTS
        # The image that a variant sees is the one that the original saw.
        assert found.variants["float32"].largest_difference < 1e-5
        assert found.variants["int8"].agreement > 0.98
        int8 = models[name].predict(few.images["moments"], "int8")
        assert found.variants["int8"] == compare(stored[name], int8, few.labels)


def test_without_an_original_float32_stands_in(models: dict[str, Model], few: LabelledSet) -> None:
    found = measure_drift({"mlp": models["mlp"]}, few, {}, lambda _: None, pytest.fail)["mlp"]
    assert found.origin == "float32"
    assert tuple(found.variants) == ("float16", "dynamic", "int8")
    float32 = models["mlp"].predict(few.images["moments"], "float32")
    assert found.original == measure_quality(float32, few.labels)


def test_a_model_whose_outputs_are_no_numbers_costs_no_other_its_drift(
    models: dict[str, Model], few: LabelledSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(images: NDArray[np.uint8], _: str) -> NDArray[np.float32]:
        return np.full((len(images), 10), np.nan, np.float32)

    broken = Model(replace(models["dense"].card, name="broken"), models["dense"].interpreters)
    monkeypatch.setattr(broken, "predict", nothing)
    told: list[str] = []
    both: Mapping[str, Model] = {"broken": broken, "mlp": models["mlp"]}
    assert list(measure_drift(both, few, {}, lambda _: None, told.append)) == ["mlp"]
    (sentence,) = told
    assert "broken's original is unknown" in sentence


# Sets


def test_sets_are_what_the_app_would_show_the_models(
    test_set: Digits, drawings: list[LabelledDrawing]
) -> None:
    digits = Digits(test_set.images[:5], test_set.labels[:5])
    done: list[int] = []
    pictures = mnist_set(digits, ["moments", "box"], done.append)
    drawn = drawn_set(drawings, "mine.jsonl", ["moments", "box"], done.append)
    assert sum(done) == 2 * 5 + 2 * 10
    assert (pictures.name, drawn.name) == ("mnist", "drawings")
    assert "mine.jsonl" in drawn.title
    assert pictures.sha256 == digits.sha256()
    assert drawn_set(drawings, "mine.jsonl", ["box"], done.append).sha256 == drawn.sha256
    assert drawn_set(drawings[1:], "mine.jsonl", ["box"], done.append).sha256 != drawn.sha256
    assert pictures.labels is digits.labels
    assert drawn.labels.tolist() == list(range(10))
    for name in ("moments", "box"):
        assert (pictures.images[name][3] == normalize(digits.images[3], name)).all()
        assert (drawn.images[name][3] == rasterize(drawings[3].strokes, name)).all()


def test_drawn_digits_are_read(models: dict[str, Model], drawings: list[LabelledDrawing]) -> None:
    drawn = drawn_set(drawings, "mine.jsonl", ["moments"], lambda _: None)
    drift = measure_drift(models, drawn, {}, lambda _: None, pytest.fail)
    assert drift["cnn"].original.accuracy == 1
    assert drift["cnn"].variants["int8"].agreement == 1


# The gate


def drift_of(int8: Drift) -> ModelDrift:
    right = measure_quality(probabilities({0: 1.0}), [0])
    return ModelDrift(10_000, "stored", replace(right, accuracy=0.97), {"int8": int8})


def int8_of(to_wrong: int) -> Drift:
    """Of 10,000 images, of which the original reads 9,700 right."""
    right, wrong = probabilities({0: 1.0}), probabilities({1: 1.0})
    original = np.concatenate([right.repeat(9700, axis=0), wrong.repeat(300, axis=0)])
    kept = 9700 - to_wrong
    variant = np.concatenate([right.repeat(kept, axis=0), wrong.repeat(10_000 - kept, axis=0)])
    return compare(original, variant, np.zeros(10_000, np.uint8))


@pytest.fixture
def card(models_folder: Path) -> Card:
    return read_card(models_folder / "dense")


def test_a_loss_of_just_the_budget_is_within_it(card: Card) -> None:
    """0.97 - 0.969 is more than 0.001 in floating point; counts are exact."""
    drift = drift_of(int8_of(to_wrong=10))
    size = card.variants["int8"].bytes
    assert failures(replace(card, budget=Budget(0.1, 0.999, size)), drift) == []
    assert failures(replace(card, budget=Budget(0.1, 0.999, None)), drift) == []


def test_each_part_past_the_budget_is_a_sentence_with_both_numbers(card: Card) -> None:
    size = card.variants["int8"].bytes
    tight = replace(card, budget=Budget(0.09, 0.9991, size - 1))
    loss, agreed, large = failures(tight, drift_of(int8_of(to_wrong=10)))
    for sentence, numbers in (
        (loss, ["0.10 percentage points", "97.00% -> 96.90%", "0.09"]),
        (agreed, ["99.90% of 10,000", "99.91%"]),
        (large, [f"{size:,} bytes", f"{size - 1:,}"]),
    ):
        assert sentence.startswith("Model 'dense' is past its budget: int8 ")
        assert all(number in sentence for number in numbers), sentence


def test_what_is_no_number_does_not_pass(card: Card) -> None:
    int8 = replace(int8_of(0), accuracy_loss_points=np.nan, agreement=np.nan)
    assert len(failures(card, drift_of(int8))) == 2


def test_the_models_that_ship_pass(
    models: dict[str, Model], models_folder: Path, test_set: Digits
) -> None:
    labelled = mnist_set(test_set, ["moments"], lambda _: None)
    for name, model in models.items():
        original = read_reference(models_folder / name, model.card, test_set)
        int8 = {"int8": model.predict(labelled.images["moments"], "int8")}
        drift = compare_model(name, original, int8, test_set.labels)
        assert failures(model.card, drift) == []
