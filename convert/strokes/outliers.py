"""Outliers: drawings that are no digits, made up at random, for models to learn to refuse.

What somebody would draw to see what happens, as far as nobody's digit looks like it. So there is no
ring (a zero), no upright line (a one), no wave or zigzag of few turns (a two, three or five), and
no spiral of few (a six or a nine).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from convert.strokes.glyphs import LETTERS, PICTURES
from convert.strokes.hand import SIZE, drawn, length, resampled
from edge_app.digits.labelled import LabelledDrawing

Strokes = list[NDArray[np.float64]]
"""A drawing: for each stroke its points or corners, float64 (points, 2), y down."""

FLATTEST = np.radians(20)
"""The most that a single line climbs or falls: turned and slanted, it is still no one."""
LEAST_TANGLE = 5.5
"""A scribble is longer than its extent by at least this many times; an 8 is by about 2.7."""


def draw_outliers(
    count: int, digits: Sequence[LabelledDrawing], generator: np.random.Generator
) -> list[Strokes]:
    """Draw what is no digit, each kind in turn.

    Args:
        count: how many drawings.
        digits: drawn digits, which pairs and crossed-out digits are made of; at least one.
        generator: decides everything else.

    Returns:
        ``count`` drawings, each a list of strokes, float64 (points, 2), y down, some 200 units
        high; a stroke of one point is a dot. The drawing at i is of the kind at i in
        :data:`KINDS`, taken round and round.
    """
    kinds = list(KINDS.values())
    return [kinds[number % len(kinds)](digits, generator) for number in range(count)]


def _dots(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """One to eight taps; or two or more small blots."""
    count = int(generator.integers(1, 9))
    places = generator.uniform(-1, 1, (count, 2))
    if count == 1 or generator.random() < 0.7:
        return [SIZE * place[None] for place in places]
    return [SIZE * (place + 0.05 * _tangle(12, generator)) for place in places]


def _lines(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """A flat line; or several lines, parallel or nearly, at any angle."""
    count = int(generator.choice([1, 1, 2, 2, 3, 4, 5]))
    angle = generator.uniform(-1, 1) * (FLATTEST if count == 1 else np.pi / 2)
    apart = generator.uniform(0.25, 0.7)
    ends = np.array([-1.0, 1.0]) + generator.normal(0, 0.12, (count, 2))
    lines = [
        np.array([(end, apart * number + generator.normal(0, 0.04)) for end in pair])
        for number, pair in enumerate(ends)
    ]
    return drawn([_turned(line, angle) for line in lines], generator)


def _scribbles(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """One or two tangles, round or jagged."""
    paths = []
    for _number in range(generator.integers(1, 3)):
        shape = _jags if generator.random() < 0.3 else _tangle
        paths.append(shape(100, generator) + generator.normal(0, 0.3, 2))
    return drawn(paths, generator)


def _hatchings(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """To and fro many times, in one direction or crosswise; or strokes apart."""
    angle = generator.uniform(-np.pi, np.pi)
    paths = [_turned(_zigzag(generator), angle)]
    if generator.random() < 0.35:
        paths.append(_turned(_zigzag(generator), angle + generator.uniform(0.8, 1.6)))
    if generator.random() < 0.25:
        paths = [path[i : i + 2] for path in paths for i in range(0, len(path) - 1, 2)]
    return drawn(paths, generator)


def _crosses(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """Two bars, or two of one bar, upright or leaning."""
    angle = generator.choice([0.0, np.pi / 4]) + generator.normal(0, 0.15)
    longer = np.exp(generator.uniform(-0.5, 0.5))
    across = np.array([(-1.0, 0.0), (1.0, 0.0)]) + generator.uniform(-0.3, 0.3, 2)
    down = longer * np.array([(0.0, -1.0), (0.0, 1.0)])
    paths = [across, down]
    if generator.random() < 0.2:
        paths.append(_moved(across, 0.0, generator.uniform(0.35, 0.6)))
    return drawn([_turned(path, angle) for path in paths], generator)


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
    corners = _box() * (1.0, np.exp(generator.uniform(-0.5, 0.5)))
    corners = corners + generator.normal(0, 0.05, corners.shape)
    cuts = [[], [2], [3], [1, 2, 3]][generator.integers(4)]
    starts, stops = [0, *cuts], [*cuts, 4]
    sides = [corners[i : j + 1] for i, j in zip(starts, stops, strict=True)]
    sides[-1] = sides[-1] + generator.normal(0, 0.04, 2)
    return drawn([*sides, *_content(generator)], generator)


def _content(generator: np.random.Generator) -> Strokes:
    """What stands in a box: often nothing. No single line or dot, which zeros and eights have."""
    upright, level = np.array([(0.0, -1.0), (0.0, 1.0)]), np.array([(-1.0, 0.0), (1.0, 0.0)])
    rising, falling = np.array([(-1.0, 1.0), (1.0, -1.0)]), np.array([(-1.0, -1.0), (1.0, 1.0)])
    contents: list[Strokes] = [
        [],
        [],
        [],
        [rising, falling],
        [upright, level],
        [_moved(upright, -0.3, 0.0), _moved(upright, 0.3, 0.0)],
        [0.5 * _box()],
        [0.6 * _circle(16)],
        [0.6 * rising, 0.6 * falling],
        [_moved(level, 0.0, -0.3), _moved(level, 0.0, 0.3)],
        [np.array([(-0.5, 0.0), (-0.1, 0.5), (0.7, -0.6)])],
        [0.6 * _tangle(40, generator)],
    ]
    return contents[generator.integers(len(contents))]


def _polygons(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """A triangle or a diamond, alone, twice, or with a line or a dot in it."""
    outline = _polygon(3, generator)
    if generator.random() < 0.4:
        outline = _turned(_box() * np.exp(generator.normal(0, 0.15, 2)), np.pi / 4)
    more: list[Strokes] = [
        [],
        [],
        [],
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
    path = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return drawn([path[:: generator.choice([-1, 1])]], generator)


def _waves(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """Across the paper: waves, loops, steps or points; sometimes twice."""
    periods = generator.uniform(2.5, 6)
    phase = np.linspace(0, 2 * np.pi * periods, 100) + generator.uniform(0, 2 * np.pi)
    height = generator.uniform(0.3, 1.2)
    kind = generator.integers(4)
    sine = np.sin(phase)
    down = [sine, sine, np.sign(sine), np.arcsin(sine)][kind] * height
    across = phase + (generator.uniform(1.5, 2.5) * np.cos(phase) if kind == 1 else 0)
    wave = _turned(np.stack([across, down * 2], axis=1), generator.uniform(-0.4, 0.4))
    if generator.random() < 0.3:
        return drawn([wave, _moved(wave, 0.0, generator.uniform(3, 5))], generator)
    return drawn([wave], generator)


def _arrows(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """Flat, with one head or two: up or down, a head is a one's flag or foot; aslant, a Y."""
    barb = generator.uniform(0.25, 0.45)
    head = np.array([(1 - barb, -0.8 * barb), (1.0, 0.0), (1 - barb, 0.8 * barb)])
    shaft = np.array([(-1.0, 0.0), (1.0, 0.0)])
    paths = [shaft, head]
    kind = generator.integers(4)
    if kind == 0:
        paths.append(head * (-1, 1))
    elif kind == 1:
        paths[1] = np.concatenate([head, head[:1]])
    elif kind == 2:
        paths = [np.concatenate([shaft, head])]
    angle = generator.choice([0.0, np.pi]) + generator.uniform(-0.12, 0.12)
    return drawn([_turned(path, angle) for path in paths], generator)


