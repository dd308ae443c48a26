"""The tabs: what the models and the device are, beside the canvas, read when one is opened.

Markup, style and behaviour stand beside this file, each in its own language. What the tabs show are
the sheets of :mod:`edge_app.page.tabs.content`, which the browser asks for by name.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from edge_app.page.tabs.content import Sheet, Sheets

_FOLDER = Path(__file__).parent


def tabs(sheets: Sheets) -> gr.HTML:
    """Build the component: the links to the canvas and to "models", "device" and "benchmark"."""

    def sheet(name: object) -> Sheet | None:
        """What a tab shows. Gradio calls it in a thread: reading takes a moment."""
        read = sheets.get(name) if isinstance(name, str) else None
        return read() if read else None

    return gr.HTML(
        html_template=_read("tabs.html"),
        css_template=_read("tabs.css"),
        js_on_load=_read("tabs.js"),
        apply_default_css=False,
        server_functions=[sheet],
        elem_id="tabs",
    )


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
