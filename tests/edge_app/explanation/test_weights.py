"""Weights: the ten pictures of a model that is one layer, found from its outputs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import edge_app
from edge_app.digits.normalization import stack
from edge_app.digits.samples import drawings
from edge_app.explanation.weights import weight_pictures
from edge_app.models.card import VARIANTS
from edge_app.models.cardless import CARDLESS
from edge_app.models.classifier import Classifier, softmax
from edge_app.models.folder import load_folder
from edge_app.models.interpreter import Interpreter, Pixels, find_runtime


def written(path: Path) -> NDArray[np.float64]:
    """The weights in a file of one layer, float64 (10, 28, 28), for pixels of 0 to 1."""
    runtime = find_runtime().interpreter(model_path=str(path))
    runtime.allocate_tensors()
    tensors = runtime.get_tensor_details()
    found = next(tensor for tensor in tensors if tuple(tensor["shape"]) == (10, 784))
    weights = runtime.get_tensor(found["index"]).astype(np.float64)
    scales = found["quantization_parameters"]["scales"]
    if len(scales):
        weights *= scales[:, None]
    return weights.reshape(10, 28, 28) * 255


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_pictures_are_the_weights_in_the_file_that_is_shown(
    models: dict[str, edge_app.Model], models_folder: Path, variant: str
) -> None:
    pictures = weight_pictures(models["dense"], variant)
    assert pictures is not None
    assert pictures.dtype == np.float32
    assert pictures.shape == (10, 28, 28)
    expected = written(models_folder / "dense" / models["dense"].card.variants[variant].file)
    tolerance = 0.05 if variant == "int8" else 1e-4
    np.testing.assert_allclose(pictures, expected, atol=tolerance)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_model_of_several_layers_has_none(
    models: dict[str, edge_app.Model], variant: str
) -> None:
    for name in ("mlp", "cnn"):
        assert weight_pictures(models[name], variant) is None


class Softmax:
    """A file whose outputs are another's, as probabilities."""

    pixels: Pixels = "0-255"

    def __init__(self, inner: Interpreter) -> None:
        self._inner = inner

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return softmax(self._inner.run(images))


def test_a_model_that_gives_probabilities_has_them_up_to_what_all_digits_share(
    models: dict[str, edge_app.Model], models_folder: Path
) -> None:
    inner = Interpreter((models_folder / "dense" / "float32.tflite").read_bytes())
    model = Classifier("soft", "Soft", "bimoment", "probabilities", {"float32": Softmax(inner)})
    found, expected = weight_pictures(model), weight_pictures(models["dense"], "float32")
    assert found is not None
    assert expected is not None
    np.testing.assert_allclose(found, expected - expected.mean(axis=0), atol=1e-3)


def test_a_file_without_a_card_has_them_as_well(models_folder: Path, tmp_path: Path) -> None:
    for name in ("dense", "mlp"):
        shutil.copy(models_folder / name / "int8.tflite", tmp_path / f"{name}.tflite")
    models = load_folder(tmp_path)
    pictures = weight_pictures(models["dense"])
    assert pictures is not None
    assert weight_pictures(models["mlp"]) is None
    # What they say of a drawing is what the file says of it, but for a constant for each digit.
    images = stack(drawings(), models["dense"].normalization)
    outputs = models["dense"].infer(images, CARDLESS)
    rest = outputs - np.tensordot(images / 255, pictures, axes=([1, 2], [1, 2]))
    assert rest.std(axis=0).max() < 0.3
