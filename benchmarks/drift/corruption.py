"""Corruption: MNIST's test images made worse, where quantization can cost more than on clean ones.

What happens to a digit before it is photographed or drawn is done to the picture, and the
normalization comes after, as it does in the app: rotation, thin and thick lines, blur. Two kinds
are done to the normalized image, because before it they would test the normalization and not the
model: it takes every shift out again, and takes noise on the paper for ink, by which it would
shrink the digit.

After N. Mu, J. Gilmer, "MNIST-C: a robustness benchmark for computer vision", 2019, and
D. C. Castro et al., "Morpho-MNIST: quantitative assessment and diagnostics for representation
learning", JMLR 20 (2019); the strengths are this project's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from benchmarks.drift.datasets import LabelledSet, apply
from benchmarks.progress import Advance
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import Normalization, normalize

COUNT = 1000
"""How many of the first images of the test set are corrupted, in each way."""
SEED = 0

FARTHEST_TURN = 30
"""Degrees, either way."""
FARTHEST_SHIFT = 2
"""Pixels, either way, across and down."""
NOISE = 0.2
"""Standard deviation, in parts of full ink."""
BLUR = 1.0
"""Standard deviation, in pixels."""

Corruption = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]
"""Makes one image, uint8 (28, 28), worse."""


def rotation(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Turned about the middle by an even chance of any angle up to 30 degrees either way."""
    angle = random.uniform(-FARTHEST_TURN, FARTHEST_TURN)
    return np.asarray(Image.fromarray(image).rotate(angle, Image.Resampling.BILINEAR))


def thin(image: NDArray[np.uint8], _: np.random.Generator) -> NDArray[np.uint8]:
    """Lines one pixel thinner: each pixel is the least of itself and three neighbours."""
    return _over_four(image, np.minimum)


def thick(image: NDArray[np.uint8], _: np.random.Generator) -> NDArray[np.uint8]:
    """Lines one pixel thicker: each pixel is the greatest of itself and three neighbours."""
    return _over_four(image, np.maximum)


def blur(image: NDArray[np.uint8], _: np.random.Generator) -> NDArray[np.uint8]:
    """Out of focus: a Gaussian with a standard deviation of one pixel."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(BLUR)))


def shift(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Moved by whole pixels, up to two either way; what leaves the image is lost."""
    down, right = random.integers(-FARTHEST_SHIFT, FARTHEST_SHIFT, size=2, endpoint=True)
    height, width = image.shape
    padded = np.pad(image, FARTHEST_SHIFT)
    top, left = FARTHEST_SHIFT - down, FARTHEST_SHIFT - right
    return padded[top : top + height, left : left + width]


def noise(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Gaussian noise on every pixel, on ink and paper, cut off at both."""
    noisy = image + random.normal(0, NOISE * 255, image.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


OF_PICTURES: dict[str, Corruption] = {each.__name__: each for each in (rotation, thin, thick, blur)}
"""Done before normalization."""
OF_IMAGES: dict[str, Corruption] = {each.__name__: each for each in (shift, noise)}
"""Done after it."""
CORRUPTIONS = (*OF_PICTURES, *OF_IMAGES)


def corrupted_sets(
    digits: Digits, normalizations: Collection[Normalization], advance: Advance
) -> list[LabelledSet]:
    """The first 1,000 test images, corrupted in each way; the same at every call.

    Args:
        digits: the test set as it is published.
        normalizations: those of the models that are measured.
        advance: told of each image, once for each corruption and normalization: :func:`steps`.
    """
    pictures, labels, sha256 = digits.images[:COUNT], digits.labels[:COUNT], digits.sha256()
    return [
        LabelledSet(
            corruption,
            f"{len(labels):,} test images: {corruption}",
            labels,
            {name: _corrupt(pictures, corruption, name, advance) for name in normalizations},
            sha256,
        )
        for corruption in CORRUPTIONS
    ]


def steps(digits: Digits, normalizations: Collection[Normalization]) -> int:
    """How many images :func:`corrupted_sets` will tell of."""
    return len(digits.labels[:COUNT]) * len(CORRUPTIONS) * len(normalizations)


def _corrupt(
    pictures: NDArray[np.uint8], corruption: str, normalization: Normalization, advance: Advance
) -> NDArray[np.uint8]:
    # A generator for each set: what one draws changes no other, and every normalization gets the
    # same pictures.
    random = np.random.default_rng([SEED, CORRUPTIONS.index(corruption)])

    def make(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if corruption in OF_PICTURES:
            return normalize(OF_PICTURES[corruption](picture, random), normalization)
        return OF_IMAGES[corruption](normalize(picture, normalization), random)

    return apply(make, list(pictures), advance)


def _over_four(image: NDArray[np.uint8], combine: np.ufunc) -> NDArray[np.uint8]:
    padded = np.pad(image, (0, 1))
    of_two = combine(padded[:-1], padded[1:])
    return np.asarray(combine(of_two[:, :-1], of_two[:, 1:]), np.uint8)
