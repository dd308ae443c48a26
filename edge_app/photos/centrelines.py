"""Centrelines: the strokes with which a pen could have drawn some ink.

The ink is thinned until its lines are one pixel wide (T. Y. Zhang, C. Y. Suen, "A fast parallel
algorithm for thinning digital patterns", Communications of the ACM 27, 1984), and the lines are
followed from end to end.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

LONGEST_SPUR = 10
"""A branch with a free end and at most this many pixels is an artefact of thinning."""
SMOOTH = 2.0
"""Standard deviation of the smoothing along a line, in pixels."""
THINNED = 2
"""Of the pixels along a line, one in this many is kept."""

_NEIGHBOURS = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))
_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""The same eight, clockwise from the one above."""

_Pixel = tuple[int, int]
_Graph = dict[_Pixel, list[_Pixel]]


def thin(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Thin ink to lines of one pixel, bool (height, width) as given."""
    lines = np.pad(ink, 1).astype(np.uint8)
    inner = (slice(1, -1), slice(1, -1))
    while True:
        before = lines.copy()
        for odd in (True, False):
            around = [
                lines[1 + down : lines.shape[0] - 1 + down, 1 + right : lines.shape[1] - 1 + right]
                for down, right in _AROUND
            ]
            code = around[0].copy()
            for bit, neighbour in enumerate(around[1:], start=1):
                code |= neighbour << np.uint8(bit)
            lines[inner] &= _KEPT[odd][code]
        if np.array_equal(lines, before):
            return lines[inner].astype(bool)


def _rule(*, odd: bool) -> NDArray[np.uint8]:
    """By the ink around a pixel, a bit each, whether it stays."""
    around = np.arange(256)[:, None] >> np.arange(8) & 1
    north, east, south, west = around[:, ::2].T
    many = around.sum(axis=1)
    changes = ((around == 0) & (np.roll(around, -1, axis=1) == 1)).sum(axis=1)
    rim = north & east & south | east & south & west
    if not odd:
        rim = north & east & west | north & south & west
    return 1 - ((many >= 2) & (many <= 6) & (changes == 1) & (rim == 0)).astype(np.uint8)


_KEPT = {odd: _rule(odd=odd) for odd in (True, False)}


def centrelines(thinned: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """The lines of thinned ink.

    Args:
        thinned: bool (height, width), lines of one pixel.

    Returns:
        The points of each stroke (x, y), float64 (points, 2), in no particular order.
    """
    graph = _graph(thinned)
    chains = list(_chains(graph))
    # A speck consists of spurs only: then they are all there is.
    kept = [chain for chain in chains if not _is_spur(chain, graph)] or chains
    return [_smoothed(chain)[:, ::-1] for chain in kept]


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
