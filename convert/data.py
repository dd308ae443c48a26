"""Training data: MNIST from a folder or downloaded, verified by hash and normalized."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
from rich.progress import track

from edge_app import normalize
from edge_app.mnist import SHA256, DataError, Digits, Split, read_digits
from edge_app.normalization import Normalization

VALIDATION_PART = 12
"""One training image in so many is set aside to make choices by: 5,000 of MNIST's 60,000."""


class Source(NamedTuple):
    """Digits and where they came from, as the card names them."""

    name: str
    digits: Digits


class TrainingData(NamedTuple):
    """Normalized digits, told apart by use. The test set is used once, to report."""

    train: Digits
    validation: Digits
    test: Digits
    test_name: str
    test_sha256: str
    """Of the test set as it was read, before normalization."""


def load_mnist(folder: Path | None, allow_other: bool) -> dict[Split, Source]:
    """MNIST's training and test set.

    Args:
        folder: holds the IDX files; None downloads what Keras downloads, into Keras's cache.
        allow_other: take data that is whole but not MNIST, and name it by its folder.

    Raises:
        DataError: data is missing, damaged, or not MNIST.
    """
    splits = {split: _read(folder, split) for split in get_args(Split)}
    return {
        split: Source(_identify(digits, split, folder, allow_other), digits)
        for split, digits in splits.items()
    }


def prepare(splits: dict[Split, Source], normalization: Normalization, seed: int) -> TrainingData:
    """Normalize the images as the edge app would, and set a validation part aside."""
    train, test = (_normalize(splits[split], normalization) for split in get_args(Split))
    order = np.random.default_rng(seed).permutation(len(train.labels))
    validation, rest = np.split(order, [len(order) // VALIDATION_PART])
    return TrainingData(
        train=Digits(train.images[rest], train.labels[rest]),
        validation=Digits(train.images[validation], train.labels[validation]),
        test=test,
        test_name=splits["t10k"].name,
        test_sha256=splits["t10k"].digits.sha256(),
    )


def _normalize(source: Source, normalization: Normalization) -> Digits:
    images = track(source.digits.images, f"Normalizing {source.name}")
    return Digits(
        np.stack([normalize(image, normalization) for image in images]), source.digits.labels
    )


def _read(folder: Path | None, split: Split) -> Digits:
    if folder is not None:
        return read_digits(folder, split)
    from keras.datasets import mnist  # noqa: PLC0415 - Seconds; not for reading files.

    try:
        arrays = mnist.load_data()[get_args(Split).index(split)]
    except Exception as error:
        raise DataError(
            f"MNIST cannot be downloaded ({error}); "
            "fetch its four IDX files by hand and name their folder with --data."
        ) from error
    return Digits(*arrays)


def _identify(digits: Digits, split: Split, folder: Path | None, allow_other: bool) -> str:
    found = digits.sha256()
    if found == SHA256[split]:
        return f"MNIST {split}"
    place = folder or "Keras's cache"
    if not allow_other:
        raise DataError(
            f"The {split} data in {place} is whole but not MNIST: found SHA-256 {found[:12]}..., "
            f"expected {SHA256[split][:12]}...; to train on it all the same add --allow-other-data."
        )
    return f"{split} of {place}, not MNIST"
