"""Results as JSON: written for other programs, and for a later run to compare itself with.

Fields of format 3; a field that is null is unknown or was not measured::

    format                3; a reader refuses another
    measured_at           ISO 8601, UTC
    quick                 whether less was measured, as --quick asks
    device                see benchmarks.latency.device.Device
    dataset_sha256        of the test set's images followed by its labels
    sets.<name>           the labelled sets: title, images (how many), sha256 of what it was made
                          from, the test set or the drawings. "mnist" is the test set
    models.<name>
        title, normalization, parameters
        card_sha256       of card.json, which has the hashes of the other files
        budget            see edge_app.models.card.Budget
        original          bytes, sha256 of its file
        sets.<name>       what the variants are held against on each labelled set: origin, "stored",
                          "recomputed", or "float32" where that stands for the original; original,
                          how well it reads: see benchmarks.drift.drift.Quality
        variants.<name>   "float32", "float16", "dynamic", "int8"
            bytes, sha256 of its file
            drift         on the test set, from the original: see benchmarks.drift.drift.Drift
            sets.<name>   on the other labelled sets, from what the model's sets.<name> tells
            layers        a list, in the order of computing: see benchmarks.drift.layers.Layer
            latency       of the app's runtime, one thread, one image: see
            benchmarks.latency.timing.Times
    bare.<name>           a .tflite file without a card: title, normalization, file, bytes, sha256,
                          quality on the test set, and latency as a variant's
    latency               all of it: see benchmarks.latency.latency.Latency
    serving               see benchmarks.serving.serving.Serving
    warnings              sentences: why not to trust the times
    problems              sentences; the exit status is 1 when there are any

The file that the app's page reads has no flips, wrong, flip_matrix and reliability: the page shows
none of them, and of a model that reads little right they are megabytes.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.results import TEST_SET, BareResults, ModelResults, Results
from edge_app.errors import UserError

FORMAT = 3
"""Version of the fields above."""
_NOT_FOR_PAGE = frozenset({"flips", "wrong", "flip_matrix", "reliability"})


class ResultsFileError(UserError):
    """A file that cannot be written."""


def to_json(results: Results) -> dict[str, Any]:
    """The results as the fields above, of plain numbers, strings, lists and dicts."""
    latency, serving = results.latency, results.serving
    return {
        "format": FORMAT,
        "measured_at": results.measured_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "quick": results.quick,
        "device": asdict(results.device),
        "dataset_sha256": results.dataset_sha256,
        "sets": {name: each._asdict() for name, each in results.sets.items()},
        "models": {name: _model(results, name, each) for name, each in results.models.items()},
        "bare": {name: _bare(results, name, each) for name, each in results.bare.items()},
        "latency": asdict(latency) if latency else None,
        "serving": asdict(serving) if serving else None,
        "warnings": latency.warnings if latency else [],
        "problems": results.problems,
    }


def check_writable(path: Path) -> None:
    """Find out, before minutes of measuring, whether a file can be written; changes nothing.

    Raises:
        ResultsFileError: it cannot.
    """
    try:
        if path.exists() and not path.is_file():
            raise ResultsFileError(f"{path} is no regular file; name a file to write to.")
        with tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error


def write_text(text: str, path: Path) -> None:
    """Write a file; another of that name is replaced only by a whole one.

    Raises:
        ResultsFileError: it cannot be written.
    """
    target = path.resolve()  # Behind a symbolic link: the file is replaced, not the link.
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise _unwritable(path, error) from error


def dump(document: dict[str, Any]) -> str:
    """What :func:`to_json` gives, as a file's text."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def shorten(part: Any) -> Any:
    """The same of what :func:`to_json` gives, or of a part of it, without what is not for the app's
    page."""
    if isinstance(part, dict):
        return {name: shorten(each) for name, each in part.items() if name not in _NOT_FOR_PAGE}
    return [shorten(each) for each in part] if isinstance(part, list | tuple) else part


def _model(results: Results, name: str, model: ModelResults) -> dict[str, Any]:
    card = model.card
    variants = {}
    for variant, file in card.variants.items():
        found = {name: each.variants.get(variant) for name, each in model.drift.items()}
        of_test_set = found.pop(TEST_SET, None)
        variants[variant] = {
            "bytes": file.bytes,
            "sha256": file.sha256,
            "drift": asdict(of_test_set) if of_test_set else None,
            "sets": {name: asdict(each) for name, each in found.items() if each},
            "layers": [asdict(layer) for layer in model.layers.get(variant, ())],
            "latency": _latency(results, name, variant),
        }
    return {
        "title": card.title,
        "normalization": card.contract.normalization,
        "parameters": card.parameters,
        "card_sha256": model.card_sha256,
        "budget": asdict(card.budget),
        "original": {"bytes": card.original.bytes, "sha256": card.original.sha256},
        "sets": {
            name: {"origin": each.origin, "original": asdict(each.original)}
            for name, each in model.drift.items()
        },
        "variants": variants,
    }


def _bare(results: Results, name: str, bare: BareResults) -> dict[str, Any]:
    return {
        "title": bare.title,
        "normalization": bare.normalization,
        **asdict(bare.file),
        "quality": asdict(bare.quality) if bare.quality else None,
        "latency": _latency(results, name, bare.variant),
    }


def _latency(results: Results, name: str, variant: str) -> dict[str, Any] | None:
    timed = results.latency.app(name, variant) if results.latency else None
    return asdict(timed.times) if timed else None


def _unwritable(path: Path, error: OSError) -> ResultsFileError:
    return ResultsFileError(
        f"{path} cannot be written ({error.strerror}); name a file in a folder that exists and is "
        "yours."
    )
