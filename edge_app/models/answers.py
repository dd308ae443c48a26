"""Every model's answer to one drawing, the same for the page and the API."""

from __future__ import annotations

import reprlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.normalization import Normalization, views
from edge_app.digits.strokes import parse_strokes
from edge_app.errors import UserError
from edge_app.models.acceptance import certainty
from edge_app.models.card import VARIANTS
from edge_app.models.cardless import NoAnswerError
from edge_app.models.classifier import Classifier, normalizations, softmax

BASELINE = "float32"
"""The variant that others are compared with: it has the original's weights, unchanged."""


class VariantError(UserError):
    """A variant that does not exist."""


class Answer(TypedDict):
    """One model's answer to a drawing."""

    digit: int | None
    """The most probable digit (of equals the lower), accepted or not; None for a blank canvas, or
    if a file without a card gave no answer, in which case the other fields are as for a blank
    canvas, too."""
    accepted: bool
    """Whether the answer passes the model's rule, if any (see :mod:`edge_app.models.acceptance`);
    False for a blank canvas."""
    probabilities: list[float]
    """One per digit, 0 to 1; all 0 for a blank canvas."""
    variant: str
    """The variant that answered; not the requested one if the model lacks that, or is a single
    file."""
    latency_us: float
    """Microseconds that the inference alone took; 0 for a blank canvas."""
    drift: float | None
    """The largest difference of a digit's probability from the model's float32 answer, 0 to 1; None
    for a blank canvas, if the model has no float32 variant, or if nothing was compared."""
    float32_digit: int | None
    """The most probable digit in float32; None whenever ``drift`` is."""


def answer_drawing(models: Mapping[str, Classifier], state: object, variant: str) -> dict[str, Any]:
    """Everything the server does for one state of the page's canvas, except the transport.

    Args:
        models: by name.
        state: what the canvas sent, ``{"strokes": [...], "variant": str, "unfinished": bool}``,
            unchecked. While a stroke is unfinished, nothing is compared with float32: that takes
            nearly as long as the answer itself, and comes when the pen is lifted.
        variant: the one that answers if none was sent.

    Returns:
        For JSON: ``{"answers": {<model>: Answer and "digit_like"}, "views": {<normalization>:
        base64 of the 28 x 28 bytes}}``, or ``{"error": sentence}``. ``digit_like`` is false if the
        energy that the model's rule asks for says that this is not a digit.
    """
    drawing = state if isinstance(state, dict) else {}
    try:
        strokes = parse_strokes(drawing.get("strokes"))
        images = views(strokes, normalizations(models.values()))
        answers = _classify(
            models,
            images,
            drawing.get("variant", variant),
            compare=drawing.get("unfinished") is not True,
        )
        return _for_page(answers, images)
    except UserError as error:
        return {"error": str(error)}


def answer_views(
    models: Mapping[str, Classifier],
    images: Mapping[Normalization, NDArray[np.uint8]],
    variant: object,
) -> dict[str, Any]:
    """What the page shows of one digit, which is finished; see :func:`answer_drawing`.

    Args:
        models: by name.
        images: the digit by normalization.
        variant: see :func:`classify`.

    Raises:
        VariantError: there is no such variant.
    """
    return _for_page(_classify(models, images, variant, compare=True), images)


def _for_page(
    answers: Mapping[str, tuple[Answer, bool]],
    images: Mapping[Normalization, NDArray[np.uint8]],
) -> dict[str, Any]:
    return {
        "answers": {
            name: {**answer, "digit_like": digit_like}
            for name, (answer, digit_like) in answers.items()
        },
        "views": {name: b64encode(image.tobytes()).decode() for name, image in images.items()},
    }


def choices(models: Mapping[str, Classifier]) -> list[str]:
    """The variants to choose from, the most exact first: those of the models with several."""
    variants = [model.variants for model in models.values()]
    several = [names for names in variants if len(names) > 1]
    found = dict.fromkeys(name for names in several or variants for name in names)
    # A model may lack variants that another has.
    return sorted(found, key=lambda name: VARIANTS.index(name) if name in VARIANTS else -1)


