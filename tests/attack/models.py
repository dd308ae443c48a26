"""Damaged models: whether a folder with them still loads what is whole, and serves it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from app import PYTHON, ROOT

BATCH = 10
"""Damaged models in one folder, besides a whole one."""
PATIENCE_S = (30, 3)
"""How long a folder may take to load, and each damaged model in it; a bare file is tried first."""
MEMORY = 2 * 2**30
"""Bytes that loading may take; a device in a file's place never ends."""
WHOLE = "dense"
"""The model that is not damaged."""

_SCRIPT = (
    f"""
import resource
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
"""
    + """
import sys
import orjson
from edge_app.models.answers import answer_drawing
from edge_app.models.folder import load_folder
from edge_app.page.tabs.models import models_sheet

left_out = []
models = load_folder(sys.argv[1], left_out.append)
orjson.dumps(models_sheet(models))
state = {"strokes": [[[10, 10], [90, 10], [40, 100]]]}
for variant in ("float32", "float16", "dynamic", "int8"):
    orjson.dumps(answer_drawing(models, {**state, "variant": variant}, "int8"))
"\\n".join(left_out).encode()
print(orjson.dumps([*models]).decode())
"""
)
"""Loads a folder, and does with its models what the page needs."""

_ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 10**30, 0.5, float("nan"), "", "\0", "\ud800", "../mlp", "/etc/passwd"),
    *([], {}, [[]], "a" * 5000, {"file": "card.json"}, ["float32"], "int8"),
)


class Loading(NamedTuple):
    """What came of it."""

    damaged: int
    lost: list[str]
    """For each damaged model that kept the whole one from serving: how to repeat it, and why."""


def attack_models(seed: int, count: int, after: Callable[[], object]) -> Loading:
    """Load so many damaged models, a folder of them at a time, in a fresh process each.

    Args:
        after: called after each damaged model.
    """
    lost = []
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        if _load(seed, numbers):
            alone = {number: _load(seed, [number]) for number in numbers}
            found = {number: reason for number, reason in alone.items() if reason}
            lost += [f"--seed {seed} --model {number}: {why}" for number, why in found.items()]
            if not found:
                lost.append(f"models {numbers[0]} to {numbers[-1]} together, none of them alone")
        for _ in numbers:
            after()
    return Loading(count, lost)


def load_one(seed: int, number: int) -> str:
    """Why a damaged model kept the whole one from serving; empty if it did not."""
    return _load(seed, [number])


def _load(seed: int, numbers: Sequence[int]) -> str:
    patience_s = PATIENCE_S[0] + PATIENCE_S[1] * len(numbers)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shutil.copytree(ROOT / "models" / WHOLE, folder / WHOLE)
        for number in numbers:
            _damage(Random(f"{seed}/model/{number}"), folder, number)  # noqa: S311
        try:
            ended = subprocess.run(
                [PYTHON, "-c", _SCRIPT, place],
                cwd=ROOT,
                capture_output=True,
                timeout=patience_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"no end within {patience_s} s"
        if ended.returncode:
            last = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            return f"ended with {ended.returncode}: {last[:200]}"
        loaded = json.loads(ended.stdout.splitlines()[-1])
        return "" if WHOLE in loaded else "the whole model was left out"


def _damage(random: Random, folder: Path, number: int) -> None:
    """Add a damaged model to a folder: one in four a file without a card."""
    name = random.choice(["dense", "mlp", "cnn"])
    if random.random() < 0.25:
        variant = random.choice(["float32", "float16", "dynamic", "int8"])
        path = folder / f"bare-{number}.tflite"
        path.write_bytes(
            _flipped(random, (ROOT / "models" / name / f"{variant}.tflite").read_bytes())
        )
        return
    model = folder / f"model-{number}"
    shutil.copytree(ROOT / "models" / name, model)
    card = json.loads((model / "card.json").read_text(encoding="utf-8"))
    card["name"] = model.name
    choice = random.random()
    if choice < 0.4:
        for _ in range(random.randint(1, 2)):
            card = _replaced(random, card)
    text = json.dumps(card).encode()
    (model / "card.json").write_bytes(_flipped(random, text) if 0.4 <= choice < 0.6 else text)
    if choice >= 0.55:
        _spoil(random, random.choice(sorted(model.iterdir())))


def _spoil(random: Random, path: Path) -> None:
    """Put something else in a file's place."""
    content = path.read_bytes()
    path.unlink()
    kind = random.choice(
        ["flipped", "flipped", "nested", "pipe", "folder", "loop", "gone", "device"]
    )
    if kind == "flipped":
        path.write_bytes(_flipped(random, content))
    elif kind == "nested":
        path.write_bytes(random.choice([b"[" * 5000, b'{"a":' * 5000, b"[" * 10**6]))
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "device":
        path.symlink_to(random.choice(["/dev/zero", "/dev/null", "/proc/self/mem"]))


def _flipped(random: Random, content: bytes) -> bytes:
    """Bits flipped, bytes replaced, or the end missing."""
    changed = bytearray(content)
    if random.random() < 0.2:
        return bytes(changed[: random.randrange(len(changed))])
    for _ in range(random.choice([1, 2, 10, 100])):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def _replaced(random: Random, value: Any) -> Any:
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        if random.random() < 0.1:
            return {name: each for name, each in value.items() if name != key}
        return {**value, key: _replaced(random, value[key])}
    return random.choice(_ODD)
