"""Data sets: labelled digits under each normalization."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.predictions import Advance, Images
from edge_app.digits.labelled import LabelledDrawing, format_line
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import Normalization, normalize, rasterize
from edge_app.paths import ROOT

MNIST = ROOT / "benchmarks" / "mnist"
"""The folder of the test set."""


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
    images = apply(normalize, digits.images, normalizations, advance)
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
    images = apply(rasterize, strokes, normalizations, advance)
    labels = np.array([drawing.label for drawing in drawings], np.uint8)
    lines = "".join(map(format_line, drawings))
    sha256 = hashlib.sha256(lines.encode()).hexdigest()
    return LabelledSet("drawings", f"the drawings of {file}", labels, images, sha256)


def apply(
    function: Callable[[Any, Normalization], NDArray[np.uint8]],
    items: Iterable[Any],
    normalizations: Collection[Normalization],
    advance: Advance,
) -> Images:
    """Make an image, uint8 (28, 28), of each item under each normalization, in order; ``advance``
    counts them."""
    made: dict[Normalization, list[NDArray[np.uint8]]] = {name: [] for name in normalizations}
    for name, images in made.items():
        for item in items:
            images.append(function(item, name))
            advance(1)
    return {name: np.stack(images) for name, images in made.items()}
