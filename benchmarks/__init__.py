"""Measure the models on the device that serves them: drift from the original, and latency.

``python -m benchmarks --help`` says how. Stands on ``edge_app`` alone.
"""
