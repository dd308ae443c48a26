"""Photos of digits on paper, made from strokes: every picture follows from its seed.

Strokes are drawn with a pen onto a sheet, the sheet is seen under an angle and in uneven light, and
the camera adds blur, noise and JPEG's blocks. Lengths are in millimetres on the sheet until the
camera sees it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Paper = Literal["plain", "ruled", "squared"]
Pen = Literal["pencil", "ballpoint", "felt-tip"]
PAPERS: tuple[Paper, ...] = get_args(Paper)
PENS: tuple[Pen, ...] = get_args(Pen)

MOST = 47_000
"""The most bytes that the page sends of a photo, before base64."""
_FINE = 3
"""Lines are drawn this many times as large."""

Strokes = Sequence[NDArray[np.float64]]
Box = tuple[float, float, float, float]
"""Left, top, width and height in parts of the picture."""


class Photo(NamedTuple):
    """A picture of a sheet."""

    jpeg: bytes
    boxes: list[Box]
    """Where the digits are, in the order in which they were given."""

    @property
    def text(self) -> str:
        """In base64."""
        return base64.b64encode(self.jpeg).decode()


class _View(NamedTuple):
    """How the camera sees the sheet."""

    size: tuple[int, int]
    """Width and height in pixels."""
    scale: float
    """Pixels per millimetre in the middle."""
    matrix: NDArray[np.float64]
    """From millimetres, from the middle of the sheet, to pixels: a homography (3, 3)."""

    def see(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels (N, 2) of points (N, 2)."""
        x, y, w = self.matrix @ np.vstack([points.T, np.ones(len(points))])
        return np.stack([x / w, y / w], axis=1)


class _Ink(NamedTuple):
    width: float
    """In millimetres."""
    colour: tuple[float, float, float]
    """What is left of the light: red, green, blue."""
    grain: float
    """How much the ink's strength varies from pixel to pixel."""


