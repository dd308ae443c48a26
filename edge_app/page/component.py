"""Our own Gradio components: markup, style and scripts, each in a file of its own language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr


def component(
    name: str,
    styles: Sequence[str],
    scripts: Sequence[str],
    functions: Sequence[Callable[..., Any]],
    **props: Any,
) -> gr.HTML:
    """Build the component whose files stand in the folder of its name.

    Args:
        name: also the element's id on the page.
        styles: the names of its style sheets, in this order.
        scripts: the names of its scripts; the browser runs them as one, in this order.
        functions: the scripts call them by their names.
        props: values for the markup's placeholders and for the scripts.
    """

    def read(file: str) -> str:
        return (Path(__file__).parent / name / file).read_text(encoding="utf-8")

    return gr.HTML(
        html_template=read(f"{name}.html"),
        css_template="\n".join(read(f"{style}.css") for style in styles),
        js_on_load="\n".join(read(f"{script}.js") for script in scripts),
        apply_default_css=False,
        server_functions=list(functions),
        elem_id=name,
        **props,
    )
