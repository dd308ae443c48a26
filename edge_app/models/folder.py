"""Bare models: ``.tflite`` files in the models' folder that have no card.

Each is tried in a process of its own first (see :mod:`edge_app.models.probe`): a file that ends or
hangs that process never gets into this one. Without a card there is no hash either, so a file
damaged in a way that the trial does not show is not known to be.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from edge_app.errors import UserError
from edge_app.models.card import FileRecord, read_file, record_file
from edge_app.models.classifier import Classifier
from edge_app.models.interpreter import Interpreter
from edge_app.models.probe import Usage
from edge_app.paths import ROOT

VARIANT = "tflite"
"""The one variant of a bare model: its file, however that is quantized."""
PATIENCE_S = 20
"""A file that has not answered after this many seconds is left out."""


class BareModelError(UserError):
    """A file that cannot be used."""


class BareModel(Classifier):
    """A classifier in one file without a card; how it is used was found out by trial."""

    def __init__(self, file: FileRecord, content: bytes, usage: Usage) -> None:
        name = name_of(file.file)
        super().__init__(
            name,
            f"{name} (no card)",
            usage.normalization,
            usage.output,
            {VARIANT: Interpreter(content, usage.pixels)},
        )
        self.file = file


def load_bare_models(
    folder: Path, taken: Collection[str], report: Callable[[str], None]
) -> dict[str, BareModel]:
    """Load every ``.tflite`` file that lies in the models' folder itself.

    Args:
        folder: the models' folder; it exists.
        taken: names of models that are loaded already.
        report: called with a sentence for each file that is left out.

    Returns:
        The models by name, in alphabetical order of their files.
    """
    models: dict[str, BareModel] = {}
    for path in sorted(folder.glob("[!.]*.tflite")):
        if not path.is_file():
            continue
        try:
            model = _load(path, [*taken, *models])
        except UserError as error:
            report(f"The file {path.name!r} is left out: {error}")
        else:
            models[model.name] = model
    return models


def name_of(file: str) -> str:
    """A model's name from its file's: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", Path(file).stem.lower()).strip("-") or "model"


def _load(path: Path, taken: Collection[str]) -> BareModel:
    if (name := name_of(path.name)) in taken:
        raise BareModelError(f"There is another model of the name {name!r}; rename the file.")
    try:
        file = record_file(path)
    except OSError as error:
        raise BareModelError(f"It cannot be read ({error.strerror}).") from error
    content = read_file(path.parent, file)
    return BareModel(file, content, _try_out(content))


def _try_out(content: bytes) -> Usage:
    """Run the trial in a process of its own."""
    try:
        trial = subprocess.run(
            [sys.executable, "-m", "edge_app.models.probe"],
            cwd=ROOT,
            input=content,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BareModelError(
            f"It was tried for {PATIENCE_S} seconds without an answer; convert it again."
        ) from None
    if trial.returncode:
        raise BareModelError(
            f"It ends the process that runs it ({ending(trial.returncode)}); convert it again."
        )
    answer = json.loads(trial.stdout)
    if "error" in answer:
        raise BareModelError(answer["error"])
    return Usage(**answer)


def ending(status: int) -> str:
    """How a process ended, by its status as subprocess tells it: "SIGSEGV", "status 1"."""
    return signal.Signals(-status).name if status < 0 else f"status {status}"
