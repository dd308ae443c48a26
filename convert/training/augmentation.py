"""Augmentation: normalized images, distorted a little, in a new way in every epoch.

Affine and elastic distortion after P. Y. Simard, D. Steinkraus, J. C. Platt, "Best practices for
convolutional neural networks applied to visual document analysis", ICDAR 2003. Slant, size and
position change little here: normalization has already taken out most of their differences.
"""

from __future__ import annotations

import tensorflow as tf

from edge_app.digits.normalization import CENTRE, SIZE

ROTATION = 0.13
"""Standard deviation, in radians."""
STRETCH = 0.06
"""Standard deviation of the slant, and of the logarithms of the scales across and down."""
SHIFT = 0.6
"""Standard deviation, in pixels."""
ELASTIC = 0.7
"""Standard deviation of the displacements at the knots of the elastic grid, in pixels."""
KNOTS = 5
"""Knots per side of the elastic grid; displacements between them are interpolated."""


def distort(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Distort float32 images (N, 28, 28) of pixels 0 to 255; same shape and range.

    The seed, two whole numbers, alone decides how, so that batches may be distorted in parallel.
    """
    count = tf.shape(images)[0]
    grid = tf.range(SIZE, dtype=tf.float32) - CENTRE
    x, y = tf.meshgrid(grid, grid)
    *seeds, elastic_seed = tf.unstack(tf.random.split(seed, 7))
    angle, slant, shift_x, shift_y, widening, heightening = (
        tf.random.stateless_normal((count, 1, 1), each, stddev=deviation)
        for each, deviation in zip(
            seeds, (ROTATION, STRETCH, SHIFT, SHIFT, STRETCH, STRETCH), strict=True
        )
    )
    stretch_x, stretch_y = tf.exp(widening), tf.exp(heightening)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    elastic = tf.image.resize(
        tf.random.stateless_normal((count, KNOTS, KNOTS, 2), elastic_seed, stddev=ELASTIC),
        (SIZE, SIZE),
        "bicubic",
    )
    source_x = stretch_x * (cosine * x - sine * y) + slant * y + shift_x + elastic[..., 0]
    source_y = stretch_y * (sine * x + cosine * y) + shift_y + elastic[..., 1]
    return _sample(images, source_x + CENTRE, source_y + CENTRE)


def _sample(images: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Bilinear samples of images (N, 28, 28) at x and y, each (N, 28, 28); 0 outside."""
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1]])
    side = SIZE + 2
    x = tf.clip_by_value(x + 1, 0.0, side - 1.001)
    y = tf.clip_by_value(y + 1, 0.0, side - 1.001)
    left, top = tf.floor(x), tf.floor(y)
    right_part, lower_part = x - left, y - top
    corner = tf.cast(top, tf.int32) * side + tf.cast(left, tf.int32)
    flat = tf.reshape(padded, (-1, side * side))
    upper_left, upper_right, lower_left, lower_right = (
        tf.gather(flat, corner + step, batch_dims=1) for step in (0, 1, side, side + 1)
    )
    upper = upper_left + (upper_right - upper_left) * right_part
    lower = lower_left + (lower_right - lower_left) * right_part
    return upper + (lower - upper) * lower_part
