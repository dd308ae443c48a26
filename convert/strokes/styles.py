"""Styles: a drawn digit as many people write it, and few of MNIST's and UCI's writers do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.strokes import handmade
from convert.strokes.geometry import Strokes, bounds, length, resampled, rounded

NARROW = 0.35
"""A 1 without a foot is narrower than this fraction of its height."""
STRAIGHT = 1.15
"""The ink of a 1 without a flag is at most this many times as long as its extent."""
CLOSED = 0.2
"""Ends of a stroke that are nearer than this fraction of the drawing's longer side meet."""


def slashed_zero(strokes: Strokes, generator: np.random.Generator) -> Strokes:
    """A slash, mostly from the upper right to the lower left, inside the ring or a bit beyond."""
    low, high = bounds(strokes)
    size = high - low
    reach = generator.uniform(0.35, 0.75)
    half = size * (1.3 * reach * generator.uniform(0.2, 0.6), -0.8 * reach)
    if generator.random() < 0.1:
        half = half * (-1, 1)
    middle = (low + high) / 2 + generator.normal(0, 0.04, 2) * size
    return [*strokes, np.stack([middle + half, middle - half])]


def struck_zero(strokes: Strokes, generator: np.random.Generator) -> Strokes:
    """A line well beyond the ring, or two side by side: upright, level or, mostly, aslant."""
    low, high = bounds(strokes)
    kind = generator.random()
    # From level, counterclockwise: a line that rises to the right has an angle below 90 degrees.
    degrees = generator.uniform(20, 75)
    if kind < 0.2:
        degrees = generator.normal(90, 5)
    elif kind < 0.4:
        degrees = generator.normal(5, 5)
    elif kind < 0.5:
        degrees = -degrees
    angle = np.radians(degrees)
    way, aside = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    # The ellipse in the ring's box reaches so far that way.
    width, height = np.maximum((high - low) / 2, 1e-9)
    radius = 1 / np.hypot(way[0] / width, way[1] / height)
    middle = (low + high) / 2 + generator.uniform(-0.06, 0.06, 2) * (high - low)
    if generator.random() < 0.7:
        return [*strokes, _line(middle, way, radius, generator)]
    half = 0.5 * generator.uniform(0.25, 0.6) * min(width, height)
    lines = [_line(middle + side * half * aside, way, radius, generator) for side in (-1, 1)]
    return [*strokes, *lines]


