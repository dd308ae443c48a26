"""Where quantization's error enters: against arithmetic of its own, and on degraded models."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.drift.budget import GATED, failures
from benchmarks.drift.drift import compare_model
from benchmarks.drift.layers import (
    ALARM_DB,
    IMAGES,
    Layer,
    LayersError,
    advise,
    compare_layers,
    keep_first,
    measure_layers,
    point_at,
)
from benchmarks.drift.network import Network
from benchmarks.drift.reference import read_reference
from benchmarks.drift.subgraph import cut
from degraded import round_weights, shift_bias, shift_zero_point
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import normalize
from edge_app.models.card import read_card
from edge_app.models.classifier import load_model, softmax
from edge_app.models.interpreter import Interpreter, find_runtime

LOSSLESS = ("reshape_1", "reshape_2", "quantize_1")


@pytest.fixture(scope="module")
def normalized(test_set: Digits) -> NDArray[np.uint8]:
    """All test images as the shipped models want them."""
    return np.stack([normalize(image, "moments") for image in test_set.images])


@pytest.fixture(scope="module")
def images(normalized: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return normalized[:IMAGES]


@pytest.fixture(scope="module")
def files(models_folder: Path) -> Callable[[str, str], bytes]:
    return lambda model, variant: (models_folder / model / f"{variant}.tflite").read_bytes()


def snr_db(exact: NDArray[np.float32], ours: NDArray[np.float32]) -> float:
    return float(20 * np.log10(np.linalg.norm(exact) / np.linalg.norm(exact - ours)))


def layer(name: str, outputs_snr_db: float | None, kept_snr_db: float = 30.0) -> Layer:
    own = None if outputs_snr_db is None else 41.0
    return Layer(name, "CONV_2D", (1, 7, 7, 32), 29.0, None, own, outputs_snr_db, kept_snr_db)


def by_name(layers: tuple[Layer, ...]) -> dict[str, Layer]:
    return {each.name: each for each in layers}


@pytest.mark.parametrize("variant", ["float16", "dynamic", "int8"])
@pytest.mark.parametrize("name", ["dense", "mlp", "cnn"])
def test_no_layer_of_the_shipped_models_stands_out(
    name: str, variant: str, models_folder: Path, images: NDArray[np.uint8]
) -> None:
    folder = models_folder / name
    layers = measure_layers(read_card(folder), folder, variant, images)
    assert advise(layers).startswith("No layer stands out: ")
    worst = point_at(layers)
    assert worst is not None
    assert worst.outputs_snr_db is not None
    assert worst.outputs_snr_db > ALARM_DB + 5
    for each in layers:
        assert (each.own_snr_db is None) == (each.outputs_snr_db is None)
        if each.name in LOSSLESS:
            assert each.own_snr_db is None
    assert json.loads(json.dumps([dataclasses.asdict(each) for each in layers], allow_nan=False))


@pytest.mark.parametrize("variant", ["float16", "dynamic", "int8"])
def test_the_last_layer_s_error_is_that_of_the_model_as_it_is_served(
    variant: str, files: Callable[[str, str], bytes], images: NDArray[np.uint8]
) -> None:
    reference, other = files("cnn", "float32"), files("cnn", variant)
    served = snr_db(Interpreter(reference).run(images), Interpreter(other).run(images))
    last = compare_layers(reference, other, images)[-1]
    assert last.shape == (1, 10)
    assert last.snr_db == pytest.approx(served, abs=0.1)


def test_a_layer_s_own_error_is_against_float32_on_its_own_input(
    files: Callable[[str, str], bytes], images: NDArray[np.uint8]
) -> None:
    reference, int8 = Network(files("mlp", "float32")), Network(files("mlp", "int8"))
    floating, quantized = reference.operators[2], int8.operators[3]
    assert floating.kind == quantized.kind == "FULLY_CONNECTED"
    values = int8.activations(images)
    weights = reference.weights(floating)
    assert weights is not None
    interpreter = find_runtime().interpreter(model_content=files("mlp", "float32"))
    bias = interpreter.get_tensor(floating.constants[1])
    alone = np.maximum(values[quantized.inputs[0]] @ weights.T + bias, 0)
    found = by_name(compare_layers(files("mlp", "float32"), files("mlp", "int8"), images))
    own = found["fully_connected_2"].own_snr_db
    assert own == pytest.approx(snr_db(alone, values[quantized.outputs[0]]), abs=0.1)


def test_weights_are_compared_as_real_numbers(
    files: Callable[[str, str], bytes], images: NDArray[np.uint8]
) -> None:
    # float16 keeps 11 bits of each weight; int8 has a scale per channel, dynamic one for all.
    for variant, least, most in (("float16", 66, 80), ("dynamic", 25, 50), ("int8", 30, 50)):
        for each in compare_layers(files("mlp", "float32"), files("mlp", variant), images[:2]):
            assert (each.weights_snr_db is None) == (each.operator != "FULLY_CONNECTED")
            if each.weights_snr_db is not None:
                assert least < each.weights_snr_db < most


def test_a_file_has_no_error_against_itself(
    files: Callable[[str, str], bytes], images: NDArray[np.uint8]
) -> None:
    content = files("cnn", "float32")
    layers = compare_layers(content, content, images[:3])
    assert [each.operator for each in layers].count("CONV_2D") == 5
    assert all(each.snr_db is each.own_snr_db is each.outputs_snr_db is None for each in layers)
    assert point_at(layers) is None
    assert advise(layers) == "No layer computes anything else than in float32."


def test_advice_names_where_the_error_enters_and_what_to_keep_in_float() -> None:
    layers = [layer("a", None, 99.0), layer("b", 41.0), layer("c", 12.0), layer("d", 35.0, 31.0)]
    assert point_at(layers) == layers[2]
    assert keep_first(layers) == layers[3]
    assert advise(layers) == (
        "c stands out: its own error leaves the outputs a signal-to-noise ratio of 12.0 dB, "
        "expected 30 or more. Kept in float, d helps most: the outputs go from 29.0 dB to 31.0 dB."
    )
    assert advise(layers[:2]).startswith("No layer stands out: b costs most")


def test_the_last_layer_kept_in_float_leaves_what_came_before(
    files: Callable[[str, str], bytes], images: NDArray[np.uint8]
) -> None:
    reference, int8 = Network(files("mlp", "float32")), Network(files("mlp", "int8"))
    values, exact = int8.activations(images), reference.activations(images)
    outputs = reference.run(
        [reference.operators[-1]],
        {reference.operators[-1].inputs[0]: values[int8.operators[-1].inputs[0]]},
    )[reference.output]
    last = compare_layers(files("mlp", "float32"), files("mlp", "int8"), images)[-1]
    expected = snr_db(exact[reference.output], outputs)
    assert last.kept_snr_db == pytest.approx(expected, abs=0.01)
    assert last.snr_db is not None
    assert expected > last.snr_db + 1


def test_a_part_of_a_network_computes_what_the_whole_does(
    files: Callable[[str, str], bytes], images: NDArray[np.uint8]
) -> None:
    content = files("cnn", "float32")
    network = Network(content)
    values = network.activations(images[:5])
    for start in range(len(network.operators)):
        after = network.run(network.operators[start:], values)[network.output]
        np.testing.assert_allclose(after, values[network.output], atol=1e-3)
    first = network.operators[0]
    part = cut(content, [first.number], first.inputs, first.outputs)
    interpreter = find_runtime().interpreter(model_content=part)
    assert [tensor["index"] for tensor in interpreter.get_output_details()] == list(first.outputs)


@pytest.mark.parametrize(
    ("reference", "other", "reason"),
    [
        ("mlp", "cnn", r"it has RESHAPE giving \(1, 28, 28, 1\) where float32 has RESHAPE giving"),
        ("dense", "mlp", r"it has FULLY_CONNECTED giving \(1, 384\) where float32 has FULLY"),
    ],
)
def test_other_networks_are_refused(
    reference: str,
    other: str,
    reason: str,
    files: Callable[[str, str], bytes],
    images: NDArray[np.uint8],
) -> None:
    with pytest.raises(LayersError, match=reason):
        compare_layers(files(reference, "float32"), files(other, "int8"), images)


def test_what_is_no_number_is_refused(
    files: Callable[[str, str], bytes], images: NDArray[np.uint8]
) -> None:
    content = files("dense", "float32")
    interpreter = find_runtime().interpreter(model_content=content)
    bias = interpreter.get_tensor(Network(content).operators[-1].constants[1])
    broken = content.replace(bias.tobytes(), np.full_like(bias, np.nan).tobytes())
    assert broken != content
    with pytest.raises(LayersError, match="not finite"):
        compare_layers(content, broken, images[:2])


Damage = Callable[[bytes], bytes]


def three_bits(layer: str) -> Damage:
    return lambda content: round_weights(content, layer, bits=3)


def zero_point(layer: str, shift: int) -> Damage:
    return lambda content: shift_zero_point(content, layer, shift)


def bias(layer: str, digit: int, logits: float) -> Damage:
    return lambda content: shift_bias(content, layer, digit, logits)


def gate_catches(folder: Path, int8: bytes, test_set: Digits, images: NDArray[np.uint8]) -> bool:
    """Whether int8 is past a budget of its model's card."""
    model = load_model(folder)
    original = read_reference(folder, model.card, test_set)
    outputs = {GATED: softmax(Interpreter(int8).run(images))}
    return bool(failures(model.card, compare_model(model.name, original, outputs, test_set.labels)))


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_a_faithful_conversion_passes_the_gate(
    name: str,
    models_folder: Path,
    files: Callable[[str, str], bytes],
    test_set: Digits,
    normalized: NDArray[np.uint8],
) -> None:
    assert not gate_catches(models_folder / name, files(name, "int8"), test_set, normalized)


