"""Strokes for training: drawn by hand, varied, traced from pictures, and non-digits."""
