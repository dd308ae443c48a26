"""Results as JSON: for other programs, and for a later run to compare itself with.

The fields of format 4. A null field is unknown or was not measured::

    format                4
    measured_at           ISO 8601, UTC
    quick                 whether --quick was given
    device                see benchmarks.latency.device.BenchmarkDevice; runtime is the one whose
                          drift is measured
    dataset_sha256        of the test set's images followed by its labels
    sets.<name>           the labelled sets: title, images (their number), sha256 of the data that
                          the set was made from. "mnist" is the test set
    models.<name>
        title, normalization, parameters
        card_sha256       of card.json, which has the hashes of the other files
        budget            see edge_app.models.card.Budget
        original          bytes, sha256 of its file
        sets.<name>       what the variants are compared with on each labelled set: origin,
                          "stored", or "float32" if that stands in for the original; original, how
                          well it reads: see benchmarks.drift.drift.Quality
        variants.<name>   "float32", "float16", "dynamic", "int8"
            bytes, sha256 of its file
            drift         on the test set: see benchmarks.drift.drift.Drift
            sets.<name>   the same on the other labelled sets
            layers        a list in the order of computing: see benchmarks.drift.layers.Layer
            latency       in the app's runtime, one thread, one image: see
                          benchmarks.latency.timing.Times
    bare.<name>           a .tflite file without a card: title, normalization, file, bytes, sha256,
                          quality on the test set, and latency as above
    latency               see benchmarks.latency.latency.Latency
    serving               see benchmarks.serving.serving.Serving
    warnings              sentences: why not to trust the times
    problems              sentences; if there are any, the exit status is 1

Format 3 also had accuracies by digit, matrices of flips, and more about layers and serving.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.drift.drift import Drift
from benchmarks.results import TEST_SET, CardlessResults, ModelResults, Results
from edge_app.device.last_benchmark import LastBenchmark, MeasuredModel, MeasuredVariant
from edge_app.errors import UserError

FORMAT = 4  # Version of the fields above.


class OutputFileError(UserError):
    """A file that cannot be written."""


def to_json(results: Results) -> dict[str, Any]:
    """The results as the fields above, of plain numbers, strings, lists and dicts."""
    return {
        "format": FORMAT,
        "measured_at": results.measured_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "quick": results.quick,
        "device": asdict(results.device),
        "dataset_sha256": results.dataset_sha256,
        "sets": {name: each._asdict() for name, each in results.sets.items()},
        "models": {name: _model(results, name, each) for name, each in results.models.items()},
        "bare": {name: _cardless(results, name, each) for name, each in results.cardless.items()},
        "latency": _dict(results.latency),
        "serving": _dict(results.serving),
        "warnings": results.warnings,
        "problems": results.problems,
    }


def dump(document: dict[str, Any]) -> str:
    """The result of :func:`to_json` as the text of a file."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def summarize(results: Results) -> LastBenchmark:
    """What the app's page shows of the results."""
    qualities = {(name, variant): each for name, variant, each in results.qualities()}
    variants: dict[str, dict[str, MeasuredVariant]] = {}
    for (name, variant), size in results.sizes().items():
        quality, times = qualities.get((name, variant)), results.times(name, variant)
        variants.setdefault(name, {})[variant] = MeasuredVariant(
            bytes=size,
            accuracy=quality.accuracy if quality else None,
            agreement=quality.agreement if isinstance(quality, Drift) else None,
            median_us=times.median_us if times else None,
            p99_us=times.p99_us if times else None,
        )
    models = {
        name: MeasuredModel(each.card.title, each.card_sha256, variants[name])
        for name, each in results.models.items()
    }
    for name, file in results.cardless.items():
        models[name] = MeasuredModel(file.title, None, variants[name])
    device = results.device
    return LastBenchmark(
        measured_at=results.measured_at,
        quick=results.quick,
        board=device.board,
        cpu=device.cpu,
        architecture=device.architecture,
        runtime=device.runtime,
        models=models,
        warnings=[*results.problems, *results.warnings],
    )


def check_writable(path: Path) -> None:
    """Check before minutes of measuring whether a file can be written; changes nothing.

    Raises:
        OutputFileError: it cannot.
    """
    with _as_sentence(path):
        if path.exists() and not path.is_file():
            raise OutputFileError(f"{path} is not a regular file; name a file to write to.")
        tempfile.TemporaryFile(dir=path.resolve().parent).close()


def write_text(text: str, path: Path) -> None:
    """Write a file; an existing one is replaced only once the new one is complete.

    Raises:
        OutputFileError: it cannot be written.
    """
    target = path.resolve()  # Replaces the file behind a symbolic link, not the link.
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    with _as_sentence(path):
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(target)
        except OSError:
            with suppress(OSError):
                partial.unlink()
            raise


def _model(results: Results, name: str, model: ModelResults) -> dict[str, Any]:
    card = model.card
    variants = {}
    for variant, file in card.variants.items():
        found = {name: each.variants.get(variant) for name, each in model.drift.items()}
        of_test_set = found.pop(TEST_SET, None)
        variants[variant] = {
            "bytes": file.bytes,
            "sha256": file.sha256,
            "drift": _dict(of_test_set),
            "sets": {name: asdict(each) for name, each in found.items() if each},
            "layers": [asdict(layer) for layer in model.layers.get(variant, ())],
            "latency": _dict(results.times(name, variant)),
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


def _cardless(results: Results, name: str, model: CardlessResults) -> dict[str, Any]:
    return {
        "title": model.title,
        "normalization": model.normalization,
        **asdict(model.file),
        "quality": _dict(model.quality),
        "latency": _dict(results.times(name, model.variant)),
    }


def _dict(fields: Any) -> dict[str, Any] | None:
    return asdict(fields) if fields else None


@contextmanager
def _as_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputFileError(
            f"{path} cannot be written ({error.strerror}); name a file in an existing folder that "
            "you may write to."
        ) from error
