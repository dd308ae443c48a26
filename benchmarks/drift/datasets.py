"""Data sets: labelled digits, as each normalization shows them to the models."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.predictions import Images
from benchmarks.progress import Advance
from edge_app.digits.labelled import LabelledDrawing, format_line
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import Normalization, normalize, rasterize
from edge_app.paths import ROOT

MNIST = ROOT / "benchmarks" / "mnist"
"""The folder of the test set."""
CHUNK = 250
"""Images between two steps of the progress bar."""

Item = TypeVar("Item")


class LabelledSet(NamedTuple):
    """N labelled digits."""

    name: str
    """As programs know it: "mnist", "drawings", "noise"."""
    title: str
    """As people read it."""
    labels: NDArray[np.uint8]
    """uint8 (N,), 0 to 9."""
    images: Images
    """uint8 (N, 28, 28) by normalization."""
    sha256: str
    """Of what the set was made from, in hexadecimal."""


def mnist_set(
    digits: Digits, normalizations: Collection[Normalization], advance: Advance
) -> LabelledSet:
    """MNIST's test set; ``advance`` is told of each image, once for each normalization."""
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
    """A user's own drawings, drawn with the app's pen as it draws what comes from its canvas.

    Args:
        drawings: at least one, as :func:`edge_app.digits.labelled.read_json_lines` gives them.
        file: where they are from, for people.
        normalizations: under which to draw them.
        advance: told of each drawing, once for each normalization.
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
    """What a function makes of each item, uint8 (N, 28, 28); ``advance`` is told of each."""
    made = []
    for start in range(0, len(items), CHUNK):
        chunk = items[start : start + CHUNK]
        made += [function(item) for item in chunk]
        advance(len(chunk))
    return np.stack(made)
