"""Networks: an architecture as Keras layers, in training and as the plain original."""

from __future__ import annotations

import keras

from convert.architectures import Architecture
from edge_app.normalization import SIZE


def build(architecture: Architecture) -> keras.Model:
    """The network in training: (N, 28, 28) pixels of 0 to 255 in, (N, 10) logits out."""
    layers: list[keras.layers.Layer] = _entrance()
    for width in architecture.hidden:
        layers += [
            keras.layers.Dense(width, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Dropout(0.2),
        ]
    return keras.Sequential([*layers, keras.layers.Dense(10)], name=architecture.name)


def plain(model: keras.Model) -> keras.Model:
    """The same function without its training aids: batch normalization folded, no dropout.

    With g, b, m, v a normalization's scale, shift, mean and variance and s = g / sqrt(v + e),
    (x W - m) s + b = x (W s) + (b - m s).
    """
    layers = _entrance()
    weights = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense):
            layers.append(keras.layers.Dense(layer.units))
            kernel, *bias = layer.get_weights()
            weights += [kernel, *bias]
        elif isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            scale = gamma / (variance + layer.epsilon) ** 0.5
            weights[-1] = weights[-1] * scale
            weights.append(beta - mean * scale)
        elif isinstance(layer, keras.layers.ReLU):
            layers.append(keras.layers.ReLU())
    folded = keras.Sequential(layers, name=model.name)
    folded.set_weights(weights)
    return folded


def _entrance() -> list[keras.layers.Layer]:
    return [
        keras.Input((SIZE, SIZE)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
    ]
