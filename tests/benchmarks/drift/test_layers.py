"""Where quantization's error enters: compared with separate arithmetic, and on degraded models."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.drift.drift import GATED, Original, compare_model, failures
from benchmarks.drift.layers import ALARM_DB, IMAGES, Layer, LayersError, advise, compare_layers
from benchmarks.drift.network import Network
from benchmarks.drift.reference import read_reference
from degraded import round_weights, shift_bias, shift_zero_point
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import normalize
from edge_app.models.card import read_card
from edge_app.models.classifier import softmax
from edge_app.models.interpreter import Interpreter, find_runtime
from edge_app.paths import MODELS

Images = NDArray[np.uint8]
Damage = Callable[[bytes, str], bytes]


@pytest.fixture(scope="module")
def images(test_set: Digits) -> Images:
    """The first test images as the shipped models want them."""
    return np.stack([normalize(image, "bimoment") for image in test_set.images[:IMAGES]])


def file(model: str, variant: str) -> bytes:
    return (MODELS / model / f"{variant}.tflite").read_bytes()


@pytest.mark.parametrize(
    ("name", "variant", "least", "most"),
    # float16 keeps 11 bits of each weight; int8 has a scale per channel, dynamic one for all.
    [
        ("dense", "int8", 30, 50),
        ("mlp", "float16", 66, 80),
        ("mlp", "dynamic", 25, 50),
        ("cnn", "dynamic", 25, 50),
        ("cnn", "int8", 30, 50),
    ],
)
def test_no_layer_of_the_shipped_models_stands_out(
    name: str, variant: str, least: float, most: float, images: Images
) -> None:
    reference, other = file(name, "float32"), file(name, variant)
    layers = compare_layers(reference, other, images)
    assert advise(layers).startswith("No layer stands out: ")
    for each in layers:
        assert each.outputs_snr_db is None or each.outputs_snr_db > ALARM_DB + 5
        assert (each.own_snr_db is None) == (each.outputs_snr_db is None)
        if each.name in {"reshape_1", "reshape_2", "quantize_1"}:
            assert each.own_snr_db is None
        if each.weights_snr_db is not None:
            assert each.operator in {"CONV_2D", "FULLY_CONNECTED"}
            assert least < each.weights_snr_db < most
    assert layers[-1].weights_snr_db
    assert json.dumps([dataclasses.asdict(each) for each in layers], allow_nan=False)
    # The error after the last layer is that of the model as it is served.
    exact, served = (Interpreter(each).run(images) for each in (reference, other))
    assert layers[-1].shape == (1, 10)
    ratio = np.linalg.norm(exact) / np.linalg.norm(exact - served)
    assert layers[-1].snr_db == pytest.approx(20 * np.log10(ratio), abs=0.1)


def test_a_layer_s_own_error_leaves_out_that_of_the_layers_before(images: Images) -> None:
    layers = compare_layers(file("dense", "float32"), file("dense", "int8"), images)
    [erring] = [each for each in layers if each.own_snr_db is not None]
    assert erring.outputs_snr_db == pytest.approx(erring.snr_db)
    assert erring.own_snr_db == pytest.approx(erring.snr_db)
    layers = compare_layers(file("mlp", "float32"), file("mlp", "int8"), images)
    _, *later = [each for each in layers if each.operator == "FULLY_CONNECTED"]
    for each in later:
        assert each.own_snr_db
        assert each.snr_db
        assert each.own_snr_db > each.snr_db + 1


def test_a_file_has_no_error_compared_with_itself(images: Images) -> None:
    content = file("cnn", "float32")
    layers = compare_layers(content, content, images[:3])
    assert [each.operator for each in layers].count("CONV_2D") == 5
    assert all(each.snr_db is each.own_snr_db is each.outputs_snr_db is None for each in layers)
    assert advise(layers) == "Every layer computes the same as in float32."


@pytest.mark.parametrize(
    ("ratios", "advice"),
    [
        ({"a": None, "b": 41.0, "c": 12.0, "d": 35.0}, "c stands out: .* 12.0 dB"),
        ({"a": None, "b": 41.0, "d": 35.0}, "No layer stands out: d costs most.* 35.0 dB"),
        ({"e": ALARM_DB}, "No layer stands out: e costs most"),
    ],
)
def test_advice_names_the_layer_with_the_largest_error_at_the_outputs(
    ratios: dict[str, float | None], advice: str
) -> None:
    layers = [
        Layer(name, "CONV_2D", (1, 7, 7, 32), 29.0, None, ratio and 41.0, ratio)
        for name, ratio in ratios.items()
    ]
    assert re.match(advice, advise(layers))


@pytest.mark.parametrize(
    ("reference", "other", "reason"),
    [
        ("mlp", "cnn", r"it has RESHAPE giving \(1, 28, 28, 1\) where float32 has RESHAPE giving"),
        ("dense", "mlp", r"it has FULLY_CONNECTED giving \(1, 384\) where float32 has FULLY"),
    ],
)
def test_different_networks_are_refused(
    reference: str, other: str, reason: str, images: Images
) -> None:
    with pytest.raises(LayersError, match=reason):
        compare_layers(file(reference, "float32"), file(other, "int8"), images)


def test_values_that_are_not_finite_are_refused(images: Images) -> None:
    content = file("dense", "float32")
    interpreter = find_runtime().interpreter(model_content=content)
    bias = interpreter.get_tensor(Network(content).operators[-1].constants[1])
    broken = content.replace(bias.tobytes(), np.full_like(bias, np.nan).tobytes())
    assert broken != content
    with pytest.raises(LayersError, match="not finite"):
        compare_layers(content, broken, images[:2])


@pytest.mark.parametrize("name", ["conv_2d_1", "conv_2d_3", "conv_2d_5"])
def test_three_bits_in_any_layer_are_named(name: str, images: Images) -> None:
    worse = round_weights(file("cnn", "int8"), name, bits=3)
    layers = compare_layers(file("cnn", "float32"), worse, images)
    assert advise(layers).startswith(f"{name} stands out")
    [found] = [each for each in layers if each.name == name]
    assert (found.weights_snr_db or 99) < 20


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layer", "damage", "is_caught"),
    [
        ("mlp", "fully_connected_1", partial(round_weights, bits=3), True),
        # The input of the first layer: paper is no longer at 0.
        ("mlp", "reshape_1", partial(shift_zero_point, shift=20), True),
        # The outputs: the largest logits no longer fit.
        ("mlp", "fully_connected_3", partial(shift_zero_point, shift=90), True),
        ("dense", "fully_connected_1", partial(shift_bias, channel=3, shift=2), True),
        # It changes hardly an answer; nobody should ship that unseen.
        ("cnn", "conv_2d_1", partial(round_weights, bits=5), False),
    ],
)
def test_a_degraded_layer_is_named_whether_or_not_the_gate_catches_it(
    name: str, layer: str, damage: Damage, is_caught: bool, test_set: Digits, images: Images
) -> None:
    worse = damage(file(name, "int8"), layer)
    card = read_card(MODELS / name)
    stored = read_reference(MODELS / name, card, test_set).probabilities[:500]
    many = np.stack([normalize(image, "bimoment") for image in test_set.images[:500]])
    outputs = {GATED: softmax(Interpreter(worse).run(many))}
    drift = compare_model(name, Original(stored, "stored"), outputs, test_set.labels[:500])
    assert bool(failures(card, drift)) is is_caught
    layers = compare_layers(file(name, "float32"), worse, images)
    assert advise(layers).startswith(f"{layer} stands out")
