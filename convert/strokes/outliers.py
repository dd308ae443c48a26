"""Outliers: random drawings of non-digits, for models to learn to refuse.

They are what people might draw to see what happens, without anything that passes for a digit:
no ring (a zero), no upright line (a one), no wave or zigzag of few turns (a two, three or five) and
no spiral of few turns (a six or a nine).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from convert.strokes.geometry import Strokes, bounds, fitted, length, resampled, rounded, turned
from convert.strokes.glyphs import LETTERS, PICTURES
from convert.strokes.hand import SIZE, drawn
from edge_app.digits.labelled import LabelledDrawing

FLATTEST = np.radians(20)
"""The steepest a single line may be: turned and slanted, it still does not look like a one."""
SINGLE_DOT = 0.17
"""The fraction of the drawings of dots that are one dot: of all non-digits, a hundredth. To a model
every single dot is the same image, which it has to see often enough."""
LEAST_TANGLE = 5.5
"""A scribble is at least this many times as long as its extent; an 8 is about 2.7 times."""

_LEVEL, _UPRIGHT, _FALLING, _RISING = np.array(
    [[(-1, 0), (1, 0)], [(0, -1), (0, 1)], [(-1, -1), (1, 1)], [(-1, 1), (1, -1)]], np.float64
)
_ACROSS, _DOWN = np.eye(2)
_BOX = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)], np.float64)


def draw_outliers(
    count: int, digits: Sequence[LabelledDrawing], generator: np.random.Generator
) -> list[Strokes]:
    """Draw non-digits, cycling through :data:`KINDS` in their order.

    Args:
        count: how many drawings.
        digits: at least one drawn digit, to make numbers and spoiled digits of.
        generator: decides everything that is random.

    Returns:
        ``count`` drawings, each a list of strokes, float64 (points, 2), y down, about 200 units
        high; a stroke of one point is a dot.
    """
    kinds = list(KINDS.values())
    return [kinds[number % len(kinds)](digits, generator) for number in range(count)]


def _dots(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """One tap, or two to eight taps or small blots."""
    count = 1 if generator.random() < SINGLE_DOT else int(generator.integers(2, 9))
    places = generator.uniform(-1, 1, (count, 2))
    if count == 1 or generator.random() < 0.7:
        return [SIZE * place[None] for place in places]
    return [SIZE * (place + 0.05 * _tangle(12, generator)) for place in places]


def _lines(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """One flat line or dash, or several nearly parallel lines at any angle."""
    count = int(generator.choice([1, 1, 1, 2, 2, 3, 4, 5]))
    angle = generator.uniform(-1, 1) * (FLATTEST if count == 1 else np.pi / 2)
    apart = generator.uniform(0.25, 0.7)
    ends = np.array([-1.0, 1.0]) + generator.normal(0, 0.12, (count, 2))
    levels = apart * np.arange(count)[:, None] + generator.normal(0, 0.04, (count, 2))
    lines = np.stack([ends, levels], axis=2)
    return drawn([turned(line, angle) for line in lines], generator)


def _scribbles(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """One or two tangles, round or jagged."""
    paths = []
    for _number in range(generator.integers(1, 3)):
        path = _jags(generator) if generator.random() < 0.3 else _tangle(100, generator)
        paths.append(path + generator.normal(0, 0.3, 2))
    return drawn(paths, generator)


def _hatchings(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """Zigzags in one direction or crosswise, in one go or as separate strokes."""
    angle = generator.uniform(-np.pi, np.pi)
    paths = [turned(_zigzag(generator), angle)]
    if generator.random() < 0.35:
        paths.append(turned(_zigzag(generator), angle + generator.uniform(0.8, 1.6)))
    if generator.random() < 0.25:
        paths = [path[i : i + 2] for path in paths for i in range(0, len(path) - 1, 2)]
    return drawn(paths, generator)


def _crosses(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """Two or three bars, upright or leaning."""
    angle = generator.choice([0.0, np.pi / 4]) + generator.normal(0, 0.15)
    longer = np.exp(generator.uniform(-0.5, 0.5))
    across = _LEVEL + generator.uniform(-0.3, 0.3, 2)
    paths = [across, longer * _UPRIGHT]
    if generator.random() < 0.2:
        paths.append(across + generator.uniform(0.35, 0.6) * _DOWN)
    return drawn([turned(path, angle) for path in paths], generator)


def _stars(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """An asterisk, a star of one stroke that crosses itself, a star's outline, or a sun."""
    tips = int(generator.integers(5, 9))
    kind = generator.integers(4)
    if kind == 0:
        return drawn(_rays(0.0, int(generator.integers(3, 6)) * 2, generator), generator)
    if kind == 1:
        return drawn([_polygon(5, generator)[[0, 2, 4, 1, 3, 0]]], generator)
    if kind == 2:
        outline = _polygon(2 * tips, generator)
        outline[1::2] *= generator.uniform(0.35, 0.6)
        return drawn([outline], generator)
    inner = generator.uniform(0.4, 0.6)
    disc = inner * generator.uniform(0.7, 1) * _circle(24)
    return drawn([disc, *_rays(inner, tips, generator)], generator)


