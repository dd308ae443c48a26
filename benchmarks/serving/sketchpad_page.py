"""A page with Gradio's own canvas, to compare with: ``gr.Sketchpad``, and the same models.

``python -m benchmarks.serving.sketchpad_page PORT MODELS VARIANT`` serves it.
"""

from __future__ import annotations

import sys
from typing import Any

import gradio as gr
import numpy as np

from edge_app.digits.normalization import normalize
from edge_app.models.answers import classify
from edge_app.models.classifier import load_models

if __name__ == "__main__":
    port, folder, variant = sys.argv[1:]
    models = load_models(folder)

    def answer(drawing: dict[str, Any]) -> dict[str, float]:
        """The probabilities of the most accurate model; every one of them is asked."""
        if drawing["composite"] is None:  # Cleared.
            return {}
        ink = np.ascontiguousarray(drawing["composite"][:, :, 3])  # Opacity.
        images = {
            name: normalize(ink, name)
            for name in {model.normalization for model in models.values()}
        }
        *_, best = classify(models, images, variant).values()
        return {str(digit): each for digit, each in enumerate(best["probabilities"])}

    with gr.Blocks() as page:
        pad = gr.Sketchpad(elem_id="pad")
        # Without the display of progress, which would cost it time.
        pad.change(answer, pad, gr.Label(elem_id="answer"), show_progress="hidden")
    page.launch(server_name="127.0.0.1", server_port=int(port), quiet=True)
