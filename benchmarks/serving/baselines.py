"""Gradio apps to compare the app with, each run as a program of its own.

``python -m benchmarks.serving.baselines PORT`` serves a page whose handler does nothing;
``... MODELS VARIANT RUNTIME PORT`` serves a page with ``gr.Sketchpad`` and the app's models.
"""

from __future__ import annotations

import sys
from typing import Any

import gradio as gr
import numpy as np

from edge_app.digits.normalization import views
from edge_app.models.answers import classify
from edge_app.models.classifier import normalizations
from edge_app.models.folder import load_models
from edge_app.models.interpreter import choose_runtime


def empty_page() -> gr.Blocks:
    """A page that calls its handler as the app's canvas does; the handler does nothing."""

    async def answer(_state: object) -> dict[str, Any]:  # Without a thread, as the app's.
        return {"answers": {}}

    with gr.Blocks() as page:
        gr.HTML("Nothing", server_functions=[answer])
    return page


def sketchpad_page(folder: str, variant: str, runtime: str) -> gr.Blocks:
    """A page with Gradio's own canvas; all models answer, and the most accurate one is shown."""
    choose_runtime(runtime)
    models = load_models(folder)

    def answer(drawing: dict[str, Any]) -> dict[str, float]:
        if drawing["composite"] is None:  # Cleared.
            return {}
        ink = np.ascontiguousarray(drawing["composite"][:, :, 3])  # Opacity.
        images = views(ink, normalizations(models.values()))
        *_, best = classify(models, images, variant).values()
        return {str(digit): each for digit, each in enumerate(best["probabilities"])}

    with gr.Blocks() as page:
        pad = gr.Sketchpad(elem_id="pad")
        # Showing progress would only slow it down.
        pad.change(answer, pad, gr.Label(elem_id="answer"), show_progress="hidden")
    return page


if __name__ == "__main__":
    *options, port = sys.argv[1:]
    served = sketchpad_page(*options) if options else empty_page()
    served.launch(server_name="127.0.0.1", server_port=int(port), quiet=True)
