"""Explanation: which ink makes a model read this digit and not the next most likely one.

The method is occlusion: M. D. Zeiler and R. Fergus, "Visualizing and understanding convolutional
networks", ECCV 2014. Places of the normalized image are changed one at a time, ink taken away or,
on empty paper, put there, and the model is asked again, in the very variant that is explained. How
far the digit's lead over the runner-up falls is the evidence of that place. It needs nothing of a
model but its answers, so it is the same for all, and for files that run in another process. The
places are soft discs that overlap, so the evidence is smooth.

A model of one layer needs no trials: its lead is the sum of weight times pixel, and each pixel's
part in it is exact.
"""

from __future__ import annotations

import reprlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.normalization import CENTRE, SD_X, SD_Y, SIZE, placement, views
from edge_app.digits.strokes import DrawingError, parse_strokes
from edge_app.errors import UserError
from edge_app.explanation.logits import logits
from edge_app.explanation.weights import weight_pictures
from edge_app.models.answers import choose_variant
from edge_app.models.cardless import NoAnswerError
from edge_app.models.classifier import Classifier

PLACES = 7
"""Discs across and down."""
STEP = 3.25
"""From one disc's centre to the next, in pixels."""
SOFTNESS = 1.3
"""The standard deviation of a disc, in pixels: it is about as wide as a line."""
LEAST_INK = 0.7
"""Ink under a disc, in pixels of full ink, that is taken away; with less, ink is put there."""
AROUND = 3.0
"""The standard deviation of a wider disc, in pixels,"""
LEAST_AROUND = 4.0
"""under which there must be so much ink; the empty paper elsewhere is left out, to save time."""
FAINTEST = 0.05
"""Where all discs together are fainter, so is the evidence."""


def _discs(softness: float) -> NDArray[np.float64]:
    """float64 (PLACES * PLACES, 28, 28), each 1 in its middle."""
    centres = CENTRE + STEP * (np.arange(PLACES) - (PLACES - 1) / 2)
    profiles = np.exp(-((np.arange(SIZE) - centres[:, None]) ** 2) / (2 * softness**2))
    return (profiles[:, None, :, None] * profiles[:, None, :]).reshape(-1, SIZE, SIZE)


_DISCS, _WIDER_DISCS = _discs(SOFTNESS), _discs(AROUND)
_BLOTS = np.minimum(1.5 * _DISCS, 1)
"""What is put onto empty paper: a dot with a core of full ink."""


class ExplanationError(UserError):
    """An answer that cannot be explained."""


class Explanation(NamedTuple):
    """What makes it this digit and not the runner-up."""

    digit: int
    """The one that the model reads."""
    runner_up: int
    """The next most likely one."""
    evidence: NDArray[np.float64]
    """In logits, float64 (28, 28): how far the digit's lead over the runner-up falls if the ink
    around a pixel is taken away or, where there is none, put there. Positive speaks for the digit,
    negative for the runner-up. If ``exact``, how much the pixel's own ink adds to the lead."""
    exact: bool
    """Whether the model is one layer, so that the evidence is weight times pixel."""


def explain(model: Classifier, image: NDArray[np.uint8], variant: str = "int8") -> Explanation:
    """Explain a model's answer to an image.

    Args:
        model: any classifier, with a card or without.
        image: uint8 (28, 28), normalized as the model wants it.
        variant: see :meth:`Classifier.choose`.

    Raises:
        DrawingError: the image is blank.
        ExplanationError: the model gives no answer, takes too long or gives infinite outputs.
    """
    if not image.any():
        raise DrawingError("The drawing is blank, so there is nothing to explain; draw a digit.")
    try:
        [outputs] = _ask(model, image[None], variant)
        # Of equals the lower digit comes first, as in the answers.
        digit, runner_up = map(int, np.argsort(-outputs, kind="stable")[:2])
        pictures = weight_pictures(model, variant)
        if pictures is not None:
            weights = (pictures[digit] - pictures[runner_up]).astype(np.float64)
            return Explanation(digit, runner_up, weights * image / 255, exact=True)
        ink = image / 255
        taken = _under(_DISCS, ink) >= LEAST_INK
        put = ~taken & (_under(_WIDER_DISCS, ink) >= LEAST_AROUND)
        changed = [ink * (1 - _DISCS[taken]), np.maximum(ink, _BLOTS[put])]
        trials = np.rint(np.concatenate(changed) * 255).astype(np.uint8)
        answers = _ask(model, trials, variant)
    except NoAnswerError:
        raise ExplanationError(
            f"The model {model.name!r} gives no answer now, or takes too long."
        ) from None
    leads = answers[:, digit] - answers[:, runner_up]
    falls = outputs[digit] - outputs[runner_up] - leads
    evidence = np.where(
        image > 0,
        _spread(falls[: taken.sum()], _DISCS[taken]),
        _spread(falls[taken.sum() :], _DISCS[put]),
    )
    return Explanation(digit, runner_up, evidence, exact=False)


