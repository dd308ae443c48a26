"""Trial: a ``.tflite`` file without a card is run on ten drawn digits, to find out how it is used.

A malformed file can kill or hang the process that opens it, and no ``except`` catches that. So this
is a program, too, for a process of its own: ``python -m edge_app.models.probe`` reads the file's
bytes from standard input and writes JSON, the fields of :class:`Usage` or ``{"error": sentence}``.

What is found out, and how:

- The pixels' scale. A quantized input tells the range of values that it can hold. One of float32
  tells nothing: 0 to 1 is taken where the file reads the digits so, else 0 to 255. In this order,
  since a network is as good as blind on pixels 255 times too faint, while on pixels 255 times too
  strong it reads on, wrongly certain.
- The output: rows of numbers from 0 to 1 that sum to 1 are probabilities, others logits.
- The normalization: the one with which it gives the right digits more probability.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.normalization import NORMALIZATIONS, Normalization, rasterize
from edge_app.digits.samples import drawings
from edge_app.errors import UserError
from edge_app.models.card import Output
from edge_app.models.classifier import softmax
from edge_app.models.interpreter import FULL_INK, PIXELS, Interpreter, InterpreterError, Pixels

LEAST_PROBABILITY = 0.5
"""What a file must give the right digits, on average, to count as a reader of digits."""
SUM_TOLERANCE = 0.05
"""Ten probabilities in steps of 1/256 sum to 1 with an error of at most 10 half steps."""
MEMORY_GIB = 2
"""Address space for the trial: a malformed file can ask for all the memory that there is."""


class TrialError(UserError):
    """A file that reads no digits."""


@dataclass(frozen=True)
class Usage:
    """How a file is used: what its pixels must be, and what its outputs are."""

    normalization: Normalization
    pixels: Pixels
    output: Output


def try_out(content: bytes) -> Usage:
    """Find out how a file is used. It can end or hang the process.

    Args:
        content: the bytes of a ``.tflite`` file.

    Raises:
        InterpreterError: the runtime does not run it, or its shapes or dtypes are unfit.
        TrialError: it does not read the digits, whatever it is given.
    """
    scores = []
    for pixels in _scales(Interpreter(content)):
        interpreter = Interpreter(content, pixels)
        usages = [_measure(interpreter, name, pixels) for name in NORMALIZATIONS]
        score, usage = max(usages, key=lambda found: found[0])
        if score >= LEAST_PROBABILITY:
            return usage
        scores.append(f"{score:.0%} with pixels of {pixels}")
    raise TrialError(
        f"It gives ten plain digits, on average, a probability of {' and '.join(scores)}; expected "
        f"at least {LEAST_PROBABILITY:.0%} of a classifier of digits, bright ink on dark."
    )


def tell_output(outputs: NDArray[np.float32]) -> Output:
    """What outputs of any shape (N, 10) are: probabilities if each row could be, else logits."""
    sums = outputs.sum(axis=1)
    # Written so that NaN fails.
    within = (outputs >= 0).all() and (outputs <= 1 + SUM_TOLERANCE).all()
    return "probabilities" if within and (np.abs(sums - 1) <= SUM_TOLERANCE).all() else "logits"


def _scales(interpreter: Interpreter) -> tuple[Pixels, ...]:
    if np.isinf(interpreter.largest_input):
        return PIXELS
    # Halfway between 1 and 255, as ratios go.
    return ("0-1",) if interpreter.largest_input < FULL_INK["0-255"] ** 0.5 else ("0-255",)


def _measure(
    interpreter: Interpreter, normalization: Normalization, pixels: Pixels
) -> tuple[float, Usage]:
    """The probability of the right digits, on average, 0 to 1."""
    images = np.stack([rasterize(strokes, normalization) for strokes in drawings()])
    try:
        outputs = interpreter.run(images)
    except RuntimeError as error:
        raise InterpreterError(f"It fails when it is run ({error}).") from error
    output = tell_output(outputs)
    probabilities = softmax(outputs) if output == "logits" else outputs
    right = float(probabilities[range(10), range(10)].mean())
    return (right if np.isfinite(right) else 0.0), Usage(normalization, pixels, output)


def main() -> None:
    """Run the program."""
    limit = MEMORY_GIB * 2**30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    answer: dict[str, str]
    try:
        answer = asdict(try_out(sys.stdin.buffer.read()))
    except UserError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": f"It asks for more than {MEMORY_GIB} GiB of memory; convert it again."}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
