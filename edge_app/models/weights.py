"""Weights: the ten pictures that a model of one layer holds against a drawing.

Such a model adds up, for each digit, weight times pixel. What it holds can therefore be measured
from outside, the same way for every file, whether it runs in this process or in another: ask for
its outputs for many images of scattered dots, and solve for the weights (least squares). Rounded
outputs, as those of int8, average out. A model with more than one layer is told by the same
outputs: those for two halves of a drawing do not add up to those for the whole.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.normalization import SIZE, stack
from edge_app.digits.samples import drawings
from edge_app.models.cardless import NoAnswerError
from edge_app.models.classifier import Classifier
from edge_app.models.interpreter import CLASSES

TOLERANCE = 0.05
"""How far a model may be from one layer, as a part of its outputs: rounding to 8 bits takes 0.02,
and a second layer more than 0.3."""

_IMAGES = 2 * SIZE * SIZE
"""Twice as many as there are weights for a digit, so that rounding averages out."""
_DENSITY = 1 / 16
"""The part of the pixels that are dots: less ink than in a digit, so no output is out of range."""

_known: WeakKeyDictionary[Classifier, dict[str, NDArray[np.float32] | None]] = WeakKeyDictionary()


def weight_pictures(model: Classifier, variant: str = "int8") -> NDArray[np.float32] | None:
    """The weights of a model that is one layer: what full ink at a pixel adds to a digit's logit.

    For a drawing, ``(pictures * image / 255).sum(axis=(1, 2))`` are the logits that the model
    gives, apart from ten constants (and from one more number, the same for all ten digits, if its
    outputs are probabilities). The first call takes some 0.1 s; the answer is remembered as long as
    the model is.

    Args:
        model: any classifier, with a card or without.
        variant: see :meth:`Classifier.choose`; the pictures are that variant's own, within 0.05
            logits.

    Returns:
        float32 (10, 28, 28), a picture for each digit, in logits, positive where ink speaks for
        the digit; None if the model is not one layer, or gives no answer now.
    """
    variant = model.choose(variant)
    known = _known.setdefault(model, {})
    if variant not in known:
        try:
            known[variant] = _measure(model, variant) if _adds_up(model, variant) else None
        except NoAnswerError:
            return None
    return known[variant]


def logits(model: Classifier, images: NDArray[np.uint8], variant: str) -> NDArray[np.float64]:
    """The logits of images, uint8 (N, 28, 28): float64 (N, 10).

    If the model's outputs are probabilities, their logarithms, with a mean of 0 for each image.
    """
    outputs = model.infer(images, variant).astype(np.float64)
    if model.output == "logits":
        return outputs
    logarithms = np.log(np.maximum(outputs, np.finfo(np.float32).tiny))
    return logarithms - logarithms.mean(axis=1, keepdims=True)


def _adds_up(model: Classifier, variant: str) -> bool:
    """Whether the outputs for two parts of a drawing add up to those for the whole."""
    whole = stack(drawings(), model.normalization)
    part = np.random.default_rng(0).random(whole.shape) < 0.5
    images = np.concatenate([whole, whole * part, whole * ~part, np.zeros_like(whole[:1])])
    found = logits(model, images, variant)
    together, one, other = found[:-1].reshape(3, -1, CLASSES) - found[-1]
    return _is_small(one + other - together, together)


def _measure(model: Classifier, variant: str) -> NDArray[np.float32] | None:
    dots = np.random.default_rng(1).random((_IMAGES, SIZE * SIZE)) < _DENSITY
    found = logits(model, (dots * np.uint8(255)).reshape(-1, SIZE, SIZE), variant)
    # Least squares for the weights and ten constants; its equations are well conditioned.
    design = np.column_stack([dots, np.ones(_IMAGES)]).astype(np.float64)
    weights = np.linalg.solve(design.T @ design, design.T @ found)
    if not _is_small(design @ weights - found, found - found.mean(axis=0)):
        return None
    return np.ascontiguousarray(weights[:-1].T, np.float32).reshape(CLASSES, SIZE, SIZE)


def _is_small(error: NDArray[np.float64], values: NDArray[np.float64]) -> bool:
    """Whether an error is within the tolerance; not if a value is not finite."""
    return bool(np.square(error).mean() <= TOLERANCE**2 * np.square(values).mean())
