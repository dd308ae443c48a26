"""The last benchmark: the summary that ``python -m benchmarks`` leaves for the page to show.

The file may be damaged, from another version or from another program: a file that is not exactly as
expected counts as no benchmark.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

FORMAT = "summary-1"
"""Names the kind of file and the version of its fields."""
MAX_BYTES = 500_000
MAX_LENGTH = 400
"""Characters of a string that are shown; the rest is cut."""


@dataclass(frozen=True)
class MeasuredVariant:
    """The figures of one variant, None if not measured: the bytes of its file; the fractions of the
    test set, 0 to 1, that it reads right and as the original does; and the median and the 99th
    percentile of the time of an inference, in microseconds."""

    bytes: float | None
    accuracy: float | None
    agreement: float | None
    median_us: float | None
    p99_us: float | None


@dataclass(frozen=True)
class MeasuredModel:
    """One model: its title, its card's SHA-256 (None without a card) and its variants by name."""

    title: str
    card_sha256: str | None
    variants: Mapping[str, MeasuredVariant]


@dataclass(frozen=True)
class LastBenchmark:
    """What the page shows of a benchmark, measured at a time in UTC; ``warnings`` are sentences."""

    measured_at: datetime
    quick: bool
    board: str | None
    cpu: str | None
    architecture: str
    runtime: str
    models: Mapping[str, MeasuredModel]
    warnings: list[str]

    def to_json(self) -> str:
        """The text of the file."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, default=str)


def read_last_benchmark(path: Path) -> LastBenchmark | None:
    """Read the file of the last benchmark; None if it is missing or not as expected."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        content = json.loads(path.read_bytes())
        found: LastBenchmark = _typed(LastBenchmark, content)
        return found if found.models and content["format"] == FORMAT else None
    except (OSError, LookupError, ValueError, TypeError, RecursionError):
        return None


def _typed(kind: Any, content: Any) -> Any:
    """JSON as a value of one of the types above; raises an error if it is something else."""
    arguments = get_args(kind)
    if get_origin(kind) is Mapping:
        return {_typed(str, name): _typed(arguments[1], content[name]) for name in content}
    if get_origin(kind) is list:
        return [_typed(arguments[0], each) for each in content]
    if get_origin(kind) is UnionType:
        return None if content is None else _typed(arguments[0], content)
    if kind in {LastBenchmark, MeasuredModel, MeasuredVariant}:
        fields = get_type_hints(kind).items()
        return kind(**{name: _typed(each, content[name]) for name, each in fields})
    value: Any = datetime.fromisoformat(content) if kind is datetime else content
    is_number = type(value) in {int, float} and 0 <= value <= 1e15
    if not (is_number if kind is float else type(value) is kind):
        raise TypeError("another type")
    if kind is datetime and value.tzinfo != UTC:
        raise ValueError("another time zone")
    if kind is str:
        value.encode()  # JSON can hold half a character, which cannot be sent to a browser.
        return value if len(value) <= MAX_LENGTH else f"{value[: MAX_LENGTH - 1]}…"
    return value
