"""The contact sheet: a picture of the digits that a variant reads differently from the original."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.drift.drift import Flip

MOST = 49  # Cells on a sheet; of the rest only the number is shown.
COLUMNS = 7  # As many as fit the width of the HTML page.
ZOOM = 4  # Screen pixels to a pixel of the image.
DIGIT = 28 * ZOOM
GAP = 12
LINE = 17  # Height of a line of text.
FONT_SIZE = 13
CELL_WIDTH, CELL_HEIGHT = DIGIT + GAP, DIGIT + 3 * LINE + GAP

# A background of its own, so that it can be read on light and dark pages.
GROUND, WORDS, RIGHT, WRONG = "#f6f6f4", "#222222", "#00603c", "#b3001b"


def contact_sheet(images: NDArray[np.uint8], flips: Sequence[Flip], variant: str) -> bytes:
    """Draw flipped digits: first those that turned wrong, then those that turned right.

    A cell shows the image as the model sees it, dark on white, its label, and both answers with
    their probabilities, wrong ones in red. There are at most ``MOST`` cells.

    Args:
        images: the labelled set, uint8 (N, 28, 28), normalized, ink 255 on 0.
        flips: at least one, from :class:`benchmarks.drift.drift.Drift`.
        variant: the variant's name: "int8".

    Returns:
        A PNG file.
    """
    # Turned wrong, turned right, wrong both times; False comes before True.
    shown = sorted(flips, key=lambda f: (f.original != f.label, f.variant != f.label, f.index))
    shown = shown[:MOST]
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
        image = Image.fromarray(255 - images[flip.index])
        sheet.paste(image.resize((DIGIT, DIGIT), Image.Resampling.NEAREST), (left, top))
        draw.rectangle((left - 1, top - 1, left + DIGIT, top + DIGIT), outline="#999999")
        for line, (words, colour) in enumerate(_words(flip, variant)):
            draw.text((left, top + DIGIT + 2 + line * LINE), words, colour, font)
    if more:
        draw.text((GAP, height - LINE - 4), f"and {more:,} more", WORDS, font)
    file = io.BytesIO()
    sheet.save(file, "PNG", optimize=True)
    return file.getvalue()


def _words(flip: Flip, variant: str) -> list[tuple[str, str]]:
    words = [(f"a {flip.label}", WORDS)]
    for name, digit, probability in (
        ("original", flip.original, flip.original_probability),
        (variant, flip.variant, flip.variant_probability),
    ):
        colour = RIGHT if digit == flip.label else WRONG
        words.append((f"{name}: {digit} ({probability:.0%})", colour))
    return words
