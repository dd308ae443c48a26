"""Normalization: a drawing or a picture of a digit -> the 28x28 image that the models see.

Training, serving and benchmarks all use this module, so that a model sees on the device exactly
what it was trained on. There are three normalizations:

``moments``
    The ink's centre of mass goes to the middle of the image, its slant is removed, and its standard
    deviations across and down are brought to fixed values. Source: R. G. Casey, "Moment
    normalization of handprinted characters", IBM J. Res. Dev. 14 (1970); C.-L. Liu, K. Nakashima,
    H. Sako, H. Fujisawa, "Handwritten digit recognition: investigation of normalization and feature
    extraction techniques", Pattern Recognition 37 (2004).
``bimoment``
    The same, and then each half of the ink, left and right, upper and lower, is brought nearer to
    the other half's size. The idea is the bi-moment normalization of Liu et al. (see above); the
    map is a gentler one (see :class:`Balance`).
``box``
    MNIST's own rule: the ink's bounding box is scaled to fit 20x20 pixels, keeping its aspect, and
    placed with its centre of mass in the middle of 28x28, or as near to it as keeps all ink inside.
    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
    recognition", Proc. IEEE 86 (1998).
    For models trained on MNIST as it was published.

Coordinates: x grows to the right, y grows downwards, and the pixel in row r and column c has its
centre at (x=c, y=r).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import isfinite, log, sqrt
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

Normalization = Literal["moments", "bimoment", "box"]
NORMALIZATIONS: tuple[Normalization, ...] = get_args(Normalization)
TREATMENTS: dict[Normalization, str] = {
    "moments": "centred, straightened and resized",
    "bimoment": "centred, straightened, resized and balanced",
    "box": "centred and resized",
}
"""What each does, in words."""

SIZE = 28
"""Height and width of a normalized image, in pixels."""
CENTRE = (SIZE - 1) / 2

SD_X, SD_Y = 4.4, 5.4
"""The ink's standard deviations across and down, in pixels, after ``moments``."""
_PER_PIXEL = 1 / np.array([[SD_X], [SD_Y]])
THINNEST = 0.3
"""Ink narrower or flatter than this part of its other side is scaled as if it were that wide: a 1
stays a 1, and a dash a dash."""
STEEPEST_SLANT = 1.0
"""The largest slant that is removed, in pixels across per pixel down."""

MOST_UNEVEN = 3.0
"""The ink of one half counts as at most so many times as large as the other half's."""
BALANCE = 1.0
"""How strongly ``bimoment`` evens out the halves: 0 not at all."""
BORDER = 0.25
"""Ink nearer to the centre than this belongs to both halves in parts. It is about the pen's radius,
in standard deviations."""

BOX = 20
"""The longer side of the ink's bounding box, in pixels, after ``box``."""
BOX_CENTRE = SIZE / 2
"""Where ``box`` puts the centre of mass, across and down: at pixel 14, as in MNIST."""

PEN_WIDTH = 2.4
"""Width of the round pen that draws strokes, in normalized pixels; MNIST's ink is about as wide."""
SPACING = 0.4
"""Distance between two dabs of that pen along a stroke, in pixels."""
MAX_DABS = 1300
"""A drawing that would need more dabs gets them farther apart, which bounds time and memory. So
many lie along 520 pixels, a line that could cover most of the image."""

WORKING_SIZE = 64
"""A larger picture is first averaged down to at most twice this many pixels per side."""

_PAD = 1
"""A rim of paper around a cropped picture, so that the warp fades ink out and does not cut it."""
_REACH = int(np.ceil(PEN_WIDTH / 2))
"""How many pixels a dab's ink reaches from the pixel that holds its centre: half a pixel more than
the pen's radius, from a point at most half a pixel off that pixel's centre."""
_WINDOW = np.arange(-_REACH, _REACH + 1, dtype=np.float32)[:, None]
_MARGIN = 2 * _REACH
"""Pixels around the image that take what a dab draws outside of it."""
_FARTHEST = SIZE / 2 + _REACH
"""Dabs this far from the centre, across or down, leave no ink in the image."""
_SIDE = SIZE + 2 * _MARGIN
_NOTHING_NEAR = np.full(_SIDE * _SIDE, np.inf, np.float32)
_WINDOW_PLACES = np.add.outer(
    np.arange(_MARGIN - _REACH, _MARGIN + _REACH + 1) * _SIDE,
    np.arange(_MARGIN - _REACH, _MARGIN + _REACH + 1),
).reshape(-1, 1)