def _under(discs: NDArray[np.float64], ink: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much ink is under each of the discs, (N,)."""
    return np.tensordot(discs, ink, axes=2)


def _spread(falls: NDArray[np.float64], discs: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each pixel the mean of the falls, (N,), by how much of the discs is there, (28, 28)."""
    # Far from all of them it fades to 0.
    return np.tensordot(falls, discs, axes=1) / (discs.sum(axis=0) + FAINTEST)


def _ask(model: Classifier, images: NDArray[np.uint8], variant: str) -> NDArray[np.float64]:
    answers = logits(model, images, variant)
    if not np.isfinite(answers).all():
        raise ExplanationError(f"The model {model.name!r} gives infinite outputs.")
    return answers


def explain_strokes(
    models: Mapping[str, Classifier], strokes: object, variant: object, name: object
) -> dict[str, Any]:
    """Explain a model's answer to a drawing, for the API.

    Args:
        models: by name.
        strokes: see :func:`edge_app.digits.strokes.parse_strokes`; unchecked, as are the others.
        variant: see :func:`edge_app.models.answers.classify`.
        name: the model's.

    Returns:
        For JSON: ``{"digit": int, "runner_up": int, "view": base64 of the 28 x 28 bytes,
        "evidence": 28 rows of 28 numbers, "exact": bool}``; see :class:`Explanation`.

    Raises:
        UserError: strokes, variant or model are not what is expected, or :func:`explain` fails.
    """
    return _explain(models, strokes, variant, name)[0]


def explain_drawing(models: Mapping[str, Classifier], state: object) -> dict[str, Any]:
    """Explain a model's answer to what is on the page's canvas.

    Args:
        models: by name.
        state: what the canvas sent, unchecked:
            ``{"strokes": [...], "variant": str, "model": str}``.

    Returns:
        What :func:`explain_strokes` gives, and the drawing's place, see
        :class:`edge_app.digits.normalization.Placement`: ``"placement"``, the six numbers of its
        matrix, and ``"balance"``, for each axis k and the pixels of a standard deviation. Or
        ``{"error": sentence}``.
    """
    drawing = state if isinstance(state, dict) else {}
    try:
        found, strokes, model = _explain(
            models, drawing.get("strokes"), drawing.get("variant"), drawing.get("model")
        )
        place = placement(strokes, model.normalization)
        balance = [(place.balance.x, SD_X), (place.balance.y, SD_Y)]
        return {**found, "placement": place.matrix, "balance": balance}
    except UserError as error:
        return {"error": str(error)}


def _explain(
    models: Mapping[str, Classifier], strokes: object, variant: object, name: object
) -> tuple[dict[str, Any], list[NDArray[np.float64]], Classifier]:
    model = models.get(name) if isinstance(name, str) else None
    if model is None:
        raise ExplanationError(
            f"The model is {reprlib.repr(name)}; expected one of {', '.join(models)}."
        )
    chosen = choose_variant(model, variant)
    lines = parse_strokes(strokes)
    image = views(lines, [model.normalization])[model.normalization]
    found = explain(model, image, chosen)
    content = {
        "digit": found.digit,
        "runner_up": found.runner_up,
        "view": b64encode(image.tobytes()).decode(),
        "evidence": found.evidence.round(4).tolist(),
        "exact": found.exact,
    }
    return content, lines, model
