"""The server's work for a drawing, without the transport: the app's own functions, called here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter_ns
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.progress import Advance
from benchmarks.serving.times import Times, summarize
from edge_app.digits.samples import drawings
from edge_app.digits.strokes import parse_strokes
from edge_app.models.answers import answer_drawing, classify, views
from edge_app.models.classifier import Classifier, ModelError, load_models
from edge_app.models.folder import load_bare_models

SCALE = 10
"""The page's canvas is 1,000 units wide; the samples' is 100."""
POINTS = 200
"""Of the drawing whose normalization is timed apart: a long one."""
WARM_UP = 20
"""Calls that come first and are not counted."""

Argument = TypeVar("Argument")


@dataclass(frozen=True)
class Work:
    """What the app does for one drawing, every model asked in a variant and in float32."""

    drawing: Times
    """All of it, from the parsed JSON to the answer."""
    parsing: Times
    normalization: Times
    inference: Times
    normalization_200: Times
    """Of a drawing of 200 points."""


def sample_states(variant: str) -> list[dict[str, Any]]:
    """What the page sends for ten drawings, one of each digit: 60 to 126 points."""
    return [
        {
            "strokes": [np.rint(stroke * SCALE).astype(int).tolist() for stroke in drawing],
            "variant": variant,
        }
        for drawing in drawings()
    ]


def measure_work(models: Path, variant: str, count: int, advance: Advance) -> Work:
    """Time the work for ``count`` drawings, and each part of it alone.

    Args:
        models: the folder of models, as the app serves it.
        variant: the quantization that is asked for.
        count: how many drawings; the ten samples in turn.
        advance: told of each drawing.

    Raises:
        ModelError: the folder holds no model.
    """
    classifiers: dict[str, Classifier] = {**load_models(models)}
    classifiers |= load_bare_models(models, classifiers, _ignore)
    if not classifiers:
        raise ModelError(f"No model in {models} can be served; expected a folder per model.")
    states = sample_states(variant)
    lines = [parse_strokes(state["strokes"]) for state in states]
    images = [views(classifiers, each) for each in lines]
    parts: dict[str, tuple[Callable[[Any], object], Sequence[Any]]] = {
        "drawing": (partial(answer_drawing, classifiers, variant=variant), states),
        "parsing": (parse_strokes, [state["strokes"] for state in states]),
        "normalization": (partial(views, classifiers), lines),
        "inference": (partial(classify, classifiers, variant=variant), images),
        "normalization_200": (partial(views, classifiers), [[_long(each)] for each in lines]),
    }
    times: dict[str, list[float]] = {name: [] for name in parts}
    for number in range(WARM_UP + count):
        for name, (call, arguments) in parts.items():
            time_ms = _time_ms(call, arguments[number % len(arguments)])
            if number >= WARM_UP:
                times[name].append(time_ms)
        if number >= WARM_UP:
            advance(1)
    return Work(**{name: summarize(each) for name, each in times.items()})


def _long(lines: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """A stroke of POINTS points along a drawing."""
    points = np.concatenate(lines)
    at = np.linspace(0, len(points) - 1, POINTS)
    return np.stack(
        [np.interp(at, np.arange(len(points)), points[:, axis]) for axis in (0, 1)], axis=1
    )


def _time_ms(call: Callable[[Argument], object], argument: Argument) -> float:
    start = perf_counter_ns()
    call(argument)
    return (perf_counter_ns() - start) / 1e6


def _ignore(_sentence: str) -> None:
    """What cannot be loaded, the app itself complains of."""
