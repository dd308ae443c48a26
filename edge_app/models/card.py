"""The model card, ``card.json``: what a model is, how it was made, and its files' hashes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from edge_app.digits.normalization import NORMALIZATIONS, Normalization
from edge_app.errors import UserError
from edge_app.models.acceptance import Acceptance
from edge_app.models.files import read_regular

CARD = "card.json"
PROBABILITIES = "probabilities"
"""The array in a reference file: float32 (N, 10), in the order of the test images."""
FORMAT = 1
"""Version of the card's fields; other versions are refused."""
VARIANTS = ("float32", "float16", "dynamic", "int8")
"""The quantizations a model is exported in, from the most exact to the smallest."""
LARGEST_CARD = 10**6
LARGEST_FILE = 10**8
"""Bytes; the shipped models' largest file has 1.5 MB."""
DEEPEST = 30
"""Levels of lists and objects in a card; what convert writes has up to 5."""
LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 2_000
MOST_PARAMETERS = 10**12
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of surrogate pairs, which UTF-8 cannot encode."""

Output = Literal["logits", "probabilities"]


class CardError(UserError):
    """A card that is missing or wrong, or a file that does not match its card."""


@dataclass(frozen=True)
class FileRecord:
    """A file beside the card: its name, its size in bytes and its SHA-256 in hexadecimal."""

    file: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class ModelFile(FileRecord):
    """A model's file; ``accuracy`` is the part of the test set that it reads right, 0 to 1."""

    quantization: str
    accuracy: float


@dataclass(frozen=True)
class ReferenceFile(FileRecord):
    """The original's probabilities on the test set, float32 (N, 10), with the SHA-256 of that set
    and of the original's file."""

    dataset: str
    dataset_sha256: str
    original_sha256: str


@dataclass(frozen=True)
class Contract:
    """What a model takes and gives: (1, 28, 28) pixels made by its normalization, and (1, 10)
    outputs of the named kind. ``input`` describes the input for people."""

    normalization: Normalization
    input: str
    output: Output


@dataclass(frozen=True)
class Budget:
    """How far int8 may drift from the original on the test set.

    ``accuracy_loss_points`` is the accuracy that it may lose, in percentage points; ``agreement``
    the least part of the images, 0 to 1, on which it must give the original's answer; ``bytes`` the
    largest size of its file, None for no limit.
    """

    accuracy_loss_points: float
    agreement: float
    bytes: int | None


@dataclass(frozen=True)
class Card:
    """Everything ``card.json`` holds; ``training`` and ``versions`` are for people to read."""

    format: int
    name: str
    title: str
    description: str
    parameters: int
    contract: Contract
    original: ModelFile
    variants: Mapping[str, ModelFile]
    reference: ReferenceFile
    budget: Budget
    training: Mapping[str, Any]
    versions: Mapping[str, str]
    acceptance: Acceptance | None = None
    """When an answer counts; None if every answer does."""
    confusion: FileRecord | None = None
    """How int8 reads the test set, digit by digit; None on cards of older versions."""

    def files(self) -> list[FileRecord]:
        """Every file of the model except the card itself."""
        others = [self.confusion] if self.confusion else []
        return [self.original, *self.variants.values(), self.reference, *others]


def read_card(folder: Path) -> Card:
    """Read and check ``card.json`` in a model's folder.

    Raises:
        CardError: the card is missing or not JSON, or a field is missing or has a wrong value.
    """
    path = folder / CARD
    try:
        fields = json.loads(read_regular(path, LARGEST_CARD).decode())
    except FileNotFoundError:
        raise CardError(f"{path} is missing; every model's folder has one.") from None
    except OSError as error:
        raise CardError(f"{path} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise CardError(f"{path} cannot be read ({error}).") from error
    try:
        _check_texts(fields)
        return _parse(fields)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        reason = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
        raise CardError(
            f"{path} is not a model card: {reason[:200]}; convert the model again."
        ) from error


def write_card(card: Card, folder: Path) -> None:
    """Write ``card.json`` into a model's folder."""
    text = json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")


def record_file(path: Path) -> FileRecord:
    """The record of a file as it is now.

    Raises:
        CardError: it is missing, unreadable, not a regular file, or too large.
    """
    content = _read(path)
    return FileRecord(path.name, len(content), hashlib.sha256(content).hexdigest())


def read_file(folder: Path, record: FileRecord) -> bytes:
    """Read a file and compare it with its record.

    Raises:
        CardError: it is missing, unreadable, or not the file that was recorded.
    """
    path = folder / record.file
    content = _read(path)
    found = hashlib.sha256(content).hexdigest()
    if (len(content), found) != (record.bytes, record.sha256):
        raise CardError(
            f"{path} is corrupt: found {len(content)} bytes with SHA-256 {found[:12]}..., expected "
            f"{record.bytes} with {record.sha256[:12]}...; fetch it or convert the model again."
        )
    return content


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, LARGEST_FILE)
    except FileNotFoundError:
        raise CardError(f"{path} is missing; fetch it or convert the model again.") from None
    except OSError as error:
        raise CardError(f"{path} cannot be read ({error.strerror}).") from error


