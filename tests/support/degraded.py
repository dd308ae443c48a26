"""Models that are degraded on purpose: one thing in an int8 ``.tflite`` file made wrong.

Layers are named as the benchmark names them: "conv_2d_3".
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.network import Network, Operator
from benchmarks.drift.subgraph import field, follow
from edge_app.models.interpreter import find_runtime

WEIGHTS, BIAS = 0, 1
"""Where they stand among a layer's constants."""


def round_weights(content: bytes, layer: str, bits: int) -> bytes:
    """A layer's weights as a quantization to fewer bits would give them: to 3, in 7 steps."""
    tensor = _operator(content, layer).constants[WEIGHTS]
    weights, steps = _stored(content, tensor), 2 ** (bits - 1) - 1
    rounded = np.rint(np.rint(weights * (steps / 127)) * (127 / steps)).astype(np.int8)
    assert len(np.unique(rounded)) <= 2 * steps + 1
    return _replace(content, tensor, rounded)


def shift_bias(content: bytes, layer: str, channel: int, shift: float) -> bytes:
    """A layer's bias of one channel, by so much in real numbers: of a class, in logits."""
    tensor = _operator(content, layer).constants[BIAS]
    scale = _details(content, tensor)["quantization_parameters"]["scales"][channel]
    biases = _stored(content, tensor).copy()
    biases[channel] += round(shift / scale)
    return _replace(content, tensor, biases)


def shift_zero_point(content: bytes, layer: str, shift: int) -> bytes:
    """The zero point of a layer's output."""
    tensor = _operator(content, layer).outputs[0]
    zero_point = _details(content, tensor)["quantization"][1] + shift
    buffer = bytearray(content)
    struct.pack_into("<q", buffer, _zero_points(content, tensor), zero_point)
    assert _details(bytes(buffer), tensor)["quantization"][1] == zero_point
    return bytes(buffer)


def _operator(content: bytes, layer: str) -> Operator:
    kind, _, number = layer.rpartition("_")
    alike = [each for each in Network(content).operators if each.kind == kind.upper()]
    return alike[int(number) - 1]


def _details(content: bytes, tensor: int) -> dict[str, Any]:
    return next(
        each
        for each in find_runtime().interpreter(model_content=content).get_tensor_details()
        if each["index"] == tensor
    )


def _stored(content: bytes, tensor: int) -> NDArray[np.int_]:
    return find_runtime().interpreter(model_content=content).get_tensor(tensor)


def _replace(content: bytes, tensor: int, values: NDArray[np.int_]) -> bytes:
    old, new = _stored(content, tensor).tobytes(), values.tobytes()
    assert content.count(old) == 1
    assert len(old) == len(new)
    assert old != new
    return content.replace(old, new)


def _zero_points(content: bytes, tensor: int) -> int:
    """Where a tensor's zero points lie: subgraph 0, its tensors, quantization, field 3."""
    subgraphs = follow(content, field(content, follow(content, 0), 2))
    tensors = follow(content, field(content, follow(content, subgraphs + 4), 0))
    table = follow(content, tensors + 4 * (1 + tensor))
    return follow(content, field(content, follow(content, field(content, table, 4)), 3)) + 4
