"""Comparison: an earlier result against a new one, and which of the differences are noise.

The rules:

- *Accuracy*, on the same images: the images that only one of the two reads wrong, judged by
  McNemar's exact test. With p of 0.05 and more, the difference is noise.
- *Agreement with the original*: noise where the two 95% intervals (Wilson) have a value in common.
- *Latency*, on the same device and runtime: a difference is real where every repeated median of one
  run lies above every one of the other, and the medians are more than 5% apart. With five repeats
  each, chance alone puts all of one above all of the other, in either direction, with p = 2/252
  (the exact rank-sum test of H. B. Mann, D. R. Whitney, "On a test of whether one of two random
  variables is stochastically larger than the other", Ann. Math. Statist. 18, 1947).
- *Sizes* have no noise.

A ``.tflite`` file without a card is compared by its size, accuracy and latency.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.report.document import FORMAT
from benchmarks.results import TEST_SET
from edge_app.errors import UserError
from edge_app.models.folder import VARIANT
from edge_app.models.metrics import Flips, mcnemar, wilson_interval

SIGNIFICANCE = 0.05
"""A difference that chance alone brings at least this often is noise."""
LEAST_CHANGE = 0.05
"""A median that moved by a smaller part is the same, however steady both runs were: another layout
of memory can do that."""
LARGEST_FILE = 50_000_000
"""Bytes. A result takes less than a hundredth of it."""

Quantity = Literal["bytes", "accuracy", "agreement", "median_us"]
Verdict = Literal["same", "noise", "better", "worse", "other"]


class ComparisonError(UserError):
    """A file that holds no result of the benchmarks."""


@dataclass(frozen=True)
class Change:
    """One quantity of one model's variant, before and now."""

    model: str
    variant: str
    quantity: Quantity
    """Accuracy and agreement are 0 to 1."""
    before: float
    now: float
    verdict: Verdict
    """"other": not to be compared, as ``reason`` says."""
    reason: str


@dataclass(frozen=True)
class Comparison:
    """What changed since an earlier result."""

    before: str
    """When that was measured, ISO 8601."""
    changes: list[Change]
    notes: list[str]
    """Sentences about what cannot be compared."""


def read_result(path: Path) -> dict[str, Any]:
    """Read a result that ``--json`` wrote.

    Raises:
        ComparisonError: it cannot be read, is something else, or a field is missing or of another
            kind.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ComparisonError(f"{path} is too large for a result of the benchmarks.")
        result = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise ComparisonError(
            f"{path} cannot be compared with ({reason}); expected a file that "
            "python -m benchmarks --json wrote."
        ) from error
    found = result.get("format") if isinstance(result, dict) else None
    if found != FORMAT or not isinstance(result.get("models"), dict):
        raise ComparisonError(
            f"{path} cannot be compared with: it holds "
            f"{f'format {found}' if found else 'no result'}, expected format {FORMAT}; measure the "
            "earlier state again with this version's --json."
        )
    try:
        compare_results(result, result)  # Every field is read: better now than after minutes.
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ComparisonError(
            f"{path} cannot be compared with: a field is not as expected "
            f"({type(error).__name__}: {error}); measure the earlier state again with this "
            "version's --json."
        ) from error
    return dict(result)


def compare_results(before: Mapping[str, Any], now: Mapping[str, Any]) -> Comparison:
    """What changed from one result to another, both as ``--json`` writes them."""
    return Comparison(str(before["measured_at"]), list(_changes(before, now)), _notes(before, now))


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    is_same_device = _device(before) == _device(now)
    is_same_set = before["dataset_sha256"] == now["dataset_sha256"]
    earlier = _measured(before)
    for (name, variant), new in _measured(now).items():
        if (old := earlier.get((name, variant))) is None:
            continue
        yield _size(name, variant, old["bytes"], new["bytes"])
        if old["drift"] and new["drift"] and is_same_set:
            yield _accuracy(name, variant, old["drift"], new["drift"])
            if name in now["models"] and name in before["models"]:
                images = now["sets"][TEST_SET]["images"]
                yield _agreement(name, variant, old["drift"], new["drift"], images)
        if old["latency"] and new["latency"]:
            yield _latency(name, variant, old["latency"], new["latency"], is_same_device)


def _measured(result: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Bytes, drift and latency of every file, by model and variant."""
    files = {
        (name, variant): fields
        for name, model in result["models"].items()
        for variant, fields in model["variants"].items()
    }
    # Of a file without a card no drift is known, but how well it reads.
    bare = {
        (name, VARIANT): {**fields, "drift": fields["quality"]}
        for name, fields in result["bare"].items()
    }
    return files | bare


