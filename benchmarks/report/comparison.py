"""Comparison of a result with an earlier one: what got better or worse beyond noise.

The rules:

- *Accuracy*, on the same images: McNemar's exact test on the images that only one of the two
  misreads. With p of 0.05 or more, the difference is noise.
- *Agreement with the original*: noise if the two 95% intervals (Wilson) overlap.
- *Latency*, on the same device and runtime: a real difference if all repeated medians of one run
  are above all of the other, and the medians are more than 5% apart. With five repeats each, chance
  alone separates them like that with p = 2/252 (the exact rank-sum test of H. B. Mann,
  D. R. Whitney, "On a test of whether one of two random variables is stochastically larger than the
  other", Ann. Math. Statist. 18, 1947).
- *Sizes* have no noise.

A ``.tflite`` file without a card is compared by its size, accuracy and latency.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.report.document import FORMAT
from benchmarks.report.tables import Part, ReportTable
from benchmarks.results import TEST_SET
from edge_app.device import last_benchmark
from edge_app.errors import UserError
from edge_app.models.cardless import CARDLESS
from edge_app.models.metrics import Flips, mcnemar, wilson_interval

FORMATS = (3, FORMAT)
"""Formats whose fields this module reads."""
SIGNIFICANCE = 0.05
"""A difference that chance alone brings at least this often is noise."""
LEAST_CHANGE = 0.05
"""A median that moved by a smaller fraction is the same, however steady both runs were: a different
memory layout can do that."""

Quantity = Literal["size", "accuracy", "agreement", "latency"]
Verdict = Literal["noise", "better", "worse"]

_UNITS: dict[Quantity, tuple[str, float]] = {
    "size": ("kB", 1e-3),
    "accuracy": ("%", 100),
    "agreement": ("%", 100),
    "latency": ("µs", 1),
}
_DEVICE = ("board", "cpu", "architecture", "cores", "runtime")
"""The properties of a device that latencies depend on most."""


class ComparisonError(UserError):
    """A file that is not a result of the benchmarks."""


@dataclass(frozen=True)
class Change:
    """One quantity of one model's variant, before and now, in bytes, 0 to 1, or microseconds;
    "noise" includes no change at all."""

    model: str
    variant: str
    quantity: Quantity
    before: float
    now: float
    verdict: Verdict


@dataclass(frozen=True)
class Comparison:
    """The changes since an earlier result, measured at a time in ISO 8601; ``notes`` are sentences
    on what is not compared."""

    before: str
    changes: list[Change]
    notes: list[str]


def read_result(path: Path) -> dict[str, Any]:
    """Read a result that ``--json`` wrote.

    Raises:
        ComparisonError: the file cannot be read, is something else, or a field is not as expected.
    """
    try:
        # int refuses NaN and infinity, which are not JSON.
        result = json.loads(path.read_text(encoding="utf-8"), parse_constant=int)
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise _refusal(path, reason) from error
    found = result.get("format") if isinstance(result, dict) else None
    if found == last_benchmark.FORMAT:
        raise _refusal(path, "it is only the summary that the app's page shows")
    if found not in FORMATS:
        reason = "it is not a result" if found is None else f"it has format {found!r:.40}"
        raise _refusal(path, reason, f", format {' or '.join(map(str, FORMATS))}")
    with readable(path):
        compare_results(result, result)  # Reads every field now, before minutes of measuring.
    return dict(result)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn the errors of reading a field that is not as expected into a ComparisonError."""
    try:
        yield
    except KeyError as error:
        raise _refusal(path, f"the field {error} is missing") from error
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise _refusal(path, str(error)) from error


def _refusal(path: Path, reason: str | None, form: str = "") -> ComparisonError:
    return ComparisonError(
        f"{path} cannot be compared ({reason}); "
        f"expected a file that python -m benchmarks --json wrote{form}."
    )


