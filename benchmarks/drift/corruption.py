"""Corruption: degraded test images, on which quantization can cost more than on clean ones.

Rotation, thin and thick lines and blur are applied to the picture, before the normalization, as
they would be in the app. Shift and noise are applied to the normalized image: the normalization
would undo the shift and mistake the noise for ink, so they would test it and not the model.

After N. Mu, J. Gilmer, "MNIST-C: a robustness benchmark for computer vision", 2019, and
D. C. Castro et al., "Morpho-MNIST: quantitative assessment and diagnostics for representation
learning", JMLR 20 (2019); the strengths are this project's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from benchmarks.drift.datasets import LabelledSet, apply
from benchmarks.drift.predictions import Advance
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import Normalization, normalize

COUNT = 1000
"""The number of test images, from the first, that each corruption is applied to."""
SEED = 0

FARTHEST_TURN = 30  # Degrees in either direction.
FARTHEST_SHIFT = 2  # Pixels in either direction, across and down.
NOISE = 0.2  # Standard deviation; full ink is 1.
BLUR = 1.0  # Standard deviation, in pixels.

Corruption = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]
"""Degrades one image, uint8 (28, 28)."""


def rotation(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Turn about the centre by a random angle of up to 30 degrees in either direction."""
    angle = random.uniform(-FARTHEST_TURN, FARTHEST_TURN)
    return np.asarray(Image.fromarray(image).rotate(angle, Image.Resampling.BILINEAR))


def thin(image: NDArray[np.uint8], _: np.random.Generator) -> NDArray[np.uint8]:
    """Make lines one pixel thinner: each pixel is the minimum of itself and three neighbours."""
    return _over_four(image, np.minimum)


def thick(image: NDArray[np.uint8], _: np.random.Generator) -> NDArray[np.uint8]:
    """Make lines one pixel thicker: each pixel is the maximum of itself and three neighbours."""
    return _over_four(image, np.maximum)


def blur(image: NDArray[np.uint8], _: np.random.Generator) -> NDArray[np.uint8]:
    """Blur with a Gaussian whose standard deviation is one pixel."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(BLUR)))


def shift(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Move by up to two whole pixels in either direction; what leaves the image is lost."""
    down, right = random.integers(-FARTHEST_SHIFT, FARTHEST_SHIFT, size=2, endpoint=True)
    height, width = image.shape
    padded = np.pad(image, FARTHEST_SHIFT)
    top, left = FARTHEST_SHIFT - down, FARTHEST_SHIFT - right
    return padded[top : top + height, left : left + width]


def noise(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Add Gaussian noise to every pixel, clipped to the range of paper to ink."""
    noisy = image + random.normal(0, NOISE * 255, image.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


OF_PICTURES: dict[str, Corruption] = {each.__name__: each for each in (rotation, thin, thick, blur)}
"""Applied before the normalization."""
OF_IMAGES: dict[str, Corruption] = {each.__name__: each for each in (shift, noise)}
"""Applied after it."""
CORRUPTIONS = (*OF_PICTURES, *OF_IMAGES)


def corrupted_sets(
    digits: Digits, normalizations: Collection[Normalization], advance: Advance
) -> list[LabelledSet]:
    """The first 1,000 test images under each corruption; the same at every call.

    Args:
        digits: the test set as it is published.
        normalizations: those of the models that are measured.
        advance: counts each image once per corruption and normalization, see :func:`steps`.
    """
    pictures, labels, sha256 = digits.images[:COUNT], digits.labels[:COUNT], digits.sha256()
    return [
        LabelledSet(
            corruption,
            f"{len(labels):,} test images: {corruption}",
            labels,
            apply(_corrupting(corruption), pictures, normalizations, advance),
            sha256,
        )
        for corruption in CORRUPTIONS
    ]


def steps(digits: Digits, normalizations: Collection[Normalization]) -> int:
    """How many steps :func:`corrupted_sets` will advance."""
    return len(digits.labels[:COUNT]) * len(CORRUPTIONS) * len(normalizations)


def _corrupting(name: str) -> Callable[[NDArray[np.uint8], Normalization], NDArray[np.uint8]]:
    # Sets are independent of each other, and all normalizations get the same images.
    seed = [SEED, CORRUPTIONS.index(name)]
    generators = defaultdict[str, np.random.Generator](lambda: np.random.default_rng(seed))

    def make(picture: NDArray[np.uint8], normalization: Normalization) -> NDArray[np.uint8]:
        random = generators[normalization]
        if name in OF_PICTURES:
            return normalize(OF_PICTURES[name](picture, random), normalization)
        return OF_IMAGES[name](normalize(picture, normalization), random)

    return make


def _over_four(image: NDArray[np.uint8], combine: np.ufunc) -> NDArray[np.uint8]:
    padded = np.pad(image, (0, 1))
    of_two = combine(padded[:-1], padded[1:])
    return np.asarray(combine(of_two[:, :-1], of_two[:, 1:]), np.uint8)
