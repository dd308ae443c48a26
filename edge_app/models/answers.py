"""Classification: one drawing, every model's answer. The page and the API give the same."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from time import perf_counter_ns
from typing import Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.normalization import Normalization, rasterize
from edge_app.digits.strokes import parse_strokes
from edge_app.errors import UserError
from edge_app.models.acceptance import certainty
from edge_app.models.classifier import Classifier, softmax

BASELINE = "float32"
"""The variant that the others are compared with: the original's weights, unchanged."""


class VariantError(UserError):
    """A variant that there is not."""


class Answer(TypedDict):
    """What one model says of a drawing."""

    digit: int | None
    """The most probable digit, accepted or not, the lower one of equals; None for a blank
    canvas."""
    accepted: bool
    """Whether the answer passes the model's rule (see :mod:`edge_app.models.acceptance`), or the
    model has none; False for a blank canvas, which nothing was read from."""
    probabilities: list[float]
    """One for each digit; all 0 for a blank canvas."""
    variant: str
    """The one that answered: not the one asked for where the model is a single file."""
    latency_us: float
    """Time of the inference alone, in microseconds; 0 for a blank canvas."""
    drift: float | None
    """The largest difference that any digit's probability has from what the model says in float32;
    None for a blank canvas, and where there is no other file to compare with."""
    float32_digit: int | None
    """The most probable digit in float32; None where ``drift`` is."""


def views(
    models: Mapping[str, Classifier], lines: Sequence[NDArray[np.float64]]
) -> dict[Normalization, NDArray[np.uint8]]:
    """The drawing as the models see it: uint8 (28, 28) for each normalization in use."""
    return {
        normalization: rasterize(lines, normalization)
        for normalization in {model.normalization: None for model in models.values()}
    }


def answer_drawing(models: Mapping[str, Classifier], state: object, variant: str) -> dict[str, Any]:
    """All that the server does for one state of the page's canvas, but for the transport.

    Args:
        models: by name.
        state: what the canvas sent, ``{"strokes": [...], "variant": str}``; it comes from outside
            and may be anything.
        variant: the one that answers where none was sent.

    Returns:
        As JSON takes it: ``{"answers": {<model>: Answer}, "views": {<normalization>: base64 of the
        28 x 28 bytes}}``, or ``{"error": sentence}``.
    """
    drawing = state if isinstance(state, dict) else {}
    try:
        lines = parse_strokes(drawing.get("strokes"))
        images = views(models, lines)
        return {
            "answers": classify(models, images, drawing.get("variant", variant)),
            "views": {name: b64encode(image.tobytes()).decode() for name, image in images.items()},
        }
    except UserError as error:
        return {"error": str(error)}


def choices(models: Mapping[str, Classifier]) -> list[str]:
    """The variants to choose from: those of the models that have several."""
    variants = [model.variants for model in models.values()]
    several = [names for names in variants if len(names) > 1]
    return list(dict.fromkeys(name for names in several or variants for name in names))


def classify(
    models: Mapping[str, Classifier],
    images: Mapping[Normalization, NDArray[np.uint8]],
    variant: str,
) -> dict[str, Answer]:
    """Ask every model about one drawing.

    Args:
        models: by name.
        images: the drawing by normalization, as :func:`views` gives it.
        variant: "float32", "float16", "dynamic" or "int8"; models of one file answer to any.

    Returns:
        Each model's answer, by name, in the order of ``models``.

    Raises:
        VariantError: a variant that not every model has.
    """
    for model in models.values():
        if model.choose(variant) not in model.variants:  # Comes from outside and may be anything.
            raise VariantError(
                f"The variant is {variant!r:.40}; expected one of {', '.join(model.variants)}."
            )
    shown = {name: model for name, model in models.items() if images[model.normalization].any()}
    runs = [
        _run(model, images[model.normalization], model.choose(variant)) for model in shown.values()
    ]
    answers = dict(zip(shown, _read(runs), strict=True)) if runs else {}
    return {
        name: answers[name] if name in answers else _blank(model.choose(variant))
        for name, model in models.items()
    }


class _Run(NamedTuple):
    """A model's inferences of one image."""

    model: Classifier
    variant: str
    outputs: NDArray[np.float32]
    """In that variant, float32 (1, 10)."""
    latency_us: float
    """Of these."""
    exact: NDArray[np.float32] | None
    """In float32; None where the model has no such file."""


def _run(model: Classifier, image: NDArray[np.uint8], variant: str) -> _Run:
    start = perf_counter_ns()
    outputs = model.infer(image[None], variant)
    latency_us = (perf_counter_ns() - start) / 1000
    exact = None
    if variant == BASELINE:
        exact = outputs
    elif BASELINE in model.variants:
        exact = model.infer(image[None], BASELINE)
    return _Run(model, variant, outputs, latency_us, exact)


def _read(runs: Sequence[_Run]) -> list[Answer]:
    """The answers that outputs stand for: all at once, since ten numbers take NumPy as long as a
    hundred."""
    outputs = np.concatenate(
        [run.outputs for run in runs]
        + [run.outputs if run.exact is None else run.exact for run in runs]
    )
    are_logits = np.array([[run.model.output == "logits"] for run in runs] * 2)
    with np.errstate(invalid="ignore"):  # What is not finite is not accepted.
        both = np.where(are_logits, softmax(outputs), outputs)
        probabilities, exact = both[: len(runs)], both[len(runs) :]
        differences = np.abs(probabilities - exact).max(axis=1).tolist()
    digits = both.argmax(axis=1).tolist()
    sure = certainty(outputs[: len(runs)], probabilities)
    rounded = probabilities.astype(np.float64).round(6).tolist()
    return [
        Answer(
            digit=digits[number],
            accepted=run.model.acceptance is None
            or bool(run.model.acceptance.passes(sure.of(number))[0]),
            probabilities=rounded[number],
            variant=run.variant,
            latency_us=round(run.latency_us, 1),
            drift=_drift(run, differences[number]),
            float32_digit=None if run.exact is None else digits[len(runs) + number],
        )
        for number, run in enumerate(runs)
    ]


def _drift(run: _Run, difference: float) -> float | None:
    if run.exact is None:
        return None
    # It does not drift from itself, even where it is not finite.
    return 0.0 if run.exact is run.outputs else round(difference, 6)


def _blank(variant: str) -> Answer:
    return Answer(
        digit=None,
        accepted=False,
        probabilities=[0.0] * 10,
        variant=variant,
        latency_us=0.0,
        drift=None,
        float32_digit=None,
    )
