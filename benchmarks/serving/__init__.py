"""Serving: how fast the running app answers its clients."""
