"""The API: the page's answers for programs, from strokes or from a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr
import numpy as np
from gradio_client.utils import is_file_obj_with_meta, traverse
from numpy.typing import NDArray

from edge_app.digits.normalization import Normalization, normalize
from edge_app.digits.picture import parse_picture
from edge_app.digits.strokes import DrawingError, parse_strokes
from edge_app.errors import UserError
from edge_app.models.answers import classify, views
from edge_app.models.classifier import Classifier


class BlocksWithDefaults(gr.Blocks):  # type: ignore[misc]  # Gradio ships without types.
    """Gradio's, whose functions have their defaults for everyone, and take no files.

    Gradio fills defaults in for its own client only. To who sends fewer values over plain HTTP it
    answers with a text about JavaScript, and prints a traceback. Files that are named anywhere in
    what was sent it fetches, from any address on the internet.
    """

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
        """Called with what was sent for a function, before that is used."""
        files: list[Any] = []
        traverse(inputs, files.append, is_file_obj_with_meta)
        if files:
            sentence = "A file was named; expected strokes or a PNG in base64."
            raise gr.Error(sentence, print_exception=False)
        inputs.extend(parameter.value for parameter in block_fn.inputs[len(inputs) :])
        super().validate_inputs(block_fn, inputs)


def add_api(models: Mapping[str, Classifier]) -> None:
    """Add ``/classify`` to the page that is being composed.

    Args:
        models: by name, in the order in which they answer.
    """

    # Gradio calls it in a thread of its own: a large picture keeps nobody who draws waiting.
    def classify_drawing(
        strokes: list[list[list[float]]] | None = None,
        variant: str = "int8",
        image: str | None = None,
    ) -> dict[str, Any]:
        """Classify a drawing: strokes as lists of points [x, y], y down, any scale; or an image of
        it, a PNG in base64."""
        try:
            images = _see(models, strokes, image)
            return dict(classify(models, images, variant))
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from error

    gr.api(classify_drawing, api_name="classify", queue=False)


def _see(
    models: Mapping[str, Classifier], strokes: object, image: object
) -> dict[Normalization, NDArray[np.uint8]]:
    """The drawing as the models see it, from what was sent of the two."""
    if image is None:
        if strokes is None:
            raise DrawingError("The drawing is missing; expected strokes or an image.")
        return views(models, parse_strokes(strokes))
    if strokes is not None:
        raise DrawingError("Both strokes and an image were sent; expected one of them.")
    ink = parse_picture(image)
    return {
        normalization: normalize(ink, normalization)
        for normalization in {model.normalization for model in models.values()}
    }
