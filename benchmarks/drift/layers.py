"""Layers: where in a network quantization's error enters, and what each layer's does to the answer.

A variant is set beside the float32 file that was converted from the same original, operator by
operator, on the same images. Asked of each is how far its output is from float32's, which adds up
all that came before; how far it is from what float32's operator makes of the very same input, which
is its own error; how much of that own error arrives at the network's outputs; and how good these
would be if it alone were kept in float, which is not the same, since its output is rounded all the
same for the next one to take.

TFLite's quantization debugger asks the second for each operator by itself, too, and gives rmse /
scale (https://ai.google.dev/edge/litert/models/quantization_debugger). That needs the converter
and a model with probes in it; this needs the two files as they ship. Signal-to-noise ratio is used
instead, since rmse / scale cannot tell a scale that is too coarse.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.network import Network, Operator, Values
from edge_app.errors import UserError
from edge_app.models.card import Card, read_file
from edge_app.models.metrics import ratio_db

IMAGES = 100
"""How many are enough: with 500 no ratio of the shipped models moves by more than 1 dB."""
ALARM_DB = 30.0
"""A layer stands out when less than this is left of the outputs over its own error, of which the
power then is more than 1/1,000 of theirs. No layer of the shipped models' variants is below 35 dB;
with a layer's weights rounded to 3 bits, or a class's bias off by 1, that layer is near 27 dB or
less."""

_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")


class LayersError(UserError):
    """Two files whose layers cannot be compared."""


@dataclass(frozen=True)
class Layer:
    """One operator of a variant against the same operator in float32.

    All ratios are in dB, of float32's values to the error: 6 dB less is an error twice as large.
    None stands for no error at all.
    """

    name: str
    """Its kind and its number among those of the kind, from 1: "conv_2d_3"."""
    operator: str
    """As TFLite calls it: "CONV_2D"."""
    shape: tuple[int, ...]
    """Its output's, with the batch of 1."""
    snr_db: float | None
    """Its output, with the error of all layers up to it."""
    weights_snr_db: float | None
    """Its weights; None, too, where it has none."""
    own_snr_db: float | None
    """Its output, against float32's operator on this one's own input."""
    outputs_snr_db: float | None
    """The network's outputs, with this operator's own error alone in them."""
    kept_snr_db: float | None
    """The network's outputs, with all errors but those that go when this operator is kept in
    float: its weights and its arithmetic, and, where it is the last, the rounding of its output."""


def measure_layers(
    card: Card, folder: Path, variant: str, images: NDArray[np.uint8]
) -> tuple[Layer, ...]:
    """Compare one of a model's variants with its float32 file.

    Args:
        card: the model's.
        folder: its folder.
        variant: "float16", "dynamic" or "int8".
        images: uint8 (N, 28, 28), as the model's normalization gives them; ``IMAGES`` are enough.

    Raises:
        CardError: a file is not as the card says.
        LayersError: the two have other operators, or one computes what is no number.
    """
    try:
        return compare_layers(
            read_file(folder, card.variants["float32"]),
            read_file(folder, card.variants[variant]),
            images,
        )
    except LayersError as error:
        raise LayersError(f"The layers of {card.name}'s {variant} are unknown: {error}") from error


def compare_layers(
    reference: bytes, variant: bytes, images: NDArray[np.uint8]
) -> tuple[Layer, ...]:
    """Compare two ``.tflite`` files, the first in float32, in the order in which they compute.

    With x_k the variant's real values after its operator k, f_k float32's operator and t_k the part
    of the float32 network that follows it:

    - own error of k: x_k - f_k(x_(k-1)), its signal f_k(x_(k-1));
    - the same at the outputs: t_k(x_k) - t_(k-1)(x_(k-1)), its signal the float32 outputs. Over
      all k these add up to the whole error of the outputs: the variant's operators take the place
      of float32's one after the other, from the input on;
    - with k kept in float: v_k(f_k(x_(k-1))) against the float32 outputs, v_k the part of the
      variant that follows.

    Operators that only quantize or dequantize, which float32 has none of, are held against doing
    nothing.

    Args:
        reference, variant: the files' bytes.
        images: uint8 (N, 28, 28), N at least 1, given as 0 to 255.

    Raises:
        LayersError: the two have other operators, or one computes what is no number.
    """
    floating, network = Network(reference), Network(variant)
    steps, twins = _align(floating, network)
    exact, found = floating.activations(images), network.activations(images)
    _check(exact, found)
    outputs = exact[floating.output]
    # The variant's values in the places of float32's: what is computed up to the operator.
    so_far = {floating.input: found[network.input]}
    arrived = outputs
    layers = []
    for name, (operator, twin, ahead, rest) in zip(_names(network), steps, strict=True):
        alone = floating.run([twin], so_far) if twin else so_far
        places = {tensor: twins[tensor] for tensor in operator.outputs}
        after = so_far | {place: found[tensor] for tensor, place in places.items()}
        before, arrived = arrived, (floating.run(ahead, after) if ahead else after)[floating.output]
        kept = found | {tensor: alone[place] for tensor, place in places.items()}
        own = _snr_db(_joined(alone, places.values()), _joined(after, places.values()))
        layers.append(
            Layer(
                name,
                operator.kind,
                network.shape(operator.outputs[0]),
                snr_db=_snr_db(_joined(exact, places.values()), _joined(after, places.values())),
                weights_snr_db=_weights_snr_db(floating, twin, network, operator),
                own_snr_db=own,
                # Where nothing is added, the rest may still round otherwise: it is run in parts.
                outputs_snr_db=None
                if own is None
                else ratio_db(outputs, np.subtract(arrived, before, dtype=np.float64)),
                kept_snr_db=_snr_db(
                    outputs, (network.run(rest, kept) if rest else kept)[network.output]
                ),
            )
        )
        so_far = after
    return tuple(layers)


