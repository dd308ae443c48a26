"""Export: files that do not answer as their original are refused, each variant by its own limit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_app.models.card import VARIANTS
from edge_app.models.interpreter import find_runtime

pytest.importorskip("tensorflow", reason="training needs TensorFlow, which the edge never installs")

import keras

from convert.export.keras_file import take_pixels
from convert.export.tflite import ExportError, export

pytestmark = pytest.mark.slow

ALLOWED = {"float32": 1, "float16": 5, "dynamic": 100, "int8": 100}
"""How many of a thousand answers may differ."""
SCALES = {"float32": 0, "float16": 0, "dynamic": 1, "int8": 10}
"""How many the weights have: one for all of them, or one for each channel."""
IMAGES = np.zeros((1000, 28, 28), np.uint8)


@pytest.fixture(scope="module")
def original() -> Any:
    """A model that takes everything for a zero."""
    layers = [keras.Input((28, 28)), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(10)], name="zeros")
    model.layers[-1].set_weights([np.zeros((784, 10)), np.eye(10)[0]])
    return model


@pytest.mark.parametrize("too_many", [None, *VARIANTS])
def test_each_variant_may_differ_from_its_original_by_so_much_and_no_more(
    too_many: str | None, original: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = iter([ALLOWED[variant] + (variant == too_many) for variant in VARIANTS])

    def differing(content: bytes) -> Any:
        assert content
        answers = np.eye(10)[(np.arange(len(IMAGES)) < next(wrong)).astype(int)]
        return SimpleNamespace(run=lambda _: answers)

    monkeypatch.setattr("convert.export.tflite.Interpreter", differing)
    if too_many is None:
        files = export(original, IMAGES[:2], IMAGES)
        assert {variant: most_scales(content) for variant, content in files.items()} == SCALES
        return
    with pytest.raises(ExportError, match=f"The {too_many} file of zeros agrees .* of 1000 imag"):
        export(original, IMAGES[:2], IMAGES)


def most_scales(content: bytes) -> int:
    """Of a file's tensors."""
    tensors = find_runtime().interpreter(model_content=content).get_tensor_details()
    return max(len(tensor["quantization_parameters"]["scales"]) for tensor in tensors)


def test_an_operation_that_tflite_does_not_have_is_named() -> None:
    image = keras.Input((784,))
    model = keras.Model(image, keras.layers.Dense(10)(keras.ops.erfinv(image)))
    with pytest.raises(ExportError, match=r"^mine cannot be converted to .* has no Erfinv; "):
        export(take_pixels(model, "0-1", "mine"), IMAGES[:2], IMAGES[:2])