Drawing = Sequence[NDArray[np.float64]] | NDArray[np.uint8]
"""A list of strokes, as :func:`rasterize` takes it, or a picture, as :func:`normalize` does."""


def views(
    drawing: Drawing, normalizations: Iterable[Normalization]
) -> dict[Normalization, NDArray[np.uint8]]:
    """What models see of one drawing: uint8 (28, 28) for each normalization."""
    if isinstance(drawing, np.ndarray):
        return {name: normalize(drawing, name) for name in normalizations}
    path = _path(drawing)
    return {name: _draw(path, name) for name in normalizations}


def stack(drawings: Iterable[Drawing], normalization: Normalization) -> NDArray[np.uint8]:
    """What models see of N drawings: uint8 (N, 28, 28); N may be 0."""
    images = [views(drawing, [normalization])[normalization] for drawing in drawings]
    return np.array(images, np.uint8).reshape(-1, SIZE, SIZE)


class Moments(NamedTuple):
    """Where the ink is: mean, variances and covariance, in pixels or the drawing's own unit."""

    x: float
    y: float
    xx: float
    yy: float
    xy: float


class Path(NamedTuple):
    """Strokes whose points lie about 0 in a bounding box whose longer side is 1."""

    points: NDArray[np.float64]
    """Those of all strokes, one after the other, float64 (2, N)."""
    bounds: NDArray[np.intp]
    """The indices of each stroke's first and last point, intp (2, S)."""
    moments: Moments
    width: float
    height: float
    x: float
    """The middle of the box, x and y, and the length of its longer side, as they were drawn."""
    y: float
    unit: float


class Frame(NamedTuple):
    """The map from a drawing's coordinates to the normalized image's:
    x' = CENTRE + scale_x * ((x - x0) - slant * (y - y0)) and y' = CENTRE + scale_y * (y - y0)."""

    x0: float
    y0: float
    slant: float
    scale_x: float
    scale_y: float


class Balance(NamedTuple):
    """The map of ``bimoment``, which comes after :class:`Frame`'s, for each axis on its own.

    With v a point's distance from the centre in standard deviations, v' = v / (1 + k v / (1 +
    |v|/2)). Let s be the ink's standard deviation about the centre on the side of the negative v,
    and t that on the other, with t / s kept between 1 / MOST_UNEVEN and MOST_UNEVEN; then
    k = BALANCE log3(t / s) / 2. Where the halves are equal, k is 0 and nothing moves. k is at most
    0.5, so that v' always grows with v.
    """

    x: float
    y: float


EVEN = Balance(0.0, 0.0)


class Placement(NamedTuple):
    """Where on a drawing its normalized image lies."""

    matrix: tuple[float, float, float, float, float, float]
    """The map from the image to the drawing where nothing is balanced: (a, b, c, d, e, f) as a
    browser's canvas takes it, x = a * x' + c * y' + e and y = b * x' + d * y' + f."""
    balance: Balance
    """What moves points of the image before that."""


def placement(strokes: Sequence[ArrayLike], normalization: Normalization) -> Placement:
    """Where on a drawing its normalized image lies.

    Args:
        strokes, normalization: see :func:`rasterize`; at least one point.

    Raises:
        ValueError: as :func:`rasterize`, or there are no points.
    """
    _check(normalization)
    path = _path(strokes)
    if path is None:
        raise ValueError("A drawing without points has no place.")
    frame, unit = _frame(path, normalization), path.unit
    step_x, step_y = unit / frame.scale_x, unit / frame.scale_y
    shear = frame.slant * step_y
    matrix = (
        step_x,
        0.0,
        shear,
        step_y,
        path.x + unit * frame.x0 - CENTRE * (step_x + shear),
        path.y + unit * frame.y0 - CENTRE * step_y,
    )
    if normalization != "bimoment":
        return Placement(matrix, EVEN)
    return Placement(matrix, _balance_of_lines(_deviations(_dabs(path, frame))))