@pytest.mark.parametrize(
    ("name", "layer", "damage"),
    [
        ("mlp", "fully_connected_1", three_bits("fully_connected_1")),
        ("mlp", "fully_connected_3", three_bits("fully_connected_3")),
        ("cnn", "conv_2d_1", three_bits("conv_2d_1")),
        # What the first convolution takes: paper is no longer at 0.
        ("cnn", "reshape_1", zero_point("reshape_1", 20)),
        ("mlp", "reshape_1", zero_point("reshape_1", 20)),
        # The outputs: the largest logits no longer fit.
        ("mlp", "fully_connected_3", zero_point("fully_connected_3", 90)),
        ("mlp", "fully_connected_3", bias("fully_connected_3", digit=3, logits=4)),
        ("dense", "fully_connected_1", three_bits("fully_connected_1")),
        ("dense", "fully_connected_1", bias("fully_connected_1", digit=3, logits=2)),
    ],
)
def test_a_degraded_layer_is_caught_by_the_gate_and_named(
    name: str,
    layer: str,
    damage: Damage,
    models_folder: Path,
    files: Callable[[str, str], bytes],
    test_set: Digits,
    normalized: NDArray[np.uint8],
) -> None:
    worse = damage(files(name, "int8"))
    assert gate_catches(models_folder / name, worse, test_set, normalized)
    layers = compare_layers(files(name, "float32"), worse, normalized[:IMAGES])
    worst = point_at(layers)
    assert worst is not None
    assert worst.name == layer
    assert advise(layers).startswith(f"{layer} stands out")


@pytest.mark.parametrize(
    "name", [*(f"conv_2d_{number}" for number in range(1, 6)), "fully_connected_1"]
)
def test_three_bits_in_any_layer_are_named(
    name: str, files: Callable[[str, str], bytes], images: NDArray[np.uint8]
) -> None:
    worse = round_weights(files("cnn", "int8"), name, bits=3)
    layers = compare_layers(files("cnn", "float32"), worse, images)
    assert advise(layers).startswith(f"{name} stands out")
    assert keep_first(layers) == by_name(layers)[name]
    weights = by_name(layers)[name].weights_snr_db
    assert weights is not None
    assert weights < 20


def test_the_gate_lets_pass_what_the_layers_show(
    models_folder: Path,
    files: Callable[[str, str], bytes],
    test_set: Digits,
    normalized: NDArray[np.uint8],
) -> None:
    # In 4 bits the last layer changes 5 answers of 10,000; no one would ship it unseen.
    worse = round_weights(files("cnn", "int8"), "fully_connected_1", bits=4)
    assert not gate_catches(models_folder / "cnn", worse, test_set, normalized)
    layers = compare_layers(files("cnn", "float32"), worse, normalized[:IMAGES])
    assert advise(layers).startswith("fully_connected_1 stands out")
