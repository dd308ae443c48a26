"""Damaged models: whether a folder with them still loads what is whole, and serves it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from app import PYTHON, ROOT
from damage import INTACT, damaged_folders

PATIENCE_S = 60
"""How long a folder may take; each file without a card is tried first."""
MEMORY = 2 * 2**30
"""Bytes that loading may take; a device in a file's place never ends."""

_SCRIPT = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
from edge_app.models.answers import answer_drawing
from edge_app.models.folder import load_folder
from edge_app.page.tabs.models import models_sheet

left_out = []
models = load_folder(sys.argv[1], left_out.append)
shown = [models_sheet(models), left_out]
state = {{"strokes": [[[10, 10], [90, 10], [40, 100]]]}}
for variant in ("float32", "float16", "dynamic", "int8"):
    shown.append(answer_drawing(models, {{**state, "variant": variant}}, "int8"))
json.dumps(shown, ensure_ascii=False).encode()
print(json.dumps([*models]))
"""
"""Loads a folder, and does with its models what the page needs."""


class Loading(NamedTuple):
    """What came of it."""

    damaged: int
    lost: list[str]
    """For each folder in which the whole model did not serve: how to repeat it, and why."""


def attack_models(seed: int, count: int, after: Callable[[], object]) -> Loading:
    """Load so many folders with a damaged model in each, in a fresh process each.

    Args:
        after: called after each.
    """
    lost = []
    with tempfile.TemporaryDirectory() as scratch:
        folders = damaged_folders(ROOT / "models", Path(scratch), count, seed)
        for number, (done, folder) in enumerate(folders):
            if reason := _load(folder):
                lost.append(f"--seed {seed} --model {number}: {reason} ({done})")
            after()
    return Loading(count, lost)


def load_one(seed: int, number: int) -> str:
    """Why the whole model did not serve beside a damaged one; empty if it did."""
    with tempfile.TemporaryDirectory() as scratch:
        folders = damaged_folders(ROOT / "models", Path(scratch), number + 1, seed)
        return [
            _load(folder) if each == number else "" for each, (_, folder) in enumerate(folders)
        ][-1]


def _load(folder: Path) -> str:
    try:
        ended = subprocess.run(
            [PYTHON, "-c", _SCRIPT.format(memory=MEMORY), str(folder)],
            cwd=ROOT,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no end within {PATIENCE_S} s"
    if ended.returncode:
        last = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return f"ended with {ended.returncode}: {last[:200]}"
    loaded = json.loads(ended.stdout.splitlines()[-1])
    return "" if INTACT in loaded else "the whole model was left out"