def rasterize(
    strokes: Sequence[ArrayLike], normalization: Normalization = "bimoment"
) -> NDArray[np.uint8]:
    """Draw strokes, normalized first, with a round pen of MNIST's width.

    Moving or scaling the drawing, or drawing its strokes in another order, gives the same image.

    Args:
        strokes: each a list of points (x, y) or an array (points, 2): finite numbers, any scale,
            y down. A stroke of one point is a dot; an empty stroke is ignored.
        normalization: "moments", "bimoment" or "box".

    Returns:
        uint8 (28, 28), ink 255 on 0; all zeros if there are no points.

    Raises:
        ValueError: an unknown normalization, or a stroke that is not a list of finite (x, y).
    """
    return _draw(_path(strokes), normalization)


def normalize(image: ArrayLike, normalization: Normalization = "bimoment") -> NDArray[np.uint8]:
    """Normalize a picture of one digit.

    Args:
        image: uint8 (H, W), bright ink on a dark ground, of any size.
        normalization: "moments", "bimoment" or "box".

    Returns:
        uint8 (28, 28), the brightest ink 255, on 0; all zeros for a picture without ink.

    Raises:
        ValueError: an unknown normalization, or an image of another shape or dtype.
    """
    _check(normalization)
    pixels = np.asarray(image)
    if pixels.ndim != 2 or pixels.dtype != np.uint8:
        raise ValueError(
            f"An image of shape {pixels.shape} and dtype {pixels.dtype} was given; "
            "expected (height, width) and uint8, bright ink on dark."
        )
    rows, columns = pixels.any(axis=1).nonzero()[0], pixels.any(axis=0).nonzero()[0]
    if not len(rows):
        return np.zeros((SIZE, SIZE), np.uint8)
    ink = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if normalization == "box":
        placed = _fit(ink)
    elif normalization == "moments":
        placed = _warp(_reduce(ink))
    else:
        placed = _warp_balanced(_reduce(ink))
    return (placed * (255.0 / max(placed.max(), 1)) + 0.5).astype(np.uint8)


def _check(normalization: str) -> None:
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"Unknown normalization {normalization!r}; expected one of {', '.join(NORMALIZATIONS)}."
        )


def _moment_frame(moments: Moments) -> Frame:
    slant = moments.xy / moments.yy if moments.yy else 0.0
    slant = min(max(slant, -STEEPEST_SLANT), STEEPEST_SLANT)
    variance_x = moments.xx - 2 * slant * moments.xy + slant * slant * moments.yy
    sd_x, sd_y = sqrt(max(variance_x, 0.0)), sqrt(moments.yy)
    if not sd_x and not sd_y:  # A single dot has no size to scale.
        return Frame(moments.x, moments.y, 0.0, 1.0, 1.0)
    return Frame(
        moments.x,
        moments.y,
        slant,
        SD_X / max(sd_x, THINNEST * sd_y),
        SD_Y / max(sd_y, THINNEST * sd_x),
    )


def _box_start(centre: float, extent: float) -> float:
    """Where the box of the ink begins: its centre of mass in the middle, if that keeps it whole.

    Args:
        centre: of mass, in pixels from the box's first one.
        extent: the box's, in pixels.
    """
    return min(max(BOX_CENTRE - centre, 0.0), SIZE - extent)


def _box_frame(moments: Moments, width: float, height: float) -> Frame:
    """For points about 0 whose bounding box is so wide and high, the longer side being 1."""
    scale = BOX - PEN_WIDTH  # The pen's own width makes up the rest of the box.
    rim = PEN_WIDTH / 2 - 0.5  # From the centre of the box's first pixel to the first point.

    def middle(mean: float, side: float) -> float:
        start = _box_start((mean + side / 2) * scale + rim, side * scale + PEN_WIDTH)
        return (CENTRE - start - rim) / scale - side / 2

    return Frame(middle(moments.x, width), middle(moments.y, height), 0.0, scale, scale)


# Strokes


