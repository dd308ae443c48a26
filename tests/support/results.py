"""A benchmark's result, as ``python -m benchmarks`` writes it, as far as the app reads it."""

from __future__ import annotations

from typing import Any

RESULT: dict[str, Any] = {
    "format": 3,
    "measured_at": "2026-11-22T17:00:00Z",
    "quick": False,
    "device": {
        "board": None,
        "cpu": "AMD EPYC",
        "architecture": "x86_64",
        "cores": 2,
        "runtime": "tflite-runtime 2.14.0",
    },
    "models": {
        "dense": {
            "title": "Simple Dense",
            "card_sha256": "1" * 64,
            "variants": {
                "float32": {
                    "bytes": 32732,
                    "drift": {"accuracy": 0.9688, "agreement": 1, "accuracy_loss_points": 0.0},
                    "latency": {"median_us": 10, "p90_us": 30.0, "p99_us": 145.8},
                },
                "int8": {
                    "bytes": 9800,
                    "drift": {"accuracy": 0.9691, "agreement": 0.9983},
                    "latency": {"median_us": 12.1, "p90_us": 30.0, "p99_us": 59.6},
                },
            },
        },
        "mlp": {
            "title": "Multi-layer Perceptron",
            "card_sha256": "2" * 64,
            "variants": {"int8": {"bytes": 395800, "drift": None, "latency": None}},
        },
    },
    "bare": {
        "stray": {
            "title": "stray (no card)",
            "bytes": 2048,
            "quality": {"accuracy": 0.9741},
            "latency": {"median_us": 11, "p90_us": 30.0, "p99_us": None},
        },
    },
    "warnings": ["The machine was busy."],
    "problems": ["A model is missing."],
}
