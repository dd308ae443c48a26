"""The reference: what ties it to its original and to the test set, and TensorFlow's own answers."""

from __future__ import annotations

import importlib.util
import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.drift.datasets import LabelledSet, mnist_set
from benchmarks.drift.drift import DriftError, Original
from benchmarks.drift.originals import recompute
from benchmarks.drift.reference import TOLERANCE, check_recomputed, read_reference
from edge_app.digits.mnist import Digits
from edge_app.models.card import CardError, read_card, record_file, write_card
from edge_app.models.classifier import load_models

NAMES = ("dense", "mlp", "cnn")


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_of_each_model_is_of_the_committed_test_set(
    name: str, models_folder: Path, test_set: Digits
) -> None:
    folder = models_folder / name
    reference = read_reference(folder, read_card(folder), test_set)
    assert reference.origin == "stored"
    assert reference.probabilities.shape == (10_000, 10)
    assert reference.probabilities.dtype == np.float32


@pytest.fixture
def dense(models_folder: Path, tmp_path: Path) -> Path:
    """A copy that may be spoiled."""
    return shutil.copytree(models_folder / "dense", tmp_path / "dense")


def test_a_reference_of_another_test_set_is_refused(dense: Path, test_set: Digits) -> None:
    other = Digits(test_set.images, test_set.labels[::-1])
    with pytest.raises(DriftError, match=r"reference\.npz belongs to .* but the test set here"):
        read_reference(dense, read_card(dense), other)


def test_a_reference_of_another_original_is_refused(
    dense: Path, models_folder: Path, test_set: Digits
) -> None:
    shutil.copy(models_folder / "mlp" / "model.keras", dense)
    card = read_card(dense)
    with pytest.raises(CardError, match=r"model\.keras is corrupt"):
        read_reference(dense, card, test_set)
    # The card follows the file, but nobody has asked that file for its outputs.
    record = record_file(dense / "model.keras")
    moved = replace(card.original, bytes=record.bytes, sha256=record.sha256)
    write_card(replace(card, original=moved), dense)
    with pytest.raises(DriftError, match=r"made by an original with SHA-256 .* convert the model"):
        read_reference(dense, read_card(dense), test_set)


def test_a_reference_that_changed_is_refused(dense: Path, test_set: Digits) -> None:
    (dense / "reference.npz").write_bytes(b"changed")
    with pytest.raises(CardError, match=r"reference\.npz is corrupt"):
        read_reference(dense, read_card(dense), test_set)


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
def test_a_reference_of_anything_else_is_refused(
    content: bytes, reason: str, test_set: Digits, dense: Path
) -> None:
    path = dense / "reference.npz"
    path.write_bytes(content)
    card, record = read_card(dense), record_file(path)
    reference = replace(card.reference, bytes=record.bytes, sha256=record.sha256)
    with pytest.raises(DriftError, match=reason):
        read_reference(dense, replace(card, reference=reference), test_set)


def test_outputs_computed_again_must_be_those_that_are_kept(models_folder: Path) -> None:
    card = read_card(models_folder / "dense")
    stored = Original(UNIFORM, "stored")
    check_recomputed(card, stored, Original(UNIFORM + np.float32(TOLERANCE / 2), "recomputed"))
    for error, told in ((0.0025, "by up to 0.0025"), (np.nan, "by up to nan")):
        changed = UNIFORM.copy()
        changed[77, 3] += error
        with pytest.raises(DriftError, match=rf"model\.keras, differ {told} .* at most 0\.0001"):
            check_recomputed(card, stored, Original(changed, "recomputed"))


COUNT = 200


@pytest.fixture
def few(test_set: Digits) -> LabelledSet:
    return mnist_set(
        Digits(test_set.images[:COUNT], test_set.labels[:COUNT]), ["moments"], lambda _: None
    )


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"
)
def test_the_originals_give_again_what_is_kept_of_them(
    few: LabelledSet,
    models_folder: Path,
    test_set: Digits,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that Keras cannot run is told of, and costs the others nothing."""
    monkeypatch.setenv("KERAS_BACKEND", "none-of-them")
    folder = shutil.copytree(models_folder, tmp_path / "models")
    foreign = shutil.copytree(folder / "dense", folder / "foreign")
    (foreign / "model.keras").write_bytes(b"something else")
    record = record_file(foreign / "model.keras")
    card = read_card(foreign)
    original = replace(card.original, bytes=record.bytes, sha256=record.sha256)
    write_card(replace(card, name="foreign", original=original), foreign)
    models = load_models(folder, report=pytest.fail)
    (folder / "mlp" / "model.keras").write_bytes(b"damaged since")
    noise = few._replace(name="noise", images={"moments": few.images["moments"][::-1]})
    told: list[str] = []
    found = recompute(models, folder, [few, noise], told.append)
    assert set(found) == {"mnist", "noise"}
    for each in found.values():
        assert set(each) == {"dense", "cnn"}
    for name in ("dense", "cnn"):
        card = models[name].card
        stored = read_reference(folder / name, card, test_set).probabilities[:COUNT]
        check_recomputed(card, Original(stored, "stored"), found["mnist"][name])
        check_recomputed(card, Original(stored[::-1], "stored"), found["noise"][name])
        assert found["mnist"][name].origin == "recomputed"
    assert any("mlp/model.keras is corrupt" in sentence for sentence in told)
    assert any("original of foreign cannot be computed again" in sentence for sentence in told)
    assert len(told) == 2


def test_without_tensorflow_the_originals_are_not_computed(
    few: LabelledSet, models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DriftError, match=r"TensorFlow is not installed\. Leave --originals out"):
        recompute(load_models(models_folder), models_folder, [few], pytest.fail)


def test_a_process_that_ends_without_an_answer_is_told_of(
    few: LabelledSet, models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: True)
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(DriftError, match=r"ended with status 1 \(it says nothing\)"):
        recompute(load_models(models_folder), models_folder, [few], pytest.fail)
