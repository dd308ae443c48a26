"""The web page and its API. Only this folder and ``server`` import Gradio."""
