"""A folder of models: a folder with a card for each, and ``.tflite`` files without one.

A file without a card also has no hash to check. A process of its own tries it first (see
:mod:`edge_app.models.probe`), so that a file that crashes or hangs never does so in this process.
Damage that the probe does not reveal stays unnoticed.
"""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from edge_app.errors import UserError, ending
from edge_app.models.card import CardError, read_card, read_file, record_file
from edge_app.models.classifier import Classifier, Model
from edge_app.models.interpreter import Interpreter, InterpreterError, find_runtime
from edge_app.models.probe import Usage
from edge_app.paths import ROOT

CARDLESS = "tflite"
"""The name of the only variant of a model without a card, however its file is quantized."""
PATIENCE_S = 20
"""Seconds after which a file that has not answered is left out."""

_log = logging.getLogger("edge_app")


class ModelError(UserError):
    """No models can be loaded from a folder."""


class CardlessFileError(UserError):
    """A file without a card that cannot be used."""


def load_folder(
    folder: str | Path,
    report: Callable[[str], None] = _log.warning,
    names: Collection[str] = (),
) -> dict[str, Classifier]:
    """Load everything in a models folder that works.

    Args:
        folder: holds a folder per model, ``<name>/card.json`` and the files that the card names,
            and ``.tflite`` files.
        report: called with a sentence for each model that is left out.
        names: the models to load; all if empty.

    Returns:
        The models by name: those with a card as :func:`load_models` orders them, then the files
        in alphabetical order.

    Raises:
        ModelError: the folder is missing or unreadable, or has no model of one of the names.
        InterpreterError: no TFLite runtime is installed.
    """
    files = [path for path in sorted(Path(folder).glob("[!.]*.tflite")) if path.is_file()]
    if names:
        known = [*(path.name for path in _folders(folder)), *(name_of(path.name) for path in files)]
        if unknown := [name for name in names if name not in known]:
            raise ModelError(
                f"No model is named {unknown[0]!r}; in {folder} there are "
                f"{', '.join(known) or 'none'}."
            )
        files = [path for path in files if name_of(path.name) in names]
    models: dict[str, Classifier] = {**load_models(folder, report, names)}
    for path in files:
        try:
            model = _load_file(path, models)
        except UserError as error:
            report(f"The file {path.name!r} is left out: {error}")
        else:
            models[model.name] = model
    return models


def load_models(
    folder: str | Path = "models",
    report: Callable[[str], None] = _log.warning,
    names: Collection[str] = (),
) -> dict[str, Model]:
    """Load every model of a folder that has a card; leave out incomplete ones.

    Args:
        folder: holds a folder per model, ``<name>/card.json`` and the files that the card names.
        report: called with a sentence for each model that is left out.
        names: the models to load; all if empty.

    Returns:
        The models by name, in the order in which to show them: the most accurate last.

    Raises:
        ModelError: the folder is missing or unreadable.
        InterpreterError: no TFLite runtime is installed.
    """
    find_runtime()
    models = []
    for path in _folders(folder):
        if names and path.name not in names:
            continue
        try:
            models.append(load_model(path))
        except (CardError, InterpreterError) as error:
            report(f"Model {path.name!r} is left out: {error}")
    models.sort(key=lambda model: (model.card.original.accuracy, model.name))
    return {model.name: model for model in models}


def load_model(folder: Path) -> Model:
    """Load one model's folder completely.

    Raises:
        CardError: its card, or a file that the card names, is missing or corrupt.
        InterpreterError: a file does not load, or has other shapes than expected.
    """
    card = read_card(folder)
    if card.name != folder.name:
        raise CardError(f"its card names it {card.name!r}; the folder must have the same name.")
    contents = {record.file: read_file(folder, record) for record in card.files()}
    interpreters = {}
    for variant, record in card.variants.items():
        try:
            interpreters[variant] = Interpreter(contents[record.file])
        except InterpreterError as error:
            raise InterpreterError(f"{folder / record.file}: {error}") from error
    return Model(card, interpreters)


def name_of(file: str) -> str:
    """A model's name from its file's: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", Path(file).stem.lower()).strip("-") or "model"


def _folders(folder: str | Path) -> list[Path]:
    try:
        paths = sorted(Path(folder).iterdir())
        return [path for path in paths if path.is_dir() and not path.name.startswith(".")]
    except OSError as error:
        raise ModelError(
            f"The models folder {folder} cannot be read ({error.strerror}); "
            "expected a folder per model in it."
        ) from error


def _load_file(path: Path, taken: Collection[str]) -> Classifier:
    if (name := name_of(path.name)) in taken:
        raise CardlessFileError(f"Another model is already named {name!r}; rename the file.")
    try:
        file = record_file(path)
    except OSError as error:
        raise CardlessFileError(f"It cannot be read ({error.strerror}).") from error
    content = read_file(path.parent, file)
    usage = _probe(content)
    return Classifier(
        name,
        f"{name} (no card)",
        usage.normalization,
        usage.output,
        {CARDLESS: Interpreter(content, usage.pixels)},
        files={CARDLESS: file},
    )


def _probe(content: bytes) -> Usage:
    """Run the probe in a process of its own."""
    try:
        probe = subprocess.run(
            [sys.executable, "-m", "edge_app.models.probe"],
            cwd=ROOT,
            input=content,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CardlessFileError(
            f"It did not respond within {PATIENCE_S} seconds; convert it again."
        ) from None
    if probe.returncode:
        raise CardlessFileError(
            f"It ends the process that runs it ({ending(probe.returncode)}); convert it again."
        )
    # The runtime may have printed something first.
    answer = json.loads(probe.stdout.splitlines()[-1])
    if "error" in answer:
        raise CardlessFileError(answer["error"])
    return Usage(**answer)