def _pictures(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    return drawn(PICTURES[generator.integers(len(PICTURES))], generator)


def _letters(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    return drawn(_letter(generator), generator)


def _words(_: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """Two or three letters side by side."""
    letters = [_letter(generator) for _number in range(generator.integers(2, 4))]
    return drawn(_side_by_side(letters, generator.uniform(0.1, 0.4)), generator)


def _numbers(digits: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """Two digits, sometimes three, touching or apart."""
    count = int(generator.choice([2, 2, 2, 2, 3]))
    chosen = [digits[i] for i in generator.integers(len(digits), size=count)]
    # A one that touches makes a stem: 01 a nine, 10 a six.
    least = 0.15 if any(digit.label == 1 for digit in chosen) else -0.03
    return _side_by_side([digit.strokes for digit in chosen], generator.uniform(least, 0.5))


def _spoiled(digits: Sequence[LabelledDrawing], generator: np.random.Generator) -> Strokes:
    """A digit that is boxed in, ringed, crossed out or scribbled over."""
    digit = digits[generator.integers(len(digits))]
    spoils = [
        ([_box()], 0.55),
        ([_box()[[0, 2]], _box()[[1, 3]]], 0.9),
        ([_zigzag(generator) * (1.0, generator.uniform(0.3, 0.8))], 0.9),
    ]
    if digit.label > 1:  # A one in a ring is a zero with a stroke through it, a zero is a zero.
        spoils.append(([_circle(40)], 0.5))
    spoil, size = spoils[generator.integers(len(spoils))]
    size *= SIZE * generator.uniform(0.8, 1.2)
    return [size * stroke for stroke in _fitted(digit.strokes)] + drawn(spoil, generator)


KINDS: dict[str, Callable[[Sequence[LabelledDrawing], np.random.Generator], Strokes]] = {
    "dots": _dots,
    "lines": _lines,
    "scribbles": _scribbles,
    "hatchings": _hatchings,
    "crosses": _crosses,
    "stars": _stars,
    "boxes": _boxes,
    "polygons": _polygons,
    "spirals": _spirals,
    "waves": _waves,
    "arrows": _arrows,
    "pictures": _pictures,
    "letters": _letters,
    "words": _words,
    "numbers": _numbers,
    "spoiled": _spoiled,
}
"""What draws one drawing of each kind; in the order of :func:`draw_outliers`."""


# Shapes: about 2 units across, around 0


def _box() -> NDArray[np.float64]:
    return np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0)])


def _circle(corners: int) -> NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi, corners)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _polygon(corners: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """A closed outline (corners + 1, 2), somewhat irregular, turned at random."""
    angle = 2 * np.pi * (np.arange(corners) + generator.normal(0, 0.08, corners)) / corners
    angle += generator.uniform(0, 2 * np.pi)
    radius = np.exp(generator.normal(0, 0.1, corners))
    outline = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
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


def _jags(points: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """As :func:`_tangle`, in straight lines to and fro."""
    corners = int(generator.integers(12, 22))
    return resampled(generator.uniform(-1, 1, (corners, 2)), points)


def _zigzag(generator: np.random.Generator) -> NDArray[np.float64]:
    """Down and up, rightwards, six times or more."""
    corners = int(generator.integers(7, 16))
    across = np.linspace(-1, 1, corners) * generator.uniform(0.6, 1.4)
    down = np.where(np.arange(corners) % 2, 1.0, -1.0)
    zigzag = np.stack([across, down], axis=1)
    return zigzag + generator.normal(0, 0.08, zigzag.shape)


def _rays(inner: float, count: int, generator: np.random.Generator) -> list[NDArray[np.float64]]:
    """Evenly spread lines from a radius outwards; from the centre, whole bars."""
    angle = np.pi * (2 * np.arange(count) / count) + generator.uniform(0, np.pi)
    tips = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    tips *= np.exp(generator.normal(0, 0.1, (count, 1)))
    if not inner:
        return [np.stack([tips[i], tips[i + count // 2]]) for i in range(count // 2)]
    return [np.stack([inner * tip, tip]) for tip in tips]


def _letter(generator: np.random.Generator) -> Strokes:
    return LETTERS[generator.integers(len(LETTERS))]


# Placing


def _turned(path: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Turned clockwise, as y points down."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return path @ np.array([[cosine, sine], [-sine, cosine]])


def _moved(path: NDArray[np.float64], across: float, down: float) -> NDArray[np.float64]:
    return path + np.array([across, down])


def _fitted(strokes: Strokes) -> Strokes:
    """Around 0, the longer side 1."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    size = float((high - low).max()) or 1.0
    return [(stroke - (low + high) / 2) / size for stroke in strokes]


def _side_by_side(drawings: Sequence[Strokes], gap: float) -> Strokes:
    """From left to right, of one size, ``gap`` apart in parts of that size."""
    edge, strokes = 0.0, []
    for drawing in map(_fitted, drawings):
        points = np.concatenate(drawing)
        left, right = points[:, 0].min(), points[:, 0].max()
        strokes += [SIZE * _moved(stroke, edge - left, 0.0) for stroke in drawing]
        edge += right - left + gap
    return strokes
