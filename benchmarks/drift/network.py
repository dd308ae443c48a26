"""The network in a ``.tflite`` file: its operators and the real values of its inner tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.subgraph import cut
from edge_app.models.interpreter import find_runtime, quantize

Values = dict[int, NDArray[np.float32]]
"""Real values of tensors for N images, float32 (N, *shape), by the tensors' numbers."""


class Operator(NamedTuple):
    """An operator that depends on the image: its place in the file, TFLite's name of its kind
    ("CONV_2D"), and the numbers of its tensors: inputs that depend on the image, all other inputs
    (weights, biases, shapes), and outputs."""

    number: int
    kind: str
    inputs: tuple[int, ...]
    constants: tuple[int, ...]
    outputs: tuple[int, ...]


class Network:
    """A file with one input and one output, of which any part can be run.

    The parts run with the runtime's default delegate, as the whole does in the app. Inner tensors
    are made outputs, which no delegate may fuse away or overwrite.

    Args:
        content: the bytes of a file that :class:`edge_app.models.interpreter.Interpreter` loads.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._whole = find_runtime().interpreter(model_content=content)
        self._tensors = {int(t["index"]): t for t in self._whole.get_tensor_details()}
        self.input = int(self._whole.get_input_details()[0]["index"])
        self.output = int(self._whole.get_output_details()[0]["index"])
        self.operators: list[Operator] = []
        # float16 files first widen their weights with operators on constants alone.
        self._preparing: list[int] = []
        self._widened: dict[int, int] = {}
        computed = {self.input}
        # Private, but the only list of operators in both runtimes. Read before tensors are
        # allocated: afterwards it shows the delegate instead of the file's operators.
        for record in self._whole._get_ops_details():
            operands = [int(tensor) for tensor in record["inputs"] if tensor >= 0]
            outputs = tuple(int(tensor) for tensor in record["outputs"])
            inputs = tuple(tensor for tensor in operands if tensor in computed)
            if not inputs:
                self._preparing.append(int(record["index"]))
                self._widened |= dict(zip(outputs, operands, strict=False))
                continue
            constants = tuple(tensor for tensor in operands if tensor not in computed)
            computed.update(outputs)
            self.operators.append(
                Operator(int(record["index"]), record["op_name"], inputs, constants, outputs)
            )

    def shape(self, tensor: int) -> tuple[int, ...]:
        """A tensor's shape, including the batch of 1."""
        return tuple(map(int, self._tensors[tensor]["shape"]))

    def activations(self, images: NDArray[np.uint8]) -> Values:
        """Run the network on images, uint8 (N, 28, 28): its input and all computed tensors."""
        pixels = images.astype(np.float64).reshape(-1, *self.shape(self.input))
        outputs = [tensor for operator in self.operators for tensor in operator.outputs]
        return self.run(self.operators, {self.input: pixels}, outputs)

    def run(
        self,
        operators: Sequence[Operator],
        values: Mapping[int, NDArray[Any]],
        outputs: Sequence[int] = (),
    ) -> Values:
        """Run some operators of the network; what they take, as rounded by its type, and outputs.

        Args:
            operators: at least one, in the network's order.
            values: real values of at least the tensors that they take from other operators.
            outputs: the tensors to return; by default those of the last operator.
        """
        outputs = outputs or operators[-1].outputs
        inner = {tensor for operator in operators for tensor in operator.outputs}
        taken = {tensor for operator in operators for tensor in operator.inputs} - inner
        given = {tensor: quantize(values[tensor], self._tensors[tensor]) for tensor in taken}
        numbers = sorted([*self._preparing, *(operator.number for operator in operators)])
        content = cut(self._content, numbers, list(given), outputs)
        interpreter = find_runtime().interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
        count = len(next(iter(given.values())))
        computed = {
            tensor: np.empty((count, *self.shape(tensor)), self._tensors[tensor]["dtype"])
            for tensor in outputs
        }
        for index in range(count):
            for tensor, raw in given.items():
                interpreter.set_tensor(tensor, raw[index])
            interpreter.invoke()
            for tensor, raw in computed.items():
                raw[index] = interpreter.get_tensor(tensor)
        return {tensor: self._real(tensor, raw) for tensor, raw in (given | computed).items()}

    def weights(self, operator: Operator) -> NDArray[np.float32] | None:
        """The real values of an operator's first constant with two or more dimensions, if any."""
        for constant in operator.constants:
            tensor = self._widened.get(constant, constant)
            if len(self.shape(tensor)) > 1:
                return self._real(tensor, self._whole.get_tensor(tensor))
        return None

    def _real(self, tensor: int, raw: NDArray[Any]) -> NDArray[np.float32]:
        """Convert stored to real values: scale * (q - zero point), per channel if it has several.

        Source: https://ai.google.dev/edge/litert/models/quantization_spec
        """
        parameters = self._tensors[tensor]["quantization_parameters"]
        scales, zero_points = parameters["scales"], parameters["zero_points"]
        if not len(scales):
            return np.asarray(raw, np.float32)
        if len(scales) > 1:
            shape = [1] * raw.ndim
            shape[parameters["quantized_dimension"]] = -1
            scales, zero_points = scales.reshape(shape), zero_points.reshape(shape)
        return ((raw.astype(np.int64) - zero_points) * scales.astype(np.float64)).astype(np.float32)
