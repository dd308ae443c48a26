"""Training: an architecture and normalized digits -> the original, a plain float32 Keras model."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from convert.architectures import Architecture
from convert.augmentation import distort
from convert.data import TrainingData
from convert.networks import build, plain
from edge_app.mnist import Digits


def train(architecture: Architecture, data: TrainingData, seed: int) -> keras.Model:
    """Train a model, showing progress.

    The learning rate falls from its start to 0 along a cosine (I. Loshchilov, F. Hutter, "SGDR",
    ICLR 2017).

    Returns:
        The original: (N, 28, 28) pixels of 0 to 255 in, (N, 10) logits out.
    """
    keras.utils.set_random_seed(seed)
    digits, validation = data.train, data.validation
    model = build(architecture)
    steps = -(-len(digits.labels) // architecture.batch_size) * architecture.epochs
    model.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(architecture.learning_rate, steps)
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("epochs, left:"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[state]}"),
    )
    with Progress(*columns) as progress:
        model.fit(
            _batches(digits, architecture),
            validation_data=(validation.images, validation.labels),
            validation_batch_size=1000,
            epochs=architecture.epochs,
            shuffle=False,  # The batches are.
            verbose=0,
            callbacks=[_Epochs(progress, architecture)],
        )
    return plain(model)


def _batches(digits: Digits, architecture: Architecture) -> tf.data.Dataset:
    images = digits.images.astype("float32")
    batches = (
        tf.data.Dataset.from_tensor_slices((images, digits.labels))
        .shuffle(len(images), reshuffle_each_iteration=True)
        .batch(architecture.batch_size)
    )
    if architecture.augmented:
        batches = batches.map(
            lambda images, labels: (distort(images), labels), num_parallel_calls=2
        )
    return batches.prefetch(2)


class _Epochs(keras.callbacks.Callback):  # type: ignore[misc]
    """Moves a progress bar by one an epoch and shows the validation accuracy."""

    def __init__(self, progress: Progress, architecture: Architecture) -> None:
        super().__init__()
        self._progress = progress
        self._task = progress.add_task(
            f"Training {architecture.title}", total=architecture.epochs, state=""
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        state = f"validation {logs['val_accuracy']:.2%}" if logs else ""
        self._progress.update(self._task, advance=1, state=state)
