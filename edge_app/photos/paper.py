"""Paper: how much darker than the sheet under it each pixel of a photo is.

The sheet is brighter than what is on it. Its brightness changes slowly, with the light, and at the
edges of shadows; a pen's line is narrow. So the sheet is what is left of the photo once everything
narrow and dark has been filled in (a closing; J. Serra, "Image analysis and mathematical
morphology", 1982). Printed lines run across the whole sheet, straight but for the camera's
perspective: the photo is warped until they lie along its rows, where the median of a row is the
line's own darkness, whatever has been written on it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_app.photos.components import components

FINEST = 256
"""The sheet's brightness is looked at in a picture whose longer side has about this many pixels."""
WIDEST = 0.09
"""Everything narrower is filled in: the widest line of a pen, in parts of the longer side."""
BRIGHTEST = 250
"""A sheet is at most this bright, of 255: a camera's white may have lost what is on it."""
DARKEST = 0.35
"""What is darker than this part of the brightest sheet is something else, such as a table."""
TINTED, FADED = 0.045, 0.5
"""A finger's share of red in red, green and blue is larger than the sheet's by more than the first,
and at its edges by this part of it."""
BESIDE = 4
"""What is so close to it, in pixels of the small picture, is its own edge or shadow."""

STEEPEST = 0.27
"""The largest slope of printed lines against the picture's rows or columns."""
COARSE, FINE = 0.018, (0.02, 0.01, 0.005, 0.0025)
"""Steps of the search for their slopes."""
STRIDE = 3
"""In the search, one in this many columns is looked at."""
MOST_STEPS = 4
"""Of each of the finer ones, at most."""
FAINTEST, STRONGEST = 0.02, 0.6
"""How dark printed lines are."""
MOST = 0.7
"""A row is a printed line if at least this part of it is dark: a digit's line is shorter."""
NEAR = 3
"""Something may be left of a line in so many rows beside it."""
WHOLE, SHORTEST = 0.8, 0.05
"""Of lines that tell the slopes, at least this part of the picture's width is seen, and of those
that are taken away, such as in a corner."""
PALE, PAPER, OUTSIDE = 85, 254, 255
"""In bytes, what counts of a dark line, ``STRONGEST``, and what is outside of the picture."""

_MOVES = [(top, bottom) for top in (-1, 0, 1) for bottom in (-1, 0, 1) if top or bottom]

Grey = NDArray[np.float32]


class Slopes(NamedTuple):
    """How lines that run nearly along the rows climb, per pixel: they change evenly from row to
    row, as in perspective."""

    top: float
    bottom: float


def darkness(photo: Image.Image) -> tuple[Grey, Grey]:
    """What is on the sheet, without printed lines.

    Args:
        photo: of mode "L" or "RGB".

    Returns:
        Two arrays, float32 (height, width). The first is the darkness of what is on the sheet:
        0 where there is only the sheet, up to 1 for what reflects no light; negative where noise
        made a pixel brighter than the sheet. Infinite where there is no sheet: under a finger, or
        beside the sheet. The second is how dark the printed lines nearby were: something may be
        left of them.
    """
    dark, foreign = _on_sheet(photo)
    printed = np.zeros_like(dark)
    _lift(dark, printed)
    _lift(dark.T, printed.T)
    dark[foreign] = np.inf
    return dark, printed


