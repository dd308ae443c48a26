"""Damages models in as many ways as are asked for, the same ones each time.

A fuzzer takes the folders one after another::

    for done, folder in damaged_folders(ROOT / "models", scratch, count=500):
        models = load_folder(folder, reports.append)
        assert INTACT in models, done

What is damaged is a copy of the dense model with its card, or a file without a card, or both. A
file with a card is not given the hash of its damaged content, because a card vouches for what it
names: such a file would run in the app's own process.
"""

from __future__ import annotations

import json
import math
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edge_app.models.card import CARD, VARIANTS
from edge_app.models.confusion import CONFUSION

INTACT = "dense"
"""The name of the model that every folder also has, and that must always load and answer."""
DAMAGED = "damaged"
"""The name of the folder of the model that is damaged."""

ODD: list[Any] = [
    *(None, True, -1, 0, 3.5, 1e308, 10**400, math.nan, -math.inf, [], {}, [None], {"": None}),
    *("", "\0", "\ud800", "two\nlines", "\x1b[2J", "x" * 10**5, "../card.json", "/etc/hostname"),
    *(".", "..", "n" * 300, "<b>", "__proto__", "float32.tflite", [[[[[[[[[[1]]]]]]]]]]),
    *(json.loads("[" * 40 + "]" * 40), 2**63, "10", "NaN", ["a"] * 100, {"file": "card.json"}),
]
"""Values for any field of a card."""

CARDS = [
    *(
        b"",
        b"\0",
        b"null",
        b"[" * 5000,
        b'{"a":' * 5000,
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b"1e999",
    ),
    *(b'"\\ud800"', b"[" * 900 + b"]" * 900, b'{"format": 1}', b"9" * 5000, b" " * 2 * 10**6),
]
"""Whole cards."""


def damaged_folders(
    models: Path, scratch: Path, count: int, seed: int = 0
) -> Iterator[tuple[str, Path]]:
    """Make folders of models, each damaged in another way.

    Args:
        models: the models that ship; nothing in it is changed.
        scratch: an existing folder to make them in. Each is removed before the next is made.
        count: how many to make.
        seed: of the choices; the same ones give the same folders.

    Yields:
        In words, what was damaged and how; and the folder.
    """
    for number in range(count):
        choice = random.Random(f"{seed} {number}")  # noqa: S311 - For tests.
        folder = scratch / f"models-{number}"
        shutil.copytree(models / INTACT, folder / INTACT)
        shutil.copytree(models / INTACT, folder / DAMAGED)
        _edit(folder / DAMAGED, lambda card: card.update(name=DAMAGED))
        bare = folder / "bare.tflite"
        shutil.copy(models / INTACT / f"{choice.choice(VARIANTS)}.tflite", bare)
        # A file without a card starts a process, which takes a while: one in four has it.
        if choice.random() < 0.75:
            bare.unlink()
            done = [damage_model(folder / DAMAGED, choice)]
        else:
            done = [damage_file(bare, choice)]
            if choice.random() < 0.3:
                done.append(damage_model(folder / DAMAGED, choice))
        yield f"{number}: {'; '.join(done)}", folder
        shutil.rmtree(folder)


def damage_model(folder: Path, choice: random.Random) -> str:
    """Damage a model with a card in one way; returns it in words."""
    where = choice.random()
    if where < 0.4:
        return damage_card(folder, choice)
    if where < 0.55:
        return damage_file(folder / CARD, choice)
    names = [f"{variant}.tflite" for variant in VARIANTS]
    names += ["model.keras", "reference.npz", CONFUSION]
    several = choice.sample(names, choice.choice([1, 1, 1, 2, 3, len(names)]))
    return ", ".join(damage_file(folder / name, choice) for name in several)


def damage_card(folder: Path, choice: random.Random) -> str:
    """Change values of a card, or remove them, or write another; returns it in words."""
    if choice.random() < 0.2:
        content = choice.choice(CARDS)
        (folder / CARD).write_bytes(content)
        return f"{CARD} is {content[:20]!r}, {len(content)} bytes"
    done: list[str] = []

    def change(card: Any) -> None:
        for _ in range(choice.choice([1, 1, 1, 2, 5])):
            parent, key, path = _pick(card, choice)
            if choice.random() < 0.2:
                del parent[key]
                done.append(f"no {path}")
            else:
                parent[key] = choice.choice(ODD)
                done.append(f"{path} is {parent[key]!r:.40}")

    _edit(folder, change)
    return f"{CARD}: {', '.join(done)}"


def damage_file(path: Path, choice: random.Random) -> str:
    """Damage a file, or put something else in its place; returns it in words."""
    how = choice.choice([*_CONTENTS, *_CONTENTS, *_CONTENTS, *_THINGS])
    if how in _CONTENTS:
        path.write_bytes(_CONTENTS[how](path.read_bytes(), choice))
    else:
        path.unlink()
        _THINGS[how](path)
    return f"{path.name} {how}"


def flip(content: bytes, choice: random.Random) -> bytes:
    """Change up to twenty bytes anywhere."""
    changed = bytearray(content)
    for _ in range(choice.randint(1, 20)):
        changed[choice.randrange(len(changed))] = choice.randrange(256)
    return bytes(changed)


def _flip_head(content: bytes, choice: random.Random) -> bytes:
    """Change a byte among the first, which say where everything lies."""
    place = choice.randrange(min(64, len(content)))
    return content[:place] + bytes([choice.randrange(256)]) + content[place + 1 :]


def _make_huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10**9)  # It takes no place on the disk.


_CONTENTS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "has other bytes": flip,
    "has other bytes at its beginning": _flip_head,
    "is cut off": lambda content, choice: content[: choice.randrange(len(content))],
    "has more at its end": lambda content, choice: content + choice.randbytes(100),
    "is noise": lambda content, choice: choice.randbytes(len(content)),
}
_THINGS: dict[str, Callable[[Path], object]] = {
    "is missing": lambda _: None,
    "is a folder": Path.mkdir,
    "is a FIFO": os.mkfifo,
    "is a link to itself": lambda path: path.symlink_to(path.name),
    "is a link to nothing": lambda path: path.symlink_to("nowhere"),
    "is a link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "is a link to a folder": lambda path: path.symlink_to("/"),
    "is huge": _make_huge,
    "is empty": Path.touch,
}


def _pick(card: Any, choice: random.Random) -> tuple[Any, Any, str]:
    """Any value in a card: what holds it, its key there, and its path in words."""
    parent, key, path = card, choice.choice(sorted(card)), ""
    while True:
        path += f"/{key}"
        value = parent[key]
        keys: list[Any] = list(range(len(value))) if isinstance(value, list) else []
        if isinstance(value, dict):
            keys = sorted(value)
        if not keys or choice.random() < 0.3:
            return parent, key, path
        parent, key = value, choice.choice(keys)


def _edit(folder: Path, change: Callable[[Any], object]) -> None:
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    change(card)
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")
