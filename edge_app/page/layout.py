"""The page: the canvas, the tabs and the API beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gradio as gr

from edge_app.models.classifier import Classifier
from edge_app.page.canvas.component import canvas
from edge_app.page.component import component
from edge_app.page.functions import Functions

TITLE = "Draw a digit"

_SYSTEM_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
_COLOURS = {
    "body_background_fill": ("#f4f3ef", "#11151b"),
    "background_fill_primary": ("#ffffff", "#1a2028"),
    "border_color_primary": ("#dbd9d2", "#303945"),
    "body_text_color": ("#1d2433", "#eef1f5"),
    "body_text_color_subdued": ("#5a6270", "#a3adba"),
}
"""Light and dark. Text has the contrast that WCAG 2.2 AA asks for, 4.5 to 1, in both."""

THEME = gr.themes.Base(font=_SYSTEM_FONTS, font_mono=("ui-monospace", "monospace")).set(
    layout_gap="0px",
    **{name: light for name, (light, _) in _COLOURS.items()},
    **{f"{name}_dark": dark for name, (_, dark) in _COLOURS.items()},
)
"""System fonts: the browser loads none."""

CSS = Path(__file__).parent / "page.css"


def build_page(models: Mapping[str, Classifier], variant: str, functions: Functions) -> gr.Blocks:
    """Compose the page.

    Args:
        models: by name, in the order in which their answers are shown.
        variant: the one that the page starts with.
        functions: what the page and the API call; Gradio describes them, but does not run them.
    """
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        component(
            "tabs",
            ["tabs", "class", "invite"],
            ["tabs", "class", "invite"],
            [*functions.tabs.values()],
            stores="classroom" in functions.tabs,
        )
        canvas(models, variant, functions.canvas)
        for name, function in functions.api.items():
            gr.api(function, api_name=name, queue=False)
    return page
