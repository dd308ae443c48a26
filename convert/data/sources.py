"""Sources of digits: MNIST and drawn digits, verified, normalized and split by use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.data.unipen import read_drawings
from convert.workers import work
from edge_app.digits.labelled import LabelledDrawing, read_lines
from edge_app.digits.mnist import SHA256, DataError, Digits, read_digits
from edge_app.digits.normalization import SIZE, Drawing, Normalization, stack

MNIST_LICENCE = "CC BY-SA 3.0, Y. LeCun, C. Cortes, C. J. C. Burges"
_PENDIGITS_SHA256 = "ed759b9260fc0d5fbe08586fafd308e15a91729c50ebca53c55d9440d67339bd"
_PENDIGITS_LICENCE = "CC BY 4.0, E. Alpaydin, F. Alimoglu"

NOT_MNIST = ", not MNIST"
"""Follows the name of the folder where the data of a source is something other than MNIST."""

SEED = 0
"""Of the data: how it is split and varied, and which non-digits are drawn."""
VALIDATION_PART, TEST_PART = 0.1, 0.2
"""Fractions of the people who drew: of 30 writers, 22 to 24 validate and 25 to 30 test."""


class Source(NamedTuple):
    """A data set, normalized: to train on, to make choices by, and to report on."""

    name: str
    licence: str
    sha256: str
    """Of the training part as it was read, before normalization and before validation was split
    off."""
    train: Digits
    validation: Digits
    test: Digits
    drawings: list[LabelledDrawing]
    """The drawings that ``train`` was made of; empty for pictures."""


class Parts(NamedTuple):
    """A file's drawings by use. No drawing, and no known writer, is in two parts."""

    train: list[LabelledDrawing]
    validation: list[LabelledDrawing]
    test: list[LabelledDrawing]


class Pictures(NamedTuple):
    """MNIST's training set before normalization, in the order that it has after it."""

    train: Digits
    validation: Digits


class TrainingData(NamedTuple):
    """What a model is trained on. MNIST's test set is what references are made of."""

    mnist: Source
    drawn: list[Source]
    pictures: Pictures
    normalization: Normalization
    test_sha256: str
    """Of MNIST's test set as it was read, before normalization."""

    @property
    def sources(self) -> list[Source]:
        """All sources, MNIST first."""
        return [self.mnist, *self.drawn]


