"""A trivial Gradio app, to compare with: a page whose handler does nothing.

It is called as the canvas's is, and is written as such apps are. ``python -m
benchmarks.serving.trivial_page PORT`` serves it.
"""

from __future__ import annotations

import sys
from typing import Any

import gradio as gr


async def answer(_state: object) -> dict[str, Any]:
    """What the page calls. Like the canvas's, it needs no thread."""
    return {"answers": {}}


if __name__ == "__main__":
    with gr.Blocks() as page:
        gr.HTML("Nothing", server_functions=[answer])
    page.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True)