def _on_sheet(photo: Image.Image) -> tuple[Grey, NDArray[np.bool_]]:
    """How much darker than the sheet each pixel is, and where there is no sheet."""
    grey = photo if photo.mode == "L" else photo.convert("L")
    factor = max(1, round(max(photo.size) / FINEST))
    small = photo.reduce(factor)
    reach = round(WIDEST * max(small.size)) // 2
    filled = _closed(np.asarray(small), reach)
    sheet = filled if filled.ndim == 2 else np.asarray(Image.fromarray(filled).convert("L"))
    foreign = sheet < DARKEST * np.percentile(sheet, 95)
    if filled.ndim == 3:
        foreign |= _finger(np.asarray(small))
    foreign = _largest(foreign, BESIDE)
    smooth = _largest(np.minimum(sheet, BRIGHTEST), 0)
    # Each small pixel stands for its block: the blocks' middles stay where they are.
    size = (small.size[0] * factor, small.size[1] * factor)
    under = Image.fromarray(smooth).resize(size, Image.Resampling.BILINEAR)
    beside = Image.fromarray(foreign).resize(size, Image.Resampling.NEAREST)
    width, height = grey.size
    dark = np.asarray(grey, np.float32) / np.maximum(
        np.asarray(under, np.float32)[:height, :width], 1
    )
    np.subtract(1, dark, out=dark)
    return dark, np.asarray(beside)[:height, :width]


