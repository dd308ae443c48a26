"""The tabs Models, Benchmark and Device. Only ``component`` imports Gradio."""
