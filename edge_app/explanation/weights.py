"""Weights: the ten pictures that a model of one layer holds against a drawing.

Such a model adds up, for each digit, weight times pixel. So its weights can be measured from
outside, in the same way for every file, whether it runs in this process or in another: show it a
pattern of dots at every place, and its outputs are the weights' correlation with the pattern, which
Fourier transforms undo. Rounded outputs, as those of int8, average out. A model of more than one
layer is found out because its outputs for two parts of a drawing do not add up to those for all.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.normalization import SIZE, stack
from edge_app.digits.samples import drawings
from edge_app.explanation.logits import logits
from edge_app.models.cardless import NoAnswerError
from edge_app.models.classifier import Classifier
from edge_app.models.interpreter import CLASSES

TOLERANCE = 0.05
"""How far a model may be from one layer, as a part of its outputs: rounding to 8 bits takes 0.02,
and a second layer more than 0.3."""

_PATTERNS = np.random.default_rng(2).random((2, SIZE, SIZE)) < 1 / 16
"""Dots: less ink than in a digit, so that no output is out of range. One pattern alone has
frequencies that it hardly shows."""

_known: WeakKeyDictionary[Classifier, dict[str, NDArray[np.float32] | None]] = WeakKeyDictionary()


def weight_pictures(model: Classifier, variant: str = "int8") -> NDArray[np.float32] | None:
    """The weights of a model that is one layer: what full ink at a pixel adds to a digit's logit.

    For a drawing, ``(pictures * image / 255).sum(axis=(1, 2))`` are the logits that the model
    gives, apart from ten constants (and from one more number, the same for all ten digits, if its
    outputs are probabilities). The first call takes a twentieth of a second; the pictures are kept
    as long as the model is.

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


def _adds_up(model: Classifier, variant: str) -> bool:
    """Whether the outputs for two parts of a drawing add up to those for the whole."""
    whole = stack(drawings(), model.normalization)
    part = np.random.default_rng(0).random(whole.shape) < 0.5
    images = np.concatenate([whole, whole * part, whole * ~part, np.zeros_like(whole[:1])])
    found = logits(model, images, variant)
    together, one, other = found[:-1].reshape(3, -1, CLASSES) - found[-1]
    return _is_small(one + other - together, together)


def _measure(model: Classifier, variant: str) -> NDArray[np.float32] | None:
    patterns = np.concatenate([_everywhere(pattern) for pattern in _PATTERNS]) * np.uint8(255)
    blank = logits(model, np.zeros_like(patterns[:1]), variant)
    outputs = (logits(model, patterns, variant) - blank).T.reshape(CLASSES, -1, SIZE, SIZE)
    found, shown = np.fft.fft2(outputs), np.fft.fft2(_PATTERNS)
    # Of a correlation with each pattern, found = weights * conj(shown); least squares for both.
    weights = (found * shown).sum(axis=1) / np.square(np.abs(shown)).sum(axis=0)
    expected = np.fft.ifft2(weights[:, None] * shown.conj()).real
    if not _is_small(outputs - expected, outputs):
        return None
    return np.fft.ifft2(weights).real.astype(np.float32)


def _everywhere(pattern: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A pattern moved by every number of rows and columns, round the edges: (784, 28, 28)."""
    moved = (np.arange(SIZE) - np.arange(SIZE)[:, None]) % SIZE
    return pattern[moved[:, None, :, None], moved[None, :, None, :]].reshape(-1, SIZE, SIZE)


def _is_small(error: NDArray[np.float64], values: NDArray[np.float64]) -> bool:
    """Whether an error is within the tolerance; not if a value is not finite."""
    return bool(np.square(error).mean() <= TOLERANCE**2 * np.square(values).mean())