def _line(
    middle: NDArray[np.float64],
    way: NDArray[np.float64],
    radius: float,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Through the middle of a ring and, on both sides, beyond it."""
    before, after = radius * generator.uniform(1.2, 1.7, 2)
    return np.stack([middle + before * way, middle - after * way])


def flagged_one(
    strokes: Strokes, generator: np.random.Generator, *, foot: bool = False
) -> Strokes | None:
    """A flag from the top of a plain 1 down to the left, and perhaps a foot."""
    if not _is_line(strokes):
        return None
    flag = _flag(strokes, generator.uniform(0.12, 0.35), generator.uniform(0.5, 1.1))
    return [*strokes, flag, *([_foot(strokes, generator)] if foot else [])]


def long_flagged_one(strokes: Strokes, generator: np.random.Generator) -> Strokes:
    """A flag that comes down a third to two thirds of the stem; hand-made if the 1 has one."""
    if not _is_line(strokes):
        return handmade.made(handmade.flagged_one, generator)
    flag = _flag(strokes, generator.uniform(0.35, 0.7), generator.uniform(0.4, 0.75))
    return [*strokes, flag, *([_foot(strokes, generator)] if generator.random() < 0.35 else [])]


def footed_one(strokes: Strokes, generator: np.random.Generator) -> Strokes | None:
    """A bar under a 1 that has none."""
    return [*strokes, _foot(strokes, generator)] if _is_narrow(strokes) else None


def _is_narrow(strokes: Strokes) -> bool:
    width, height = np.ptp(np.concatenate(strokes), axis=0)
    return bool(width < NARROW * height)


def _is_line(strokes: Strokes) -> bool:
    """Whether a 1 has neither flag nor foot."""
    extent = np.hypot(*np.ptp(np.concatenate(strokes), axis=0))
    return _is_narrow(strokes) and sum(map(length, strokes)) < STRAIGHT * float(extent)


def _flag(strokes: Strokes, reach: float, angle: float) -> NDArray[np.float64]:
    """From the top down to the left: the reach in heights, the angle to the vertical in radians."""
    points = np.concatenate(strokes)
    top = points[points[:, 1].argmin()]
    reach *= np.ptp(points[:, 1])
    return np.stack([top, top + reach * np.array([-np.sin(angle), np.cos(angle)])])


def _foot(strokes: Strokes, generator: np.random.Generator) -> NDArray[np.float64]:
    points = np.concatenate(strokes)
    x, y = points[points[:, 1].argmax()]
    height = np.ptp(points[:, 1])
    reach = generator.uniform(0.12, 0.35) * height
    tilt = generator.normal(0, 0.03) * height
    return np.array([(x - reach, y + tilt), (x + reach * generator.uniform(0.7, 1.2), y - tilt)])


def parted_five(strokes: Strokes, generator: np.random.Generator) -> Strokes:
    """The bar a stroke of its own that floats, does not touch, or is shifted; else hand-made."""
    parts = _bar_and_body(strokes)
    if parts is None:
        return handmade.made(handmade.parted_five, generator)
    bar, body = parts
    low, high = bounds(strokes)
    size = high - low
    # Onto the body's top at least, so that none of them is crossed by its bar.
    lift = max(0.0, float(bar[:, 1].max() - body[:, 1].min())) * generator.uniform(0.5, 1)
    moved = bar + size * (generator.uniform(0, 0.2), -generator.uniform(0.02, 0.16)) - (0, lift)
    return [body, moved]


def _bar_and_body(strokes: Strokes) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """A 5's bar and the rest, cut at the upper left corner where they are one stroke."""
    low, high = bounds(strokes)
    size = high - low
    if not size.all():
        return None
    if len(strokes) == 1:
        path = resampled(strokes[0], 60)
        corner = int(((path - low) / size).sum(axis=1).argmin())
        parts = [path[: corner + 1], path[corner:]]
    else:
        parts = list(strokes)
    if len(parts) != 2 or min(map(len, parts)) < 2:
        return None
    bar, body = sorted(parts, key=lambda part: float(np.ptp(part[:, 1])))
    across, down = np.ptp(bar, axis=0) / size
    is_bar = across > 0.35 and down < 0.3 and bar[:, 1].max() < low[1] + 0.4 * size[1]
    return (bar, body) if is_bar and np.ptp(body[:, 1]) > 0.6 * size[1] else None


def barred_seven(strokes: Strokes, generator: np.random.Generator) -> Strokes | None:
    """A bar across the stem of a plain 7."""
    if len(strokes) != 1:
        return None
    points = resampled(strokes[0], 60)
    low, high = bounds(strokes)
    width, height = high - low
    level = low[1] + height * generator.uniform(0.4, 0.6)
    x, y = points[np.abs(points[:, 1] - level).argmin()]
    reach = generator.uniform(0.2, 0.4) * max(width, 0.4 * height)
    tilt = generator.normal(0, 0.2) * reach
    bar = np.array([(x - reach, y + tilt), (x + reach * generator.uniform(0.7, 1.2), y - tilt)])
    return [*strokes, bar]


def bowed_seven(strokes: Strokes, generator: np.random.Generator) -> Strokes:
    """A 7 of one stroke with its corner rounded off; hand-made in place of others."""
    if len(strokes) != 1 or length(strokes[0]) == 0 or generator.random() < 0.5:
        return handmade.made(handmade.bowed_seven, generator)
    return [rounded(resampled(strokes[0], int(generator.integers(5, 8))))]


def open_eight(strokes: Strokes, generator: np.random.Generator) -> Strokes:
    """An 8 of one stroke from its top, whose ends no longer meet; hand-made in place of others."""
    low, high = bounds(strokes)
    size = float((high - low).max())
    path = strokes[0]
    ends = path[[0, -1]]
    meet = np.hypot(*(ends[0] - ends[1])) < CLOSED * size and (ends < (low + high) / 2)[:, 1].all()
    if len(strokes) != 1 or not meet or length(path) < 2 * size:
        return handmade.made(handmade.open_eight, generator)
    gap = int(generator.integers(4, 9))
    first = int(generator.integers(gap + 1))
    return [resampled(path, 100)[first : 100 + first - gap]]


def by_hand(
    _: Strokes,
    generator: np.random.Generator,
    *,
    shape: Callable[[np.random.Generator], handmade.Paths],
) -> Strokes:
    """A hand-made digit in place of the drawn one."""
    return handmade.made(shape, generator)


class Style(NamedTuple):
    """A way in which some people write a digit."""

    digit: int
    chance: float
    """The fraction of this digit's drawings that get this style."""
    change: Callable[[Strokes, np.random.Generator], Strokes | None]
    """Restyles a drawing of the digit; None where it is not written in a way that allows it."""


STYLES: dict[str, Style] = {
    "slashed zero": Style(0, 0.07, slashed_zero),
    "struck zero": Style(0, 0.09, struck_zero),
    "flagged one": Style(1, 0.12, flagged_one),
    "flagged and footed one": Style(1, 0.08, partial(flagged_one, foot=True)),
    "footed one": Style(1, 0.06, footed_one),
    "long-flagged one": Style(1, 0.09, long_flagged_one),
    "flat three": Style(3, 0.08, partial(by_hand, shape=handmade.flat_three)),
    "open four": Style(4, 0.06, partial(by_hand, shape=handmade.open_four)),
    "one-stroke four": Style(4, 0.06, partial(by_hand, shape=handmade.one_stroke_four)),
    "parted five": Style(5, 0.15, parted_five),
    "low six": Style(6, 0.06, partial(by_hand, shape=handmade.low_six)),
    "side six": Style(6, 0.06, partial(by_hand, shape=handmade.side_six)),
    "barred seven": Style(7, 0.15, barred_seven),
    "bowed seven": Style(7, 0.07, bowed_seven),
    "short seven": Style(7, 0.05, partial(by_hand, shape=handmade.short_seven)),
    "open eight": Style(8, 0.1, open_eight),
    "hooked nine": Style(9, 0.1, partial(by_hand, shape=handmade.hooked_nine)),
}
"""All styles by name. Without one of them, its digits stay as they are and the others' chances the
same."""


def restyled(strokes: Strokes, digit: int, generator: np.random.Generator) -> Strokes:
    """The digit, sometimes in another style: mostly the very same strokes."""
    chance = generator.random()
    for style in STYLES.values():
        if style.digit == digit:
            chance -= style.chance
            if chance < 0:
                return style.change(strokes, generator) or strokes
    return strokes
