"""Keras files: a user's own model, read and brought into the form that all models here have.

A model comes as a ``.keras`` file, an ``.h5`` file or the folder of a SavedModel. A softmax at its
end is cut off so that it gives logits: an int8 softmax has steps of 1/256 and at most 0.996.
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
"""What a model may take, without the batch dimension."""

_CUSTOM = re.compile(r"(?:Could not locate class|Unknown layer:) '(?:\w+>)?(\w+)'")
"""Keras's words for a class that it does not know, in ``.keras`` and in ``.h5`` files."""


class KerasFileError(UserError):
    """A model that cannot be read, or does not take and give what a digit classifier does."""


def read(path: Path) -> keras.Model:
    """Read a Keras model, without a softmax at its end if that can be cut off.

    Returns:
        A model with one input (N, 28, 28), (N, 28, 28, 1) or (N, 784) and one output (N, 10).

    Raises:
        KerasFileError: it is missing or damaged, needs code that is not here, or has other shapes.
        SavedModelError: the folder holds no SavedModel that can be used.
    """
    if path.is_dir():
        model = read_saved_model(path)
    elif not path.exists():
        raise KerasFileError(
            f"{path} is missing; name a .keras or .h5 file or a SavedModel folder."
        )
    elif path.suffix == ".tflite":
        raise KerasFileError(
            f"{path} is converted already; put it into the models folder as it is, and the edge "
            "app will offer it."
        )
    else:
        model = load_keras(path)
    _check_shapes(path, model)
    _unroll(model)
    return without_softmax(model)


def _unroll(layer: keras.layers.Layer) -> None:
    """Replace the loops of recurrent layers by their 28 steps: TFLite quantizes no loops."""
    if isinstance(layer, keras.layers.RNN):
        layer.unroll = True
    # What a model, a wrapper and a Bidirectional layer hold.
    inner = [getattr(layer, name, None) for name in ("layer", "forward_layer", "backward_layer")]
    for each in [*getattr(layer, "layers", []), *filter(None, inner)]:
        _unroll(each)


def sha256(path: Path) -> str:
    """SHA-256 in hexadecimal of a file, or of a folder's files and their names, sorted."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    for file in sorted(each for each in path.rglob("*") if each.is_file()):
        digest.update(str(file.relative_to(path)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def without_softmax(model: keras.Model) -> keras.Model:
    """The model up to its logits, if its last layer is a softmax or has one as its activation.

    Any other softmax stays, such as one made with ``keras.ops`` or one inside a nested model.
    """
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax):
        return keras.Model(model.inputs[0], last.input)
    if getattr(last, "activation", None) is keras.activations.softmax:
        last.activation = keras.activations.linear
    return model


def take_pixels(model: keras.Model, pixels: Pixels, name: str) -> keras.Model:
    """A named model around one that :func:`read` gave and that takes pixels of the given scale.

    It takes (N, 28, 28) pixels of 0 to 255, as the other models do.
    """
    # The model becomes a layer next to these, and layers of one model need different names.
    image = keras.Input((SIZE, SIZE), name="convert_pixels")
    scaled = keras.layers.Rescaling(FULL_INK[pixels] / 255, name="convert_scale")(image)
    shaped = keras.layers.Reshape(model.inputs[0].shape[1:], name="convert_shape")(scaled)
    return keras.Model(image, model(shaped), name=name)


def load_keras(path: Path) -> keras.Model:
    """Load a ``.keras`` or ``.h5`` file as it is, including one that was made of a SavedModel.

    Raises:
        KerasFileError: it is damaged, of another version, or needs code that is not here.
    """
    try:
        with path.open("rb") as file:
            intact = path.suffix != ".keras" or zipfile.is_zipfile(file)
    except OSError as error:
        raise KerasFileError(f"{path} cannot be read ({error.strerror}).") from error
    if not intact:
        raise KerasFileError(f"{path} is not an intact .keras file; save or copy the model again.")
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:
        reason = str(error)
        if "ambda" in reason and "unsafe" in reason:
            found = "has a Lambda layer, whose Python code Keras does not load from a file"
        elif custom := _CUSTOM.search(reason):
            found = f"has the custom layer {custom[1]!r}, whose Python code is not in the file"
        else:
            raise KerasFileError(
                f"Keras {keras.__version__} cannot read {path} ({first_line(reason)}); expected an "
                "intact .keras or .h5 file or a SavedModel folder."
            ) from error
        raise KerasFileError(
            f"{path} {found}; where you trained it, run model.export('folder') and add that "
            "folder, which needs no code."
        ) from error


def _check_shapes(path: Path, model: keras.Model) -> None:
    inputs, outputs = (
        ", ".join(str(tuple(tensor.shape)) for tensor in getattr(model, name, None) or [])
        for name in ("inputs", "outputs")
    )
    expected = [str((None, *shape)) for shape in SHAPES]
    choice = f"{', '.join(expected[:-1])} or {expected[-1]}"
    if inputs not in expected or outputs != str((None, CLASSES)):
        raise KerasFileError(
            f"{path} takes {inputs or 'no declared shape'} and gives "
            f"{outputs or 'no declared shape'}; expected one input {choice} and one "
            f"output (None, {CLASSES}), where None is the batch."
        )
