"""The pool: every digit to train on in several renderings, and non-digits.

Each epoch draws anew from it: one rendering of every digit, and some of the non-digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.data.sources import SEED, TrainingData, render
from convert.strokes.outliers import draw_outliers
from convert.strokes.skeleton import skeleton
from convert.strokes.variation import uncrossed, varied
from convert.workers import work
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import SIZE, Normalization, rasterize

MNIST_VARIATIONS, DRAWN_VARIATIONS = 3, 10
"""How many variations of each digit the pool holds, besides the digit itself."""
DRAWN_COPIES = 4
"""How many renderings of each drawn digit an epoch shows: MNIST has ten times as many digits."""
PICTURES = 0.7
"""The fraction of MNIST's digits that an epoch shows as pictures; the pen draws the others."""
OUTLIERS, OUTLIER_SHARE = 0.25, 0.1
"""How many non-digits the pool holds and an epoch shows, as fractions of MNIST's digits."""
NO_DIGIT = -1
"""The label of a non-digit."""


class Drawn(NamedTuple):
    """Digits drawn with the pen: uint8 (renderings, N, 28, 28) and uint8 labels (N,).

    The first rendering is the digit itself, the others are variations.
    """

    renderings: NDArray[np.uint8]
    labels: NDArray[np.uint8]


class Pool(NamedTuple):
    """Normalized images to train on.

    ``pictures`` are MNIST's, uint8 (N, 28, 28). ``traced`` are the same digits drawn with the pen,
    where ``traceable``, bool (N,), is true. ``drawn`` are digits that people drew, and
    ``outliers`` non-digits, uint8 (M, 28, 28).
    """

    pictures: NDArray[np.uint8]
    traced: Drawn
    traceable: NDArray[np.bool_]
    drawn: Drawn
    outliers: NDArray[np.uint8]

    def epoch(self, generator: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
        """An epoch's images, uint8 (N, 28, 28), and labels, int8 (N,), shuffled."""
        as_pictures = (generator.random(len(self.pictures)) < PICTURES) | ~self.traceable
        traced = _pick(self.traced, generator)
        count = round(OUTLIER_SHARE * len(self.pictures))
        shown = generator.permutation(len(self.outliers))[:count]
        parts = [
            (np.where(as_pictures[:, None, None], self.pictures, traced), self.traced.labels),
            *((_pick(self.drawn, generator), self.drawn.labels) for _ in range(DRAWN_COPIES)),
            (self.outliers[shown], np.full(len(shown), NO_DIGIT)),
        ]
        images = np.concatenate([images for images, _ in parts])
        labels = np.concatenate([labels.astype(np.int8) for _, labels in parts])
        order = generator.permutation(len(labels))
        return images[order], labels[order]


def fill(data: TrainingData) -> Pool:
    """Render everything: minutes of work, on every core, under progress bars."""
    digits = trace(data.pictures.train, data.mnist.name)
    people = [drawing for source in data.drawn for drawing in source.drawings]
    plain = [seven for drawing in people if (seven := uncrossed(drawing))]
    some = people or [digit for digit in digits if digit.strokes]
    generator = np.random.default_rng((SEED, len(digits)))
    outliers = draw_outliers(round(OUTLIERS * len(digits)), some, generator)
    return Pool(
        pictures=data.mnist.train.images,
        traced=_draw(digits, MNIST_VARIATIONS, data.normalization, 1, data.mnist.name),
        traceable=np.array([bool(digit.strokes) for digit in digits]),
        drawn=_draw(people + plain, DRAWN_VARIATIONS, data.normalization, 2, "drawn digits"),
        outliers=render(outliers, data.normalization, "Drawing non-digits"),
    )


def trace(pictures: Digits, name: str) -> list[LabelledDrawing]:
    """Each picture as a drawing, without strokes where it cannot be traced."""
    return work(_trace, list(zip(*pictures, strict=True)), f"Tracing {name}")


def _trace(picture: tuple[NDArray[np.uint8], np.uint8]) -> LabelledDrawing:
    image, label = picture
    return LabelledDrawing(int(label), skeleton(image, int(label)))


def _draw(
    digits: Sequence[LabelledDrawing],
    variations: int,
    normalization: Normalization,
    number: int,
    name: str,
) -> Drawn:
    seed = SEED, number
    function = partial(_render, variations=variations, normalization=normalization, seed=seed)
    rendered = np.array(work(function, list(enumerate(digits)), f"Varying {name}"), np.uint8)
    # Renderings first, so that picking one of them picks a contiguous array.
    renderings = rendered.reshape(-1, 1 + variations, SIZE, SIZE).swapaxes(0, 1)
    labels = np.array([digit.label for digit in digits], np.uint8)
    return Drawn(np.ascontiguousarray(renderings), labels)


def _render(
    numbered: tuple[int, LabelledDrawing],
    variations: int,
    normalization: Normalization,
    seed: tuple[int, int],
) -> NDArray[np.uint8]:
    """A digit and its variations, uint8 (1 + variations, 28, 28); blank where it has no strokes."""
    number, (digit, strokes, _) = numbered
    drawings = [strokes]
    for variation in range(variations):
        generator = np.random.default_rng((*seed, number, variation))
        drawings.append(varied(strokes, digit, generator) if strokes else strokes)
    return np.stack([rasterize(drawing, normalization) for drawing in drawings])


def _pick(drawn: Drawn, generator: np.random.Generator) -> NDArray[np.uint8]:
    """One rendering of each digit, uint8 (N, 28, 28)."""
    count = len(drawn.labels)
    return drawn.renderings[generator.integers(len(drawn.renderings), size=count), np.arange(count)]
