"""Networks: an architecture as Keras layers, for training and as the plain original."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convert.training.architectures import Architecture
from edge_app.digits.normalization import SIZE


def build(architecture: Architecture) -> keras.Model:
    """The network to train: (N, 28, 28) pixels of 0 to 255 in, (N, 10) logits out."""
    layers: list[Any] = [keras.Input((SIZE, SIZE)), keras.layers.Rescaling(1 / 255)]
    if architecture.convolutions:
        layers.append(keras.layers.Reshape((SIZE, SIZE, 1)))
    for filters, kernel, stride in architecture.convolutions:
        layers += [
            keras.layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False),
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
    """The same function without training aids: no dropout, and batch normalizations folded.

    With a batch normalization's scale g, shift b, mean m and variance v, and s = g / sqrt(v + e):
    (x W - m) s + b = x (W s) + (b - m s). A convolution's kernel W has its filters last too. The
    pixels' scale goes into the first weights: a layer for it would be quantized, and take a third
    of the time of a one-layer model.
    """
    layers: list[Any] = [keras.Input((SIZE, SIZE))]
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
            # A layer with weights ends up with a bias: its own or its normalization's.
            bias = {"use_bias": True} if layer.weights else {}
            layers.append(type(layer).from_config({**layer.get_config(), **bias}))
            weights += layer.get_weights()
    weights[0] = weights[0] * pixel_scale
    folded = keras.Sequential(layers, name=model.name)
    folded.set_weights(weights)
    return folded


def cool(model: keras.Model, temperature: float) -> None:
    """Divide a model's logits by a temperature, by changing the weights of its last layer."""
    last = model.layers[-1]
    last.set_weights([values / temperature for values in last.get_weights()])
