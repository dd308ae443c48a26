"""Training: an architecture and a pool of images -> a plain float32 Keras model, the original."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tqdm import tqdm

from convert.data.pool import Pool
from convert.export.tflite import predict
from convert.training.architectures import Architecture
from convert.training.augmentation import distort
from convert.training.distillation import taught_cross_entropy, teach
from convert.training.networks import build, plain
from edge_app.digits.mnist import Digits
from edge_app.models.metrics import accuracy

PACKAGE = "convert"


@keras.saving.register_keras_serializable(PACKAGE)
class DoubtfulCrossEntropy(keras.losses.Loss):  # type: ignore[misc]
    """Cross-entropy among ten digits, plus a weighted one of digit against non-digit.

    With an eleventh logit of 0 for non-digits, a softmax over eleven gives a digit the log odds
    E = log sum exp(logits), the energy that acceptance rules use. A digit costs its cross-entropy
    among ten plus ``doubt`` * log(1 + exp(-E)); a non-digit (a label below 0) costs ``doubt`` *
    log(1 + exp(E)). Learning from examples of non-digits follows D. Hendrycks, M. Mazeika,
    T. Dietterich, "Deep anomaly detection with outlier exposure", ICLR 2019.
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
        """The arguments that Keras saves."""
        return {**super().get_config(), "doubt": self.doubt}


@keras.saving.register_keras_serializable(PACKAGE)
class TaughtCrossEntropy(DoubtfulCrossEntropy):
    """The same for a student, which learns to tell the ten digits apart from a teacher too."""

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
    """Train a model under a progress bar, or resume a training that was interrupted.

    The learning rate falls to 0 along a cosine (I. Loshchilov, F. Hutter, "SGDR", ICLR 2017).

    Args:
        architecture: what to train, and how.
        pool: what to train on.
        validation: digits whose accuracy the bar shows after each epoch.
        seed: decides the first weights, and what each epoch shows.
        checkpoint: the file that keeps the state after every epoch; a damaged one is ignored.
        teacher: a model to learn from besides the labels: (N, 28, 28) pixels of 0 to 255 in,
            (N, 10) logits out.

    Returns:
        The original: (N, 28, 28) pixels of 0 to 255 in, (N, 10) logits out.
    """
    keras.utils.set_random_seed(seed)
    count = len(pool.epoch(np.random.default_rng(seed))[1])
    steps = -(-count // architecture.batch_size)
    model = build(architecture)
    rate = keras.optimizers.schedules.CosineDecay(
        architecture.learning_rate, steps * architecture.epochs
    )
    loss = DoubtfulCrossEntropy if teacher is None else TaughtCrossEntropy
    model.compile(keras.optimizers.Adam(rate), loss(architecture.doubt))
    if _is_intact(checkpoint):
        model = keras.models.load_model(checkpoint)
    done = int(model.optimizer.iterations) // steps
    total, begun = steps * architecture.epochs, steps * done
    with tqdm(desc=architecture.title, total=total, initial=begun, disable=None) as bar:
        move = keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_, **__: bar.update())
        for epoch in range(done, architecture.epochs):
            # Each epoch has its own seed, so that a resumed training shows the same images.
            keras.utils.set_random_seed(seed + 1000 * (epoch + 1))
            images, labels = pool.epoch(np.random.default_rng((seed, epoch)))
            batches = _batches(images, labels, architecture, seed + 1000 * (epoch + 1), teacher)
            model.fit(batches, shuffle=False, verbose=0, callbacks=[move])
            _save(model, checkpoint)
            found = predict(model, validation.images).argmax(axis=1)
            bar.set_postfix_str(f"validation {accuracy(found, validation.labels):.2%}")
    return plain(model)


def _batches(
    images: NDArray[np.uint8],
    labels: NDArray[np.int8],
    architecture: Architecture,
    seed: int,
    teacher: keras.Model | None,
) -> tf.data.Dataset:
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(architecture.batch_size)
    if architecture.distorted:

        def distorted(number: tf.Tensor, batch: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
            images, labels = batch
            return distort(tf.cast(images, tf.float32), tf.stack([seed, number])), labels

        batches = batches.enumerate().map(distorted, num_parallel_calls=2)
    if teacher is not None:
        batches = batches.map(
            lambda images, labels: (images, teach(labels, teacher, images)), num_parallel_calls=2
        )
    return batches.prefetch(2)


def _save(model: keras.Model, checkpoint: Path) -> None:
    """Write the whole file or nothing, even when interrupted."""
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    partial = checkpoint.with_name(f"partial-{checkpoint.name}")
    model.save(partial)
    partial.replace(checkpoint)


def _is_intact(checkpoint: Path) -> bool:
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False
