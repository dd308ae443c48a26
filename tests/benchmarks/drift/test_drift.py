"""Drift: its figures, the labelled sets that it is measured on, and the gate."""

from __future__ import annotations

import json
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
from edge_app.models.classifier import Model
from edge_app.models.folder import load_models
from edge_app.models.metrics import calibration_error, reliability, wilson_interval
from probability_tables import probabilities

COUNT = 100


@pytest.fixture(scope="module")
def models(models_folder: Path) -> dict[str, Model]:
    return load_models(models_folder)


@pytest.fixture(scope="module")
def few(test_set: Digits) -> LabelledSet:
    """The first test images."""
    digits = Digits(test_set.images[:COUNT], test_set.labels[:COUNT])
    return mnist_set(digits, ["moments"], lambda _: None)


ORIGINAL = probabilities({0: 1.0}, {1: 1.0}, {2: 0.5, 3: 0.5}, {4: 1.0})
VARIANT = probabilities({0: 1.0}, {5: 1.0}, {2: 0.25, 3: 0.75}, {4: 0.75, 0: 0.25})
LABELS = [0, 1, 3, 9]
NOT_FINITE = np.full_like(ORIGINAL, np.nan)


def test_compare_puts_the_metrics_together() -> None:
    found = compare(ORIGINAL, VARIANT, LABELS)
    assert found.accuracy == 0.5
    assert found.accuracy_interval == wilson_interval(2, 4)
    assert found.calibration_error == calibration_error(reliability(VARIANT, LABELS))
    assert [each.count for each in found.reliability] == [*[0] * 11, 2, 0, 0, 2]
    assert found.wrong == (1, 3)
    assert (found.flips_to_wrong, found.flips_to_right, found.accuracy_loss_points) == (1, 1, 0.0)
    assert (found.agreement, found.mcnemar_p) == (0.5, 1.0)
    assert (found.largest_difference, found.mean_difference) == (1.0, 3 / 40)
    assert found.kl_divergence > 1
    # Signal 1 + 1 + 1/2 + 1, noise 2 + 2/16 + 2/16.
    assert found.signal_to_noise_db == pytest.approx(10 * np.log10(3.5 / 2.25))
    assert found.flips == (Flip(1, 1, 1, 1.0, 5, 1.0), Flip(2, 3, 2, 0.5, 3, 0.75))
    one = compare(ORIGINAL[:1], VARIANT[1:2], LABELS[:1])
    assert (one.accuracy, one.accuracy_loss_points, one.mcnemar_p) == (0.0, 100.0, 1.0)


@pytest.mark.parametrize("count", [1, 4])
def test_compared_with_itself_nothing_has_drifted(count: int) -> None:
    rows, labels = ORIGINAL[:count], ORIGINAL[:count].argmax(axis=1)
    drift = compare_model("x", Original(rows, "stored"), {"int8": rows}, labels)
    found = drift.variants["int8"]
    assert (found.accuracy, found.agreement, found.accuracy_loss_points) == (1.0, 1.0, 0.0)
    assert (found.mcnemar_p, found.kl_divergence, found.signal_to_noise_db) == (1.0, 0.0, None)
    assert (found.largest_difference, found.mean_difference, found.flips) == (0.0, 0.0, ())
    assert json.loads(json.dumps(asdict(drift), allow_nan=False))["origin"] == "stored"


@pytest.mark.parametrize("broken", ["original", "dynamic"])
def test_outputs_that_are_not_finite_are_named(broken: str) -> None:
    tables = dict.fromkeys(("original", "float16", "dynamic"), ORIGINAL) | {broken: NOT_FINITE}
    original = Original(tables.pop("original"), "stored")
    with pytest.raises(DriftError, match=rf"dense's {broken} is unknown: .* not finite"):
        compare_model("dense", original, tables, LABELS)


def test_an_interruption_ends_the_predictions(few: LabelledSet, models: dict[str, Model]) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(models, few.images, interrupt)