def photograph(
    digits: Sequence[Strokes],
    seed: int,
    paper: Paper = "plain",
    pen: Pen = "ballpoint",
    *,
    columns: int = 1,
    finger: bool | None = None,
) -> Photo:
    """Take a photo of digits on a sheet.

    Args:
        digits: the strokes of each, y down, in any scale; none for an empty sheet.
        seed: chooses all that is not given.
        paper: what is printed on it.
        pen: what it is drawn with.
        columns: how many digits stand in a row.
        finger: whether one lies in a corner; None leaves that to the seed.
    """
    random = np.random.default_rng(seed)
    rows = max(1, -(-len(digits) // columns))
    size = (1024, 768) if random.random() < 0.6 else (768, 1024)
    height = _height(random, pen, columns, rows)  # Of a digit, in millimetres.
    # A digit takes a part of the picture between a seventh and two thirds.
    part = random.uniform(0.14, 0.65) if len(digits) < 2 else random.uniform(0.55, 0.7)
    view = _view(random, size, part * min(size) / (height * 1.5 * max(columns, rows) - height / 2))
    places = _places(random, digits, height, columns, rows, size, view.scale)
    ink = _ink(random, pen)
    light = _light(random, size)
    picture = _sheet(random, size, paper, view) * light[..., None]
    drawn = [_drawn(view, strokes, ink.width * view.scale) for strokes in places]
    for coverage in drawn:
        strength = np.clip(1 - ink.grain * random.random((size[1], size[0])), 0, 1)
        strength = coverage * strength
        picture *= 1 - strength[..., None] * (1 - np.array(ink.colour, np.float32))
    boxes = [_box(coverage) for coverage in drawn]
    if random.random() < 0.3 if finger is None else finger:
        picture = _with_finger(random, picture, light, boxes)
    return Photo(_taken(random, picture), boxes)


def _height(random: Generator, pen: Pen, columns: int, rows: int) -> float:
    """Of a digit, in millimetres: nobody writes small with a felt-tip."""
    low, high = {"pencil": (7, 25), "ballpoint": (7, 22), "felt-tip": (25, 60)}[pen]
    return float(random.uniform(low, high if columns * rows == 1 else (low + high) / 2))


def _view(random: Generator, size: tuple[int, int], scale: float) -> _View:
    angle, lean_x, lean_y = random.uniform(-0.14, 0.14), *random.uniform(-0.12, 0.12, 2)
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    reach = max(size) / scale
    matrix = np.array(
        [[cos, -sin, size[0] / 2], [sin, cos, size[1] / 2], [lean_x / reach, lean_y / reach, 1]]
    )
    return _View(size, scale, matrix)


def _places(
    random: Generator,
    digits: Sequence[Strokes],
    height: float,
    columns: int,
    rows: int,
    size: tuple[int, int],
    scale: float,
) -> list[list[NDArray[np.float64]]]:
    """The strokes of each digit in millimetres from the sheet's middle."""
    placed = []
    room = (np.array(size) / scale - height) / 2 * 0.35 if len(digits) == 1 else np.zeros(2)
    moved = random.uniform(-room, room)
    for number, strokes in enumerate(digits):
        points = np.concatenate(strokes)
        low, high = points.min(axis=0), points.max(axis=0)
        own = height * (1 if len(digits) == 1 else random.uniform(0.85, 1.1))
        unit = own / max(high[1] - low[1], high[0] - low[0], 1e-9)
        row, column = divmod(number, columns)
        middle = np.array([column - (columns - 1) / 2, row - (rows - 1) / 2]) * height * 1.5
        if len(digits) > 1:
            middle += random.uniform(-0.08, 0.08, 2) * height
        placed.append([(each - (low + high) / 2) * unit + middle + moved for each in strokes])
    return placed


def _ink(random: Generator, pen: Pen) -> _Ink:
    if pen == "pencil":
        grey = random.uniform(0.4, 0.68)
        return _Ink(random.uniform(0.5, 0.8), (grey, grey, grey), 0.45)
    colours = [(0.1, 0.1, 0.12), (0.12, 0.18, 0.5), (0.7, 0.12, 0.14), (0.1, 0.4, 0.2)]
    dark = random.uniform(0, 0.2)
    red, green, blue = colours[random.integers(2 if pen == "ballpoint" else 4)]
    width = random.uniform(0.4, 0.7) if pen == "ballpoint" else random.uniform(1.5, 3)
    grain = 0.2 if pen == "ballpoint" else 0.05
    return _Ink(width, (red + dark, green + dark, blue + dark), grain)


def _drawn(view: _View, strokes: Strokes, width: float) -> NDArray[np.float32]:
    """How much of each pixel is ink, float32 (height, width), 0 to 1."""
    image = Image.new("L", (view.size[0] * _FINE, view.size[1] * _FINE))
    pen = ImageDraw.Draw(image)
    across = max(width, 1.2) * _FINE
    for stroke in strokes:
        points = [tuple(point) for point in (view.see(stroke) * _FINE).tolist()]
        if len(points) > 1:
            pen.line(points, 255, round(across), joint="curve")
        for x, y in points:
            pen.ellipse((x - across / 2, y - across / 2, x + across / 2, y + across / 2), 255)
    return np.asarray(image.reduce(_FINE), np.float32) / 255


def _box(coverage: NDArray[np.float32]) -> Box:
    rows, columns = (coverage > 0.2).any(1).nonzero()[0], (coverage > 0.2).any(0).nonzero()[0]
    height, width = coverage.shape
    left, top = columns[0], rows[0]
    across, down = columns[-1] + 1 - left, rows[-1] + 1 - top
    return left / width, top / height, across / width, down / height


def _sheet(
    random: Generator, size: tuple[int, int], paper: Paper, view: _View
) -> NDArray[np.float32]:
    """The empty sheet in even light, float32 (height, width, 3), 0 to 1."""
    width, height = size
    white = random.uniform(0.8, 0.97) * np.array(
        [1, random.uniform(0.96, 1), random.uniform(0.88, 1)]
    )
    sheet = np.ones((height, width, 3), np.float32) * white.astype(np.float32)
    fibres = Image.fromarray(random.normal(0, 0.47, (height // 2, width // 2)).astype(np.float32))
    fibres = fibres.resize(size, Image.Resampling.BICUBIC)
    sheet *= 1 + random.uniform(0, 0.06) * np.asarray(fibres)[..., None]
    if paper == "plain":
        return sheet
    pitch = (
        random.choice([7.0, 8.0, 9.0]) if paper == "ruled" else random.choice([4.0, 5.0, 5.0, 10.0])
    )
    strength = random.uniform(0.12, 0.4)
    colour = np.array([(0.3, 0.6, 1), (0.45, 0.45, 0.45), (0.7, 0.5, 0.9)][random.integers(3)])
    across = max(1, round(random.uniform(0.15, 0.3) * view.scale * _FINE))
    lines = Image.new("L", (width * _FINE, height * _FINE))
    pen = ImageDraw.Draw(lines)
    reach = 1.5 * max(size) / view.scale
    offset = random.uniform(0, pitch, 2)
    for at in np.arange(-reach, reach, pitch):
        ends = [np.array([[-reach, at + offset[0]], [reach, at + offset[0]]])]
        if paper == "squared":
            ends.append(np.array([[at + offset[1], -reach], [at + offset[1], reach]]))
        for each in ends:
            # Points along the line: its ends may lie behind the camera.
            many = np.linspace(each[0], each[1], 40)
            seen = [tuple(point) for point in (view.see(many) * _FINE).tolist()]
            pen.line(seen, 255, across)
    coverage = np.asarray(lines.reduce(_FINE), np.float32)[..., None] / 255
    return sheet * (1 - strength * coverage * (1 - colour.astype(np.float32) * 0.6))


def _light(random: Generator, size: tuple[int, int]) -> NDArray[np.float32]:
    """What falls on each pixel, float32 (height, width), 0 to 1."""
    width, height = size
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    angle = random.uniform(0, 2 * np.pi)
    along = (np.cos(angle) * x + np.sin(angle) * y) / 1.4
    light = 1 - random.uniform(0, 0.45) * (along + 1) / 2
    light *= 1 - random.uniform(0, 0.25) * (x**2 + y**2) / 2
    if random.random() < 0.5:  # A shadow, as of a hand or a phone, with a soft edge.
        angle, at = random.uniform(0, 2 * np.pi), random.uniform(-0.5, 0.7)
        soft = random.uniform(0.02, 0.3)
        inside = np.clip((np.cos(angle) * x + np.sin(angle) * y - at) / soft + 0.5, 0, 1)
        if random.random() < 0.5:
            angle += np.pi / 2
            inside *= np.clip((np.cos(angle) * x + np.sin(angle) * y) / soft + 0.5, 0, 1)
        light *= 1 - random.uniform(0.15, 0.5) * inside
    return light.astype(np.float32) * np.float32(random.uniform(0.75, 1))


def _with_finger(
    random: Generator, picture: NDArray[np.float32], light: NDArray[np.float32], boxes: list[Box]
) -> NDArray[np.float32]:
    """With a finger in the corner that is farthest from the digits."""
    height, width = light.shape
    corners = np.array([(0, 0), (1, 0), (0, 1), (1, 1)], float)
    middles = np.array([(x + w / 2, y + h / 2) for x, y, w, h in boxes]).reshape(-1, 2)
    near = [
        min([np.hypot(*(m - corner)) for m in middles], default=random.random())
        for corner in corners
    ]
    corner = corners[int(np.argmax(near))]
    end = (corner + (0.5 - corner) * random.uniform(0.15, 0.3)) * (width, height)
    start = corner * (width, height) + (corner - 0.5) * random.uniform(50, 300, 2)
    thick = random.uniform(0.08, 0.14) * max(width, height)
    skin = np.array([(0.92, 0.7, 0.58), (0.78, 0.54, 0.42), (0.45, 0.3, 0.22)][random.integers(3)])

    def capsule(
        a: NDArray[np.float64], b: NDArray[np.float64], wide: float, soft: float
    ) -> NDArray[np.float32]:
        image = Image.new("L", (width, height))
        pen = ImageDraw.Draw(image)
        pen.line([tuple(a), tuple(b)], 255, round(wide))
        pen.ellipse((b[0] - wide / 2, b[1] - wide / 2, b[0] + wide / 2, b[1] + wide / 2), 255)
        blurred = image.filter(ImageFilter.GaussianBlur(soft))
        return np.asarray(blurred, np.float32)[..., None] / 255

    shade = capsule(start, end + random.uniform(-12, 12, 2), thick * 1.05, 10)
    picture = picture * (1 - 0.4 * shade)
    flesh = skin.astype(np.float32) * light[..., None] * np.float32(random.uniform(0.8, 1))
    finger = capsule(start, end, thick, 1.2)
    picture = picture * (1 - finger) + flesh * finger
    nail = capsule(end + 0.12 * (start - end), end, thick * 0.5, 2)
    return picture * (1 + 0.12 * nail)


def _taken(random: Generator, picture: NDArray[np.float32]) -> bytes:
    """The camera's JPEG, as small as the page sends it."""
    height, width, _ = picture.shape
    blurred = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(random.uniform(0.4, 1.4))
    )
    noise = random.normal(0, random.uniform(1, 5), (height, width, 1))
    tint = random.normal(0, random.uniform(0, 2), (height, width, 3))
    noisy = np.clip(np.asarray(blurred, np.float32) + noise + tint, 0, 255).astype(np.uint8)
    image = Image.fromarray(noisy)
    for quality in (80, 70, 60, 50, 40, 30):
        content = io.BytesIO()
        image.save(content, "JPEG", quality=quality)
        if content.tell() <= MOST:
            break
    return content.getvalue()
