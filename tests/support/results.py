"""The summary of a benchmark, as ``python -m benchmarks`` leaves it for the page."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

MISSING = ...


def changed(content: dict[str, Any], place: str, value: object) -> dict[str, Any]:
    """A copy with one field, named like a path, changed or missing."""
    copy = part = deepcopy(content)
    *way, last = place.split("/")
    for step in way:
        part = part[step]
    part[last] = value
    if value is MISSING:
        del part[last]
    return copy


RESULT: dict[str, Any] = {
    "format": "summary-1",
    "measured_at": "2026-11-22T17:00:00Z",
    "quick": False,
    "board": None,
    "cpu": "AMD EPYC",
    "architecture": "x86_64",
    "runtime": "tflite-runtime 2.14.0",
    "models": {
        "dense": {
            "title": "Simple Dense",
            "card_sha256": "1" * 64,
            "variants": {
                "float32": {
                    "bytes": 32732,
                    "accuracy": 0.9688,
                    "agreement": 1,
                    "median_us": 10,
                    "p99_us": 145.8,
                },
                "int8": {
                    "bytes": 9800,
                    "accuracy": 0.9691,
                    "agreement": 0.9983,
                    "median_us": 12.1,
                    "p99_us": 59.6,
                },
            },
        },
        "mlp": {
            "title": "Multi-layer Perceptron",
            "card_sha256": "2" * 64,
            "variants": {
                "int8": {
                    "bytes": 395800,
                    "accuracy": None,
                    "agreement": None,
                    "median_us": None,
                    "p99_us": None,
                }
            },
        },
        "stray": {
            "title": "stray (no card)",
            "card_sha256": None,
            "variants": {
                "tflite": {
                    "bytes": 2048,
                    "accuracy": 0.9741,
                    "agreement": None,
                    "median_us": 11,
                    "p99_us": None,
                }
            },
        },
    },
    "warnings": ["A model is missing.", "The machine was busy."],
}