def _size(model: str, variant: str, before: int, now: int) -> Change:
    verdict: Verdict = "same" if before == now else "better" if now < before else "worse"
    return _change(
        model, variant, "bytes", before, now, verdict, f"{before:,} bytes then, {now:,} now"
    )


def _change(
    model: str,
    variant: str,
    quantity: Quantity,
    before: float,
    now: float,
    verdict: Verdict,
    reason: str,
) -> Change:
    """Both numbers are from files, and may be something else."""
    return Change(model, variant, quantity, float(before), float(now), verdict, reason)


def _accuracy(
    model: str, variant: str, before: Mapping[str, Any], now: Mapping[str, Any]
) -> Change:
    old, new = set(before["wrong"]), set(now["wrong"])
    lost, won = len(new - old), len(old - new)
    p = mcnemar(Flips(lost, won))
    verdict: Verdict = "same" if old == new else "noise"
    if p < SIGNIFICANCE:
        verdict = "worse" if lost > won else "better"
    reason = f"{lost} images newly wrong, {won} newly right: p = {p:.2g}"
    return _change(model, variant, "accuracy", before["accuracy"], now["accuracy"], verdict, reason)


def _agreement(
    model: str, variant: str, before: Mapping[str, Any], now: Mapping[str, Any], images: int
) -> Change:
    old, new = before["agreement"], now["agreement"]
    (low, high), (new_low, new_high) = (
        wilson_interval(round(each * images), images) for each in (old, new)
    )
    verdict: Verdict = "same" if old == new else "noise"
    if new_low > high:
        verdict = "better"
    elif new_high < low:
        verdict = "worse"
    reason = f"95% intervals {low:.2%} to {high:.2%} and {new_low:.2%} to {new_high:.2%}"
    return _change(model, variant, "agreement", old, new, verdict, reason)


def _latency(
    model: str,
    variant: str,
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    is_same_device: bool,
) -> Change:
    old, new = before["median_us"], now["median_us"]
    first, second = before["repeats_us"], now["repeats_us"]
    has_moved = abs(new / old - 1) > LEAST_CHANGE
    is_apart = min(second) > max(first) or max(second) < min(first)
    verdict: Verdict = "same" if first == second else "noise"
    if not is_same_device:
        verdict = "other"
    elif is_apart and has_moved:
        verdict = "better" if new < old else "worse"
    reason = (
        f"repeated medians {min(first):,.1f} to {max(first):,.1f} and "
        f"{min(second):,.1f} to {max(second):,.1f} µs"
    )
    return _change(model, variant, "median_us", old, new, verdict, reason)


def _notes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    notes = []
    if _device(before) != _device(now):
        notes.append(
            "The earlier result is of another device or runtime: latencies are shown, not judged."
        )
    if before["dataset_sha256"] != now["dataset_sha256"]:
        notes.append("The earlier result is of other test images: accuracies are not compared.")
    if warned := bool(before["warnings"]) + bool(now["warnings"]):
        runs = "Both runs" if warned == 2 else "One of the two runs"
        notes.append(f"{runs} warned about the timings: judge latencies with care.")
    then, today = ({*each["models"], *each["bare"]} for each in (before, now))
    gone = [f"Model {name!r} was measured then, and is not now." for name in sorted(then - today)]
    new = [f"Model {name!r} is new." for name in sorted(today - then)]
    return [*notes, *gone, *new, *_one_sided(before, now), *_uncompared(before, now)]


def _one_sided(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What only one of the two runs measured of models that both have."""
    earlier, later = _measured(before), _measured(now)
    common = [name for name in later if name in earlier]
    for quantity, title in (("drift", "Accuracy"), ("latency", "Latency")):
        lost = [name for name in common if earlier[name][quantity] and not later[name][quantity]]
        new = [name for name in common if later[name][quantity] and not earlier[name][quantity]]
        for found, when in ((lost, "then, and not now"), (new, "now, and not then")):
            if found:
                files = ", ".join(" ".join(name) for name in found)
                whose = "all files" if found == common else files
                yield f"{title} was measured {when}, of {whose}."


def _uncompared(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What both runs measured, and nothing here compares."""
    sets = [name for name in now["sets"] if name in before["sets"] and name != TEST_SET]
    for name in sets:
        if before["sets"][name]["sha256"] != now["sets"][name]["sha256"]:
            yield f"The set {name!r} is another than in the earlier result."
    parts = [f"drift on {', '.join(sets)}"] if sets else []
    parts += ["loading", "normalization"] if before["latency"] and now["latency"] else []
    parts += ["serving"] if before["serving"] and now["serving"] else []
    if parts:
        yield f"Not compared: {', '.join(parts)}."


def _device(result: Mapping[str, Any]) -> tuple[object, ...]:
    """What a latency depends on most."""
    device = result["device"]
    return tuple(device[name] for name in ("board", "cpu", "architecture", "cores", "runtime"))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")