def test_every_variant_is_compared_with_the_reference_on_every_image(
    models: dict[str, Model], few: LabelledSet, models_folder: Path, test_set: Digits
) -> None:
    stored = {
        name: read_reference(models_folder / name, model.card, test_set).probabilities[:COUNT]
        for name, model in models.items()
    }
    originals = {name: Original(table, "stored") for name, table in stored.items()}
    done: list[int] = []
    drift = measure_drift(models, few, originals, done.append, pytest.fail)
    assert sum(done) == steps(models, few.images) == COUNT * 3 * len(VARIANTS)
    for name, found in drift.items():
        assert (found.images, found.origin) == (COUNT, "stored")
        assert found.original == measure_quality(stored[name], few.labels)
        assert tuple(found.variants) == VARIANTS
        for variant, measured in found.variants.items():
            outputs = models[name].predict(few.images["moments"], variant)
            assert measured == compare(stored[name], outputs, few.labels)
        # The image that a variant sees is the one that the original saw.
        assert found.variants["float32"].largest_difference < 1e-5
        assert found.variants["int8"].agreement > 0.98


def test_float32_stands_in_for_an_original_and_a_broken_model_leaves_the_others(
    models: dict[str, Model], few: LabelledSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Model(replace(models["dense"].card, name="broken"), models["dense"].interpreters)
    monkeypatch.setattr(broken, "predict", lambda images, _: np.full((len(images), 10), np.nan))
    told: list[str] = []
    both = {"broken": broken, "mlp": models["mlp"]}
    found = measure_drift(both, few, {}, lambda _: None, told.append)
    assert list(found) == ["mlp"]
    assert found["mlp"].origin == "float32"
    assert tuple(found["mlp"].variants) == ("float16", "dynamic", "int8")
    float32 = models["mlp"].predict(few.images["moments"], "float32")
    assert found["mlp"].original == measure_quality(float32, few.labels)
    [sentence] = told
    assert "broken's original is unknown" in sentence


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


def drift_of(to_wrong: int, **changes: float) -> ModelDrift:
    """10,000 images; the original reads 9,700 of them right, and int8 so many fewer."""
    right, wrong = probabilities({0: 1.0}), probabilities({1: 1.0})

    def answers(count: int) -> NDArray[np.float32]:
        return np.concatenate([right.repeat(count, 0), wrong.repeat(10_000 - count, 0)])

    labels = np.zeros(10_000, np.uint8)
    original = answers(9700)
    int8: Drift = replace(compare(original, answers(9700 - to_wrong), labels), **changes)  # type: ignore[arg-type]
    return ModelDrift(10_000, "stored", measure_quality(original, labels), {"int8": int8})


@pytest.fixture
def card(models_folder: Path) -> Card:
    return read_card(models_folder / "dense")


def test_a_loss_of_just_the_budget_is_within_it(card: Card) -> None:
    """0.97 - 0.969 is more than 0.001 in floating point; counts are exact."""
    for size in (card.variants["int8"].bytes, None):
        assert failures(replace(card, budget=Budget(0.1, 0.999, size)), drift_of(10)) == []


def test_each_exceeded_limit_is_a_sentence_with_both_numbers(card: Card) -> None:
    size = card.variants["int8"].bytes
    tight = replace(card, budget=Budget(0.09, 0.9991, size - 1))
    loss, agreed, large = failures(tight, drift_of(10))
    for sentence, numbers in (
        (loss, ["0.10 percentage points", "97.00% -> 96.90%", "0.09"]),
        (agreed, ["99.90% of 10,000", "99.91%"]),
        (large, [f"{size:,} bytes", f"{size - 1:,}"]),
    ):
        assert sentence.startswith("Model 'dense' exceeds its budget: int8 ")
        assert all(number in sentence for number in numbers), sentence


def test_nan_does_not_pass(card: Card) -> None:
    unknown = drift_of(0, accuracy_loss_points=np.nan, agreement=np.nan)
    assert len(failures(card, unknown)) == 2
