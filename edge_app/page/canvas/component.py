"""The canvas to draw on, beside every model's answer, which follows the line.

The browser sends strokes and gets answers; ``connection.js`` says in which form.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from edge_app.digits.normalization import TREATMENTS, Normalization
from edge_app.models.answers import choices
from edge_app.models.classifier import Classifier, Model
from edge_app.page.component import component
from edge_app.page.names import short

_SAMPLES = Path(__file__).parent / "samples.json"
_SCRIPTS = (
    *("variants", "strokes", "history", "paper", "answers", "why", "alone", "connection"),
    *("samples", "labels", "photo", "agreement", "keys", "challenge", "canvas"),
)
_PRECISION = {
    "float32": ("full", "Full precision: numbers of 32 bits"),
    "float16": ("half", "Half precision: weights of 16 bits"),
    "dynamic": ("mixed", "Mixed: weights of 8 bits, everything else in full precision"),
    "int8": ("8-bit", "Whole numbers of 8 bits"),
}
"""By variant, a word and a sentence that explain it."""
_FIT = 3
"""This many models fit beside the canvas; the answers of more scroll."""


def canvas(
    models: Mapping[str, Classifier],
    variant: str,
    functions: Mapping[str, Callable[..., Any]],
) -> gr.HTML:
    """Build the component.

    Args:
        models: in the order in which their answers are shown.
        variant: the one that is chosen at first.
        functions: what the scripts call: ``answer`` with each state of the drawing, ``explain``
            when somebody asks why, ``photo`` with a photo, and, where drawings are stored,
            ``save``, ``remove`` and ``stored``.
    """
    names = choices(models)
    return component(
        "canvas",
        ["canvas", "why", "photo", "agreement", "challenge"],
        _SCRIPTS,
        [*functions.values()],
        models=[
            {"name": _literal(model.name), "title": _literal(model.title)}
            for model in models.values()
        ],
        several=len(models) > 1,
        more=len(models) > _FIT,
        variants=[_option(name, name == variant) for name in names],
        choice=len(names) > 1,
        views=_views(models),
        titles={name: model.title for name, model in models.items()},
        sizes={
            name: {variant: file.bytes for variant, file in model.files.items()}
            for name, model in models.items()
        },
        names={name: short(name, model.title) for name, model in models.items()},
        accuracies={
            name: {
                "of": model.card.reference.dataset,
                **{variant: file.accuracy for variant, file in model.card.variants.items()},
            }
            for name, model in models.items()
            if isinstance(model, Model)
        },
        samples=json.loads(_SAMPLES.read_text(encoding="utf-8")),
        saves="save" in functions,
    )


def _option(variant: str, chosen: bool) -> dict[str, Any]:
    word, meaning = _PRECISION.get(variant, ("", ""))
    return {"name": variant, "chosen": chosen, "word": word, "meaning": meaning}


def _views(models: Mapping[str, Classifier]) -> list[dict[str, Any]]:
    """A preview for each normalization, with the models that see it unless all do."""
    titles: dict[Normalization, list[str]] = {}
    for model in models.values():
        titles.setdefault(model.normalization, []).append(model.title)
    most = max(titles.values(), key=len)
    return [
        {
            "normalization": normalization,
            "seers": "the models"
            if len(titles) == 1
            else "the other models"
            if names is most and len(names) > 1
            else _literal(_list(names)),
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
    """A text for the markup, which Gradio runs as a JavaScript template literal once Handlebars has
    filled it in and escaped what is special in HTML."""
    return text.replace("\\", r"\\").replace("$", r"\$")
