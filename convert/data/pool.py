"""The pool: every digit to train on in several renderings, and what is no digit.

Each epoch draws from it anew: of every digit one rendering, and a share of what is no digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.data.sources import TrainingData
from convert.strokes.outliers import draw_outliers
from convert.strokes.skeleton import skeleton
from convert.strokes.variation import Strokes, uncrossed, varied
from convert.workers import work
from edge_app import rasterize
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.normalization import SIZE, Normalization

MNIST_VARIATIONS, DRAWN_VARIATIONS = 3, 10
"""How many variations of each digit the pool holds, besides it as it is."""
DRAWN_COPIES = 4
"""How many renderings of each drawn digit an epoch shows: MNIST has ten times as many."""
PICTURES = 0.7
"""The share of MNIST's digits that an epoch shows as pictures; the pen draws the others."""
OUTLIERS, OUTLIER_SHARE = 0.25, 0.1
"""What is no digit: how many the pool holds and an epoch shows, in parts of MNIST's digits."""
NO_DIGIT = -1
"""The label of what is no digit."""


class Drawn(NamedTuple):
    """Digits drawn with the pen: uint8 (renderings, N, 28, 28), the first as it is, and labels."""

    renderings: NDArray[np.uint8]
    labels: NDArray[np.uint8]


class Pool(NamedTuple):
    """Normalized images to train on.

    ``pictures`` are MNIST's, uint8 (N, 28, 28), and ``traced`` the same digits from the pen, as far
    as ``traceable`` (N,) says; ``drawn`` come from people's pens. ``outliers`` are uint8
    (M, 28, 28).
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
        shown = generator.permutation(len(self.outliers))[
            : round(OUTLIER_SHARE * len(self.pictures))
        ]
        parts = [
            (np.where(as_pictures[:, None, None], self.pictures, traced), self.traced.labels),
            *((_pick(self.drawn, generator), self.drawn.labels) for _ in range(DRAWN_COPIES)),
            (self.outliers[shown], np.full(len(shown), NO_DIGIT)),
        ]
        images = np.concatenate([images for images, _ in parts])
        labels = np.concatenate([labels.astype(np.int8) for _, labels in parts])
        order = generator.permutation(len(labels))
        return images[order], labels[order]


def fill(data: TrainingData, normalization: Normalization, seed: int) -> Pool:
    """Render everything: minutes of work, on every core, under progress bars."""
    pictures = data.pictures.train
    traces = trace(pictures.images, pictures.labels, data.mnist.name)
    digits = [
        LabelledDrawing(int(label), strokes)
        for strokes, label in zip(traces, pictures.labels, strict=True)
    ]
    people = [drawing for source in data.drawn for drawing in source.drawings]
    plain = [seven for drawing in people if (seven := uncrossed(drawing))]
    some = people or [digit for digit in digits if digit.strokes]
    outliers = draw_outliers(
        round(OUTLIERS * len(digits)), some, np.random.default_rng((seed, len(digits)))
    )
    return Pool(
        pictures=data.mnist.train.images,
        traced=_draw(digits, MNIST_VARIATIONS, normalization, (seed, 1), data.mnist.name),
        traceable=np.array([bool(strokes) for strokes in traces]),
        drawn=_draw(people + plain, DRAWN_VARIATIONS, normalization, (seed, 2), "drawn digits"),
        outliers=render(outliers, normalization, "Drawing what is no digit"),
    )


def trace(images: NDArray[np.uint8], labels: NDArray[np.uint8], name: str) -> list[Strokes]:
    """Each picture's strokes; none where a picture cannot be traced."""
    pairs = [(image, int(label)) for image, label in zip(images, labels, strict=True)]
    return work(_trace, pairs, f"Tracing {name}")


def render(
    drawings: Sequence[Strokes], normalization: Normalization, description: str
) -> NDArray[np.uint8]:
    """Drawings as normalized images, uint8 (N, 28, 28)."""
    jobs = [_Job(strokes, 0, 0, normalization, (0,)) for strokes in drawings]
    return np.array(work(_render, jobs, description), np.uint8).reshape(-1, SIZE, SIZE)


class _Job(NamedTuple):
    strokes: Strokes
    digit: int
    variations: int
    normalization: Normalization
    seed: tuple[int, ...]


def _draw(
    digits: Sequence[LabelledDrawing],
    variations: int,
    normalization: Normalization,
    seed: tuple[int, int],
    name: str,
) -> Drawn:
    jobs = [
        _Job(digit.strokes, digit.label, variations, normalization, (*seed, number))
        for number, digit in enumerate(digits)
    ]
    renderings = np.array(work(_render, jobs, f"Varying {name}"), np.uint8)
    return Drawn(
        # Renderings first: picking from one of them is picking a whole array.
        np.ascontiguousarray(
            renderings.reshape(-1, 1 + variations, SIZE, SIZE).transpose(1, 0, 2, 3)
        ),
        np.array([digit.label for digit in digits], np.uint8),
    )


def _trace(pair: tuple[NDArray[np.uint8], int]) -> Strokes:
    return skeleton(*pair)


def _render(job: _Job) -> NDArray[np.uint8]:
    """uint8 (1 + variations, 28, 28); blank where there are no strokes."""
    images = [rasterize(job.strokes, job.normalization)]
    for number in range(job.variations):
        if not job.strokes:
            return np.zeros((1 + job.variations, SIZE, SIZE), np.uint8)
        strokes = varied(job.strokes, job.digit, np.random.default_rng((*job.seed, number)))
        images.append(rasterize(strokes, job.normalization))
    return np.stack(images)


def _pick(drawn: Drawn, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Of each digit one rendering, uint8 (N, 28, 28)."""
    count = len(drawn.labels)
    return drawn.renderings[generator.integers(len(drawn.renderings), size=count), np.arange(count)]
