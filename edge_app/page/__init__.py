"""The web page and its API. Outside of ``tabs``, its modules import Gradio."""