def _path(strokes: Sequence[ArrayLike]) -> Path | None:
    """The strokes as one path; None if they have no points."""
    lines = [line for line in (np.asarray(stroke, np.float64) for stroke in strokes) if line.size]
    if not lines:
        return None
    if any(line.ndim != 2 for line in lines) or lines[0].shape[1] != 2:
        raise ValueError("A stroke is not a list of points; expected points (x, y).")
    points = np.ascontiguousarray(np.concatenate(lines).T)
    ends = [*accumulate(map(len, lines))]
    bounds = np.array([[0, *ends[:-1]], [end - 1 for end in ends]])
    (left, top), (right, bottom) = points.min(axis=1).tolist(), points.max(axis=1).tolist()
    width, height = right - left, bottom - top
    if not isfinite(width + height):
        raise ValueError("A stroke has a coordinate that is not finite; expected points (x, y).")
    # Centred on 0 with a longer side of 1, the sums of squares are exact whatever the scale.
    x, y = (left + right) / 2, (top + bottom) / 2
    points[0] -= x
    points[1] -= y
    longer_side = max(width, height) or 1.0
    points /= longer_side
    moments = _line_moments(points, bounds[0])
    return Path(
        points, bounds, moments, width / longer_side, height / longer_side, x, y, longer_side
    )


def _line_moments(points: NDArray[np.float64], strokes: NDArray[np.intp]) -> Moments:
    """The exact moments of line segments, each weighted by its length.

    Args:
        points: those of all strokes, one after the other, float64 (2, N).
        strokes: where each stroke begins, intp (S,).
    """
    starts, halves = points[:, :-1], (points[:, 1:] - points[:, :-1]) / 2
    lengths = _lengths(halves, strokes)
    whole = lengths.sum()
    if not whole:  # Nothing but dots: each counts the same.
        starts = points[:, strokes]
        halves = np.zeros_like(starts)
        lengths = np.ones(len(strokes))
        whole = len(strokes)
    weights = lengths / whole
    middles = starts + halves
    mean = middles @ weights
    middles -= mean[:, None]
    # Along a segment, the mean of (d + t h)(d' + t h') for t in -1..1 is d d' + h h' / 3.
    (xx, xy), (_, yy) = (
        (middles * weights) @ middles.T + (halves * weights) @ halves.T / 3
    ).tolist()
    x, y = mean.tolist()
    return Moments(x, y, xx, yy, xy)


def _lengths(steps: NDArray[np.float64], strokes: NDArray[np.intp]) -> NDArray[np.float64]:
    """The lengths of the steps (2, N - 1) between points; 0 from one stroke to the next."""
    lengths: NDArray[np.float64] = np.hypot(steps[0], steps[1])
    if len(strokes) > 1:
        lengths[strokes[1:] - 1] = 0
    return lengths


def _frame(path: Path, normalization: Normalization) -> Frame:
    if normalization == "box":
        return _box_frame(path.moments, path.width, path.height)
    return _moment_frame(path.moments)


def _place(points: NDArray[np.float64], frame: Frame) -> NDArray[np.float64]:
    x, y = points
    y = y - frame.y0
    x = x - frame.x0 - frame.slant * y
    return np.array([x * frame.scale_x + CENTRE, y * frame.scale_y + CENTRE])


def _draw(path: Path | None, normalization: Normalization) -> NDArray[np.uint8]:
    """Ink is 255 within the pen's radius of a line, and fades to 0 over one pixel."""
    _check(normalization)
    if path is None:
        return np.zeros((SIZE, SIZE), np.uint8)
    frame = _frame(path, normalization)
    dabs = _dabs(path, frame)
    if normalization == "bimoment":
        v = _deviations(dabs)
        dabs = _balanced(v, _balance_of_lines(v)).astype(np.float32)
    if max(CENTRE - dabs.min(), dabs.max() - CENTRE) >= _FARTHEST:
        dabs = dabs[:, (np.abs(dabs - CENTRE) < _FARTHEST).all(axis=0)]
    cells = np.rint(dabs)
    offsets = (cells - dabs)[:, None, :] + _WINDOW
    offsets *= offsets
    squares = offsets[1, :, None, :] + offsets[0, None, :, :]
    columns, rows = cells.astype(np.intp)
    places = rows * _SIDE + columns + _WINDOW_PLACES
    nearest = _NOTHING_NEAR.copy()
    np.minimum.at(nearest, places.ravel(), squares.ravel())
    distance = np.sqrt(nearest.reshape(_SIDE, _SIDE)[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN])
    ink = np.minimum(np.maximum(PEN_WIDTH / 2 + 0.5 - distance, 0), 1)
    return (ink * 255 + 0.5).astype(np.uint8)


