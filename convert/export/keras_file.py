"""Brought models: a user's own Keras model, read from its file and made to take what the rest take.

Three kinds of files are read: ``.keras``, ``.h5`` and the folder of a SavedModel. Whatever comes
last in the model as a softmax is cut off (:func:`without_softmax`), so that logits come out: an
int8 softmax has steps of 1/256 and never passes 0.996.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

import keras

from convert.export.saved_model import read_saved_model
from convert.export.tflite import first_line
from edge_app.digits.normalization import SIZE
from edge_app.errors import UserError
from edge_app.models.interpreter import CLASSES, FULL_INK, Pixels

SHAPES = ((SIZE, SIZE), (SIZE, SIZE, 1), (SIZE * SIZE,))
"""What a model may take, the batch dimension left out."""

_CUSTOM = re.compile(r"(?:Could not locate class|Unknown layer:) '(?:\w+>)?(\w+)'")
"""Keras's words for a class that it does not know, in either format."""


class BroughtModelError(UserError):
    """A model that cannot be read, or takes or gives something else than a classifier of digits."""


def read(path: Path) -> keras.Model:
    """Read a Keras model, without a softmax at its end where that can be cut off.

    Returns:
        A model with one input (N, 28, 28), (N, 28, 28, 1) or (N, 784) and one output (N, 10).

    Raises:
        BroughtModelError: there is none, it needs code that is not here, or its shapes are others.
    """
    if path.is_dir():
        model = read_saved_model(path)
    elif not path.exists():
        raise BroughtModelError(
            f"{path} is missing; name a .keras or .h5 file or a SavedModel folder."
        )
    elif path.suffix == ".tflite":
        raise BroughtModelError(
            f"{path} is converted already; put it into the models folder as it is, and the edge "
            "app offers it without a card."
        )
    else:
        model = load_keras(path)
    _check_shapes(path, model)
    for layer in model.layers:
        if isinstance(layer, keras.layers.RNN):
            layer.unroll = True  # 28 steps one by one: TFLite quantizes no loops.
    return without_softmax(model)


def sha256(path: Path) -> str:
    """SHA-256 in hexadecimal of a file, or of a folder's files and their names, in their order."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file():
            digest.update(str(file.relative_to(path)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def without_softmax(model: keras.Model) -> keras.Model:
    """The model up to the logits, where its last layer is a softmax or is activated by one.

    A softmax that comes about otherwise (by ``keras.ops``, or within a nested model) stays.
    """
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax):
        return keras.Model(model.inputs[0], last.input)
    if getattr(last, "activation", None) is keras.activations.softmax:
        last.activation = keras.activations.linear
    return model


def take_pixels(model: keras.Model, pixels: Pixels, name: str) -> keras.Model:
    """The model as the others are: (N, 28, 28) pixels of 0 to 255 in.

    Args:
        model: as :func:`read` gives it.
        pixels: the scale that it takes itself.
        name: of the model that is made.
    """
    # The model becomes a layer beside these, and may be called anything.
    image = keras.Input((SIZE, SIZE), name="convert_pixels")
    scaled = keras.layers.Rescaling(FULL_INK[pixels] / 255, name="convert_scale")(image)
    shaped = keras.layers.Reshape(model.inputs[0].shape[1:], name="convert_shape")(scaled)
    return keras.Model(image, model(shaped), name=name)


def load_keras(path: Path) -> keras.Model:
    """Load a ``.keras`` or ``.h5`` file as it is; one made of a SavedModel will do, too.

    Raises:
        BroughtModelError: it is damaged, of another version, or needs code that is not here.
    """
    try:
        with path.open("rb") as file:
            whole = path.suffix != ".keras" or zipfile.is_zipfile(file)
    except OSError as error:
        raise BroughtModelError(f"{path} cannot be read ({error.strerror}).") from error
    if not whole:
        raise BroughtModelError(f"{path} is no whole .keras file; save or copy the model again.")
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:
        reason = str(error)
        if "ambda" in reason and "unsafe" in reason:
            found = "has a Lambda layer, whose Python code Keras does not run from a file"
        elif custom := _CUSTOM.search(reason):
            found = f"has the custom layer {custom[1]!r}, whose Python code is not in the file"
        else:
            raise BroughtModelError(
                f"Keras {keras.__version__} cannot read {path} ({first_line(reason)}); expected a "
                "whole .keras or .h5 file or a SavedModel folder."
            ) from error
        raise BroughtModelError(
            f"{path} {found}; where you trained it, write model.export('folder') and add that "
            "folder, which needs no code."
        ) from error


def _check_shapes(path: Path, model: keras.Model) -> None:
    inputs, outputs = (
        [tuple(tensor.shape) for tensor in tensors]
        for tensors in (getattr(model, "inputs", None) or [], getattr(model, "outputs", None) or [])
    )
    expected = [(None, *shape) for shape in SHAPES]
    if len(inputs) != 1 or inputs[0] not in expected or outputs != [(None, CLASSES)]:
        raise BroughtModelError(
            f"{path} takes {_list(inputs)} and gives {_list(outputs)}; expected one input "
            f"{', '.join(map(str, expected[:-1]))} or {expected[-1]} and one output "
            f"(None, {CLASSES}), None being any batch."
        )


def _list(shapes: list[tuple[int | None, ...]]) -> str:
    return ", ".join(map(str, shapes)) or "no declared shape"