def point_at(layers: Sequence[Layer]) -> Layer | None:
    """The layer whose own error does most to the outputs; None where none has any."""
    erring = [layer for layer in layers if layer.outputs_snr_db is not None]
    return min(erring, key=lambda layer: layer.outputs_snr_db or 0.0, default=None)


def keep_first(layers: Sequence[Layer]) -> Layer | None:
    """The layer to keep in float first: the outputs gain most by it; None where none errs."""
    erring = [layer for layer in layers if layer.own_snr_db is not None]
    # No ratio means no error left.
    return max(
        erring,
        key=lambda layer: np.inf if layer.kept_snr_db is None else layer.kept_snr_db,
        default=None,
    )


def advise(layers: Sequence[Layer]) -> str:
    """Where most error enters, alarming or not; and what to keep in float first, of several layers.

    These two need not be the same: what one layer computes in float, the next may round again.
    """
    worst, kept = point_at(layers), keep_first(layers)
    if worst is None or worst.outputs_snr_db is None or kept is None:
        return "No layer computes anything else than in float32."
    own = (
        f"its own error leaves the outputs a signal-to-noise ratio of {worst.outputs_snr_db:.1f} dB"
    )
    enters = (
        f"{worst.name} stands out: {own}, expected {ALARM_DB:g} or more."
        if worst.outputs_snr_db < ALARM_DB
        else f"No layer stands out: {worst.name} costs most, and {own}."
    )
    if sum(layer.own_snr_db is not None for layer in layers) == 1:
        return enters
    whole, better = _in_db(layers[-1].snr_db), _in_db(kept.kept_snr_db)
    return (
        f"{enters} Kept in float, {kept.name} helps most: the outputs go from {whole} to {better}."
    )


def _in_db(ratio: float | None) -> str:
    return "no error at all" if ratio is None else f"{ratio:.1f} dB"


class _Step(NamedTuple):
    operator: Operator
    """The variant's."""
    twin: Operator | None
    """Float32's; None where it has none, for it converts no numbers."""
    ahead: list[Operator]
    """Those of float32 that follow."""
    rest: list[Operator]
    """Those of the variant that follow."""


def _align(floating: Network, network: Network) -> tuple[list[_Step], dict[int, int]]:
    """Each operator of the variant with float32's, and each of its tensors with float32's."""
    ahead = list(floating.operators)
    twins = {network.input: floating.input}
    steps = []
    for number, operator in enumerate(network.operators, start=1):
        rest = network.operators[number:]
        if operator.kind in _CONVERSIONS:
            twins[operator.outputs[0]] = twins[operator.inputs[0]]
            steps.append(_Step(operator, None, list(ahead), rest))
            continue
        twin = ahead.pop(0) if ahead else None
        found, expected = _describe(network, operator), _describe(floating, twin)
        if twin is None or found != expected:
            raise LayersError(
                f"it has {found} where float32 has {expected}; convert both from one original."
            )
        twins |= dict(zip(operator.outputs, twin.outputs, strict=True))
        steps.append(_Step(operator, twin, list(ahead), rest))
    if ahead:
        raise LayersError(
            f"it ends where float32 has {_describe(floating, ahead[0])}; convert both from one "
            "original."
        )
    return steps, twins


def _describe(network: Network, operator: Operator | None) -> str:
    if operator is None:
        return "no more operators"
    return f"{operator.kind} giving {', '.join(str(network.shape(t)) for t in operator.outputs)}"


def _check(*networks: Values) -> None:
    for values in networks:
        if not all(np.isfinite(tensor).all() for tensor in values.values()):
            raise LayersError("some of their values are not finite numbers; convert it again.")


def _names(network: Network) -> list[str]:
    kinds = [operator.kind for operator in network.operators]
    return [f"{kind.lower()}_{kinds[: index + 1].count(kind)}" for index, kind in enumerate(kinds)]


def _weights_snr_db(
    floating: Network, twin: Operator | None, network: Network, operator: Operator
) -> float | None:
    if twin is None:
        return None
    exact, ours = floating.weights(twin), network.weights(operator)
    return None if exact is None or ours is None else _snr_db(exact, ours)


def _joined(values: Values, tensors: Iterable[int]) -> NDArray[np.float32]:
    return np.concatenate([values[tensor].ravel() for tensor in tensors])


def _snr_db(exact: NDArray[np.float32], ours: NDArray[np.float32]) -> float | None:
    return ratio_db(exact, np.subtract(ours, exact, dtype=np.float64))
