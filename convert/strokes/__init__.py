"""Strokes made for training: drawn by hand, varied, traced from images, and outliers."""
