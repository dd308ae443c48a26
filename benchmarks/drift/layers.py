"""Layers: where in a network quantization's error enters, and what it does to the outputs.

A variant is compared, operator by operator and on the same images, with the float32 file that was
converted from the same original. Each operator gets three errors: that of its output, which
includes all errors before it; its own, against float32's operator on the same input; and the part
of its own error that reaches the network's outputs.

TFLite's quantization debugger also measures an operator's own error, as rmse / scale
(https://ai.google.dev/edge/litert/models/quantization_debugger), but needs the converter and a
model with probes. This needs only the two files that ship. It uses the signal-to-noise ratio
because rmse / scale does not show a scale that is too coarse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.network import Network, Operator, Values
from edge_app.errors import UserError
from edge_app.models.metrics import ratio_db

IMAGES = 100
"""Enough images: with 500, no ratio of the shipped models changes by more than 1 dB."""
ALARM_DB = 30.0
"""A layer stands out if its own error leaves the outputs a lower ratio: the error's power is then
more than 1/1,000 of theirs. All layers of the shipped models are above 35 dB. Rounding a layer's
weights to 3 bits, or moving one class's bias by 1, brings it to about 27 dB or less."""

_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")


class LayersError(UserError):
    """Two files whose layers cannot be compared."""


@dataclass(frozen=True)
class Layer:
    """One operator of a variant, compared with the same operator in float32.

    ``name`` is its kind and its number among those of that kind, from 1 ("conv_2d_3"),
    ``operator`` TFLite's name of it ("CONV_2D"), ``shape`` its output's, with the batch of 1.

    All ratios are in dB, of float32's values to the error: 6 dB less is an error twice as large,
    None no error at all. ``snr_db`` is that of its output, with the errors of all layers up to it;
    ``weights_snr_db`` that of its weights, also None without any; ``own_snr_db`` that of its output
    against float32's operator on the same input; ``outputs_snr_db`` that of the network's outputs
    with only this operator's own error in them.
    """

    name: str
    operator: str
    shape: tuple[int, ...]
    snr_db: float | None
    weights_snr_db: float | None
    own_snr_db: float | None
    outputs_snr_db: float | None


def compare_layers(
    reference: bytes, variant: bytes, images: NDArray[np.uint8]
) -> tuple[Layer, ...]:
    """Compare two ``.tflite`` files, the first in float32, in the order of computing.

    With x_k the variant's real values after its operator k, f_k float32's operator and t_k the
    part of the float32 network that follows it:

    - own error of k: x_k - f_k(x_(k-1)), its signal f_k(x_(k-1));
    - the same at the outputs: t_k(x_k) - t_(k-1)(x_(k-1)), its signal the float32 outputs. Summed
      over all k this is the whole error of the outputs.

    Operators that only quantize or dequantize do not exist in float32; they are compared with
    their own input.

    Args:
        reference, variant: the files' bytes.
        images: uint8 (N, 28, 28), N at least 1, 0 to 255.

    Raises:
        LayersError: the files have different operators, or values are not finite.
    """
    floating, network = Network(reference), Network(variant)
    steps, twins = _align(floating, network)
    exact, found = floating.activations(images), network.activations(images)
    if not all(np.isfinite(tensor).all() for each in (exact, found) for tensor in each.values()):
        raise LayersError("some of their values are not finite numbers. Convert it again.")
    outputs = exact[floating.output]
    # The variant's values under the numbers of float32's tensors, up to the current operator.
    so_far = {floating.input: found[network.input]}
    arrived = outputs
    layers = []
    kinds = Counter[str]()
    for operator, twin, ahead in steps:
        kinds[operator.kind] += 1
        alone = floating.run([twin], so_far) if twin else so_far
        places = [twins[tensor] for tensor in operator.outputs]
        after = so_far | {twins[tensor]: found[tensor] for tensor in operator.outputs}
        before, arrived = arrived, (floating.run(ahead, after) if ahead else after)[floating.output]
        ours = _joined(after, places)
        own = _snr_db(_joined(alone, places), ours)
        error = np.subtract(arrived, before, dtype=np.float64)
        exact_weights = floating.weights(twin) if twin else None
        weights = network.weights(operator)
        layers.append(
            Layer(
                f"{operator.kind.lower()}_{kinds[operator.kind]}",
                operator.kind,
                network.shape(operator.outputs[0]),
                snr_db=_snr_db(_joined(exact, places), ours),
                weights_snr_db=_snr_db(exact_weights, weights),
                own_snr_db=own,
                # Without an own error, the rest may still round differently as it runs in parts.
                outputs_snr_db=None if own is None else ratio_db(outputs, error),
            )
        )
        so_far = after
    return tuple(layers)


def advise(layers: Sequence[Layer]) -> str:
    """A sentence on where most of the error enters, and whether that is alarming."""
    ratios = [
        (layer.outputs_snr_db, layer.name) for layer in layers if layer.outputs_snr_db is not None
    ]
    if not ratios:
        return "Every layer computes the same as in float32."
    least_db, name = min(ratios)
    own = f"its own error leaves the outputs a signal-to-noise ratio of {least_db:.1f} dB"
    if least_db < ALARM_DB:
        return f"{name} stands out: {own}, expected {ALARM_DB:g} or more."
    return f"No layer stands out: {name} costs most, and {own}."


class _Step(NamedTuple):
    """An operator of the variant, float32's twin of it (None for a conversion of numbers), and
    float32's operators that follow."""

    operator: Operator
    twin: Operator | None
    ahead: list[Operator]


def _align(floating: Network, network: Network) -> tuple[list[_Step], dict[int, int]]:
    """Match each operator of the variant, and each of its tensors, with float32's."""
    computing = [each for each in network.operators if each.kind not in _CONVERSIONS]
    for ours, theirs in zip_longest(computing, floating.operators):
        found, expected = _describe(network, ours), _describe(floating, theirs)
        if found != expected:
            raise LayersError(
                f"it has {found} where float32 has {expected}. Convert both from one original."
            )
    ahead, twins = list(floating.operators), {network.input: floating.input}
    steps = []
    for operator in network.operators:
        twin = None if operator.kind in _CONVERSIONS else ahead.pop(0)
        places = twin.outputs if twin else (twins[operator.inputs[0]],)
        twins |= dict(zip(operator.outputs, places, strict=True))
        steps.append(_Step(operator, twin, list(ahead)))
    return steps, twins


def _describe(network: Network, operator: Operator | None) -> str:
    if operator is None:
        return "no more operators"
    return f"{operator.kind} giving {', '.join(str(network.shape(t)) for t in operator.outputs)}"


def _joined(values: Values, tensors: Iterable[int]) -> NDArray[np.float32]:
    return np.concatenate([values[tensor].ravel() for tensor in tensors])


def _snr_db(exact: NDArray[np.float32] | None, ours: NDArray[np.float32] | None) -> float | None:
    if exact is None or ours is None:
        return None
    return ratio_db(exact, np.subtract(ours, exact, dtype=np.float64))
