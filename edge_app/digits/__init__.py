"""Digits as data: strokes, pictures, MNIST images, and their normalization."""
