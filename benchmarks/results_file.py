"""The results as JSON, for other programs.

Fields of format 1; a field that is null is unknown::

    format                1; a reader refuses another
    device                what was measured on
        board, cpu        names, or null
        architecture      the kernel's, "aarch64"
        cores             those that the process may use
        memory_bytes      or null
        system            the distribution's name
        python, numpy     versions
        runtime           the TFLite runtime's package and version
    dataset
        name              "MNIST t10k"
        sha256            of the images' bytes followed by the labels'
        images            how many
    models.<name>
        title             as people read it
        card_sha256       of card.json, which has the hashes of the other files
        normalization     "moments" or "box"
        budget            accuracy_loss_points: what int8 may lose, in percentage points
        original          bytes of its file; accuracy, 0 to 1, or null
        variants.<name>   "float32", "float16", "dynamic", "int8"
            bytes         size of its file
            drift         against the original, or null:
                accuracy, agreement            parts of the images, 0 to 1
                accuracy_loss_points           the original's accuracy less this one's, points
                flips_to_wrong, flips_to_right numbers of images
                largest_difference             of any probability, 0 to 1
            latency       of one inference, as below
    bare.<name>           a .tflite file without a card
        title             as people read it
        file, bytes, sha256    of it
        normalization     "moments" or "box"
        accuracy          part of the images, 0 to 1
        latency           of one inference, as below
    normalize.<normalization>    latency of one of the test set's pictures
    rasterize.<normalization>    latency of one of ten synthetic drawings
    problems              sentences; the exit status is 1 when there are any

A latency is median_us, p90_us and p99_us, in microseconds and interpolated linearly between the
two nearest of the times of that many single ``calls``.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.results import BareResults, ModelResults, Results
from edge_app.errors import UserError

FORMAT = 1
"""Version of the fields above."""


class ReportError(UserError):
    """A report that cannot be written."""


def to_json(results: Results) -> dict[str, Any]:
    """The results in the fields above."""
    return {
        "format": FORMAT,
        "device": asdict(results.device),
        "dataset": {
            "name": "MNIST t10k",
            "sha256": results.dataset_sha256,
            "images": results.images,
        },
        "models": {name: _model(model) for name, model in results.models.items()},
        "bare": {name: _bare(model) for name, model in results.bare.items()},
        "normalize": {name: asdict(latency) for name, latency in results.normalize.items()},
        "rasterize": {name: asdict(latency) for name, latency in results.rasterize.items()},
        "problems": results.problems,
    }


def check_writable(path: Path) -> None:
    """Find out, before minutes of measuring, whether a report can be written; changes nothing.

    Raises:
        ReportError: it cannot.
    """
    try:
        if path.exists() and not path.is_file():
            raise ReportError(f"{path} is no regular file; name a file to write the report to.")
        with tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error


def write_report(results: Results, path: Path) -> None:
    """Write the results as JSON; a file of that name is replaced only by a whole one.

    Raises:
        ReportError: it cannot be written.
    """
    text = json.dumps(to_json(results), indent=2, ensure_ascii=False, allow_nan=False)
    target = path.resolve()  # Behind a symbolic link: the file is replaced, not the link.
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise _unwritable(path, error) from error


def _model(results: ModelResults) -> dict[str, Any]:
    card, drift = results.card, results.drift
    return {
        "title": card.title,
        "card_sha256": results.card_sha256,
        "normalization": card.contract.normalization,
        "budget": asdict(card.budget),
        "original": {
            "bytes": card.original.bytes,
            "accuracy": drift.original_accuracy if drift else None,
        },
        "variants": {
            variant: {
                "bytes": card.variants[variant].bytes,
                "drift": asdict(drift.variants[variant]) if drift else None,
                "latency": asdict(latency),
            }
            for variant, latency in results.latency.items()
        },
    }


def _bare(results: BareResults) -> dict[str, Any]:
    return {
        "title": results.title,
        **asdict(results.file),
        "normalization": results.normalization,
        "accuracy": results.accuracy,
        "latency": asdict(results.latency),
    }


def _unwritable(path: Path, error: OSError) -> ReportError:
    return ReportError(
        f"The report {path} cannot be written ({error.strerror}); "
        "name a file in a folder that exists and is yours."
    )
