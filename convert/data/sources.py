"""Training data: MNIST and drawn digits, verified, normalized, and split by use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.data.drawings import read_drawings
from convert.progress import track
from edge_app import normalize, rasterize
from edge_app.digits.labelled import LabelledDrawing, read_lines
from edge_app.digits.mnist import SHA256, DataError, Digits, Split, read_digits
from edge_app.digits.normalization import SIZE, Normalization

MNIST_LICENCE = "CC BY-SA 3.0, Y. LeCun, C. Cortes, C. J. C. Burges"
_PENDIGITS_SHA256 = "ed759b9260fc0d5fbe08586fafd308e15a91729c50ebca53c55d9440d67339bd"
_PENDIGITS_LICENCE = "CC BY 4.0, E. Alpaydin, F. Alimoglu"

NOT_MNIST = ", not MNIST"
"""Behind the name of the folder that other data came from."""

VALIDATION_PART, TEST_PART = 0.1, 0.2
"""Of the writers of drawn digits: of 30, 22 to 24 validate, and 25 to 30 are never trained on."""


class Source(NamedTuple):
    """A data set, normalized: to train on, to make choices by, and to report on, once."""

    name: str
    licence: str
    sha256: str
    """Of the training part as it was read, before normalization and before validation was taken."""
    train: Digits
    validation: Digits
    test: Digits
    drawings: list[LabelledDrawing]
    """``train`` as it was drawn; empty for pictures."""


class Parts(NamedTuple):
    """A file's drawings by use, each in one part; where writers are known, so is each writer."""

    train: list[LabelledDrawing]
    validation: list[LabelledDrawing]
    test: list[LabelledDrawing]


class Pictures(NamedTuple):
    """MNIST's training set before normalization, in the same order as after it."""

    train: Digits
    validation: Digits


class TrainingData(NamedTuple):
    """What a model is trained on. MNIST's test set is what references are made of."""

    mnist: Source
    drawn: list[Source]
    pictures: Pictures
    test_sha256: str
    """Of MNIST's test set as it was read, before normalization."""

    @property
    def sources(self) -> list[Source]:
        """All of them, MNIST first."""
        return [self.mnist, *self.drawn]


