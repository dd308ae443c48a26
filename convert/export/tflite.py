"""TFLite: an original Keras model -> a ``.tflite`` file of every variant, each one tried.

All variants take pixels of 0 to 255. ``int8`` takes them as uint8 with scale 1 and zero point 0:
the model scales them itself, so nothing is lost before its first layer. It gives logits as int8,
and their softmax is computed outside, in float32. (An int8 softmax has steps of 1/256 and at most
0.996; a model whose softmax cannot be cut off has to live with that.)
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edge_app.digits.normalization import SIZE
from edge_app.errors import UserError
from edge_app.models.card import VARIANTS
from edge_app.models.interpreter import Interpreter, InterpreterError
from edge_app.models.metrics import agreement

QUANTIZATION = {
    "float32": "none",
    "float16": "weights float16; computes in float32",
    "dynamic": "weights int8, per tensor; activations quantized to int8 as they come",
    "int8": "weights int8, per channel; activations int8, calibrated; pixels in as uint8, "
    "outputs as int8",
}
"""What is quantized in each variant, for the card."""

LEAST_AGREEMENT = {"float32": 0.999, "float16": 0.995, "dynamic": 0.9, "int8": 0.9}
"""The fraction of images on which a file must give the original's answer. Failed conversions agree
on a tenth of them; what quantization costs is for the benchmark to judge."""

_MISSING = re.compile(r"'tf\.(\w+)' op is neither a custom op nor a flex op")
"""The converter's words for an operation that TFLite does not have."""


class ExportError(UserError):
    """A model that cannot be converted, or whose files answer differently."""


def export(
    original: keras.Model, calibration: NDArray[np.uint8], check: NDArray[np.uint8]
) -> dict[str, bytes]:
    """Convert a model, and try every file in the edge interpreter.

    Args:
        original: (N, 28, 28) pixels of 0 to 255 in, (N, 10) logits or probabilities out.
        calibration: normalized training images, uint8 (N, 28, 28), to find the activations' ranges.
        check: other such images, on which the files must agree with the original.

    Returns:
        The content of each variant's ``.tflite`` file.

    Raises:
        ExportError: a conversion failed, or a file does not load or agree.
    """
    expected = predict(original, check).argmax(axis=1)
    contents = {}
    for variant in VARIANTS:
        contents[variant] = _convert(original, variant, calibration)
        # Check now: a model that goes wrong in one variant can crash the next conversion.
        try:
            found = Interpreter(contents[variant]).run(check).argmax(axis=1)
        except InterpreterError as error:
            raise ExportError(f"The {variant} file of {original.name} fails: {error}") from error
        agreed = agreement(expected, found)
        if agreed < LEAST_AGREEMENT[variant]:
            raise ExportError(
                f"The {variant} file of {original.name} agrees with the original on {agreed:.1%} "
                f"of {len(check)} images; expected {LEAST_AGREEMENT[variant]:.1%}."
            )
    return contents


def predict(original: keras.Model, images: NDArray[np.generic]) -> NDArray[np.float32]:
    """The original's outputs, float32 (N, 10), for images (N, 28, 28) or however it takes them."""
    return np.asarray(original.predict(images, batch_size=1000, verbose=0), dtype=np.float32)


def _convert(original: keras.Model, variant: str, calibration: NDArray[np.uint8]) -> bytes:
    # A batch of exactly one leaves no operation that computes shapes at run time.
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
        converter.representative_dataset = lambda: (
            [image[None].astype(np.float32)] for image in calibration
        )
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
    """The end of a sentence, from the converter's message, which can fill pages."""
    if missing := ", ".join(sorted(set(_MISSING.findall(told)))):
        return f"TFLite has no {missing}; build the model from other layers or operations."
    return f"{first_line(told)}; try other layers."


def first_line(told: str) -> str:
    """The first line of a message from TensorFlow or Keras, which can be empty."""
    return (told.strip().splitlines() or ["no reason given"])[0]


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Drop what the converter's native code prints, which Python's redirection does not reach."""
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