def _finger(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What is redder than the sheet, wider than a printed line, and comes from the edge."""
    shares = picture[..., 0] / np.maximum(picture.sum(axis=2, dtype=np.float32), 1)
    tint = -_largest(np.median(shares) - shares, 1)
    parts = components(tint > FADED * TINTED, tint)
    left, top, right, bottom = parts.boxes.T
    height, width = tint.shape
    within = (np.minimum(left, top) > 1) & (right < width - 1) & (bottom < height - 1)
    return np.isin(parts.labels, ((parts.peaks > TINTED) & ~within).nonzero()[0])


def _closed(picture: NDArray[np.uint8], reach: int) -> NDArray[np.uint8]:
    """The picture without what is dark and narrower than 2 * reach + 1 pixels."""
    inverse: NDArray[np.uint8] = np.invert(_largest(picture, reach))
    return np.invert(_largest(inverse, reach))


def _largest(picture: NDArray[Any], reach: int, axes: tuple[int, ...] = (0, 1)) -> NDArray[Any]:
    """The largest value within a square, or along one axis, about each pixel of a picture, (height,
    width) or with channels."""
    for axis in axes:
        done = 0
        while done < reach:  # Twice the reach with each step.
            step = min(done + 1, reach - done)
            ahead = [slice(None)] * picture.ndim
            behind = ahead.copy()
            ahead[axis], behind[axis] = slice(step, None), slice(None, -step)
            wider = picture.copy()
            np.maximum(wider[tuple(behind)], picture[tuple(ahead)], out=wider[tuple(behind)])
            np.maximum(wider[tuple(ahead)], picture[tuple(behind)], out=wider[tuple(ahead)])
            picture, done = wider, done + step
    return picture


# Printed lines


def _lift(dark: Grey, printed: Grey) -> None:
    """Take away lines that run nearly along the rows, and add them to those printed; in place."""
    grey = (np.clip(dark, 0, STRONGEST) * (PAPER / STRONGEST)).astype(np.uint8)
    slopes = _slopes(grey)
    height, width = dark.shape
    # Lines that cross a corner have their middle outside.
    outside = round(max(map(abs, slopes)) * width / 2)
    # Three rows thick, a line that is bent by a pixel is still one.
    straight = _straightened(_largest(grey, 1, axes=(0,)), slopes, outside)
    profile = _profile(straight, SHORTEST) * np.float32(STRONGEST / PAPER)
    profile -= np.median(profile)
    profile[profile < FAINTEST] = 0
    if not profile.any():
        return
    quarters, whole = np.arange(4 * len(profile)) / 4, np.arange(len(profile))
    fine = np.interp(quarters, whole, profile).astype(np.float32)
    near = _largest(profile[:, None], NEAR)[:, 0].repeat(4)
    # The row of the straight picture that shows the pixel at x and y; see _straightened.
    x = np.arange(width, dtype=np.float32) - width // 2
    y = np.arange(height, dtype=np.float32)[:, None]
    rows = 4 * (y - slopes.top * x) / (1 + (slopes.bottom - slopes.top) / height * x) + 0.5
    rows += 4 * outside
    places = np.clip(rows, 0, len(fine) - 1).astype(np.intp)
    dark -= 1
    dark *= (1 / (1 - fine))[places]
    dark += 1
    np.maximum(printed, near[places], out=printed)


def _profile(straight: NDArray[np.uint8], part: float) -> NDArray[np.float32]:
    """What most of each row is at least as dark as, float32 (rows,), 0 to ``PAPER``; 0 for a row of
    which the picture has less than this part."""
    greys = np.sort(straight, axis=1, kind="stable")
    known = (greys < OUTSIDE).sum(axis=1)
    profile = greys[np.arange(len(greys)), (known * (1 - MOST)).astype(np.intp)].astype(np.float32)
    profile[known < part * greys.shape[1]] = 0
    return profile


def _slopes(grey: NDArray[np.uint8]) -> Slopes:
    """The slopes for which the rows of the straight picture differ most."""
    image = Image.fromarray(grey)
    # Many faint lines tell more than the long stroke of a 1.
    reduced = image.reduce(max(1, round(max(image.size) / FINEST)))
    small = np.minimum(np.asarray(reduced), np.uint8(PALE))
    thick = _largest(small, 1)
    # Some of the columns tell as much as all; between them, lines climb by as many times as much.
    small, thick = (np.ascontiguousarray(each[:, ::STRIDE]) for each in (small, thick))
    half = (len(thick) + 1) // 2
    found = []
    for part in (thick[:half], thick[-half:]):
        tried = np.arange(-STEEPEST, STEEPEST, COARSE) * STRIDE
        scores = [_score(part, Slopes(each, each)) for each in tried]
        found.append(float(tried[int(np.argmax(scores))]))
    # Those were the slopes in the middles of the halves.
    upper, lower = found
    best = Slopes(1.5 * upper - 0.5 * lower, 1.5 * lower - 0.5 * upper)
    for step, picture in zip(FINE, (thick, thick, small, small), strict=True):
        best = _climb(picture, best, step * STRIDE)
    return Slopes(best.top / STRIDE, best.bottom / STRIDE)


def _climb(grey: NDArray[np.uint8], start: Slopes, step: float) -> Slopes:
    """The best slopes that few steps lead to."""
    best, score = start, _score(grey, start)
    for _ in range(MOST_STEPS):
        at = best
        for top, bottom in _MOVES:
            slopes = Slopes(at.top + top * step, at.bottom + bottom * step)
            if (reached := _score(grey, slopes)) > score:
                best, score = slopes, reached
        if best is at:
            break
    return best


def _score(grey: NDArray[np.uint8], slopes: Slopes) -> float:
    """How much darker than most rows some are in the straight picture."""
    profile = _profile(_straightened(grey, slopes), WHOLE)
    profile -= np.median(profile)
    return float((np.maximum(profile, 0) ** 2).sum())


def _straightened(grey: NDArray[np.uint8], slopes: Slopes, outside: int = 0) -> NDArray[np.uint8]:
    """The picture with lines along its rows: row y' and column x show what is at x and
    y = y' + slope(y') * (x - width // 2). The slope goes evenly from the top to the bottom,
    and on to so many rows above and below."""
    height, width = grey.shape
    padded = np.pad(grey, ((1, 1), (0, 0)), constant_values=OUTSIDE)
    rows = np.arange(-outside, height + outside, dtype=np.float32)[:, None]
    slope = slopes.top + (slopes.bottom - slopes.top) / height * rows
    from_row = slope * (np.arange(width, dtype=np.float32) - width // 2)
    from_row += rows + 1.5  # Rounds, and counts the row above.
    places = np.clip(from_row, 0, height + 1).astype(np.int32)
    places *= width
    places += np.arange(width, dtype=np.int32)
    return padded.ravel().take(places)