def load(
    folder: Path | None,
    drawings: Sequence[Path],
    *,
    allow_other: bool,
    normalization: Normalization,
    seed: int,
) -> TrainingData:
    """Read, verify, normalize and split everything.

    Args:
        folder: holds MNIST's IDX files; None downloads what Keras downloads, into Keras's cache.
        drawings: files of labelled drawings, UNIPEN or JSON Lines.
        allow_other: take IDX data that is whole but not MNIST, and name it by its folder.
        normalization: what the images go through.
        seed: chooses MNIST's validation part, a twelfth of its training set.

    Raises:
        DataError: MNIST is missing, damaged, or something else.
        DrawingError: a file of drawings is missing or damaged, or a line of it is wrong.
    """
    # All of it is read before any of it is worked on: what is wrong should show at once.
    train, test = _read_mnist(folder, "train"), _read_mnist(folder, "t10k")
    name = _identify(train, test, folder, allow_other)
    drawn = [(path, read_drawings(path)) for path in drawings]

    images = normalize_all(f"Normalizing {name}", train.images, normalization)
    test_images = normalize_all(f"Normalizing {name}, test set", test.images, normalization)
    order = np.random.default_rng(seed).permutation(len(train.labels))
    validation, rest = np.split(order, [len(order) // 12])
    mnist = Source(
        name=name,
        licence=MNIST_LICENCE if name == "MNIST" else "unknown",
        sha256=train.sha256(),
        train=Digits(images[rest], train.labels[rest]),
        validation=Digits(images[validation], train.labels[validation]),
        test=Digits(test_images, test.labels),
        drawings=[],
    )
    return TrainingData(
        mnist,
        [_drawn(path, digits, normalization) for path, digits in drawn],
        Pictures(*(Digits(train.images[part], train.labels[part]) for part in (rest, validation))),
        test.sha256(),
    )


def _read_mnist(folder: Path | None, split: Split) -> Digits:
    if folder is not None:
        return read_digits(folder, split)
    from keras.datasets import mnist  # noqa: PLC0415 - Takes seconds; not needed to read files.

    try:
        train, test = mnist.load_data()
    except Exception as error:
        raise DataError(
            f"MNIST cannot be downloaded ({error}); "
            "fetch its four IDX files (train-images-idx3-ubyte.gz and so on) by hand "
            "and name their folder with --data."
        ) from error
    return Digits(*(train if split == "train" else test))


def _identify(train: Digits, test: Digits, folder: Path | None, allow_other: bool) -> str:
    place = folder or "Keras's cache"
    splits: dict[Split, Digits] = {"train": train, "t10k": test}
    for split, digits in splits.items():
        found = digits.sha256()
        if found == SHA256[split]:
            continue
        if allow_other:
            return f"{folder.name if folder else place}{NOT_MNIST}"
        raise DataError(
            f"The {split} data in {place} is whole but not MNIST: found SHA-256 {found[:12]}..., "
            f"expected {SHA256[split][:12]}...; to train on it all the same add --allow-other-data."
        )
    return "MNIST"


def _drawn(path: Path, drawings: list[LabelledDrawing], normalization: Normalization) -> Source:
    """A file of drawings, split by writer: whom the models were tried on, they never saw."""
    train, validation, test = split_drawings(drawings)
    sha256 = hashlib.sha256("\n".join(read_lines(path)).encode()).hexdigest()
    return Source(
        name=path.name,
        licence=_PENDIGITS_LICENCE if sha256 == _PENDIGITS_SHA256 else "the user's own",
        sha256=sha256,
        train=rasterize_all(f"Normalizing {path.name}", train, normalization),
        validation=rasterize_all(f"Normalizing {path.name}, validation", validation, normalization),
        test=rasterize_all(f"Normalizing {path.name}, test part", test, normalization),
        drawings=train,
    )


def rasterize_all(
    description: str, drawings: list[LabelledDrawing], normalization: Normalization
) -> Digits:
    """Normalize drawings, as many as there are, under a progress bar with a description."""
    images = [rasterize(each.strokes, normalization) for each in track(drawings, description)]
    return Digits(
        np.array(images, np.uint8).reshape(-1, SIZE, SIZE),
        np.array([each.label for each in drawings], np.uint8),
    )


def split_drawings(drawings: list[LabelledDrawing]) -> Parts:
    """Split a file's drawings by use: by writer, or drawing by drawing where writers are unknown.

    Without writers a drawing's part depends on it alone: when the file grows, what was trained on
    is still no test.
    """
    parts = _parts(drawings)
    return Parts(
        *(
            [drawing for drawing, its in zip(drawings, parts, strict=True) if its == part]
            for part in range(len(Parts._fields))
        )
    )


def _parts(drawings: list[LabelledDrawing]) -> NDArray[np.intp]:
    """0 for each drawing to train on, 1 to validate, 2 to test; of writers, the last ones test."""
    if any(drawing.writer is None for drawing in drawings):
        shares = np.array([_share(drawing) for drawing in drawings])
    else:
        writers, rank = np.unique([drawing.writer for drawing in drawings], return_inverse=True)
        # Half a rank keeps the comparison clear of rounding.
        shares = (rank + 0.5) / len(writers)
    return np.digitize(shares, [1 - VALIDATION_PART - TEST_PART, 1 - TEST_PART])


def _share(drawing: LabelledDrawing) -> float:
    """A number from 0 to 1 that is a drawing's own: the beginning of its hash."""
    strokes = json.dumps([stroke.tolist() for stroke in drawing.strokes]).encode()
    return int.from_bytes(hashlib.sha256(strokes).digest()[:8], "big") / 2**64


def normalize_all(
    description: str, images: NDArray[np.uint8], normalization: Normalization
) -> NDArray[np.uint8]:
    """Normalize pictures, uint8 (N, 28, 28) before and after, N at least 1, likewise."""
    return np.stack([normalize(image, normalization) for image in track(images, description)])
