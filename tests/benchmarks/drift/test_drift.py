"""Drift: its figures, the labelled and corrupted sets, the gate, and the reference."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.drift import corruption
from benchmarks.drift.corruption import FARTHEST_SHIFT, NOISE, corrupted_sets
from benchmarks.drift.datasets import LabelledSet, drawn_set, mnist_set
from benchmarks.drift.drift import (
    Drift,
    DriftError,
    Flip,
    ModelDrift,
    Original,
    compare,
    compare_model,
    failures,
    measure_quality,
)
from benchmarks.drift.predictions import predict, steps
from benchmarks.drift.reference import read_reference
from benchmarks.run import Selection, measure_drift
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import normalize, rasterize
from edge_app.models.card import VARIANTS, Budget, CardError, read_card, record_file
from edge_app.models.classifier import Model
from edge_app.models.metrics import calibration_error, reliability, wilson_interval
from edge_app.paths import MODELS
from made_results import CARD
from probability_tables import probabilities

COUNT = 100


@pytest.fixture(scope="module")
def few(test_set: Digits) -> LabelledSet:
    """The first test images."""
    digits = Digits(test_set.images[:COUNT], test_set.labels[:COUNT])
    return mnist_set(digits, ["bimoment"], lambda _: None)


ORIGINAL = probabilities({0: 1.0}, {1: 1.0}, {2: 0.5, 3: 0.5}, {4: 1.0})
VARIANT = probabilities({0: 1.0}, {5: 1.0}, {2: 0.25, 3: 0.75}, {4: 0.75, 0: 0.25})
LABELS = [0, 1, 3, 9]


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
    tables = dict.fromkeys(("original", "float16", "dynamic"), ORIGINAL)
    tables[broken] = ORIGINAL * np.nan
    original = Original(tables.pop("original"), "stored")
    with pytest.raises(DriftError, match=rf"dense's {broken} is unknown: .* not finite"):
        compare_model("dense", original, tables, LABELS)


def test_an_interruption_ends_the_predictions(few: LabelledSet, models: dict[str, Model]) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(models, few.images, interrupt)


def test_every_variant_is_compared_with_the_reference_on_every_image(
    models: dict[str, Model], few: LabelledSet, test_set: Digits
) -> None:
    done: list[int] = []
    predictions = predict(models, few.images, done.append)
    assert sum(done) == steps(models, few.images) == COUNT * 3 * len(VARIANTS)
    for name, model in models.items():
        reference = read_reference(MODELS / name, model.card, test_set)
        stored = reference.probabilities[:COUNT]
        original = replace(reference, probabilities=stored)
        found = compare_model(name, original, predictions[name], few.labels)
        assert (found.images, found.origin) == (COUNT, "stored")
        assert found.original == measure_quality(stored, few.labels)
        assert tuple(found.variants) == VARIANTS
        for variant, measured in found.variants.items():
            outputs = model.predict(few.images["bimoment"], variant)
            assert measured == compare(stored, outputs, few.labels)
        # The image that a variant sees is the one that the original saw.
        assert found.variants["float32"].largest_difference < 1e-5
        assert found.variants["int8"].agreement > 0.98


def test_float32_stands_in_for_an_original_and_a_broken_model_leaves_the_others(
    models: dict[str, Model], few: LabelledSet, test_set: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Model(models["dense"].card, models["dense"].interpreters)
    monkeypatch.setattr(broken, "predict", lambda images, _: np.full((len(images), 10), np.nan))
    both = {"dense": broken, "mlp": models["mlp"]}
    selection = Selection(MODELS, (), (), "drift", True, None)
    problems: list[str] = []
    drift = measure_drift(selection, both, test_set, [few._replace(name="drawings")], problems)
    assert drift["dense"] == {}
    found = drift["mlp"]["drawings"]
    assert found.origin == "float32"
    assert tuple(found.variants) == ("float16", "dynamic", "int8")
    float32 = models["mlp"].predict(few.images["bimoment"], "float32")
    assert found.original == measure_quality(float32, few.labels)
    [sentence] = problems
    assert "dense's original is unknown" in sentence


def test_sets_are_what_the_app_shows(test_set: Digits, drawings: list[LabelledDrawing]) -> None:
    digits = Digits(test_set.images[:5], test_set.labels[:5])
    done: list[int] = []
    pictures = mnist_set(digits, ["bimoment", "box"], done.append)
    drawn = drawn_set(drawings, "mine.jsonl", ["bimoment", "box"], done.append)
    assert sum(done) == 2 * 5 + 2 * 10
    assert (pictures.name, drawn.name) == ("mnist", "drawings")
    assert "mine.jsonl" in drawn.title
    assert pictures.sha256 == digits.sha256()
    assert drawn_set(drawings, "mine.jsonl", ["box"], done.append).sha256 == drawn.sha256
    assert drawn_set(drawings[1:], "mine.jsonl", ["box"], done.append).sha256 != drawn.sha256
    assert pictures.labels is digits.labels
    assert drawn.labels.tolist() == list(range(10))
    for name in ("bimoment", "box"):
        assert (pictures.images[name][3] == normalize(digits.images[3], name)).all()
        assert (drawn.images[name][3] == rasterize(drawings[3].strokes, name)).all()


def drift_of(to_wrong: int, **changes: float) -> ModelDrift:
    """10,000 images; the original reads 9,700 of them right, and int8 so many fewer."""
    zero_and_one, labels = probabilities({0: 1.0}, {1: 1.0}), np.zeros(10_000, np.uint8)
    original, other = (
        zero_and_one.repeat((right, 10_000 - right), axis=0) for right in (9700, 9700 - to_wrong)
    )
    int8: Drift = replace(compare(original, other, labels), **changes)  # type: ignore[arg-type]
    return ModelDrift(10_000, "stored", measure_quality(original, labels), {"int8": int8})


def test_a_loss_of_just_the_budget_is_within_it() -> None:
    """0.97 - 0.969 is more than 0.001 in floating point; counts are exact."""
    for size in (CARD.variants["int8"].bytes, None):
        assert failures(replace(CARD, budget=Budget(0.1, 0.999, size)), drift_of(10)) == []


def test_each_exceeded_limit_is_a_sentence_with_both_numbers() -> None:
    size = CARD.variants["int8"].bytes
    tight = replace(CARD, budget=Budget(0.09, 0.9991, size - 1))
    loss, agreed, large = failures(tight, drift_of(10))
    for sentence, numbers in (
        (loss, ["0.10 percentage points", "97.00% -> 96.90%", "0.09"]),
        (agreed, ["99.90% of 10,000", "99.91%"]),
        (large, [f"{size:,} bytes", f"{size - 1:,}"]),
    ):
        assert sentence.startswith("Model 'dense' exceeds its budget: int8 ")
        assert all(number in sentence for number in numbers), sentence


def test_nan_does_not_pass() -> None:
    unknown = drift_of(0, accuracy_loss_points=np.nan, agreement=np.nan)
    assert len(failures(CARD, unknown)) == 2


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    """A copy to break."""
    return shutil.copytree(MODELS / "dense", tmp_path / "dense")


def test_a_foreign_reference_is_refused(dense: Path, test_set: Digits) -> None:
    card = read_card(dense)
    other = Digits(test_set.images, test_set.labels[::-1])
    with pytest.raises(DriftError, match=r"reference\.npz belongs to .* but the test set here"):
        read_reference(dense, card, other)
    shutil.copy(MODELS / "mlp" / "model.keras", dense)
    with pytest.raises(CardError, match=r"model\.keras is corrupt"):
        read_reference(dense, card, test_set)
    # A card that was changed to fit the file does not make it the reference's original.
    record = record_file(dense / "model.keras")
    moved = replace(card.original, bytes=record.bytes, sha256=record.sha256)
    with pytest.raises(DriftError, match=r"made by an original with SHA-256 "):
        read_reference(dense, replace(card, original=moved), test_set)


def npz(**arrays: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


UNIFORM = np.full((10_000, 10), 0.1, np.float32)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "holds no array 'probabilities'"),
        (b"PK\x03\x04 cut off", "holds no array 'probabilities'"),
        (npz(logits=UNIFORM), "holds no array 'probabilities'"),
        (npz(probabilities=np.array([object()])), "holds no array 'probabilities'"),
        (npz(probabilities=UNIFORM[:-1]), r"float32 of shape \(9999, 10\)"),
        (npz(probabilities=UNIFORM.astype(np.float64)), "holds float64"),
        (npz(probabilities=UNIFORM * 3), "not logits"),
        (npz(probabilities=UNIFORM * np.float32(np.nan)), "not logits"),
    ],
)
def test_a_broken_reference_is_refused(
    content: bytes, reason: str, test_set: Digits, dense: Path
) -> None:
    path, card = dense / "reference.npz", read_card(dense)
    path.write_bytes(content)
    with pytest.raises(CardError, match=r"reference\.npz is corrupt"):
        read_reference(dense, card, test_set)
    record = record_file(path)
    reference = replace(card.reference, bytes=record.bytes, sha256=record.sha256)
    with pytest.raises(DriftError, match=reason):
        read_reference(dense, replace(card, reference=reference), test_set)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def filled(rows: slice, columns: slice, ink: int = 255) -> NDArray[np.uint8]:
    image = np.zeros((28, 28), np.uint8)
    image[rows, columns] = ink
    return image


def test_a_line_gets_a_pixel_thinner_and_thicker(random: np.random.Generator) -> None:
    bar = filled(slice(5, 20), slice(10, 13), ink=200)
    assert (corruption.thin(bar, random) == 200).sum() == 14 * 2
    assert (corruption.thick(bar, random) == 200).sum() == 16 * 4


def test_a_shift_moves_by_whole_pixels_and_wraps_nothing(random: np.random.Generator) -> None:
    dot, corner = filled(slice(14, 15), slice(14, 15)), filled(slice(1), slice(1))
    places = {tuple(np.argwhere(corruption.shift(dot, random))[0] - 14) for _ in range(500)}
    ways = range(-FARTHEST_SHIFT, FARTHEST_SHIFT + 1)
    assert places == {(down, right) for down in ways for right in ways}
    moved = [corruption.shift(corner, random) for _ in range(100)]
    assert {image.sum() for image in moved} == {0, 255}
    assert not any(image[FARTHEST_SHIFT + 1 :].any() for image in moved)


def test_noise_is_on_ink_and_paper(random: np.random.Generator) -> None:
    black, grey, white = (np.full((28, 28), ink, np.uint8) for ink in (0, 128, 255))
    assert corruption.noise(grey, random).std() == pytest.approx(NOISE * 255, rel=0.1)
    assert (corruption.noise(black, random) > 0).mean() == pytest.approx(0.5, abs=0.1)
    assert (corruption.noise(white, random) < 255).mean() == pytest.approx(0.5, abs=0.1)


def test_blur_spreads_the_ink_and_rotation_turns_it(random: np.random.Generator) -> None:
    bar = filled(slice(4, 24), slice(13, 15))
    blurred = corruption.blur(bar, random)
    assert blurred.max() < 255
    assert blurred.sum() == pytest.approx(bar.sum(), rel=0.05)
    turned = [corruption.rotation(bar, random) for _ in range(20)]
    leans = [np.corrcoef(np.argwhere(image > 99).T)[0, 1] for image in turned]
    assert min(leans) < -0.5
    assert max(leans) > 0.5


def test_every_corruption_is_a_set_and_always_the_same(test_set: Digits) -> None:
    few = Digits(test_set.images[:20], test_set.labels[:20])
    done: list[int] = []
    sets = corrupted_sets(few, ["bimoment", "box"], done.append)
    assert sum(done) == corruption.steps(few, ["bimoment", "box"]) == 20 * 6 * 2
    assert corruption.steps(test_set, ["bimoment"]) == 1000 * 6  # Of its 10,000 images.
    assert {each.name for each in sets} == {"shift", "rotation", "noise", "thin", "thick", "blur"}
    again = corrupted_sets(few, ["box"], lambda _: None)
    clean = np.stack([normalize(image, "box") for image in few.images])
    for each, other in zip(sets, again, strict=True):
        assert each.images["box"].shape == (20, 28, 28)
        assert (each.images["box"] == other.images["box"]).all()
        assert (each.labels == few.labels).all()
        changed = (each.images["box"] != clean).any(axis=(1, 2))
        assert changed.mean() > 0.8, each.name
        if each.name == "shift":  # The normalization does not undo it.
            ink = each.images["bimoment"].sum(axis=1, dtype=float)
            assert np.ptp(ink @ np.arange(28) / ink.sum(axis=1)) > 2
