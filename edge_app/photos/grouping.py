"""Grouping: which pieces of ink are one digit, and in which order digits are read.

Boxes are left, top, right and bottom, in pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMALL = 0.45
"""A piece that is lower than this part of the usual digit belongs to one, such as a 5's bar."""
BETWEEN = 0.2
"""It lies at most this part of the usual digit's height away from it."""
INSIDE = 0.4
"""Pieces are one digit if they share this part of the smaller one's box."""
DIRT = 0.2
"""A piece whose longer side is shorter than this part of the usual digit is none."""
BESIDE = 0.4
"""Digits are in one line if they share this part of the lower one's height."""

Boxes = NDArray[np.float64]


def group(boxes: Boxes) -> list[list[int]]:
    """Which boxes are one digit.

    Args:
        boxes: float64 (N, 4).

    Returns:
        The numbers of each digit's boxes; a box that is too small for a digit is in none.
    """
    if not len(boxes):
        return []
    usual = _usual_height(boxes)
    order = np.argsort(boxes[:, 1] - boxes[:, 3], kind="stable")
    around, groups = boxes[order], [[number] for number in order.tolist()]
    left = np.ones(len(groups), np.bool_)
    for at in range(len(groups)):  # From the highest piece to the lowest.
        while left[at]:
            joined = _belong(around[at], around, usual) & left
            joined[at] = False
            others = joined.nonzero()[0]
            if not len(others):
                break
            around[at] = _around(around[[at, *others]])
            left[others] = False
            groups[at] += [number for other in others.tolist() for number in groups[other]]
    sides = (around[:, 2:] - around[:, :2]).max(axis=1)
    return [groups[at] for at in (left & (sides >= DIRT * usual)).nonzero()[0].tolist()]


def _usual_height(boxes: Boxes) -> float:
    heights = boxes[:, 3] - boxes[:, 1]
    longest = np.maximum(heights, (boxes[:, 2] - boxes[:, 0]) / 2)
    return float(np.median(longest[longest >= SMALL * longest.max()]))


def _around(boxes: Boxes) -> Boxes:
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _belong(own: Boxes, others: Boxes, usual: float) -> NDArray[np.bool_]:
    """Which of the other boxes, (N, 4), belong to the same digit as this one."""
    shared = np.minimum(own[2:], others[:, 2:]) - np.maximum(own[:2], others[:, :2])
    sides, own_sides = others[:, 2:] - others[:, :2], own[2:] - own[:2]
    smaller = np.minimum(sides.prod(axis=1), own_sides.prod())
    inside = np.maximum(shared, 0).prod(axis=1) >= INSIDE * smaller
    near = (shared >= -BETWEEN * usual).all(axis=1)
    small = (sides[:, 1] < SMALL * usual) & (sides[:, 0] < usual)
    return inside & near | small & near


def reading_order(boxes: Boxes) -> list[int]:
    """The numbers of digits' boxes, float64 (N, 4), line by line and from left to right.

    A line is followed from each digit to the next, so that it may climb or fall.
    """
    lines: list[list[int]] = []
    heights = boxes[:, [1, 3]].tolist()
    for number in np.argsort(boxes[:, 0], kind="stable").tolist():
        top, bottom = heights[number]
        best, closest = None, 0.0
        for line in lines:
            last_top, last_bottom = heights[line[-1]]
            lower = min(bottom - top, last_bottom - last_top)
            shared = (min(bottom, last_bottom) - max(top, last_top)) / max(lower, 1)
            if shared >= BESIDE and shared > closest:
                best, closest = line, shared
        if best is None:
            lines.append([number])
        else:
            best.append(number)
    slope = _slope(boxes, lines)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    level = middles[:, 1] - slope * middles[:, 0]
    lines.sort(key=lambda line: float(level[line].mean()))
    return [number for line in lines for number in line]


def _slope(boxes: Boxes, lines: list[list[int]]) -> float:
    """By how much lines fall per pixel to the right."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    steps = [middles[line[-1]] - middles[line[0]] for line in lines if len(line) > 1]
    return float(np.median([down / max(right, 1) for right, down in steps])) if steps else 0.0
