"""The reference: the original's outputs on the test set, stored in the model's folder.

With it drift can be measured where the original cannot run. Hashes tie the outputs to the
original's file and to the test images and labels.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from benchmarks.drift.drift import DriftError, Original
from edge_app.digits.mnist import Digits
from edge_app.models.card import PROBABILITIES, Card, read_file
from edge_app.models.interpreter import CLASSES

SUM_TOLERANCE = 1e-3
"""How far the sum of a row may be from 1: far more than float32 rounding, far less than logits
stored by mistake."""


def read_reference(folder: Path, card: Card, digits: Digits) -> Original:
    """Read the original's probabilities on the test set.

    Raises:
        CardError: the file of the reference or of the original is not as the card says.
        DriftError: the reference is of other images, of another original, or something else.
    """
    path, unknown = folder / card.reference.file, f"The drift of {card.name} is unknown:"
    found, expected = digits.sha256(), card.reference.dataset_sha256
    if found != expected:
        raise DriftError(
            f"{unknown} {path} belongs to {card.reference.dataset} with "
            f"SHA-256 {expected[:12]}..., but the test set here has {found[:12]}.... Restore "
            "benchmarks/mnist or convert the model again."
        )
    original, recorded = card.original, card.reference.original_sha256
    if recorded != original.sha256:
        raise DriftError(
            f"{unknown} {path} was made by an original with SHA-256 "
            f"{recorded[:12]}..., but {original.file} has {original.sha256[:12]}.... Convert the "
            "model again."
        )
    read_file(folder, original)
    content = read_file(folder, card.reference)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            probabilities = arrays[PROBABILITIES]
    except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DriftError(
            f"{unknown} {path} holds no array {PROBABILITIES!r} ({error}). Convert the model again."
        ) from error
    shape = (len(digits.labels), CLASSES)
    if probabilities.shape != shape or probabilities.dtype != np.float32:
        raise DriftError(
            f"{path} holds {probabilities.dtype} of shape {probabilities.shape}; "
            f"expected float32 {shape}; convert the model again."
        )
    # The comparison also fails for NaN.
    if not (np.abs(probabilities.sum(axis=1) - 1) <= SUM_TOLERANCE).all():
        raise DriftError(
            f"{path} holds rows that do not sum to 1; expected probabilities, not logits; "
            "convert the model again."
        )
    return Original(probabilities, "stored")
