"""The canvas: a component to draw on that shows every model's answer while the line is drawn.

Its markup, style and behaviour stand beside this file, each in its own language. The browser sends
strokes and gets answers; see ``canvas.js`` for what goes over the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from edge_app.models import Model

_FOLDER = Path(__file__).parent


def canvas(
    models: Mapping[str, Model], variant: str, answer: Callable[[dict[str, Any]], Any]
) -> gr.HTML:
    """Build the component.

    Args:
        models: in the order in which their answers are shown.
        variant: the one that is chosen at first.
        answer: called with each state of the drawing, ``{"strokes": [...], "variant": str}``; its
            name must be ``answer``, by which the browser calls it.
    """
    variants = list(dict.fromkeys(name for model in models.values() for name in model.variants))
    return gr.HTML(
        html_template=_read("canvas.html"),
        css_template=_read("canvas.css"),
        js_on_load=_read("canvas.js"),
        server_functions=[answer],
        elem_id="canvas",
        models=[{"name": model.name, "title": model.title} for model in models.values()],
        variants=[{"name": name, "chosen": name == variant} for name in variants],
        normalizations=list(dict.fromkeys(model.normalization for model in models.values())),
    )


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