def _boxes(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """A box of one, two or four strokes, empty or with something in it."""
    corners = _BOX * (1.0, np.exp(generator.uniform(-0.5, 0.5)))
    corners = corners + generator.normal(0, 0.05, corners.shape)
    cuts = [[0, 4], [0, 2, 4], [0, 3, 4], [0, 1, 2, 3, 4]][generator.integers(4)]
    sides = [corners[i : j + 1] for i, j in pairwise(cuts)]
    sides[-1] = sides[-1] + generator.normal(0, 0.04, 2)
    return drawn([*sides, *_content(generator)], generator)


def _content(generator: np.random.Generator) -> Strokes:
    """What a box holds: often nothing, and never one line or dot, as in zeros and eights."""
    contents: list[Strokes] = [
        *([], [], []),
        [_RISING, _FALLING],
        [_UPRIGHT, _LEVEL],
        [_UPRIGHT - 0.3 * _ACROSS, _UPRIGHT + 0.3 * _ACROSS],
        [0.5 * _BOX],
        [0.6 * _circle(16)],
        [0.6 * _RISING, 0.6 * _FALLING],
        [_LEVEL - 0.3 * _DOWN, _LEVEL + 0.3 * _DOWN],
        [np.array([(-0.5, 0.0), (-0.1, 0.5), (0.7, -0.6)])],
        [0.6 * _tangle(40, generator)],
    ]
    return contents[generator.integers(len(contents))]


def _polygons(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """A triangle or a diamond: alone, twice, or with a line or a dot inside."""
    outline = _polygon(3, generator)
    if generator.random() < 0.4:
        outline = turned(_BOX * np.exp(generator.normal(0, 0.15, 2)), np.pi / 4)
    more: list[Strokes] = [
        *([], [], []),
        [outline * generator.uniform(0.4, 0.6)],
        [np.zeros((1, 2))],
        [np.stack([outline[0], outline[1:3].mean(axis=0)])],
        [outline + generator.uniform(0.6, 1.8, 2) * (1, 0.3)],
    ]
    return drawn([outline, *more[generator.integers(len(more))]], generator)


def _spirals(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """Two and a half turns or more, outwards or inwards, round or with corners."""
    turns = generator.uniform(2.5, 5)
    along = np.linspace(0, 1, 120)
    if generator.random() < 0.2:
        along = np.linspace(0, 1, int(4 * turns))
        turns = len(along) / 4
    angle = 2 * np.pi * turns * along * generator.choice([-1, 1]) + generator.uniform(0, 2 * np.pi)
    radius = generator.uniform(0, 0.15) + along ** generator.uniform(0.7, 1.3)
    path = radius[:, None] * _directions(angle)
    return drawn([path[:: generator.choice([-1, 1])]], generator)


def _waves(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """Waves, loops, steps or spikes across the paper, sometimes twice."""
    periods = generator.uniform(2.5, 6)
    phase = np.linspace(0, 2 * np.pi * periods, 100) + generator.uniform(0, 2 * np.pi)
    height = generator.uniform(0.3, 1.2)
    kind = generator.integers(4)
    sine = np.sin(phase)
    down = [sine, sine, np.sign(sine), np.arcsin(sine)][kind] * height
    across = phase + (generator.uniform(1.5, 2.5) * np.cos(phase) if kind == 1 else 0)
    wave = turned(np.stack([across, down * 2], axis=1), generator.uniform(-0.4, 0.4))
    again = [wave + generator.uniform(3, 5) * _DOWN] if generator.random() < 0.3 else []
    return drawn([wave, *again], generator)


def _arrows(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """With one or two heads, mostly level; both barbs are long, unlike a 1's flag or a 7's top."""
    barb = generator.uniform(0.25, 0.45)
    head = np.array([(1 - barb, -0.8 * barb), (1.0, 0.0), (1 - barb, 0.8 * barb)])
    bend = generator.uniform(-0.5, 0.5) if generator.random() < 0.3 else 0.0
    shaft = rounded(np.array([(-1.0, 0.0), (0.0, bend), (1.0, 0.0)])) if bend else _LEVEL
    paths = [shaft, head]
    kind = generator.integers(4)
    if kind == 0:
        paths.append(head * (-1, 1))
    elif kind == 1:
        paths[1] = np.concatenate([head, head[:1]])
    elif kind == 2:
        paths = [np.concatenate(paths)]
    # Two in three to the right or to the left, the others any of eight ways.
    angle = generator.choice([0.0, np.pi])
    if generator.random() < 1 / 3:
        angle = generator.integers(8) * np.pi / 4
    angle += generator.uniform(-0.12, 0.12)
    return drawn([turned(path, angle) for path in paths], generator)


def _ticks(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """A check mark: a short way down, a long way up to the right; sharp or round."""
    down = generator.uniform(0.35, 0.6)
    lowest = generator.uniform(0.25, 0.6), 0.0
    tick = np.array([(0.0, -down), lowest, (generator.uniform(1, 1.8), -generator.uniform(1, 1.6))])
    return drawn([rounded(tick) if generator.random() < 0.3 else tick], generator)


def _pictures(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    return drawn(PICTURES[generator.integers(len(PICTURES))], generator)


def _letters(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    return drawn(LETTERS[generator.integers(len(LETTERS))], generator)


def _words(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """Two or three letters side by side."""
    count = generator.integers(2, 4)
    letters = [LETTERS[generator.integers(len(LETTERS))] for _number in range(count)]
    return drawn(_side_by_side(letters, generator.uniform(0.1, 0.4)), generator)


def _numbers(digits: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """Two digits, sometimes three, touching or apart."""
    count = int(generator.choice([2, 2, 2, 2, 3]))
    chosen = [digits[i] for i in generator.integers(len(digits), size=count)]
    # A one that touches is a stem: 01 would look like a nine, 10 like a six.
    least = 0.15 if any(digit.label == 1 for digit in chosen) else -0.03
    return _side_by_side([digit.strokes for digit in chosen], generator.uniform(least, 0.5))


def _spoiled(digits: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """A digit boxed in, ringed, crossed out or scribbled over."""
    digit = digits[generator.integers(len(digits))]
    spoils = [
        ([_BOX], 0.55),
        ([_BOX[[0, 2]], _BOX[[1, 3]]], 0.9),
        ([_zigzag(generator) * (1.0, generator.uniform(0.3, 0.8))], 0.9),
    ]
    if digit.label > 1:  # A ringed one looks like a slashed zero, a ringed zero like a zero.
        spoils.append(([_circle(40)], 0.5))
    spoil, size = spoils[generator.integers(len(spoils))]
    size *= SIZE * generator.uniform(0.8, 1.2)
    return [size * stroke for stroke in fitted(digit.strokes)] + drawn(spoil, generator)


KINDS: dict[str, Callable[[Sequence[LabelledDrawing], np.random.Generator], Strokes]] = {
    kind.__name__.removeprefix("_"): kind
    for kind in (
        *(_dots, _lines, _scribbles, _hatchings, _crosses, _stars, _boxes, _polygons, _spirals),
        *(_waves, _arrows, _ticks, _pictures, _letters, _words, _numbers, _spoiled),
    )
}
"""For each kind the function that draws one, in the order of :func:`draw_outliers`."""


# Shapes: about 2 units across, centred on 0


def _directions(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """The points (N, 2) of the unit circle at N angles in radians."""
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _circle(corners: int) -> NDArray[np.float64]:
    return _directions(np.linspace(0, 2 * np.pi, corners))


def _polygon(corners: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """A closed outline (corners + 1, 2), somewhat irregular, turned at random."""
    angle = 2 * np.pi * (np.arange(corners) + generator.normal(0, 0.08, corners)) / corners
    angle += generator.uniform(0, 2 * np.pi)
    radius = np.exp(generator.normal(0, 0.1, corners))
    outline = radius[:, None] * _directions(angle)
    return np.concatenate([outline, outline[:1]])


def _tangle(points: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """A smooth walk (points, 2) that crosses itself many times."""
    at = np.linspace(0, 2 * np.pi, points)[:, None]
    while True:
        turns = generator.uniform(0.3, 5, (6, 2))
        waves = np.sin(at[:, :, None] * turns.T + generator.uniform(0, 2 * np.pi, (2, 6)))
        path = waves @ generator.uniform(0, 0.6, 6)
        if length(path) > LEAST_TANGLE * np.hypot(*np.ptp(path, axis=0)):
            return path


def _jags(generator: np.random.Generator) -> NDArray[np.float64]:
    """As :func:`_tangle`, with straight lines."""
    return resampled(generator.uniform(-1, 1, (generator.integers(12, 22), 2)), 100)


def _zigzag(generator: np.random.Generator) -> NDArray[np.float64]:
    """Down and up while moving right, six times or more."""
    corners = int(generator.integers(7, 16))
    across = np.linspace(-1, 1, corners) * generator.uniform(0.6, 1.4)
    down = np.where(np.arange(corners) % 2, 1.0, -1.0)
    zigzag = np.stack([across, down], axis=1)
    return zigzag + generator.normal(0, 0.08, zigzag.shape)


def _rays(inner: float, count: int, generator: np.random.Generator) -> list[NDArray[np.float64]]:
    """Evenly spread lines from a radius outwards; whole bars where the radius is 0."""
    angle = np.pi * (2 * np.arange(count) / count) + generator.uniform(0, np.pi)
    tips = _directions(angle) * np.exp(generator.normal(0, 0.1, (count, 1)))
    half = count // 2
    starts, ends = (inner * tips, tips) if inner else (tips[:half], tips[half:])
    return list(np.stack([starts, ends], axis=1))


def _side_by_side(drawings: Sequence[Strokes], gap: float) -> Strokes:
    """Drawings of one size from left to right, ``gap`` apart as a fraction of that size."""
    edge, strokes = 0.0, []
    for drawing in map(fitted, drawings):
        (left, _), (right, _) = bounds(drawing)
        strokes += [SIZE * (stroke + (edge - left) * _ACROSS) for stroke in drawing]
        edge += right - left + gap
    return strokes
