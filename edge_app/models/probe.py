"""Probe: run a ``.tflite`` file without a card on ten drawn digits, to find out how to use it.

A malformed file can kill or hang the process that opens it, and no ``except`` catches that, so
:mod:`edge_app.models.worker` does it.

What it finds out, and how:

- The scale of the pixels. A quantized input shows the range of values that it can hold. For a
  float32 input, 0 to 1 is chosen if the file then reads the digits, else 0 to 255. The order
  matters: a network is nearly blind if pixels are 255 times too faint, but if they are 255 times
  too strong it goes on reading, with too much certainty.
- The kind of output: rows of numbers from 0 to 1 that sum to 1 are probabilities, others logits.
- The normalization: the one that gives the right digits more probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.normalization import NORMALIZATIONS, Normalization, stack
from edge_app.digits.samples import drawings
from edge_app.errors import UserError
from edge_app.models.card import Output
from edge_app.models.classifier import softmax
from edge_app.models.interpreter import FULL_INK, PIXELS, Interpreter, InterpreterError, Pixels

LEAST_PROBABILITY = 0.5
"""The least mean probability of the right digits from a classifier of digits."""
SUM_TOLERANCE = 0.05
"""Ten probabilities in steps of 1/256 sum to 1 with an error of at most 10 half steps."""


class ProbeError(UserError):
    """A file that does not read digits."""


@dataclass(frozen=True)
class Usage:
    """How to use a file: what its pixels must be, and what its outputs are."""

    normalization: Normalization
    pixels: Pixels
    output: Output


def try_out(content: bytes) -> Usage:
    """Find out how to use a file. It can end or hang the process.

    Args:
        content: the bytes of a ``.tflite`` file.

    Raises:
        InterpreterError: the runtime does not run it, or its shapes or dtypes do not fit.
        ProbeError: it does not read the digits in any way.
    """
    scores = []
    for pixels in _scales(Interpreter(content)):
        interpreter = Interpreter(content, pixels)
        usages = [_measure(interpreter, name, pixels) for name in NORMALIZATIONS]
        score, usage = max(usages, key=lambda found: found[0])
        if score >= LEAST_PROBABILITY:
            return usage
        scores.append(f"{score:.0%} (pixels {pixels})")
    raise ProbeError(
        "It does not look like a digit classifier: on ten sample digits, bright on dark, the right "
        f"answer got {' and '.join(scores)} on average; at least {LEAST_PROBABILITY:.0%} is needed."
    )


def tell_output(outputs: NDArray[np.float32]) -> Output:
    """Whether outputs, (N, 10), are probabilities or logits: the former if every row could be."""
    sums = outputs.sum(axis=1)
    # NaN must fail.
    within = (outputs >= 0).all() and (outputs <= 1 + SUM_TOLERANCE).all()
    return "probabilities" if within and (np.abs(sums - 1) <= SUM_TOLERANCE).all() else "logits"


def _scales(interpreter: Interpreter) -> tuple[Pixels, ...]:
    if np.isinf(interpreter.largest_input):
        return PIXELS
    # The geometric mean of 1 and 255.
    return ("0-1",) if interpreter.largest_input < FULL_INK["0-255"] ** 0.5 else ("0-255",)


def _measure(
    interpreter: Interpreter, normalization: Normalization, pixels: Pixels
) -> tuple[float, Usage]:
    """The mean probability of the right digits, 0 to 1, and the usage that gave it."""
    try:
        outputs = interpreter.run(stack(drawings(), normalization))
    except RuntimeError as error:
        raise InterpreterError(f"It fails when it runs ({error}).") from error
    output = tell_output(outputs)
    probabilities = softmax(outputs) if output == "logits" else outputs
    right = float(probabilities[range(10), range(10)].mean())
    return (right if np.isfinite(right) else 0.0), Usage(normalization, pixels, output)
