"""Sheets of paper with digits on them: where each digit is on a photo, and its strokes.

A photo of a line is as wide as the pen was, and models know the lines of one pen. So each digit
becomes what it was for its writer, the strokes of a pen, and goes on as if drawn on the canvas.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edge_app.photos.centrelines import centrelines, thin
from edge_app.photos.components import Components, components
from edge_app.photos.grouping import group, reading_order
from edge_app.photos.paper import darkness

MAX_DIGITS = 100
"""On a photo with more, the first ones are read."""
MAX_PIECES = 400
"""Of more pieces of ink the largest ones count, which bounds the time for noise."""
EDGE = 3
"""What comes this close to the picture's edge, in pixels, goes on outside of it, such as a table
or a printed line."""

FAINTEST = 0.07
"""The darkness of the faintest ink."""
NOISE = 4.0
"""Ink is darker than this many times the mean noise around it."""
BLOCK, LOUDEST = 32, 0.1
"""Pixels a side in which the noise is measured, and the most that counts as such."""
CORE, RIM = 0.5, 0.35
"""A piece's darkest pixel has at least the first part of the usual ink's darkness, and all of its
pixels the second."""
SHORTEST = 0.022
"""A piece of ink is longer than this part of the picture's longer side."""

FAR, OPEN, ALL_AROUND = 5, 0.3, 0.7
"""So many pixels outside of ink, the paper is brighter by this part of the usual ink's darkness,
in at least this part of all places around it."""
LEFT, MOSTLY = 1.2, 0.6
"""What is left of a printed line is hardly darker than this many times the line, in at least this
part of its pixels."""
SMALLEST = 6
"""So long is even a part of a digit, in pixels."""

SIDE = 140
"""The longer side of a digit while its lines are thinned."""
INK = 112
"""There, ink has at least this darkness, of 255 for the usual ink."""


class Digit(NamedTuple):
    """A digit on a photo."""

    box: tuple[float, float, float, float]
    """Left, top, width and height in parts of the picture."""
    strokes: list[NDArray[np.float64]]
    """As from a pen: its lines' points (x, y), float64 (points, 2), y down, in pixels."""


def find_digits(photo: Image.Image) -> list[Digit]:
    """Find the digits on a photo of a sheet.

    Args:
        photo: of mode "L" or "RGB", about 1,000 pixels a side; see
            :func:`edge_app.photos.photo.parse_photo`.

    Returns:
        The first 100 digits in reading order; empty for an empty sheet.
    """
    dark, printed = darkness(photo)
    found, usual = _ink(dark)
    boxes = found.boxes.astype(np.float64)
    kept = _kept(found, usual)
    surrounded = _surrounded(np.asarray(photo.convert("L")), found, usual)
    kept = kept[(surrounded & ~_is_printed(dark, printed, found))[kept]]
    groups = [kept[each] for each in group(boxes[kept])]
    around = np.array(
        [[*boxes[each, :2].min(axis=0), *boxes[each, 2:].max(axis=0)] for each in groups]
    ).reshape(-1, 4)
    sides = (around[:, 2:] - around[:, :2]).max(axis=1, initial=0)
    long = (sides >= SHORTEST * max(photo.size)).nonzero()[0]
    groups, around = [groups[number] for number in long], around[long]
    size = np.array(photo.size)
    digits = []
    for number in reading_order(around)[:MAX_DIGITS]:
        low, high = around[number, :2], around[number, 2:]
        left, top = (low / size).round(4).tolist()
        width, height = ((high - low) / size).round(4).tolist()
        box = left, top, width, height
        digits.append(Digit(box, _strokes(dark, usual, found, groups[number])))
    return digits


def _ink(dark: NDArray[np.float32]) -> tuple[Components, float]:
    """The pieces of ink, and how dark ink usually is."""
    noise = np.minimum(np.abs(dark), np.float32(LOUDEST)) * np.float32(255 / LOUDEST)
    blocks = Image.fromarray(noise.astype(np.uint8)).reduce(BLOCK)
    # That of quiet blocks nearby: others have ink on them.
    quiet = np.asarray(blocks.filter(ImageFilter.RankFilter(5, 6)), np.float32)
    height, width = dark.shape
    least = np.maximum(quiet * np.float32(NOISE * LOUDEST / 255), FAINTEST)
    least = least.repeat(BLOCK, axis=0)[:height].repeat(BLOCK, axis=1)[:, :width]
    some = dark[(dark > least) & (dark < 1)]
    usual = float(np.percentile(some, 95)) if len(some) else 1.0
    return components(dark > np.maximum(least, RIM * usual), dark), usual


def _kept(found: Components, usual: float) -> NDArray[np.intp]:
    """The numbers of the pieces that may belong to a digit."""
    height, width = found.labels.shape
    left, top, right, bottom = found.boxes.T
    within = (np.minimum(left, top) >= EDGE) & (right <= width - EDGE) & (bottom <= height - EDGE)
    large = np.maximum(right - left, bottom - top) >= SMALLEST
    kept = (within & large & (found.peaks >= CORE * usual) & (found.peaks <= 1)).nonzero()[0]
    return kept[np.argsort(-found.areas[kept], kind="stable")[:MAX_PIECES]]


def _is_printed(
    dark: NDArray[np.float32], printed: NDArray[np.float32], found: Components
) -> NDArray[np.bool_]:
    """Which pieces are what is left of printed lines."""
    ink = found.labels >= 0
    numbers, count = found.labels[ink], len(found.areas)
    lines = printed[ink]
    pale = np.bincount(numbers, (lines > 0) & (dark[ink] < LEFT * lines + FAINTEST), count)
    return pale >= MOSTLY * found.areas


def _surrounded(grey: NDArray[np.uint8], found: Components, usual: float) -> NDArray[np.bool_]:
    """Which pieces have brighter paper on all sides, as the corner of a shadow has not."""
    count = len(found.areas)
    sides, bright = np.zeros(count), np.zeros(count)
    for labels, greys in ((found.labels, grey), (found.labels.T, grey.T)):
        for there, here in ((np.s_[:-FAR], np.s_[FAR:]), (np.s_[FAR:], np.s_[:-FAR])):
            rim = (labels[here] >= 0) & (labels[there] < 0)
            numbers = labels[here][rim]
            inside, outside = greys[here][rim], greys[there][rim]
            sides += np.bincount(numbers, minlength=count)
            darker = inside < (1 - OPEN * usual) * outside
            bright += np.bincount(numbers, darker, count)
    return bright >= ALL_AROUND * sides


def _strokes(
    dark: NDArray[np.float32], usual: float, found: Components, numbers: NDArray[np.intp]
) -> list[NDArray[np.float64]]:
    """The lines of a digit, which consists of these pieces."""
    left, top = found.boxes[numbers, :2].min(axis=0)
    right, bottom = found.boxes[numbers, 2:].max(axis=0)
    part = np.s_[top:bottom, left:right]
    own = np.isin(found.labels[part], numbers)
    ink = np.pad((np.clip(dark[part] / usual, 0, 1) * own * 255).astype(np.uint8), 2)
    scale = SIDE / max(ink.shape)
    size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    even = Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)
    even = even.filter(ImageFilter.GaussianBlur(1))
    return centrelines(thin(np.asarray(even) >= INK))
