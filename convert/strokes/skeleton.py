"""Skeletons: a picture of a digit -> strokes with which a pen could have drawn it.

MNIST has pictures and no strokes. Its digits are thinned to lines and redrawn with the app's pen,
so that training looks like use. The thinning is scikit-image's, after T. Y. Zhang, C. Y. Suen, "A
fast parallel algorithm for thinning digital patterns", Communications of the ACM 27 (1984).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.filters import gaussian
from skimage.measure import label
from skimage.morphology import skeletonize

SCALE = 4
"""How many times a picture is enlarged before it is thinned: its lines come out smooth."""
INK = (110, 150, 190, 225)
"""Greys above which an enlarged pixel is ink: the lowest that leaves every loop open is used."""
LOOPS = {0: 1, 6: 1, 8: 2, 9: 1}
"""How many loops a digit has. A thick pen may have filled them."""
SMALLEST_LOOP = 20
"""Enlarged pixels of paper inside a loop, at least."""
LONGEST_SPUR = 10
"""A branch with a free end and at most this many enlarged pixels is an artefact of thinning."""
SMOOTH = 2.0
"""Standard deviation of the smoothing along a line, in enlarged pixels."""
THINNED = 2
"""Of the enlarged pixels along a line, one in this many is kept."""

_NEIGHBOURS = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))

_Pixel = tuple[int, int]
_Graph = dict[_Pixel, list[_Pixel]]


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
    graph = _graph(skeletonize(ink))
    chains = list(_chains(graph))
    # A speck consists of spurs only: then they are all there is.
    kept = [chain for chain in chains if not _is_spur(chain, graph)] or chains
    return [_smoothed(chain)[:, ::-1] for chain in kept]


def _loops(ink: NDArray[np.bool_]) -> int:
    """How many pieces of paper the ink encloses."""
    pieces = np.bincount(label(~ink, connectivity=1).ravel())[1:]
    return int((pieces >= SMALLEST_LOOP).sum()) - 1


def _graph(thin: NDArray[np.bool_]) -> _Graph:
    """Each pixel's neighbours, without diagonal ones that straight steps lead to."""
    pixels = {(int(row), int(column)) for row, column in np.argwhere(thin)}
    return {
        (row, column): [
            (row + down, column + right)
            for down, right in _NEIGHBOURS
            if (row + down, column + right) in pixels
            and not (down and right and {(row + down, column), (row, column + right)} & pixels)
        ]
        for row, column in sorted(pixels)
    }


def _chains(graph: _Graph) -> Iterator[list[_Pixel]]:
    """The lines between ends and junctions, and the rings, which have neither."""
    walked: set[tuple[_Pixel, _Pixel]] = set()
    nodes = [pixel for pixel, neighbours in graph.items() if len(neighbours) != 2]
    for node in nodes:
        if not graph[node]:
            yield [node]
        for neighbour in graph[node]:
            if (node, neighbour) not in walked:
                yield _walk(graph, node, neighbour, walked)
    for pixel, neighbours in graph.items():
        if len(neighbours) == 2 and not any((pixel, each) in walked for each in neighbours):
            yield _walk(graph, pixel, neighbours[0], walked)


def _walk(
    graph: _Graph, start: _Pixel, step: _Pixel, walked: set[tuple[_Pixel, _Pixel]]
) -> list[_Pixel]:
    """Follow a line from a pixel to its other end, and mark it as walked in both directions."""
    chain = [start, step]
    walked |= {(start, step), (step, start)}
    while len(graph[chain[-1]]) == 2 and chain[-1] != start:
        (onward,) = [each for each in graph[chain[-1]] if each != chain[-2]]
        walked |= {(chain[-1], onward), (onward, chain[-1])}
        chain.append(onward)
    return chain


def _is_spur(chain: list[_Pixel], graph: _Graph) -> bool:
    ends = len(graph[chain[0]]), len(graph[chain[-1]])
    return len(chain) <= LONGEST_SPUR and min(ends) == 1 and max(ends) > 2


def _smoothed(chain: list[_Pixel]) -> NDArray[np.float64]:
    """The line without the pixels' stairs; its ends stay where they are, a ring stays closed."""
    line = np.array(chain, np.float64)
    if len(line) < 4:
        return line
    reach = min(int(3 * SMOOTH), len(line) - 1)
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * SMOOTH**2))
    if chain[0] == chain[-1]:
        long = np.pad(line[:-1], ((reach, reach + 1), (0, 0)), "wrap")
    else:  # Mirrored at its ends, a line keeps its direction there.
        long = np.pad(line, ((reach, reach), (0, 0)), "reflect", reflect_type="odd")
    weights /= weights.sum()
    smooth = np.stack([np.convolve(axis, weights, "valid") for axis in long.T], axis=1)
    return np.concatenate([smooth[:-1:THINNED], smooth[-1:]])
