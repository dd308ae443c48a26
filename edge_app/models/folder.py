"""A folder of models: a folder with a card for each, and ``.tflite`` files without one.

Whatever lies there, one model never keeps the others out. A model with a card is checked by the
hashes in it and then runs in this process. A card vouches against damage, not against intent: who
made the files also wrote the hashes. A file without a card has no hash to check, and runs in a
process of its own (see :mod:`edge_app.models.cardless`). Damage that does not show there, such as
wrong weights, stays unnoticed.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Collection
from pathlib import Path

from edge_app.errors import UserError
from edge_app.models.card import CARD, Card, CardError, read_card, read_file
from edge_app.models.cardless import CardlessFileError, CardlessModel, Worker
from edge_app.models.classifier import Classifier, Model
from edge_app.models.confusion import read_confusion
from edge_app.models.interpreter import Interpreter, InterpreterError, find_runtime

_log = logging.getLogger("edge_app")


class ModelError(UserError):
    """No models can be loaded from a folder."""


def load_folder(
    folder: str | Path,
    report: Callable[[str], None] = _log.warning,
    names: Collection[str] = (),
) -> dict[str, Classifier]:
    """Load everything in a models folder that works.

    Args:
        folder: holds a folder per model, ``<name>/card.json`` and the files that the card names,
            and ``.tflite`` files.
        report: called with a sentence for each model or variant that is left out, and later, from
            any thread, for each time that a file without a card gives no answer.
        names: the models to load; all if empty.

    Returns:
        The models by name: those with a card as :func:`load_models` orders them, then the files
        in alphabetical order.

    Raises:
        ModelError: the folder is missing or unreadable, or has no model of one of the names.
        InterpreterError: no TFLite runtime is installed.
    """
    files = [path for path in sorted(Path(folder).glob("[!.]*.tflite")) if not _is_folder(path)]
    if names:
        known = [*(path.name for path in _folders(folder)), *(name_of(path.name) for path in files)]
        if unknown := [name for name in names if name not in known]:
            raise ModelError(
                f"No model is named {unknown[0]!r}; in {folder} there are "
                f"{', '.join(known) or 'none'}."
            )
        files = [path for path in files if name_of(path.name) in names]
    models: dict[str, Classifier] = {**load_models(folder, report, names)}
    worker = Worker(report)
    for path in files:
        try:
            name = name_of(path.name)
            if name in models:
                raise CardlessFileError(
                    f"Another model is already named {name!r}; rename the file."
                )
            if not path.name.isprintable():
                raise CardlessFileError("Its name cannot be shown; rename the file.")
            models[name] = worker.load(name, path)
        except Exception as error:  # noqa: BLE001 - No file keeps the app from starting.
            report(f"The file {path.name!r} is left out: {_reason(error)}")
    worker.settle()
    return {
        name: model
        for name, model in models.items()
        if not (isinstance(model, CardlessModel) and model.is_left_out)  # While others loaded.
    }


def load_models(
    folder: str | Path = "models",
    report: Callable[[str], None] = _log.warning,
    names: Collection[str] = (),
    complete: bool = False,
) -> dict[str, Model]:
    """Load every model of a folder that has a card, as far as its variants are intact.

    Args:
        folder: holds a folder per model, ``<name>/card.json`` and the files that the card names.
        report: called with a sentence for each model or variant that is left out.
        names: the models to load; all if empty.
        complete: leave out a model that lacks a variant, its original or its reference. Otherwise
            one variant is enough, and the latter two, which answer nothing, are not read. Its
            confusion matrix is never needed.

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
            models.append(load_model(path) if complete else _load_intact(path, report))
        except Exception as error:  # noqa: BLE001 - No model keeps the app from starting.
            report(f"Model {path.name!r} is left out: {_reason(error)}")
    models.sort(key=lambda model: (model.card.original.accuracy, model.name))
    return {model.name: model for model in models}


def load_model(folder: Path) -> Model:
    """Load one model's folder, which must be complete.

    Raises:
        CardError: its card, or a file that the card names, is missing or corrupt.
        InterpreterError: a file does not load, or has other shapes than expected.
    """
    card = _read_own_card(folder)
    for record in (card.original, card.reference):
        read_file(folder, record)
    return Model(card, {variant: _load_variant(folder, card, variant) for variant in card.variants})


def _load_intact(folder: Path, report: Callable[[str], None]) -> Model:
    """Load the variants that are intact; raises what :func:`load_model` does if none is."""
    card = _read_own_card(folder)
    interpreters: dict[str, Interpreter] = {}
    errors: dict[str, UserError] = {}
    for variant in card.variants:
        try:
            interpreters[variant] = _load_variant(folder, card, variant)
        except (CardError, InterpreterError) as error:
            errors[variant] = error
    if not interpreters:
        raise next(iter(errors.values()))
    for variant, reason in errors.items():
        report(f"Model {folder.name!r} lacks its variant {variant}: {_reason(reason)}")
    confusion = None
    try:
        confusion = read_confusion(folder, card)
    except CardError as error:
        report(f"Model {folder.name!r} lacks its confusion matrix: {_reason(error)}")
    return Model(card, interpreters, confusion)


def _read_own_card(folder: Path) -> Card:
    card = read_card(folder)
    if card.name != folder.name:
        raise CardError(f"its card names it {card.name!r}; the folder must have the same name.")
    return card


def _load_variant(folder: Path, card: Card, variant: str) -> Interpreter:
    record = card.variants[variant]
    content = read_file(folder, record)
    try:
        return Interpreter(content)
    except InterpreterError as error:
        raise InterpreterError(f"{folder / record.file}: {error}") from error


def _reason(error: Exception) -> str:
    """What went wrong, on one line."""
    if isinstance(error, UserError):
        return "".join(each if each.isprintable() else "?" for each in str(error))
    return f"it fails with {type(error).__name__} ({error!s:.200}); convert it again."


def name_of(file: str) -> str:
    """A model's name from its file's: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", Path(file).stem.lower()).strip("-") or "model"


def _folders(folder: str | Path) -> list[Path]:
    try:
        paths = sorted(Path(folder).iterdir())
    except OSError as error:
        raise ModelError(
            f"The models folder {folder} cannot be read ({error.strerror}); "
            "expected a folder per model in it."
        ) from error
    folders = [path for path in paths if _is_folder(path) and not path.name.startswith(".")]
    if not folders and (Path(folder) / CARD).exists():
        raise ModelError(
            f"{folder} is the folder of one model; expected the folder that holds it: "
            f"{Path(folder).resolve().parent}."
        )
    return folders


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises where a link leads nowhere open.
