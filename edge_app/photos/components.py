"""Connected components of a picture: the pieces of ink that hang together, also by corners.

Each row is a few runs of ink. Runs that touch one another in neighbouring rows are the edges of a
graph, whose components are found for all at once: every run takes the lowest number of its
neighbours, and of the run that this number stands for, until none changes (Y. Shiloach, U. Vishkin,
"An O(log n) parallel connectivity algorithm", Journal of Algorithms 3, 1982).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Components(NamedTuple):
    """N components, each with its number, 0 to N - 1."""

    labels: NDArray[np.int32]
    """int32 (height, width): the number of each pixel's component; -1 where there is no ink."""
    boxes: NDArray[np.intp]
    """intp (N, 4): left, top, and the first column and row beyond."""
    areas: NDArray[np.intp]
    """intp (N,): pixels."""
    peaks: NDArray[np.float32]
    """float32 (N,): the largest of the values that were given."""


def components(ink: NDArray[np.bool_], values: NDArray[np.float32]) -> Components:
    """Find the connected components.

    Args:
        ink: bool (height, width).
        values: float32 (height, width); each component has its peak.
    """
    height, width = ink.shape
    across = width + 2  # A column of paper on either side keeps the rows apart.
    padded = np.zeros((height, across), np.int8)
    padded[:, 1:-1] = ink
    steps = np.diff(padded.ravel(), prepend=np.int8(0))
    starts, ends = (steps == 1).nonzero()[0], (steps == -1).nonzero()[0]
    numbers = _connected(starts, ends, across)
    rows, lefts = np.divmod(starts, across)
    rights, count = ends - rows * across, int(numbers.max(initial=-1)) + 1
    boxes = np.empty((count, 4), np.intp)
    boxes[:, :2], boxes[:, 2:] = max(height, across), 0
    for side, edge in ((0, lefts - 1), (1, rows)):
        np.minimum.at(boxes[:, side], numbers, edge)
    for side, edge in ((2, rights - 1), (3, rows + 1)):
        np.maximum.at(boxes[:, side], numbers, edge)
    lengths = ends - starts
    areas = np.bincount(numbers, lengths, count).astype(np.intp)
    peaks = np.zeros(count, np.float32)
    labels = np.full((height, width), -1, np.int32)
    owners = numbers.repeat(lengths)
    labels[ink] = owners
    np.maximum.at(peaks, owners, values[ink])
    return Components(labels, boxes, areas, peaks)


def _connected(starts: NDArray[np.intp], ends: NDArray[np.intp], across: int) -> NDArray[np.intp]:
    """The number of each run's component, intp (runs,); runs from starts to before ends, in rows of
    this length that begin and end with paper."""
    # The runs of the next row that begin by a run's end and end by its start.
    first = np.searchsorted(ends, starts + across, "left")
    last = np.searchsorted(starts, ends + across, "right")
    many = np.maximum(last - first, 0)
    above = np.arange(len(starts)).repeat(many)
    below = np.arange(many.sum()) - (many.cumsum() - many).repeat(many) + first.repeat(many)
    parents = np.arange(len(starts))
    while True:
        low = np.minimum(parents[above], parents[below])
        hooked = parents.copy()
        np.minimum.at(hooked, parents[above], low)
        np.minimum.at(hooked, parents[below], low)
        while not np.array_equal(further := hooked[hooked], hooked):
            hooked = further
        if np.array_equal(hooked, parents):
            return np.unique(parents, return_inverse=True)[1].astype(np.intp)
        parents = hooked
