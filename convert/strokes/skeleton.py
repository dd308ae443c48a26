"""Skeletons: a picture of a digit -> strokes with which a pen could have drawn it.

MNIST has pictures and no strokes. Its digits are thinned to lines and redrawn with the app's pen,
so that training looks like use. The thinning is scikit-image's, after T. Y. Zhang, C. Y. Suen, "A
fast parallel algorithm for thinning digital patterns", Communications of the ACM 27 (1984).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.filters import gaussian
from skimage.measure import label
from skimage.morphology import skeletonize

from edge_app.photos.centrelines import centrelines

SCALE = 4
"""How many times a picture is enlarged before it is thinned: its lines come out smooth."""
INK = (110, 150, 190, 225)
"""Greys above which an enlarged pixel is ink: the lowest that leaves every loop open is used."""
LOOPS = {0: 1, 6: 1, 8: 2, 9: 1}
"""How many loops a digit has. A thick pen may have filled them."""
SMALLEST_LOOP = 20
"""Enlarged pixels of paper inside a loop, at least."""


def skeleton(image: NDArray[np.uint8], digit: int) -> list[NDArray[np.float64]]:
    """The strokes of a digit in a picture.

    Args:
        image: uint8 (H, W), bright ink on a dark ground.
        digit: the digit that it shows.

    Returns:
        The points of each stroke (x, y), float64 (points, 2), y down, in enlarged pixels, in no
        particular order. Empty when the picture has no ink, or fewer loops than the digit.
    """
    height, width = image.shape
    large = Image.fromarray(image).resize((SCALE * width, SCALE * height), Image.Resampling.BICUBIC)
    greys = gaussian(np.asarray(large, np.float64), 1.0, preserve_range=True)
    inks = (greys > threshold for threshold in INK)
    ink = next((each for each in inks if _loops(each) >= LOOPS.get(digit, 0)), None)
    if ink is None:
        return []
    return centrelines(skeletonize(ink))


def _loops(ink: NDArray[np.bool_]) -> int:
    """How many pieces of paper the ink encloses."""
    pieces = np.bincount(label(~ink, connectivity=1).ravel())[1:]
    return int((pieces >= SMALLEST_LOOP).sum()) - 1
