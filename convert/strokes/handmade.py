"""Hand-made digits, in styles that many people write and few of MNIST's and UCI's writers do.

Each function draws one digit whose proportions are random, as a pen's paths: y down, about 10
units high. A reader must never doubt which digit it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from convert.strokes.geometry import Strokes, rounded
from convert.strokes.hand import drawn

JITTER = 0.25
"""Standard deviation of how far each corner of a path is out of place."""

Paths = list[NDArray[np.float64]]


def made(shape: Callable[[np.random.Generator], Paths], generator: np.random.Generator) -> Strokes:
    """One of the digits below, drawn by hand."""
    return drawn(shape(generator), generator)


def flagged_one(generator: np.random.Generator) -> Paths:
    """A 1 whose flag comes down half of the stem and more, sometimes with a foot."""
    flag, angle = generator.uniform(4, 7), generator.uniform(0.4, 0.75)
    lean = generator.uniform(-1, 1)
    start = flag * np.array([-np.sin(angle), np.cos(angle)])
    paths = [np.array([start, (0.0, 0.0), (lean, 10.0)])]
    if generator.random() < 0.35:
        left, right = generator.uniform(1.2, 3.5, 2)
        paths.append(_jittered([(lean - left, 10), (lean + right, 10)], generator))
    return paths


def flat_three(generator: np.random.Generator) -> Paths:
    """A 3 with a level top and a straight way back to the middle, as in a Z, above a bow."""
    width, middle = generator.uniform(5, 7.5), generator.uniform(3.2, 4.8)
    inner = generator.uniform(1.5, 0.55 * width)
    out = width * generator.uniform(0.9, 1.15)
    top = _jittered([(0, 0), (width, 0)], generator)
    bow = [(inner, middle), (inner + 0.6 * (out - inner), middle - 0.2), (out, middle)]
    bow += [(out, 10), (inner, 10.3), (generator.uniform(-0.5, 1), 8.8)]
    return [np.concatenate([top, rounded(_jittered(bow, generator))])]


def open_four(generator: np.random.Generator) -> Paths:
    """A 4 of two strokes that is open at the top, with a steep stem."""
    stem, across = generator.uniform(4, 6.5), generator.uniform(5, 6.8)
    low, high = generator.uniform(0.4, 2.5), generator.uniform(0, 1)
    corner = [(low, high), (0, across), (stem + generator.uniform(0.5, 2.5), across)]
    left = _jittered(corner, generator)
    if generator.random() < 0.4:
        left = rounded(left)
    top, lean = generator.uniform(-0.5, 3), generator.uniform(-1, 0.3)
    return [left, _jittered([(stem, top), (stem + lean, 10)], generator)]


def one_stroke_four(generator: np.random.Generator) -> Paths:
    """A 4 of one stroke: open at the top, or a triangle that the pen leaves to the right."""
    stem, across = generator.uniform(3.8, 5.5), generator.uniform(5, 6.5)
    lean = generator.uniform(-1, 0.5)
    if generator.random() < 0.5:
        corners = [(generator.uniform(0.4, 2), 0), (0, across), (stem, across)]
        corners += [(stem, generator.uniform(0, 2)), (stem + lean, 10)]
        path = _jittered(corners, generator)
        # The pen goes up along the stem and comes back: only the lower corner is round.
        round_part = rounded(path[:3]) if generator.random() < 0.4 else path[:3]
        return [np.concatenate([round_part, path[3:]])]
    right = stem + generator.uniform(1, 3)
    corners = [(stem + lean, 10), (stem, 0), (0, across), (right, across)]
    return [_jittered(corners, generator)]


def parted_five(generator: np.random.Generator) -> Paths:
    """A 5 whose bar floats above its body, does not touch it, or is shifted to the right."""
    width, waist = generator.uniform(5, 7.5), generator.uniform(3.5, 5)
    start = (generator.uniform(0.2, 1.5), 0.0)
    bow = [(0.6 * width, waist - 0.8), (width, waist + 0.5), (width, 9.3), (0.5 * width, 10.3)]
    bow = [(0.3, waist), *bow, (generator.uniform(-0.5, 0.5), generator.uniform(8.5, 9.5))]
    body = np.concatenate([_jittered([start], generator), rounded(_jittered(bow, generator))])
    gap, shift = generator.uniform(-0.2, 1.6), generator.uniform(0, 2)
    reach, rise = generator.uniform(3.5, 6), generator.normal(0.4, 0.4)
    bar = [(start[0] + shift, -gap), (start[0] + shift + reach, -gap - rise)]
    return [body, _jittered(bar, generator)]


def low_six(generator: np.random.Generator) -> Paths:
    """A 6 with a tall stem and a small loop at its foot."""
    width, height = generator.uniform(2.6, 4.8), generator.uniform(2.6, 4.2)
    stem = [(width * generator.uniform(0.5, 1.4), 0), (0.6, 3.5), (-0.3, 7.5)]
    loop = [(0.2, 10.4), (width, 10.4), (width, 10 - height), (0.4 * width, 9.8 - height)]
    return [rounded(_jittered([*stem, *loop, _loop_end(height, generator)], generator))]


def side_six(generator: np.random.Generator) -> Paths:
    """A 6 whose loop stands beside a nearly straight, leaning stem."""
    width, height = generator.uniform(3.5, 6), generator.uniform(3.2, 4.6)
    top = _jittered([(generator.uniform(2.5, 4.5), 0)], generator)
    loop = [(-0.2, 10.2), (width, 10.5), (width + 0.3, 9.8 - height), (0.4 * width, 9.6 - height)]
    path = _jittered([(0.4, 6.5), *loop, _loop_end(height, generator)], generator)
    return [np.concatenate([top, rounded(path)])]


def _loop_end(height: float, generator: np.random.Generator) -> tuple[float, float]:
    """Where the loop of a 6 meets its stem, or nearly does."""
    return generator.uniform(-0.6, 0.6), 10 - height * generator.uniform(0.4, 0.8)


def bowed_seven(generator: np.random.Generator) -> Paths:
    """A 7 drawn as one bow, without a corner."""
    width, foot = generator.uniform(5.5, 7.5), generator.uniform(1, 3)
    high = generator.uniform(-0.6, 0.2)
    corners = [(0, generator.uniform(0, 0.8)), (0.5 * width, high), (width, high), (width, 2.2)]
    return [rounded(_jittered([*corners, (0.45 * (width + foot), 5.5), (foot, 10)], generator))]


def short_seven(generator: np.random.Generator) -> Paths:
    """A 7 with a short, level top and a stem that runs to the left."""
    width = generator.uniform(3.6, 5)
    foot = width - generator.uniform(3, 4.5)
    # A start below the corner would make the top a 1's flag.
    return [_jittered([(0, generator.uniform(-0.8, 0)), (width, 0), (foot, 10)], generator)]


def open_eight(generator: np.random.Generator) -> Paths:
    """An 8 whose end does not come back to its start."""
    upper, lower = generator.uniform(2, 3.2), generator.uniform(2.6, 3.8)
    start = (0.9 * upper, generator.uniform(0.5, 1.8))
    first = [(0.2 * upper, -0.8), (-upper, -0.3), (-1.1 * upper, 3.4), (0, 4.8)]
    second = [(1.2 * lower, 6.5), (lower, 10.3), (-lower, 10.3), (-1.2 * lower, 6.8), (0, 5)]
    end = (generator.uniform(0.7, 1.3) * upper, generator.uniform(2.4, 3.4))
    return [rounded(_jittered([start, *first, *second, (0.6 * upper, 4), end], generator))]


def hooked_nine(generator: np.random.Generator) -> Paths:
    """A 9 as one hook, its loop nearly closed, its tail straight or hooked."""
    width, height = generator.uniform(3.8, 6), generator.uniform(4, 5.8)
    start = (width * generator.uniform(0.7, 1), generator.uniform(0.4, 1.4))
    loop = [(0.7 * width, -0.7), (-0.2, -0.4), (-0.3, height), (0.6 * width, height + 0.6)]
    rise = (width, generator.uniform(0.5, 2))
    lean = generator.uniform(-1.8, 0.3)
    tail = [(width + 0.5 * lean, 6.0), (width + lean, 10.0)]
    if generator.random() < 0.5:
        hook, end = width - generator.uniform(2, 4), generator.uniform(8.8, 9.8)
        tail = [(width, 7), (width - 0.5, 10.2), (hook, 10.4), (hook - 0.5, end)]
    # Nearly straight up, and back down over it: a corner, not a bow.
    up = rounded(_jittered([start, *loop, (0.95 * width, height - 1), rise], generator))
    return [np.concatenate([up, rounded(_jittered([rise, *tail], generator))[1:]])]


def _jittered(
    corners: Sequence[tuple[float, float]], generator: np.random.Generator
) -> NDArray[np.float64]:
    path = np.array(corners, np.float64)
    return path + generator.normal(0, JITTER, path.shape)