def _check_texts(value: Any, depth: int = 0) -> None:
    """Check every string of a card, as the page, the terminal and other files show them."""
    if depth > DEEPEST:
        raise ValueError(f"it nests deeper than {DEEPEST} levels")
    if isinstance(value, str) and _UNPRINTABLE.search(value):
        raise ValueError(f"the text {value[:50]!r} has a control character or is not Unicode")
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for each in value:
            _check_texts(each, depth + 1)


def _parse(fields: Any) -> Card:
    if not isinstance(fields, dict):
        raise TypeError(f"it holds a {type(fields).__name__}, not an object")
    if fields["format"] != FORMAT:
        raise ValueError(f"it has format {fields['format']}, expected {FORMAT}")
    promised = fields["contract"]
    shapes = _text(promised, "input", LONGEST_DESCRIPTION)
    contract = Contract(promised["normalization"], shapes, promised["output"])
    if contract.normalization not in NORMALIZATIONS:
        raise ValueError(f"unknown normalization {contract.normalization!r}")
    if contract.output not in get_args(Output):
        raise ValueError(f"unknown output {contract.output!r}")
    variants = {name: _model_file(fields["variants"][name]) for name in VARIANTS}
    reference = fields["reference"]
    return Card(
        format=FORMAT,
        name=_text(fields, "name", LONGEST_TITLE),
        title=_text(fields, "title", LONGEST_TITLE),
        description=_text(fields, "description", LONGEST_DESCRIPTION),
        parameters=_whole(fields["parameters"], MOST_PARAMETERS),
        contract=contract,
        original=_model_file(fields["original"]),
        variants=variants,
        reference=ReferenceFile(
            *_file(reference),
            _text(reference, "dataset", LONGEST_DESCRIPTION),
            _text(reference, "dataset_sha256"),
            _text(reference, "original_sha256"),
        ),
        budget=_budget(fields["budget"]),
        training=_object(fields, "training"),
        versions=_object(fields, "versions"),
        acceptance=_acceptance(fields.get("acceptance"), contract.output),
        confusion=_confusion(fields.get("confusion")),
    )


def _model_file(fields: Mapping[str, Any]) -> ModelFile:
    accuracy = _finite(fields["accuracy"])
    if not 0 <= accuracy <= 1:
        raise ValueError(f"a file has an accuracy of {accuracy}, not of 0 to 1")
    return ModelFile(*_file(fields), _text(fields, "quantization"), accuracy)


def _budget(fields: Mapping[str, Any]) -> Budget:
    agreement, size = _finite(fields["agreement"]), fields["bytes"]
    if not 0 <= agreement <= 1:
        raise ValueError(f"its budget asks for an agreement of {agreement}, not of 0 to 1")
    if size is not None and (type(size) is not int or not 1 <= size <= LARGEST_FILE):
        raise ValueError(
            f"its budget allows {size!r} bytes, not a whole number of 1 to {LARGEST_FILE:,} or null"
        )
    return Budget(_finite(fields["accuracy_loss_points"]), agreement, size)


def _acceptance(fields: Any, output: Output) -> Acceptance | None:
    if fields is None:
        return None
    if not isinstance(fields, dict):
        raise TypeError(f"its acceptance is a {type(fields).__name__}, not an object")
    probability, energy = _finite(fields["probability"]), fields["energy"]
    if not 0 <= probability <= 1:
        raise ValueError(f"its acceptance asks for a probability of {probability}, not of 0 to 1")
    if energy is not None and output != "logits":
        raise ValueError("its acceptance asks for an energy, which only logits have")
    return Acceptance(probability, None if energy is None else _finite(energy))


def _confusion(fields: Any) -> FileRecord | None:
    if fields is None:
        return None
    if not isinstance(fields, dict):
        raise TypeError(f"its confusion is a {type(fields).__name__}, not an object")
    return FileRecord(*_file(fields))


def _finite(value: Any) -> float:
    # Python reads NaN from JSON, and true is an int.
    if type(value) not in {int, float} or not math.isfinite(value):
        raise ValueError(f"{value!r:.40} is not a finite number")
    return float(value)


def _file(fields: Mapping[str, Any]) -> tuple[str, int, str]:
    name = _text(fields, "file")
    if Path(name).name != name:
        raise ValueError(f"file {name!r} lies outside of the model's folder")
    return name, _whole(fields["bytes"], LARGEST_FILE), _text(fields, "sha256")


def _text(fields: Mapping[str, Any], key: str, longest: int = LONGEST_TITLE) -> str:
    text = fields[key]
    if not isinstance(text, str):
        raise TypeError(f"its {key} is of type {type(text).__name__}, not a string")
    if len(text) > longest:
        raise ValueError(f"its {key} has {len(text):,} characters, expected at most {longest:,}")
    return text


def _object(fields: Mapping[str, Any], key: str) -> dict[str, Any]:
    if not isinstance(fields[key], dict):
        raise TypeError(f"its {key} is of type {type(fields[key]).__name__}, not an object")
    return dict(fields[key])


def _whole(value: Any, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{value!r:.40} is not a whole number of 0 to {most:,}")
    return value