def _dabs(path: Path, frame: Frame) -> NDArray[np.float32]:
    """Evenly spaced points along every stroke in its frame, both ends included: float32 (2, N)."""
    points, bounds = _place(path.points, frame), path.bounds
    along = np.zeros(points.shape[1])
    _lengths(points[:, 1:] - points[:, :-1], bounds[0]).cumsum(out=along[1:])
    spacing = max(SPACING, along[-1] / MAX_DABS)
    # All strokes at once: one by one, a canvas full of dots takes thirty times as long.
    first, last = along[bounds]
    lengths = last - first
    # Rounding must not cost a dab where the length is a multiple of the spacing.
    gaps = (lengths / spacing + 1e-6).astype(np.intp) + 1
    counts = gaps + 1
    stops = counts.cumsum()
    starts, step = stops - counts, lengths / gaps
    number = np.arange(stops[-1])
    several = len(counts) > 1
    if several:
        number -= starts.repeat(counts)
        first, step = first.repeat(counts), step.repeat(counts)
    at = first + number * step
    at[-1] = along[-1]
    dabs = np.empty((2, len(at)), np.float32)
    for dab, line in zip(dabs, points, strict=True):
        dab[:] = np.interp(at, along, line)
        if several:  # One stroke's end is at the same place along the path as the next's start.
            dab[starts], dab[stops - 1] = line[bounds]
    return dabs


# Balance


def _deviations(places: NDArray[Any]) -> NDArray[np.float64]:
    """v of :class:`Balance`, (2, N), for places (2, N) of the image."""
    deviations: NDArray[np.float64] = (places - CENTRE) * _PER_PIXEL
    return deviations


def _balance(v: NDArray[np.float64], weights: NDArray[np.float64]) -> Balance:
    """The balance of ink at v (2, N) with weights (N,) whose sum is 1."""
    squares = v * v
    upper = np.minimum(np.maximum(v * (0.5 / BORDER), -0.5), 0.5) @ weights
    apart = np.copysign(squares, v) @ weights
    whole = squares @ weights
    return Balance(*map(_unevenness, whole.tolist(), apart.tolist(), upper.tolist()))


def _balance_of_lines(v: NDArray[np.float64]) -> Balance:
    """The balance of lines with evenly spaced dabs at v (2, N)."""
    count = v.shape[1]
    return _balance(v, np.full(count, 1 / count))


def _unevenness(variance: float, apart: float, share: float) -> float:
    """k of :class:`Balance` for an axis.

    Args:
        variance: the ink's, about the centre.
        apart: the part of it where v is positive less the part where v is negative.
        share: the part of the ink where v is positive, less one half.
    """
    above, below = variance + apart, variance - apart
    if min(above, below, 0.5 - share, 0.5 + share) <= 0:
        return 0.0
    ratio = sqrt(above / below * (0.5 - share) / (0.5 + share))
    return BALANCE * log(min(max(ratio, 1 / MOST_UNEVEN), MOST_UNEVEN), 3) / 2


def _balanced(v: NDArray[np.float64], balance: Balance) -> NDArray[np.float64]:
    """The places (2, N) of the image where :class:`Balance`'s map puts v (2, N)."""
    k = np.array(balance)[:, None]
    return v / (1 + k * v / (1 + np.abs(v) / 2)) / _PER_PIXEL + CENTRE


def _unbalanced(places: NDArray[np.float64], balance: Balance) -> NDArray[np.float64]:
    """The inverse, v: with w = |v| and c = k or -k, w (1 + w/2) = w' (1 + w/2 + c w), solved."""
    v = _deviations(places)
    far, side = np.abs(v), np.sign(v)
    half = 1 - far * (0.5 + side * np.array(balance)[:, None])
    return side * (np.sqrt(half * half + 2 * far) - half)


