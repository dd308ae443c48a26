"""The tabs Models, Device and Benchmark: what each shows, as texts, and the markup around them.

Nothing here imports Gradio: the command prepares the tabs before that is imported.
"""
