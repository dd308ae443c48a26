"""Folders of models, made from those that ship."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

from edge_app.models.card import read_card, write_card

ODD_TITLE = r"C:\units <b>${document.title = 'run'}</b> `{{ title }}` & $& \${1}"
"""A model's title that is markup or a program, where it is not taken as the text that it is."""


def with_copies(folder: Path, copy: Path, count: int) -> Path:
    """Copies a folder of models, and one of the models until there are so many."""
    shutil.copytree(folder, copy)
    for number in range(len(list(copy.glob("*/card.json"))), count):
        name = f"another-{number}"
        shutil.copytree(folder / "dense", copy / name)
        card = dataclasses.replace(
            read_card(copy / name), name=name, title=f"Convolutional Network {number}"
        )
        write_card(card, copy / name)
    return copy
