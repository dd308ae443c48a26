"""Skeletons: a picture of a digit -> the strokes that a pen could have drawn it with.

MNIST's writers left pictures, no strokes. Their digits, thinned to lines, are drawn
with the pen that draws on the device, so that a model meets other people's hands in that pen's ink.
The thinning is scikit-image's, after T. Y. Zhang, C. Y. Suen, "A fast parallel algorithm for
thinning digital patterns", Communications of the ACM 27 (1984).
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
"""Greys above which an enlarged pixel is ink; the lowest that leaves every loop open counts."""
LOOPS = {0: 1, 6: 1, 8: 2, 9: 1}
"""How many loops a digit has. A thick pen fills them, and a 6 without its loop is no 6."""
SMALLEST_LOOP = 20
"""In enlarged pixels of paper inside of it."""
LONGEST_SPUR = 10
"""A branch of at most this many enlarged pixels, with a free end, comes from thinning alone."""
SMOOTH = 2.0
"""Standard deviation, in enlarged pixels, of the smoothing along a line."""
THINNED = 2
"""Of the enlarged pixels along a line every so many is kept."""

_NEIGHBOURS = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))

_Pixel = tuple[int, int]
_Graph = dict[_Pixel, list[_Pixel]]


def skeleton(image: NDArray[np.uint8], digit: int) -> list[NDArray[np.float64]]:
    """The strokes of a digit in a picture.

    Args:
        image: uint8 (H, W), bright ink on a dark ground.
        digit: which one it is.

    Returns:
        For each stroke its points (x, y), float64 (points, 2), y down, in enlarged pixels. They
        stand in no order of writing. None when the picture has no ink, or fewer loops than its
        digit.
    """
    height, width = image.shape
    large = Image.fromarray(image).resize((SCALE * width, SCALE * height), Image.Resampling.BICUBIC)
    greys = gaussian(np.asarray(large, np.float64), 1.0, preserve_range=True)
    for threshold in INK:
        ink = greys > threshold
        if _loops(ink) >= LOOPS.get(digit, 0):
            break
    else:
        return []
    graph = _graph(skeletonize(ink))
    chains = list(_chains(graph))
    # Where nothing but spurs is left, the digit is a speck, and they are all there is.
    kept = [chain for chain in chains if not _is_spur(chain, graph)] or chains
    return [_smoothed(chain)[:, ::-1] for chain in kept]


def _loops(ink: NDArray[np.bool_]) -> int:
    """How many pieces of paper the ink divides it into, besides the one around the digit."""
    pieces = np.bincount(label(~ink, connectivity=1).ravel())[1:]
    return int((pieces >= SMALLEST_LOOP).sum()) - 1


def _graph(thin: NDArray[np.bool_]) -> _Graph:
    """Each pixel's neighbours; a diagonal one is passed over where a straight step leads there."""
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
    """The lines from one end or junction to the next, and the rings that have neither."""
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
    """Follow a line from a pixel to its other end, and note the way, both directions of it."""
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
    """The line without the pixels' stairs; its ends stay, and a ring stays closed."""
    line = np.array(chain, np.float64)
    if len(line) < 4:
        return line
    reach = min(int(3 * SMOOTH), len(line) - 1)
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * SMOOTH**2))
    before, after = line[1 : reach + 1][::-1], line[-reach - 1 : -1][::-1]
    if chain[0] == chain[-1]:
        before, after = line[-reach - 1 : -1], line[1 : reach + 1]
    else:  # Mirrored in its end points, a line keeps its direction there.
        before, after = 2 * line[0] - before, 2 * line[-1] - after
    long = np.concatenate([before, line, after])
    weights /= weights.sum()
    smooth = np.stack([np.convolve(axis, weights, "valid") for axis in long.T], axis=1)
    return np.concatenate([smooth[:-1:THINNED], smooth[-1:]])