# Pictures


def _reduce(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Average a large picture down, since the warp looks at four pixels only."""
    factor = max(ink.shape) // WORKING_SIZE
    if factor < 2:
        return ink
    return np.asarray(Image.fromarray(ink).reduce(factor))


def _warp(ink: NDArray[np.uint8]) -> NDArray[np.float64]:
    frame = _moment_frame(_pixel_moments(ink))
    # Pillow takes the inverse map, in coordinates of pixels' corners, half a pixel off the centres.
    # x = x0 + (x' - CENTRE) / scale_x + slant * (y - y0), y = y0 + (y' - CENTRE) / scale_y.
    step_x, step_y = 1 / frame.scale_x, 1 / frame.scale_y
    shear = frame.slant * step_y
    middle = SIZE / 2
    inverse = (
        step_x,
        shear,
        frame.x0 + 0.5 + _PAD - middle * (step_x + shear),
        0.0,
        step_y,
        frame.y0 + 0.5 + _PAD - middle * step_y,
    )
    source = Image.fromarray(np.pad(ink, _PAD))
    warped = source.transform(
        (SIZE, SIZE), Image.Transform.AFFINE, inverse, Image.Resampling.BILINEAR
    )
    return np.asarray(warped, dtype=np.float64)


def _warp_balanced(ink: NDArray[np.uint8]) -> NDArray[np.float64]:
    frame = _moment_frame(_pixel_moments(ink))
    rows, columns = ink.nonzero()
    weights = ink[rows, columns] / (ink.sum(dtype=np.float64) or 1.0)
    v = _deviations(_place(np.array([columns, rows], np.float64), frame))
    pixels = np.tile(np.arange(SIZE, dtype=np.float64), (2, 1))
    across, down = _unbalanced(pixels, _balance(v, weights)) / _PER_PIXEL
    y = frame.y0 + (down / frame.scale_y)[:, None]
    return _sample(ink, frame.x0 + across / frame.scale_x + frame.slant * (y - frame.y0), y)


def _sample(
    ink: NDArray[np.uint8], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The ink at x and y, float64 of their common shape, between four pixels; 0 outside."""
    padded = np.pad(ink, _PAD).astype(np.float64)
    x = np.clip(x + _PAD, 0, padded.shape[1] - 1.001)
    y = np.clip(y + _PAD, 0, padded.shape[0] - 1.001)
    columns, rows = x.astype(np.intp), y.astype(np.intp)
    right, lower = x - columns, y - rows
    over = padded[rows, columns] * (1 - right) + padded[rows, columns + 1] * right
    under = padded[rows + 1, columns] * (1 - right) + padded[rows + 1, columns + 1] * right
    sampled: NDArray[np.float64] = over * (1 - lower) + under * lower
    return sampled


def _pixel_moments(ink: NDArray[np.uint8] | NDArray[np.float64]) -> Moments:
    # A few faint pixels of a large picture may have been averaged down to nothing.
    weights = ink / (ink.sum(dtype=np.float64) or 1.0)
    rows, columns = np.arange(ink.shape[0]), np.arange(ink.shape[1])
    across, down = weights.sum(axis=0), weights.sum(axis=1)
    x, y = float(across @ columns), float(down @ rows)
    dx, dy = columns - x, rows - y
    return Moments(x, y, float(across @ dx**2), float(down @ dy**2), float(dy @ weights @ dx))


def _fit(ink: NDArray[np.uint8]) -> NDArray[np.float64]:
    height, width = ink.shape
    scale = BOX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    fitted = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BOX), dtype=np.float64)
    moments = _pixel_moments(fitted)
    # By whole pixels, as MNIST was made, so that its images come out as they went in.
    top, left = round(_box_start(moments.y, size[1])), round(_box_start(moments.x, size[0]))
    placed = np.zeros((SIZE, SIZE))
    placed[top : top + fitted.shape[0], left : left + fitted.shape[1]] = fitted
    return placed
