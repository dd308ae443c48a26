"""Digits on photos of paper: found, put in order and turned into strokes."""
