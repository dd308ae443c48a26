"""Models: their files, cards and answers. The shipped models are in the top-level ``models/``."""
