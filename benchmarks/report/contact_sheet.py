"""The contact sheet: the digits that a variant reads otherwise than the original, as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.drift.drift import Flip

MOST = 49
"""Cells on a sheet; the rest is told as a number."""
COLUMNS = 7
"""As many as the report's page is wide."""
ZOOM = 4
"""Screen pixels to a pixel of the image."""
DIGIT = 28 * ZOOM
GAP = 12
LINE = 17
"""Height of a line of words."""
FONT_SIZE = 13
CELL_WIDTH, CELL_HEIGHT = DIGIT + GAP, DIGIT + 3 * LINE + GAP

# A ground of its own: the sheet reads the same on a white page and on a dark one.
GROUND, WORDS, RIGHT, WRONG = "#f6f6f4", "#222222", "#00603c", "#b3001b"


def contact_sheet(images: NDArray[np.uint8], flips: Sequence[Flip], variant: str) -> bytes:
    """Draw flipped digits, those that turned wrong first, then those that turned right.

    A cell is the image as the model sees it, dark ink on white, its label, and both answers with
    their probabilities; wrong answers are red. At most ``MOST`` cells, and the number of the
    others.

    Args:
        images: the set's, uint8 (N, 28, 28), normalized, ink 255 on 0.
        flips: at least one, as :class:`benchmarks.drift.drift.Drift` has them.
        variant: its name: "int8".

    Returns:
        A PNG file.

    Raises:
        ValueError: there are no flips.
    """
    if not flips:
        raise ValueError("no flips were given; expected at least one")
    shown = sorted(flips, key=_order)[:MOST]
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    more = len(flips) - len(shown)
    width = columns * CELL_WIDTH + GAP
    height = rows * CELL_HEIGHT + GAP + (LINE if more else 0)
    sheet = Image.new("RGB", (width, height), GROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(FONT_SIZE)
    for number, flip in enumerate(shown):
        row, column = divmod(number, columns)
        left, top = GAP + column * CELL_WIDTH, GAP + row * CELL_HEIGHT
        sheet.paste(_enlarge(images[flip.index]), (left, top))
        draw.rectangle((left - 1, top - 1, left + DIGIT, top + DIGIT), outline="#999999")
        for line, (words, colour) in enumerate(_words(flip, variant)):
            draw.text((left, top + DIGIT + 2 + line * LINE), words, colour, font)
    if more:
        draw.text((GAP, height - LINE - 4), f"and {more:,} more", WORDS, font)
    file = io.BytesIO()
    sheet.save(file, "PNG", optimize=True)
    return file.getvalue()


def _order(flip: Flip) -> tuple[int, int]:
    """To wrong, to right, wrong either way; each in the set's order."""
    return (
        0 if flip.original == flip.label else 1 if flip.variant == flip.label else 2
    ), flip.index


def _enlarge(image: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(255 - image).resize((DIGIT, DIGIT), Image.Resampling.NEAREST)


def _words(flip: Flip, variant: str) -> list[tuple[str, str]]:
    return [
        (f"a {flip.label}", WORDS),
        *(
            (f"{name}: {digit} ({probability:.0%})", RIGHT if digit == flip.label else WRONG)
            for name, digit, probability in (
                ("original", flip.original, flip.original_probability),
                (variant, flip.variant, flip.variant_probability),
            )
        ),
    ]