def load(
    folder: Path | None,
    drawings: Sequence[Path],
    *,
    allow_other: bool,
    normalization: Normalization,
) -> TrainingData:
    """Read, verify, normalize and split all data, under progress bars.

    Args:
        folder: holds MNIST's IDX files; None downloads what Keras downloads, into Keras's cache.
        drawings: files of labelled drawings, UNIPEN or JSON Lines.
        allow_other: accept intact IDX data that is not MNIST, and name it after its folder.
        normalization: what the images go through.

    Raises:
        DataError: MNIST is missing, damaged, or something else.
        DrawingError: a file of drawings is missing or damaged, or has a bad line.
    """
    # Everything is read before anything is worked on, so that mistakes show at once.
    train, test = _read_mnist(folder)
    name = _identify(train, test, folder, allow_other)
    drawn = [(path, read_drawings(path)) for path in drawings]

    images = render(list(train.images), normalization, f"Normalizing {name}")
    test_images = render(list(test.images), normalization, f"Normalizing {name}, test set")
    order = np.random.default_rng(SEED).permutation(len(train.labels))
    validation, rest = np.split(order, [len(order) // 12])  # A twelfth is set aside.
    pictures = Pictures(*(Digits(*(each[part] for each in train)) for part in (rest, validation)))
    mnist = Source(
        name=name,
        licence=MNIST_LICENCE if name == "MNIST" else "unknown",
        sha256=train.sha256(),
        train=Digits(images[rest], pictures.train.labels),
        validation=Digits(images[validation], pictures.validation.labels),
        test=Digits(test_images, test.labels),
        drawings=[],
    )
    people = [_drawn(path, drawings, normalization) for path, drawings in drawn]
    return TrainingData(mnist, people, pictures, normalization, test.sha256())


def _read_mnist(folder: Path | None) -> tuple[Digits, Digits]:
    if folder is not None:
        return read_digits(folder, "train"), read_digits(folder, "t10k")
    from keras.datasets import mnist  # noqa: PLC0415 - Takes seconds; not needed to read files.

    try:
        train, test = mnist.load_data()
    except Exception as error:
        raise DataError(
            f"MNIST cannot be downloaded ({error}); download its four IDX files "
            "(train-images-idx3-ubyte.gz and so on) yourself and name their folder with --data."
        ) from error
    return Digits(*train), Digits(*test)


def _identify(train: Digits, test: Digits, folder: Path | None, allow_other: bool) -> str:
    """The name of the data: MNIST, or its folder's."""
    place = folder or "Keras's cache"
    for (split, expected), digits in zip(SHA256.items(), (train, test), strict=True):
        found = digits.sha256()
        if found != expected and allow_other:
            return f"{folder.name if folder else place}{NOT_MNIST}"
        if found != expected:
            raise DataError(
                f"The {split} data in {place} is intact but not MNIST: found SHA-256 "
                f"{found[:12]}..., expected {expected[:12]}...; add --allow-other-data to use it "
                "anyway."
            )
    return "MNIST"


def render(
    drawings: Sequence[Drawing], normalization: Normalization, description: str
) -> NDArray[np.uint8]:
    """Pictures or drawings as normalized images, uint8 (N, 28, 28), under a progress bar."""
    images = work(partial(_render, normalization=normalization), drawings, description)
    return np.array(images, np.uint8).reshape(-1, SIZE, SIZE)


def _render(drawing: Drawing, normalization: Normalization) -> NDArray[np.uint8]:
    return stack([drawing], normalization)[0]


def render_labelled(
    drawings: Sequence[LabelledDrawing], normalization: Normalization, description: str
) -> Digits:
    """As :func:`render`, with the labels."""
    return Digits(
        render([drawing.strokes for drawing in drawings], normalization, description),
        np.array([drawing.label for drawing in drawings], np.uint8),
    )


def _drawn(path: Path, drawings: list[LabelledDrawing], normalization: Normalization) -> Source:
    parts = split_drawings(drawings)
    sha256 = hashlib.sha256("\n".join(read_lines(path)).encode()).hexdigest()
    licence = _PENDIGITS_LICENCE if sha256 == _PENDIGITS_SHA256 else "the user's own"
    train, validation, test = (
        render_labelled(part, normalization, f"Normalizing {path.name}, {use}")
        for use, part in zip(Parts._fields, parts, strict=True)
    )
    return Source(path.name, licence, sha256, train, validation, test, parts.train)


def split_drawings(drawings: list[LabelledDrawing]) -> Parts:
    """Split a file's drawings by use: by writer, or one by one where writers are unknown.

    Without writers a drawing's part depends on that drawing alone: when the file grows, no
    drawing that was trained on becomes a test.
    """
    if any(drawing.writer is None for drawing in drawings):
        shares = np.array([_share(drawing) for drawing in drawings])
    else:
        writers, rank = np.unique([drawing.writer for drawing in drawings], return_inverse=True)
        # Half a rank keeps the comparison clear of rounding.
        shares = (rank + 0.5) / len(writers)
    uses = np.digitize(shares, [1 - VALIDATION_PART - TEST_PART, 1 - TEST_PART])
    return Parts(*([drawings[i] for i in np.flatnonzero(uses == use)] for use in range(3)))


def _share(drawing: LabelledDrawing) -> float:
    """A number from 0 to 1 that depends on the drawing alone: the start of its hash."""
    strokes = json.dumps([stroke.tolist() for stroke in drawing.strokes]).encode()
    return int.from_bytes(hashlib.sha256(strokes).digest()[:8], "big") / 2**64
