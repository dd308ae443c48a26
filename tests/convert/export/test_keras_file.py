"""Keras files: what cannot be read is refused with the reason, and no loops are left."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from edge_app.errors import UserError
from edge_app.models.card import VARIANTS

pytest.importorskip("tensorflow", reason="adding a model needs TensorFlow, which no edge installs")

import keras
import tensorflow as tf

from convert.export.keras_file import read, take_pixels
from convert.export.tflite import export

pytestmark = pytest.mark.slow

layers = keras.layers


@keras.saving.register_keras_serializable()
class Doubling(keras.layers.Layer):  # type: ignore[misc]
    """A layer that Keras does not have."""

    def call(self, images: Any) -> Any:
        return images * 2


def saved(shape: tuple[int, ...], *inner: keras.layers.Layer, classes: int = 10) -> Any:
    """Writes a model."""
    model = [keras.Input(shape), *inner, layers.Flatten(), layers.Dense(classes)]
    return lambda path: keras.Sequential(model).save(path)


def junk(path: Path) -> None:
    path.write_bytes(b"junk")


@pytest.mark.parametrize(
    ("name", "write", "reason"),
    [
        ("no.keras", lambda _: None, r"no\.keras is missing; name"),
        ("a.keras", junk, r"a\.keras is not an intact \.keras file; save"),
        ("a.h5", junk, r"cannot read .*a\.h5 \("),
        ("a.pt", junk, r"cannot read .*a\.pt \("),
        ("a.tflite", junk, "is converted already; put it into"),
        ("a.keras", saved((28, 28), Doubling()), "the custom layer 'Doubling', whose"),
        ("a.h5", saved((28, 28), Doubling()), "the custom layer 'Doubling', whose"),
        (
            "a.keras",
            saved((28, 28), layers.Lambda(lambda x: x * 2)),
            r"has a Lambda layer, whose .* run model\.export\('folder'\) and add that folder",
        ),
        (
            "a.keras",
            saved((32, 32, 3)),
            r"takes \(None, 32, 32, 3\) and gives \(None, 10\); expected one input "
            r"\(None, 28, 28\), \(None, 28, 28, 1\) or \(None, 784\) and one output \(None, 10\)",
        ),
        ("a.keras", saved((784,), classes=26), r"takes \(None, 784\) and gives \(None, 26\); exp"),
        ("a", Path.mkdir, r"cannot be read as a SavedModel \(.*\); name a fol"),
        (
            "a",
            lambda path: tf.saved_model.save(tf.Module(), str(path)),
            "0 inputs and 0 outputs in its signature 'serving_",
        ),
    ],
)
def test_a_model_that_cannot_be_read_is_refused_with_the_reason(
    name: str, write: Any, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    write(path)
    # As in a process that never saw the layer.
    monkeypatch.delitem(keras.saving.get_custom_objects(), "Custom>Doubling")
    with pytest.raises(UserError) as caught:
        read(path)
    said = str(caught.value)
    assert re.search(reason, said)
    assert said.endswith(".")
    assert "\n" not in said


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
def test_recurrent_layers_are_exported_without_loops_wherever_they_are(
    few: Any, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(0)
    both = layers.Bidirectional(layers.LSTM(2, return_sequences=True))
    nested = keras.Sequential([keras.Input((2, 4)), layers.SimpleRNN(4)])
    model = [keras.Input((28, 28)), layers.Reshape((2, 392)), both, nested, layers.Dense(10)]
    keras.Sequential(model).save(tmp_path / "rows.keras")
    original = take_pixels(read(tmp_path / "rows.keras"), "0-1", "rows")
    assert set(export(original, few.images[:20], few.images)) == set(VARIANTS)
