"""The canvas: a component to draw on that shows every model's answer while the line is drawn.

Its markup, style and behaviour stand beside this file, each in its own language. The browser sends
strokes and gets answers; see ``connection.js`` for what goes over the wire.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from edge_app.digits.normalization import TREATMENTS, Normalization
from edge_app.models.answers import choices
from edge_app.models.classifier import Classifier, Model
from edge_app.models.folder import VARIANT, BareModel

_FOLDER = Path(__file__).parent
_SCRIPTS = (
    "variants",
    "strokes",
    "history",
    "paper",
    "answers",
    "alone",
    "connection",
    "samples",
    "labels",
    "canvas",
)
"""What the browser runs, as one script, in this order."""
_FIT = 3
"""So many models have their place beside the canvas; the answers of more of them scroll."""


def canvas(
    models: Mapping[str, Classifier],
    variant: str,
    answer: Callable[[dict[str, Any]], Any],
    keepers: Sequence[Callable[..., Any]] = (),
) -> gr.HTML:
    """Build the component.

    Args:
        models: in the order in which their answers are shown.
        variant: the one that is chosen at first.
        answer: called with each state of the drawing, ``{"strokes": [...], "variant": str}``; its
            name must be ``answer``, by which the browser calls it.
        keepers: ``save`` and ``stored``, as :func:`edge_app.digits.collection.keepers` gives them;
        nothing
            where drawings are not stored.
    """
    names = choices(models)
    return gr.HTML(
        html_template=_read("canvas.html"),
        css_template=_read("canvas.css"),
        js_on_load="\n".join(_read(f"{name}.js") for name in _SCRIPTS),
        apply_default_css=False,
        server_functions=[answer, *keepers],
        elem_id="canvas",
        models=[
            {"name": _literal(model.name), "title": _literal(model.title)}
            for model in models.values()
        ],
        several=len(models) > 1,
        more=len(models) > _FIT,
        variants=[{"name": name, "chosen": name == variant} for name in names],
        choice=len(names) > 1,
        views=_views(models),
        titles={name: model.title for name, model in models.items()},
        sizes={name: _sizes(model) for name, model in models.items()},
        samples=json.loads(_read("samples.json")),
        saves=bool(keepers),
    )


def _sizes(model: Classifier) -> dict[str, int]:
    """The bytes of each of a model's files, by variant."""
    if isinstance(model, Model):
        return {variant: file.bytes for variant, file in model.card.variants.items()}
    return {VARIANT: model.file.bytes} if isinstance(model, BareModel) else {}


def _views(models: Mapping[str, Classifier]) -> list[dict[str, Any]]:
    """A preview for each normalization in use, and who sees it where not all models do."""
    titles: dict[Normalization, list[str]] = {}
    for model in models.values():
        titles.setdefault(model.normalization, []).append(model.title)
    return [
        {
            "normalization": normalization,
            "seers": "the models" if len(titles) == 1 else _literal(_list(names)),
            "see": "sees" if len(titles) > 1 and len(names) == 1 else "see",
            "treatment": TREATMENTS[normalization],
            "first": number == 0,
        }
        for number, (normalization, names) in enumerate(titles.items())
    ]


def _list(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _literal(text: str) -> str:
    """A text for the markup. Once Handlebars has filled it in, and escaped what is special in HTML,
    Gradio runs the markup as a JavaScript template literal."""
    return text.replace("\\", r"\\").replace("$", r"\$")


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
