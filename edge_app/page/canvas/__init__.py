"""The drawing canvas, as a Gradio component."""
