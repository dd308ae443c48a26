"""Names of models that are short enough for one line about all of them."""

from __future__ import annotations

from edge_app.models.classifier import Classifier

_INITIALS = 3
"""Names of so many letters are abbreviations."""


def short(model: Classifier) -> str:
    """For people: "MLP", but "Simple Dense"."""
    return model.name.upper() if len(model.name) <= _INITIALS else model.title
