"""Training: an architecture and a pool of images -> the original, a plain float32 Keras model."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from convert.data.pool import Pool
from convert.progress import bar
from convert.training.architectures import Architecture
from convert.training.augmentation import distort
from convert.training.distillation import taught_cross_entropy, teach
from convert.training.networks import build, plain
from edge_app.digits.mnist import Digits

PACKAGE = "convert"


@keras.saving.register_keras_serializable(PACKAGE)
class DoubtfulCrossEntropy(keras.losses.Loss):  # type: ignore[misc]
    """Cross-entropy of ten digits and, apart from it, of digit or none, from ten logits.

    With an eleventh logit of 0 for what is no digit, a softmax over eleven gives a digit the log
    odds E = log sum exp(logits), the energy that an acceptance rule goes by. A digit costs its
    cross-entropy among ten, and ``doubt`` times log(1 + exp(-E)); what is none (a label below 0)
    costs ``doubt`` times log(1 + exp(E)). Learning from examples of what is foreign: D. Hendrycks,
    M. Mazeika, T. Dietterich, "Deep anomaly detection with outlier exposure", ICLR 2019.
    """

    def __init__(self, doubt: float, name: str = "doubtful_cross_entropy", **others: Any) -> None:
        super().__init__(name=name, **others)
        self.doubt = doubt

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Losses (N,) of labels (N,), -1 to 9, and logits (N, 10)."""
        labels = tf.cast(tf.reshape(y_true, [-1]), tf.int32)
        which = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), y_pred)
        return self._doubted(labels, which, y_pred)

    def _doubted(self, labels: tf.Tensor, which: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        energy = tf.reduce_logsumexp(logits, axis=1)
        digit = which + self.doubt * tf.nn.softplus(-energy)
        return tf.where(labels >= 0, digit, self.doubt * tf.nn.softplus(energy))

    def get_config(self) -> dict[str, Any]:
        """For Keras to save it."""
        return {**super().get_config(), "doubt": self.doubt}


@keras.saving.register_keras_serializable(PACKAGE)
class TaughtCrossEntropy(DoubtfulCrossEntropy):
    """The same of a student: telling the ten digits apart is learned from a teacher, too."""

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Losses (N,) of targets (N, 11), as :func:`teach` gives them, and logits (N, 10)."""
        return self._doubted(y_true[:, 0], taught_cross_entropy(y_true, y_pred), y_pred)


def train(
    architecture: Architecture,
    pool: Pool,
    validation: Digits,
    seed: int,
    checkpoint: Path,
    teacher: keras.Model | None = None,
) -> keras.Model:
    """Train a model, showing progress, or go on where an interrupted training stopped.

    The learning rate falls from its start to 0 along a cosine (I. Loshchilov, F. Hutter, "SGDR",
    ICLR 2017).

    Args:
        architecture: what to train, and how.
        pool: what to train on.
        validation: what to show the accuracy on, after each epoch.
        seed: decides the weights at the start, and what each epoch shows.
        checkpoint: where the state is kept after each epoch, the last one included; what is there
            and not whole counts for nothing.
        teacher: what to learn from besides the labels: (N, 28, 28) pixels of 0 to 255 in, (N, 10)
            logits out.

    Returns:
        The original: (N, 28, 28) pixels of 0 to 255 in, (N, 10) logits out.
    """
    keras.utils.set_random_seed(seed)
    count = len(pool.epoch(np.random.default_rng(seed))[1])
    steps = -(-count // architecture.batch_size)
    model = _begin(architecture, steps, taught=teacher is not None)
    if _is_whole(checkpoint):
        model = keras.models.load_model(checkpoint)
    done = int(model.optimizer.iterations) // steps
    with bar(architecture.title, steps * architecture.epochs, steps * done) as update:
        move = keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_, **__: update(advance=1))
        for epoch in range(done, architecture.epochs):
            # Each epoch its own seed: resumed, training shows what it would have shown.
            keras.utils.set_random_seed(seed + 1000 * (epoch + 1))
            images, labels = pool.epoch(np.random.default_rng((seed, epoch)))
            batches = _batches(images, labels, architecture, seed + 1000 * (epoch + 1), teacher)
            model.fit(batches, shuffle=False, verbose=0, callbacks=[move])
            _save(model, checkpoint)
            answers = model.predict(validation.images, batch_size=1000, verbose=0)
            right = float((answers.argmax(axis=1) == validation.labels).mean())
            update(note=f"validation {right:.2%}")
    return plain(model)


def _begin(architecture: Architecture, steps: int, taught: bool) -> keras.Model:
    model = build(architecture)
    loss = TaughtCrossEntropy if taught else DoubtfulCrossEntropy
    model.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(
                architecture.learning_rate, steps * architecture.epochs
            )
        ),
        loss=loss(architecture.doubt),
    )
    return model


def _batches(
    images: NDArray[np.uint8],
    labels: NDArray[np.int8],
    architecture: Architecture,
    seed: int,
    teacher: keras.Model | None,
) -> tf.data.Dataset:
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(architecture.batch_size)
    if architecture.distorted:
        batches = batches.enumerate().map(
            lambda number, batch: (
                distort(tf.cast(batch[0], tf.float32), tf.stack([seed, number])),
                batch[1],
            ),
            num_parallel_calls=2,
        )
    if teacher is not None:
        batches = batches.map(
            lambda images, labels: (images, teach(labels, teacher, images)), num_parallel_calls=2
        )
    return batches.prefetch(2)


def _save(model: keras.Model, checkpoint: Path) -> None:
    """Whole or not at all: an interruption may come at any time."""
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    partial = checkpoint.with_name(f"partial-{checkpoint.name}")
    model.save(partial)
    partial.replace(checkpoint)


def _is_whole(checkpoint: Path) -> bool:
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False
