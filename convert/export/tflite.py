"""Export: an original Keras model -> ``.tflite`` files in every variant, tried before they count.

All variants take pixels of 0 to 255. In ``int8`` they come in as uint8 with scale 1 and zero point
0: bringing them to a scale is left to the model, so nothing is lost before its first layer. Its
logits come out as int8 and the softmax is taken outside, in float32 (an int8 softmax has steps of
1/256 and never passes 0.996; a model whose softmax cannot be cut off has to live with that).
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edge_app.digits.normalization import SIZE
from edge_app.errors import UserError
from edge_app.models.card import VARIANTS
from edge_app.models.interpreter import Interpreter, InterpreterError

QUANTIZATION = {
    "float32": "none",
    "float16": "weights float16; computes in float32",
    "dynamic": "weights int8, per tensor; activations quantized to int8 as they come",
    "int8": "weights int8, per channel; activations int8, calibrated; pixels in as uint8, "
    "outputs as int8",
}
"""What is quantized in each variant, for the card."""

LEAST_AGREEMENT = {"float32": 0.999, "float16": 0.995, "dynamic": 0.9, "int8": 0.9}
"""The part of the images on which an exported file must answer as the original does. A conversion
gone wrong agrees on a tenth; what quantization costs in earnest is the benchmark's to judge."""

_MISSING = re.compile(r"'tf\.(\w+)' op is neither a custom op nor a flex op")
"""The converter's words for an operation that TFLite does not have."""


class ExportError(UserError):
    """A model that cannot be converted, or whose files do not do what it does."""


def export(
    original: keras.Model, calibration: NDArray[np.uint8], check: NDArray[np.uint8]
) -> dict[str, bytes]:
    """Convert a model, and try every file in the edge interpreter.

    Args:
        original: (N, 28, 28) pixels of 0 to 255 in, (N, 10) logits or probabilities out.
        calibration: normalized training images, uint8 (N, 28, 28), to find activations' ranges on.
        check: other such images, on which the files must agree with the original.

    Returns:
        The content of the ``.tflite`` file of each variant.

    Raises:
        ExportError: a conversion failed, or a file does not load or does not agree.
    """
    expected = predict(original, check).argmax(axis=1)
    contents = {}
    for variant in VARIANTS:
        contents[variant] = _convert(original, variant, calibration)
        # At once: what goes wrong in one variant can end the process in the next.
        _check(original.name, variant, contents[variant], check, expected)
    return contents


def predict(original: keras.Model, images: NDArray[np.generic]) -> NDArray[np.float32]:
    """The original's outputs, float32 (N, 10), for images as it takes them."""
    return np.asarray(original.predict(images, batch_size=1000, verbose=0), dtype=np.float32)


def _convert(original: keras.Model, variant: str, calibration: NDArray[np.uint8]) -> bytes:
    # With a batch of exactly one no operation is left that works out shapes at run time.
    image = keras.Input(batch_shape=(1, SIZE, SIZE))
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, original(image)))
    if variant != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "dynamic":
        # Per channel, this TensorFlow writes FULLY_CONNECTED in a version (12) that
        # tflite-runtime 2.14 does not know.
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    if variant == "int8":
        converter.representative_dataset = _representative(calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.int8
    with silence():
        try:
            return bytes(converter.convert())
        except Exception as error:
            raise ExportError(
                f"{original.name} cannot be converted to {variant}: {_reason(str(error))}"
            ) from error


def _reason(told: str) -> str:
    """What the converter says, which can fill pages, as the end of a sentence."""
    if missing := sorted(set(_MISSING.findall(told))):
        return (
            f"TFLite has no {', '.join(missing)}; build the model from other layers or operations."
        )
    return f"{first_line(told)}; try other layers."


def first_line(told: str) -> str:
    """Of what TensorFlow or Keras say, which can be empty."""
    return (told.strip().splitlines() or ["no reason given"])[0]


def _check(
    name: str,
    variant: str,
    content: bytes,
    images: NDArray[np.uint8],
    expected: NDArray[np.intp],
) -> None:
    try:
        found = Interpreter(content).run(images).argmax(axis=1)
    except InterpreterError as error:
        raise ExportError(f"The {variant} file of {name} fails: {error}") from error
    agreement = float((found == expected).mean())
    if agreement < LEAST_AGREEMENT[variant]:
        raise ExportError(
            f"The {variant} file of {name} agrees with the original on {agreement:.1%} of "
            f"{len(images)} images; expected {LEAST_AGREEMENT[variant]:.1%}."
        )


def _representative(
    calibration: NDArray[np.uint8],
) -> Callable[[], Iterator[list[NDArray[np.float32]]]]:
    return lambda: ([image[None].astype(np.float32)] for image in calibration)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Drop what the converter's native code prints; Python's own redirection does not reach it."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    with Path(os.devnull).open("wb") as nowhere:
        for descriptor in (1, 2):
            os.dup2(nowhere.fileno(), descriptor)
    try:
        yield
    finally:
        for descriptor, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, descriptor)
            os.close(copy)
