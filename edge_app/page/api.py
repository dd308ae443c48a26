"""The API: the page's answers for programs, from strokes or from a picture."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from edge_app.digits.normalization import views
from edge_app.digits.picture import parse_picture
from edge_app.digits.strokes import DrawingError, parse_strokes
from edge_app.explanation.explanation import explain_strokes
from edge_app.models.answers import classify
from edge_app.models.classifier import Classifier, normalizations
from edge_app.page.threads import Threads

WAITING = 16
"""How many pictures may wait to be read; each is up to 64 KiB of text."""

Function = Callable[..., Awaitable[Any]]


def classifier(models: Mapping[str, Classifier]) -> Function:
    """Build ``/classify``.

    Args:
        models: by name, in the order in which they answer.

    Returns:
        A function that raises :class:`edge_app.errors.UserError` for what is not a drawing.
    """
    # A picture takes so much time and memory that it is read in a thread, one at a time.
    pictures = Threads(1, WAITING)

    async def classify_drawing(
        strokes: list[list[list[float]]] | None = None,
        variant: str = "int8",
        image: str | None = None,
    ) -> dict[str, Any]:
        """Classify a drawing: strokes as lists of points [x, y], y down, any scale; or an image of
        it, a PNG in base64."""
        if image is None and strokes is None:
            raise DrawingError("The drawing is missing; expected strokes or an image.")
        if image is not None and strokes is not None:
            raise DrawingError("Both strokes and an image were sent; expected one of them.")
        drawing = (
            parse_strokes(strokes) if image is None else await pictures.run(parse_picture, image)
        )
        return dict(classify(models, views(drawing, normalizations(models.values())), variant))

    return classify_drawing


def explainer(models: Mapping[str, Classifier], threads: Threads) -> Function:
    """Build ``/explain``.

    Args:
        models: by name.
        threads: run the explanations, which take as long as fifty answers.

    Returns:
        A function that raises :class:`edge_app.errors.UserError` for what cannot be explained.
    """

    async def explain_answer(
        strokes: list[list[list[float]]], variant: str = "int8", model: str = "mlp"
    ) -> dict[str, Any]:
        """Explain a model's answer to a drawing: which ink speaks for the digit that it reads, and
        which for the runner-up."""
        return dict(await threads.run(explain_strokes, models, strokes, variant, model))

    return explain_answer