def compare_results(before: Mapping[str, Any], now: Mapping[str, Any]) -> Comparison:
    """Compare two results as ``--json`` writes them."""
    is_same_device = all(before["device"][name] == now["device"][name] for name in _DEVICE)
    is_same_set = before["dataset_sha256"] == now["dataset_sha256"]
    old, new = _quantities(before), _quantities(now)
    changes = [
        Change(*key, old[key][0], new[key][0], _judge(key[2], old[key], new[key]))
        for key in new
        if key in old and {"size": True, "latency": is_same_device}.get(key[2], is_same_set)
    ]
    notes = []
    if not is_same_device:
        notes.append("Latencies are not compared: the device or the runtime is different.")
    if not is_same_set:
        notes.append("Accuracies are not compared: the test images are different.")
    if before["warnings"] or now["warnings"]:
        notes.append("Latencies may mislead: at least one of the runs warned about its timings.")
    for title, one, other in (("earlier", old, new), ("new", new, old)):
        if missing := dict.fromkeys(_missing(one, other)):
            notes.append(f"Only in the {title} result: {', '.join(missing)}.")
    return Comparison(str(before["measured_at"]), changes, notes)


def comparison_tables(comparison: Comparison) -> Iterator[Part]:
    """The changes beyond noise, as a table."""
    table = ReportTable(("model", "variant", "quantity"), ("before", "now", "change", ""))
    changed = [change for change in comparison.changes if change.verdict != "noise"]
    for each in changed:
        unit, scale = _UNITS[each.quantity]
        moved = (each.now - each.before) * scale
        table.add(
            each.model,
            each.variant,
            f"{each.quantity}, {unit}",
            f"{each.before * scale:,.2f}",
            f"{each.now * scale:,.2f}",
            f"{each.now / each.before - 1:+.1%}" if each.quantity == "latency" else f"{moved:+.2f}",
            each.verdict,
            is_marked=each.verdict == "worse",
        )
    same, total = len(comparison.changes) - len(changed), len(comparison.changes)
    words = f"{same} of {total} compared figures are the same or differ by no more than noise."
    yield Part(f"Changes since {comparison.before}", table, "\n".join([words, *comparison.notes]))


_Key = tuple[str, str, Quantity]
_Measured = tuple[float, Any]
"""A figure, and what its noise is judged by."""


def _quantities(result: Mapping[str, Any]) -> dict[_Key, _Measured]:
    found: dict[_Key, _Measured] = {}
    files = [
        (name, variant, fields, fields["drift"])
        for name, model in result["models"].items()
        for variant, fields in model["variants"].items()
    ]
    files += [(name, CARDLESS, each, each["quality"]) for name, each in result["bare"].items()]
    for name, variant, fields, quality in files:
        found[name, variant, "size"] = float(fields["bytes"]), None
        if quality:
            found[name, variant, "accuracy"] = float(quality["accuracy"]), set(quality["wrong"])
        if quality and variant != CARDLESS:
            images, agreement = result["sets"][TEST_SET]["images"], float(quality["agreement"])
            interval = wilson_interval(round(agreement * images), images)
            found[name, variant, "agreement"] = agreement, interval
        if latency := fields["latency"]:
            repeats = min(latency["repeats_us"]), max(latency["repeats_us"])
            found[name, variant, "latency"] = float(latency["median_us"]), repeats
    return found


def _judge(quantity: Quantity, old: _Measured, new: _Measured) -> Verdict:
    (before, evidence), (now, evidence_now) = old, new
    if quantity == "size":
        is_real = now != before
    elif quantity == "accuracy":
        lost, won = len(evidence_now - evidence), len(evidence - evidence_now)
        is_real, before, now = mcnemar(Flips(lost, won)) < SIGNIFICANCE, lost, won
    else:
        is_real = evidence_now[0] > evidence[1] or evidence_now[1] < evidence[0]
        if quantity == "latency":
            is_real = is_real and abs(now / before - 1) > LEAST_CHANGE
    if not is_real:
        return "noise"
    return "better" if (now > before) == (quantity in {"accuracy", "agreement"}) else "worse"


def _missing(one: Mapping[_Key, _Measured], other: Mapping[_Key, _Measured]) -> Iterator[str]:
    """What one result has and the other lacks: whole models and quantities first."""
    models = {model for model, _, _ in other}
    quantities = {quantity for _, _, quantity in other}
    for model, variant, quantity in (key for key in one if key not in other):
        if model not in models:
            yield f"model {model}"
        elif quantity not in quantities:
            yield f"every {quantity}"
        else:
            yield f"{quantity} of {model} {variant}"
