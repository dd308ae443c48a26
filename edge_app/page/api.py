"""The API: the page's answers for programs, from strokes or from a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio_client.utils import is_file_obj_with_meta, traverse

from edge_app.digits.normalization import Drawing, views
from edge_app.digits.picture import parse_picture
from edge_app.digits.strokes import DrawingError, parse_strokes
from edge_app.errors import UserError
from edge_app.models.answers import classify
from edge_app.models.classifier import Classifier, normalizations


class BlocksWithDefaults(gr.Blocks):  # type: ignore[misc]  # Gradio ships without types.
    """Gradio's blocks, with default values for every client, and without files.

    Gradio fills in defaults for its own client only: a plain HTTP request with fewer values gets a
    text about JavaScript, and the app prints a traceback. It also fetches any file that a request
    names, from any address on the internet.
    """

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
        """Called with what a request sends to a function, before the function is."""
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

    # Gradio calls it in a thread: a large picture keeps nobody waiting who draws meanwhile.
    def classify_drawing(
        strokes: list[list[list[float]]] | None = None,
        variant: str = "int8",
        image: str | None = None,
    ) -> dict[str, Any]:
        """Classify a drawing: strokes as lists of points [x, y], y down, any scale; or an image of
        it, a PNG in base64."""
        try:
            images = views(_drawing(strokes, image), normalizations(models.values()))
            return dict(classify(models, images, variant))
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from error

    gr.api(classify_drawing, api_name="classify", queue=False)


def _drawing(strokes: object, image: object) -> Drawing:
    """The drawing in whichever of the two was sent."""
    if image is None:
        if strokes is None:
            raise DrawingError("The drawing is missing; expected strokes or an image.")
        return parse_strokes(strokes)
    if strokes is not None:
        raise DrawingError("Both strokes and an image were sent; expected one of them.")
    return parse_picture(image)
