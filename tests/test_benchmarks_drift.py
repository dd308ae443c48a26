"""Drift's metrics against cases worked out by hand, and its reference's checks."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.drift import (
    Drift,
    DriftError,
    Flips,
    ModelDrift,
    agreement,
    answers,
    budget_overrun,
    compare,
    flips,
    largest_difference,
    measure_drift,
    read_reference,
)
from edge_app.card import Budget, Card, CardError, read_card, record_file
from edge_app.mnist import Digits, read_digits
from edge_app.models import load_models
from edge_app.normalization import normalize

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "models"


def probabilities(*rows: dict[int, float]) -> NDArray[np.float32]:
    """Rows of ten from the few that are not 0: {digit: probability}."""
    table = np.zeros((len(rows), 10), np.float32)
    for line, row in zip(table, rows, strict=True):
        for digit, probability in row.items():
            line[digit] = probability
    return table


def test_answers_takes_the_lower_of_equal_probabilities() -> None:
    table = probabilities({7: 0.5, 2: 0.5}, {9: 1.0}, dict.fromkeys(range(10), 0.1))
    assert answers(table).tolist() == [2, 9, 0]


@pytest.mark.parametrize("shape", [(0, 10), (10,), (3, 9), (1, 3, 10)])
def test_answers_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected \(N, 10\), N at least 1"):
        answers(np.zeros(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_answers_refuses_what_is_no_number(value: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        answers(probabilities({1: 1.0}, {2: value}))


def test_agreement_is_the_part_that_is_the_same() -> None:
    assert agreement([1, 2, 3, 4], [1, 2, 3, 9]) == 0.75
    assert agreement([5], [5]) == 1.0
    assert agreement([5], [6]) == 0.0


def test_flips_counts_each_direction() -> None:
    #          right twice, to wrong twice, to right once, wrong the same, wrong another way
    labels = [0, 1, 2, 3, 4, 5, 6]
    original = [0, 1, 2, 3, 9, 9, 9]
    variant = [0, 1, 8, 8, 4, 9, 8]
    assert flips(original, variant, labels) == Flips(to_wrong=2, to_right=1)
    assert flips(variant, original, labels) == Flips(to_wrong=1, to_right=2)
    assert flips(original, original, labels) == Flips(0, 0)


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([1, 2], [1]), ([[1]], [[1]])])
def test_digits_of_other_shapes_are_refused(ours: list[Any], theirs: list[Any]) -> None:
    with pytest.raises(ValueError, match="N at least 1"):
        agreement(ours, theirs)
    with pytest.raises(ValueError, match="N at least 1"):
        flips(ours, ours, theirs)


def test_largest_difference_looks_at_every_probability() -> None:
    original = probabilities({3: 0.75, 4: 0.25}, {1: 1.0})
    variant = probabilities({3: 0.5, 4: 0.5}, {1: 0.625, 2: 0.375})
    assert largest_difference(original, variant) == 0.375
    assert largest_difference(variant, original) == 0.375
    assert largest_difference(original, original) == 0.0


def test_compare_puts_them_together() -> None:
    original = probabilities({0: 1.0}, {1: 1.0}, {2: 0.5, 3: 0.5}, {4: 1.0})
    variant = probabilities({0: 1.0}, {5: 1.0}, {2: 0.25, 3: 0.75}, {4: 0.75, 0: 0.25})
    assert compare(original, variant, [0, 1, 3, 9]) == Drift(
        accuracy=0.5,
        accuracy_loss_points=0.0,
        agreement=0.5,
        flips_to_wrong=1,
        flips_to_right=1,
        largest_difference=1.0,
    )


def test_compare_of_one_with_itself_finds_nothing() -> None:
    table = np.random.default_rng(0).dirichlet(np.ones(10), size=50)
    found = compare(table, table, answers(table))
    assert found == Drift(1.0, 0.0, 1.0, 0, 0, 0.0)


def test_compare_refuses_outputs_that_are_no_numbers() -> None:
    table = probabilities({0: 1.0})
    with pytest.raises(ValueError, match="not finite"):
        compare(table, probabilities({0: np.nan}), [0])


def test_loss_of_just_the_budget_is_within_it() -> None:
    """0.97 - 0.96 is more than 0.01 in floating point; counts are exact."""
    labels = np.zeros(10_000, dtype=np.uint8)
    right, wrong = probabilities({0: 1.0}), probabilities({1: 1.0})
    original = np.concatenate([right.repeat(9700, axis=0), wrong.repeat(300, axis=0)])
    variant = np.concatenate([right.repeat(9690, axis=0), wrong.repeat(310, axis=0)])
    drift = ModelDrift(0.97, {"int8": compare(original, variant, labels)})
    assert drift.variants["int8"].accuracy_loss_points == 0.1
    assert budget_overrun(card(budget=0.1), drift) is None
    sentence = budget_overrun(card(budget=0.09), drift)
    assert sentence is not None
    assert "'dense'" in sentence
    assert "0.10" in sentence
    assert "0.09" in sentence


def test_budget_that_is_no_number_is_overrun() -> None:
    drift = ModelDrift(1.0, {"int8": Drift(1.0, 0.0, 1.0, 0, 0, 0.0)})
    assert budget_overrun(card(budget=float("nan")), drift) is not None


def card(budget: float) -> Card:
    return replace(read_card(MODELS / "dense"), budget=Budget(budget))


@pytest.fixture(scope="module")
def digits() -> Digits:
    return read_digits(ROOT / "benchmarks" / "mnist", "t10k")


def test_reference_of_each_model_is_of_the_committed_test_set(digits: Digits) -> None:
    for folder in MODELS.iterdir():
        reference = read_reference(folder, read_card(folder), digits)
        assert reference.shape == (10_000, 10)
        assert reference.dtype == np.float32


def test_reference_of_another_test_set_is_refused(digits: Digits) -> None:
    other = Digits(digits.images, digits.labels[::-1])
    with pytest.raises(DriftError, match=r"reference\.npz belongs to .* but the test set here"):
        read_reference(MODELS / "dense", read_card(MODELS / "dense"), other)


def test_reference_that_changed_is_refused(digits: Digits, tmp_path: Path) -> None:
    shutil.copytree(MODELS / "dense", tmp_path, dirs_exist_ok=True)
    (tmp_path / "reference.npz").write_bytes(b"changed")
    with pytest.raises(CardError, match=r"reference\.npz is corrupt"):
        read_reference(tmp_path, read_card(tmp_path), digits)


def npz(**arrays: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


UNIFORM = np.full((10_000, 10), 0.1, np.float32)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "holds no array 'probabilities'"),
        (b"PK\x03\x04 cut off", "holds no array 'probabilities'"),
        (npy(UNIFORM), "holds no array 'probabilities'"),
        (npz(logits=UNIFORM), "holds no array 'probabilities'"),
        (npz(probabilities=np.array([object()])), "holds no array 'probabilities'"),
        (npz(probabilities=UNIFORM[:-1]), r"float32 of shape \(9999, 10\)"),
        (npz(probabilities=UNIFORM.astype(np.float64)), "holds float64"),
        (npz(probabilities=UNIFORM * 3), "not logits"),
        (npz(probabilities=UNIFORM * np.float32(np.nan)), "not logits"),
    ],
)
def test_reference_of_anything_else_is_refused(
    content: bytes, reason: str, digits: Digits, tmp_path: Path
) -> None:
    path = tmp_path / "reference.npz"
    path.write_bytes(content)
    fields = json.loads((MODELS / "dense" / "card.json").read_text(encoding="utf-8"))
    record = record_file(path)
    fields["reference"].update(bytes=record.bytes, sha256=record.sha256)
    (tmp_path / "card.json").write_text(json.dumps(fields), encoding="utf-8")
    with pytest.raises(DriftError, match=reason):
        read_reference(tmp_path, read_card(tmp_path), digits)


def test_measure_drift_runs_every_variant_on_every_image(
    digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Digits(digits.images[:700], digits.labels[:700])
    model = load_models(MODELS)["dense"]
    original = read_reference(MODELS / "dense", model.card, digits)[:700]
    monkeypatch.setattr("benchmarks.drift.read_reference", lambda *_: original)
    images = np.stack([normalize(image, model.normalization) for image in few.images])
    done: list[int] = []
    found = measure_drift(model, MODELS / "dense", few, images, done.append)
    assert sum(done) == 700 * 4
    assert found == ModelDrift(
        float((original.argmax(axis=1) == few.labels).mean()),
        {
            variant: compare(original, model.predict(images, variant), few.labels)
            for variant in ("float32", "float16", "dynamic", "int8")
        },
    )


def test_measure_drift_names_the_variant_whose_outputs_are_no_numbers(
    digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_models(MODELS)["dense"]
    monkeypatch.setattr(
        model,
        "predict",
        lambda images, variant: np.full(
            (len(images), 10), np.nan if variant == "dynamic" else 0.1, np.float32
        ),
    )
    with pytest.raises(DriftError, match=r"dense's dynamic .* not finite"):
        measure_drift(model, MODELS / "dense", digits, digits.images, lambda _: None)