def classify(
    models: Mapping[str, Classifier],
    images: Mapping[Normalization, NDArray[np.uint8]],
    variant: object,
) -> dict[str, Answer]:
    """Ask every model about one drawing.

    Args:
        models: by name.
        images: the drawing by normalization; see :func:`edge_app.digits.normalization.views`.
        variant: "float32", "float16", "dynamic" or "int8", unchecked; models of a single file
            answer to any, and the most exact variant answers for one that is missing.

    Returns:
        Each model's answer, by name, in the order of ``models``.

    Raises:
        VariantError: there is no such variant.
    """
    answers = _classify(models, images, variant, compare=True)
    return {name: answer for name, (answer, _) in answers.items()}


def _classify(
    models: Mapping[str, Classifier],
    images: Mapping[Normalization, NDArray[np.uint8]],
    variant: object,
    *,
    compare: bool,
) -> dict[str, tuple[Answer, bool]]:
    """The answers, and whether the drawing looks like a digit to the model."""
    chosen = {name: choose_variant(model, variant) for name, model in models.items()}
    runs = {}
    for name, model in models.items():
        image = images[model.normalization]
        if image.any() and (run := _run(model, image, chosen[name], compare=compare)):
            runs[name] = run
    answers = dict(zip(runs, _read([*runs.values()]), strict=True)) if runs else {}
    return {
        name: answers[name] if name in answers else (_blank(variant), True)
        for name, variant in chosen.items()
    }


def choose_variant(model: Classifier, variant: object) -> str:
    """The variant of a model that answers a request for one, unchecked.

    Raises:
        VariantError: there is no such variant.
    """
    if isinstance(variant, str) and (chosen := model.choose(variant)) in model.variants:
        return chosen
    raise VariantError(
        f"The variant is {reprlib.repr(variant)}; expected one of {', '.join(model.variants)}."
    )


class _Run(NamedTuple):
    """A model's inferences for one image."""

    model: Classifier
    variant: str
    outputs: NDArray[np.float32]
    """Those of the variant, float32 (1, 10)."""
    latency_us: float
    """How long that inference took."""
    exact: NDArray[np.float32] | None
    """Those of float32; None if the model has no such variant, or nothing is compared."""


def _run(
    model: Classifier, image: NDArray[np.uint8], variant: str, *, compare: bool
) -> _Run | None:
    """None if the model gives no answer now."""
    try:
        outputs, latency_us = model.measure(image, variant)
    except NoAnswerError:
        return None
    exact = None
    if variant == BASELINE:
        exact = outputs
    elif compare and BASELINE in model.variants:
        exact = model.infer(image[None], BASELINE)
    return _Run(model, variant, outputs, latency_us, exact)


def _read(runs: Sequence[_Run]) -> list[tuple[Answer, bool]]:
    """Read all outputs at once, because NumPy takes as long for ten numbers as for a hundred."""
    outputs = np.concatenate(
        [run.outputs for run in runs]
        + [run.outputs if run.exact is None else run.exact for run in runs]
    )
    are_logits = np.array([[run.model.output == "logits"] for run in runs] * 2)
    with np.errstate(invalid="ignore"):  # Outputs that are not finite are not accepted.
        both = np.where(are_logits, softmax(outputs), outputs)
        probabilities, exact = both[: len(runs)], both[len(runs) :]
        differences = np.abs(probabilities - exact).max(axis=1).tolist()
    digits = both.argmax(axis=1).tolist()
    sure = certainty(outputs[: len(runs)], probabilities)
    rounded = probabilities.astype(np.float64).round(6).tolist()
    answers = []
    for number, run in enumerate(runs):
        rule, one = run.model.acceptance, sure.of(number)
        answer = Answer(
            digit=digits[number],
            accepted=rule is None or bool(rule.passes(one)[0]),
            probabilities=rounded[number],
            variant=run.variant,
            latency_us=round(run.latency_us, 1),
            drift=_drift(run, differences[number]),
            float32_digit=None if run.exact is None else digits[len(runs) + number],
        )
        answers.append((answer, rule is None or bool(rule.digit_like(one)[0])))
    return answers


def _drift(run: _Run, difference: float) -> float | None:
    if run.exact is None:
        return None
    # float32 does not drift from itself, even if it is not finite.
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
