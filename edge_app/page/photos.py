"""Photos of sheets of paper, read for the page and for programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.normalization import Normalization, views
from edge_app.errors import UserError
from edge_app.models.answers import answer_views, classify
from edge_app.models.classifier import Classifier, normalizations
from edge_app.page.api import WAITING, Function
from edge_app.page.threads import Threads
from edge_app.photos.photo import read_photo

_Images = dict[Normalization, NDArray[np.uint8]]
_Found = list[tuple[list[float], _Images]]
"""The digits of a photo: each one's box, and what models see of it."""
_Answers = TypeVar("_Answers")


def photo_functions(models: Mapping[str, Classifier]) -> tuple[Function, Function]:
    """Build what reads photos: the page's ``photo``, and ``/read``.

    Args:
        models: by name, in the order in which they answer.
    """
    names = normalizations(models.values())
    photos = Threads(1, WAITING)

    def find(image: object) -> _Found:
        return [([*digit.box], views(digit.strokes, names)) for digit in read_photo(image)]

    async def ask(
        image: object, answer: Callable[[_Images], _Answers]
    ) -> list[tuple[list[float], _Answers]]:
        answered = []
        for box, images in await photos.run(find, image):
            answered.append((box, answer(images)))
            await asyncio.sleep(0)  # Those who draw come in between.
        return answered

    async def photo(request: object) -> dict[str, Any]:
        """Called by the canvas with ``{"image": text, "variant": str}``; returns the digits in
        reading order, each with its box, or an error."""
        fields = request if isinstance(request, dict) else {}
        try:
            found = await ask(
                fields.get("image"),
                lambda images: answer_views(models, images, fields.get("variant")),
            )
        except UserError as error:
            return {"error": str(error)}
        return {"digits": [{"box": box, **answers} for box, answers in found]}

    async def read(image: str, variant: str = "int8") -> dict[str, Any]:
        """Read the digits on a photo of a sheet of paper, a JPEG or PNG in base64, in reading
        order. Their boxes are [left, top, width, height] in parts of the picture."""
        found = await ask(image, lambda images: dict(classify(models, images, variant)))
        return {"digits": [{"box": box, "answers": answers} for box, answers in found]}

    return photo, read
