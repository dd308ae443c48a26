"""Data sets: labelled digits under each normalization."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.predictions import Advance, Images
from edge_app.digits.labelled import LabelledDrawing, format_line
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import Normalization, normalize, rasterize
from edge_app.paths import ROOT

MNIST = ROOT / "benchmarks" / "mnist"
"""The folder of the test set."""

Item = TypeVar("Item")


class LabelledSet(NamedTuple):
    """N labelled digits: ``name`` is for programs ("drawings"), ``title`` for people. ``labels``
    are uint8 (N,), 0 to 9; ``images`` uint8 (N, 28, 28) by normalization. ``sha256`` is that of the
    data that the set was made from, in hexadecimal."""

    name: str
    title: str
    labels: NDArray[np.uint8]
    images: Images
    sha256: str


def mnist_set(
    digits: Digits, normalizations: Collection[Normalization], advance: Advance
) -> LabelledSet:
    """MNIST's test set; ``advance`` counts each image once per normalization."""
    images = {
        name: apply(partial(normalize, normalization=name), list(digits.images), advance)
        for name in normalizations
    }
    return LabelledSet("mnist", "MNIST's test set", digits.labels, images, digits.sha256())


def drawn_set(
    drawings: Sequence[LabelledDrawing],
    file: str,
    normalizations: Collection[Normalization],
    advance: Advance,
) -> LabelledSet:
    """A user's own drawings, rasterized as the app does it.

    Args:
        drawings: at least one, from :func:`edge_app.digits.labelled.read_json_lines`.
        file: the name of their file, for the title.
        normalizations: the normalizations to apply.
        advance: counts each drawing once per normalization.
    """
    strokes = [drawing.strokes for drawing in drawings]
    images = {
        name: apply(partial(rasterize, normalization=name), strokes, advance)
        for name in normalizations
    }
    labels = np.array([drawing.label for drawing in drawings], np.uint8)
    lines = "".join(map(format_line, drawings))
    sha256 = hashlib.sha256(lines.encode()).hexdigest()
    return LabelledSet("drawings", f"the drawings of {file}", labels, images, sha256)


def apply(
    function: Callable[[Item], NDArray[np.uint8]], items: Sequence[Item], advance: Advance
) -> NDArray[np.uint8]:
    """Apply a function to each item: uint8 (N, 28, 28); ``advance`` counts the items."""
    made = []
    for item in items:
        made.append(function(item))
        advance(1)
    return np.stack(made)
