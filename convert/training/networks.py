"""Networks: an architecture as Keras layers, in training and as the plain original."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from convert.training.architectures import Architecture
from edge_app.digits.normalization import SIZE


def build(architecture: Architecture) -> keras.Model:
    """The network in training: (N, 28, 28) pixels of 0 to 255 in, (N, 10) logits out."""
    layers: list[keras.layers.Layer] = [
        keras.Input((SIZE, SIZE)),
        keras.layers.Rescaling(1 / 255),
    ]
    if architecture.convolutions:
        layers.append(keras.layers.Reshape((SIZE, SIZE, 1)))
    for convolution in architecture.convolutions:
        layers += [
            keras.layers.Conv2D(
                convolution.filters,
                convolution.kernel,
                strides=convolution.stride,
                padding="same",
                use_bias=False,
            ),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
        ]
    layers.append(keras.layers.Flatten())
    if architecture.convolutions:
        layers.append(keras.layers.Dropout(architecture.dropout))
    for width in architecture.hidden:
        layers += [
            keras.layers.Dense(width, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Dropout(architecture.dropout),
        ]
    return keras.Sequential([*layers, keras.layers.Dense(10)], name=architecture.name)


def plain(model: keras.Model) -> keras.Model:
    """The same function without its training aids: no dropout, and normalizations folded.

    With g, b, m, v a batch normalization's scale, shift, mean and variance and s = g / sqrt(v + e),
    (x W - m) s + b = x (W s) + (b - m s); a convolution's kernel W ends in its filters, too. The
    pixels' scale goes into the first weights: as a layer of its own it would take a third of the
    time of a model of one layer, and be quantized.
    """
    layers: list[keras.layers.Layer] = [keras.Input((SIZE, SIZE))]
    pixel_scale = 1.0
    weights: list[NDArray[np.float32]] = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            scale = gamma / (variance + layer.epsilon) ** 0.5
            weights[-1] = weights[-1] * scale
            weights.append(beta - mean * scale)
        elif isinstance(layer, keras.layers.Rescaling):
            pixel_scale = layer.scale
        elif not isinstance(layer, keras.layers.Dropout):
            # What has weights has a bias in the end: its own, or the normalization's.
            bias = {"use_bias": True} if layer.weights else {}
            layers.append(type(layer).from_config({**layer.get_config(), **bias}))
            weights += layer.get_weights()
    weights[0] = weights[0] * pixel_scale
    folded = keras.Sequential(layers, name=model.name)
    folded.set_weights(weights)
    return folded


def cool(model: keras.Model, temperature: float) -> None:
    """Divide a model's logits by a temperature, in the weights of its last layer."""
    last = model.layers[-1]
    last.set_weights([values / temperature for values in last.get_weights()])
