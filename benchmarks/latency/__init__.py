"""Latency: how long an inference, a normalization and a start take."""
