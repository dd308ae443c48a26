"""SavedModels: what one computes, as a Keras layer that a ``.keras`` file can hold.

A SavedModel has no Keras layers, only TensorFlow's graph. Its signature "serving_default" is
frozen; the arrays in it become the layer's weights, and the rest of the graph its configuration.
Import this module before loading such a ``.keras`` file.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from convert.export.tflite import first_line, silence
from edge_app.errors import UserError

SIGNATURE = "serving_default"


class SavedModelError(UserError):
    """A folder without a SavedModel that has one input and one output."""


def read_saved_model(folder: Path) -> keras.Model:
    """Read a SavedModel as a Keras model of one layer, without a softmax at its end.

    Raises:
        SavedModelError: there is none, or its signature does not have one input and one output.
    """
    try:
        with silence():
            loaded = tf.saved_model.load(str(folder))
    except Exception as error:
        raise SavedModelError(
            f"{folder} cannot be read as a SavedModel ({first_line(str(error))}); "
            "name a folder that model.export wrote, or a .keras or .h5 file."
        ) from error
    function = loaded.signatures.get(SIGNATURE)
    inputs = function.structured_input_signature[1] if function else {}
    outputs = function.structured_outputs if function else {}
    if len(inputs) != 1 or len(outputs) != 1:
        raise SavedModelError(
            f"{folder} has {len(inputs)} inputs and {len(outputs)} outputs in its signature "
            f"{SIGNATURE!r}; expected one of each, as model.export writes them."
        )
    with silence():
        # Control flow must stay whole: the converter accepts it in this form only.
        frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
    (image,) = frozen.inputs
    graph = frozen.graph.as_graph_def()
    arrays = _take_out_arrays(graph)
    layer = Graph(
        base64.b64encode(graph.SerializeToString()).decode(),
        image.name,
        _before_softmax(frozen.outputs[0]).name,
        {name: list(array.shape) for name, array in arrays.items()},
    )
    entrance = keras.Input(batch_shape=image.shape, dtype=image.dtype.name)
    model = keras.Model(entrance, layer(entrance))
    layer.set_weights(list(arrays.values()))
    return model


@keras.saving.register_keras_serializable(package="convert")
class Graph(keras.layers.Layer):  # type: ignore[misc]
    """A TensorFlow graph with one input and one output.

    Args:
        graph: a serialized GraphDef in base64.
        source: the name of the input tensor.
        result: the name of the output tensor.
        arrays: shapes of the layer's weights, by the name of the placeholder that each goes to.
    """

    def __init__(
        self, graph: str, source: str, result: str, arrays: dict[str, list[int]], **options: Any
    ) -> None:
        super().__init__(**options)
        self._settings: dict[str, Any] = {
            "graph": graph,
            "source": source,
            "result": result,
            "arrays": arrays,
        }
        self._graph = tf.compat.v1.GraphDef.FromString(base64.b64decode(graph))
        self._arrays = {
            name: self.add_weight(shape=shape, name=f"array_{number}", trainable=False)
            for number, (name, shape) in enumerate(arrays.items())
        }

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Run the graph."""
        taken = {f"{name}:0": tf.convert_to_tensor(array) for name, array in self._arrays.items()}
        taken[self._settings["source"]] = images
        return tf.graph_util.import_graph_def(self._graph, taken, [self._settings["result"]])[0]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the layer again."""
        return {**super().get_config(), **self._settings}


def _take_out_arrays(graph: Any) -> dict[str, NDArray[np.float32]]:
    """Replace each float32 array in a GraphDef by a placeholder; scalars stay."""
    arrays = {}
    for node in graph.node:
        if node.op != "Const" or node.attr["dtype"].type != tf.float32.as_datatype_enum:
            continue
        array = tf.make_ndarray(node.attr["value"].tensor)
        if array.ndim:
            arrays[node.name] = array
            node.op = "Placeholder"
            del node.attr["value"]
    return arrays


def _before_softmax(tensor: tf.Tensor) -> tf.Tensor:
    """The logits, if a graph's output is a softmax of them, else the output itself."""
    found = tensor
    while found.op.type == "Identity":
        found = found.op.inputs[0]
    return found.op.inputs[0] if found.op.type == "Softmax" else tensor
