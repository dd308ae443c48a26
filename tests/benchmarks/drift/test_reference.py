"""The reference belongs to its original and to the test set; any other is refused."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.drift.drift import DriftError
from benchmarks.drift.reference import read_reference
from edge_app.digits.mnist import Digits
from edge_app.models.card import CardError, read_card, record_file


@pytest.mark.parametrize("name", ["dense", "mlp", "cnn"])
def test_each_model_s_reference_belongs_to_the_test_set_that_ships(
    name: str, models_folder: Path, test_set: Digits
) -> None:
    folder = models_folder / name
    reference = read_reference(folder, read_card(folder), test_set)
    assert reference.origin == "stored"
    assert reference.probabilities.shape == (10_000, 10)
    assert reference.probabilities.dtype == np.float32


@pytest.fixture
def dense(models_folder: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return shutil.copytree(models_folder / "dense", tmp_path / "dense")


def test_a_reference_of_another_test_set_or_original_is_refused(
    dense: Path, models_folder: Path, test_set: Digits
) -> None:
    card = read_card(dense)
    other = Digits(test_set.images, test_set.labels[::-1])
    with pytest.raises(DriftError, match=r"reference\.npz belongs to .* but the test set here"):
        read_reference(dense, card, other)
    shutil.copy(models_folder / "mlp" / "model.keras", dense)
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
