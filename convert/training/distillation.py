"""Distillation: a network learns from another network's answers besides the labels.

G. Hinton, O. Vinyals, J. Dean, "Distilling the knowledge in a neural network", 2015 (arXiv
1503.02531). The teacher sees the very images that the student sees, each distorted anew, and the
student learns for many epochs: L. Beyer and others, "Knowledge distillation: a good teacher is
patient and consistent", CVPR 2022.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import keras
import tensorflow as tf

from convert.export.keras_file import load_keras
from edge_app.digits.normalization import Normalization
from edge_app.errors import UserError
from edge_app.models.card import CardError, read_card, read_file

WEIGHT = 0.8
"""Weight of the teacher's answers; the labels have the rest."""
TEMPERATURE = 2.0
"""Divides both networks' logits, so that the teacher's second and third guesses count more."""


class TeacherError(UserError):
    """A teacher that is missing, or unfit to learn from."""


class Teacher(NamedTuple):
    """A published model."""

    name: str
    sha256: str
    """Of the file with its original."""
    original: keras.Model
    """(N, 28, 28) pixels of 0 to 255 in, (N, 10) logits out."""

    def weights_sha256(self) -> str:
        """Of the weights alone; a file that is written again has a new date and so a new hash."""
        weights = b"".join(values.tobytes() for values in self.original.get_weights())
        return hashlib.sha256(weights).hexdigest()


def load_teacher(name: str, folder: Path, normalization: Normalization) -> Teacher:
    """Load the original of a model in a models' folder, trained with the given normalization.

    Raises:
        TeacherError: it is missing or damaged, or takes or gives something else.
        KerasFileError: Keras cannot read it.
    """
    try:
        card = read_card(folder / name)
        read_file(folder / name, card.original)
    except CardError as error:
        raise TeacherError(
            f"There is no {name!r} in {folder} to learn from: {error} Train it first or in the "
            "same command, or copy its folder there."
        ) from error
    if (card.contract.normalization, card.contract.output) != (normalization, "logits"):
        raise TeacherError(
            f"{folder / name} takes images normalized by {card.contract.normalization!r} and gives "
            f"{card.contract.output}; a teacher must take {normalization!r} and give logits. "
            f"Train {name!r} again."
        )
    return Teacher(name, card.original.sha256, load_keras(folder / name / card.original.file))


def teach(labels: tf.Tensor, teacher: keras.Model, images: tf.Tensor) -> tf.Tensor:
    """Targets for images (N, 28, 28) and labels (N,): float32 (N, 11), each image's label and the
    teacher's ten logits."""
    answers = teacher(tf.cast(images, tf.float32), training=False)
    return tf.concat([tf.cast(labels, tf.float32)[:, None], answers], axis=1)


def taught_cross_entropy(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Losses (N,) of logits (N, 10) for targets as :func:`teach` gives them.

    With C the cross-entropy, y the label, s and t the student's and the teacher's logits, w the
    weight and T the temperature: (1 - w) C(y, softmax(s)) + w T² C(softmax(t/T), softmax(s/T)).
    The square keeps the gradients of the two terms in proportion at any temperature.
    """
    labels = tf.maximum(tf.cast(targets[:, 0], tf.int32), 0)  # The caller ignores a non-digit's.
    label = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    answer = tf.nn.softmax_cross_entropy_with_logits(
        tf.nn.softmax(targets[:, 1:] / TEMPERATURE), logits / TEMPERATURE
    )
    return (1 - WEIGHT) * label + WEIGHT * TEMPERATURE**2 * answer
