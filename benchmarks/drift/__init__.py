"""Drift: how far quantized models are from their originals."""
