"""The last benchmark: what ``python -m benchmarks`` left in its file, as far as the page shows it.

The file comes from another program, perhaps of another version or from another machine: nothing in
it is taken for granted.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from edge_app.errors import UserError
from edge_app.models.folder import VARIANT

FORMAT = 3
"""Version of the file's fields; a reader refuses another."""
MAX_BYTES = 2_000_000
_MAX_ITEMS = 100
"""Models, variants of a model, or sentences."""
_MAX_LENGTH = 400
"""Characters of a text. Of a longer sentence the beginning is shown."""
_MOST = 1e15
"""A number that nothing here reaches."""

Part = TypeVar("Part")


class LastBenchmarkError(UserError):
    """A file that is missing, or not the result of a benchmark."""


@dataclass(frozen=True)
class MeasuredVariant:
    """What was measured of one variant; None where that was not done."""

    bytes: int
    """The file's size."""
    accuracy: float | None
    """The part of the test set that it reads right, 0 to 1."""
    agreement: float | None
    """The part of the test set that it reads as the original does, 0 to 1."""
    median_us: float | None
    """Half of the inferences took at most so many microseconds."""
    p99_us: float | None
    """99 of 100 inferences took at most so many microseconds."""


@dataclass(frozen=True)
class MeasuredModel:
    """What was measured of one model."""

    title: str
    card_sha256: str | None
    """None of a file without a card."""
    variants: Mapping[str, MeasuredVariant]
    """By name, in the order of the file."""


@dataclass(frozen=True)
class LastBenchmark:
    """The result of a benchmark."""

    measured_at: datetime
    """In UTC."""
    quick: bool
    """Whether less was measured, for a first impression."""
    board: str | None
    cpu: str | None
    architecture: str
    runtime: str
    models: Mapping[str, MeasuredModel]
    """By name, in the order of the file."""
    warnings: tuple[str, ...]
    """Why timings should not be trusted, and what failed, in sentences."""


def read_last_benchmark(path: Path) -> LastBenchmark:
    """Read a benchmark's result.

    Raises:
        LastBenchmarkError: the file is missing, unreadable, too large, or something else.
    """
    try:
        return _parse(json.loads(_read(path)))
    except OSError as error:
        raise LastBenchmarkError(f"{path} cannot be read ({error.strerror}).") from error
    except KeyError as error:
        raise LastBenchmarkError(f"{path} is no benchmark's result: {error} is missing.") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise LastBenchmarkError(f"{path} is no benchmark's result ({error}).") from error


def _read(path: Path) -> bytes:
    # Without waiting: what lies there might be a pipe that nobody writes to.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - A descriptor, no path.
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no file")
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES:,} bytes")
    return content


def _parse(content: Any) -> LastBenchmark:
    fields = _object(content)
    if fields["format"] != FORMAT:
        raise ValueError(f"it has format {fields['format']!r:.40}, expected {FORMAT}")
    device = _object(fields["device"])
    models = {**_each(fields["models"], _model), **_each(fields["bare"], _bare)}
    if not models:
        raise ValueError("it has no models")
    return LastBenchmark(
        measured_at=_time(fields["measured_at"]),
        quick=fields["quick"] is True,
        board=None if device["board"] is None else _text(device["board"]),
        cpu=None if device["cpu"] is None else _text(device["cpu"]),
        architecture=_text(device["architecture"]),
        runtime=_text(device["runtime"]),
        models=models,
        warnings=(*_sentences(fields["problems"]), *_sentences(fields["warnings"])),
    )


def _model(content: Any) -> MeasuredModel:
    fields = _object(content)
    return MeasuredModel(
        title=_text(fields["title"]),
        card_sha256=_text(fields["card_sha256"]),
        variants=_each(fields["variants"], _variant),
    )


def _bare(content: Any) -> MeasuredModel:
    """A file without a card: no original is known that it could agree with."""
    fields = _object(content)
    return MeasuredModel(
        title=_text(fields["title"]),
        card_sha256=None,
        variants={VARIANT: _file(fields, _part(fields["quality"], "accuracy", 1), None)},
    )


def _variant(content: Any) -> MeasuredVariant:
    fields = _object(content)
    drift = fields["drift"]
    return _file(fields, _part(drift, "accuracy", 1), _part(drift, "agreement", 1))


def _file(
    fields: Mapping[str, Any], accuracy: float | None, agreement: float | None
) -> MeasuredVariant:
    return MeasuredVariant(
        bytes=int(_number(fields["bytes"])),
        accuracy=accuracy,
        agreement=agreement,
        median_us=_part(fields["latency"], "median_us"),
        p99_us=_part(fields["latency"], "p99_us"),
    )


def _part(measured: Any, name: str, most: float = _MOST) -> float | None:
    """One figure of a measurement, where that was done and gave it."""
    value = None if measured is None else _object(measured)[name]
    return None if value is None else _number(value, most)


def _object(content: Any) -> Mapping[str, Any]:
    if not isinstance(content, dict):
        raise TypeError(f"it holds a {type(content).__name__} for an object")
    return content


def _each(content: Any, parse: Callable[[Any], Part]) -> dict[str, Part]:
    fields = _object(content)
    if len(fields) > _MAX_ITEMS:
        raise ValueError(f"it holds {len(fields):,} of a kind, expected at most {_MAX_ITEMS}")
    return {_text(name): parse(part) for name, part in fields.items()}


def _sentences(content: Any) -> list[str]:
    if not isinstance(content, list) or len(content) > _MAX_ITEMS:
        raise TypeError(f"it holds {content!r:.40} for a list of at most {_MAX_ITEMS} sentences")
    return [_text(_cut(sentence)) for sentence in content]


def _cut(sentence: Any) -> Any:
    """Some quote what a library had to say."""
    if isinstance(sentence, str) and len(sentence) > _MAX_LENGTH:
        return f"{sentence[: _MAX_LENGTH - 1]}…"
    return sentence


def _text(content: Any) -> str:
    if not isinstance(content, str) or len(content) > _MAX_LENGTH:
        raise TypeError(f"it holds {content!r:.40} for a text of at most {_MAX_LENGTH} characters")
    content.encode()  # JSON can hold half of a character, which cannot be sent on.
    return content


def _number(content: Any, most: float = _MOST) -> float:
    if type(content) not in {int, float}:  # True is an int, too.
        raise TypeError(f"it holds {content!r:.40} for a number")
    if not 0 <= content <= most:  # Nor is NaN, which JSON, as Python reads it, knows.
        raise ValueError(f"it holds {content!r:.40} for a number of 0 to {most:g}")
    return float(content)


def _time(content: Any) -> datetime:
    time = datetime.fromisoformat(_text(content))
    if time.utcoffset() != timedelta(0):
        raise ValueError(f"it was measured at {content}, which is no time in UTC")
    return time
