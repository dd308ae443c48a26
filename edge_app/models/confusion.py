"""Confusion: which digits a model takes for which, counted once on the test set, with examples.

It lies beside the card, so that the page can show it without the test set.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.normalization import SIZE
from edge_app.models.card import VARIANTS, Card, CardError, read_file
from edge_app.models.interpreter import CLASSES
from edge_app.models.metrics import answers

CONFUSION = "confusion.json"
CONFUSED = "int8"
"""The variant that is counted: the one that the page starts with."""
MOST = 24
"""How many misread digits are kept as pictures."""
FORMAT = 1
LARGEST_COUNT = 10**9


class ConfusionError(CardError):
    """A file that is not a confusion matrix."""


@dataclass(frozen=True)
class Confusion:
    """How one variant of a model reads the test set.

    ``counts`` is int64 (10, 10): images by the digit that they show (row) and the answer (column).
    ``pictures`` are the misread images to which the model gave the most probability, the surest
    first, as the model sees them: uint8 (N, 28, 28), N at most ``MOST``; ``labels`` and
    ``answers``, uint8 (N,), are the digits that they show and the model's answers.
    """

    variant: str
    counts: NDArray[np.int64]
    pictures: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    answers: NDArray[np.uint8]

    def to_json(self) -> str:
        """The text of the file."""
        fields = {
            "format": FORMAT,
            "variant": self.variant,
            "counts": self.counts.tolist(),
            "labels": self.labels.tolist(),
            "answers": self.answers.tolist(),
            "pictures": b64encode(zlib.compress(self.pictures.tobytes(), 9)).decode(),
        }
        lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items())
        return "{\n" + ",\n".join(lines) + "\n}\n"


def confuse(
    variant: str,
    probabilities: NDArray[np.floating[Any]],
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
) -> Confusion:
    """Count a variant's answers.

    Args:
        variant: its name.
        probabilities: (N, 10), N at least 1.
        images: normalized, uint8 (N, 28, 28).
        labels: uint8 (N,), 0 to 9.
    """
    found = answers(probabilities).astype(np.uint8)
    counts = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(counts, (labels, found), 1)
    wrong = np.flatnonzero(found != labels)
    surest = wrong[np.argsort(-probabilities.max(axis=1)[wrong], kind="stable")][:MOST]
    return Confusion(variant, counts, images[surest], labels[surest], found[surest])


def read_confusion(folder: Path, card: Card) -> Confusion | None:
    """Read the file beside a card; None if the card names none.

    Raises:
        CardError: it is missing, unreadable, not the file that was recorded, or something else.
    """
    if card.confusion is None:
        return None
    content = read_file(folder, card.confusion)
    try:
        return _parse(json.loads(content))
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError, zlib.error) as error:
        reason = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
        raise ConfusionError(
            f"{folder / card.confusion.file} is not a confusion matrix: {reason:.200}; make it "
            f"again with python -m convert confusion {card.name}."
        ) from error


def _parse(fields: Any) -> Confusion:
    if not isinstance(fields, dict):
        raise TypeError(f"it holds a {type(fields).__name__}, not an object")
    if fields["format"] != FORMAT:
        raise ValueError(f"it has format {fields['format']!r:.40}, expected {FORMAT}")
    if fields["variant"] not in VARIANTS:
        raise ValueError(f"unknown variant {fields['variant']!r:.40}")
    counts = [_whole_numbers(row, CLASSES, LARGEST_COUNT) for row in fields["counts"]]
    if len(counts) != CLASSES:
        raise ValueError(f"its counts have {len(counts)} rows, expected {CLASSES}")
    number = len(fields["labels"])
    if number > MOST:
        raise ValueError(f"it has more than {MOST} pictures")
    labels, found = (
        _whole_numbers(fields[name], number, CLASSES - 1) for name in ("labels", "answers")
    )
    size = number * SIZE * SIZE
    pixels = zlib.decompressobj().decompress(b64decode(fields["pictures"]), size + 1)
    if len(pixels) != size:
        raise ValueError(f"its pictures are not {number} of {SIZE} x {SIZE} pixels")
    return Confusion(
        fields["variant"],
        np.array(counts, np.int64),
        np.frombuffer(pixels, np.uint8).reshape(number, SIZE, SIZE),
        np.array(labels, np.uint8),
        np.array(found, np.uint8),
    )


def _whole_numbers(values: Any, length: int, most: int) -> list[int]:
    if not isinstance(values, list) or len(values) != length:
        raise ValueError(f"{values!r:.40} is not a list of {length} numbers")
    for value in values:
        if type(value) is not int or not 0 <= value <= most:
            raise ValueError(f"{value!r:.40} is not a whole number of 0 to {most:,}")
    return values
