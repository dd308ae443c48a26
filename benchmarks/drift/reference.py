"""The reference: the original's outputs on the test set, as they are kept in the model's folder.

So drift is measured where the original cannot run. Hashes tie the outputs to the file that gave
them and to the images and labels that they are about.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.drift import DriftError, Original
from edge_app.digits.mnist import Digits
from edge_app.models.card import PROBABILITIES, Card, read_file
from edge_app.models.interpreter import CLASSES

SUM_TOLERANCE = 1e-3
"""A row may sum to 1 with this error: float32 rounding stays far below it, and logits stored by
mistake do not."""
TOLERANCE = 1e-4
"""Outputs that are computed again may differ by this much in any probability. On the machine that
trained the models they do not differ at all, and other float32 kernels (the float32 variant's) stay
within 4e-6; of a network trained again some differ by tenths."""


def read_reference(folder: Path, card: Card, digits: Digits) -> Original:
    """Read the original's probabilities on the test set.

    Raises:
        CardError: the reference's or the original's file is not as its card says.
        DriftError: it is not about these images, not of this original, or holds something else.
    """
    path = folder / card.reference.file
    found, expected = digits.sha256(), card.reference.dataset_sha256
    if found != expected:
        raise DriftError(
            f"The drift of {card.name} is unknown: {path} belongs to {card.reference.dataset} with "
            f"SHA-256 {expected[:12]}..., but the test set here has {found[:12]}...; restore "
            "benchmarks/mnist or convert the model again."
        )
    original, recorded = card.original, card.reference.original_sha256
    if recorded != original.sha256:
        raise DriftError(
            f"The drift of {card.name} is unknown: {path} was made by an original with SHA-256 "
            f"{recorded[:12]}..., but {original.file} has {original.sha256[:12]}...; convert the "
            "model again."
        )
    read_file(folder, original)
    content = read_file(folder, card.reference)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            probabilities = arrays[PROBABILITIES]
    except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DriftError(
            f"The drift of {card.name} is unknown: {path} holds no array {PROBABILITIES!r} "
            f"({error}); convert the model again."
        ) from error
    _check(path, probabilities, len(digits.labels))
    return Original(np.asarray(probabilities, dtype=np.float32), "stored")


def check_recomputed(card: Card, stored: Original, recomputed: Original) -> None:
    """Hold what the original gives today against what is kept of it.

    Raises:
        DriftError: a probability differs by more than TOLERANCE.
    """
    differences = np.abs(stored.probabilities - recomputed.probabilities)
    # Written so that NaN fails.
    if not differences.max() <= TOLERANCE:
        raise DriftError(
            f"The drift of {card.name} is unknown: its original's probabilities, computed again "
            f"from {card.original.file}, differ by up to {differences.max():.2g} from those in "
            f"{card.reference.file}; expected at most {TOLERANCE:g}. Convert the model again."
        )


def _check(path: Path, probabilities: NDArray[np.generic], count: int) -> None:
    shape = (count, CLASSES)
    if probabilities.shape != shape or probabilities.dtype != np.float32:
        raise DriftError(
            f"{path} holds {probabilities.dtype} of shape {probabilities.shape}; "
            f"expected float32 {shape}; convert the model again."
        )
    # Written so that NaN fails.
    if not (np.abs(probabilities.sum(axis=1) - 1) <= SUM_TOLERANCE).all():
        raise DriftError(
            f"{path} holds rows that do not sum to 1; expected probabilities, not logits; "
            "convert the model again."
        )
