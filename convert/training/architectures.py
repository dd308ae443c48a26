"""Architectures: the models that ship and how each is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from edge_app.models.card import Budget


class Convolution(NamedTuple):
    """A convolution with a square kernel; a stride above 1 makes the image smaller."""

    filters: int
    kernel: int
    stride: int


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A network and its training.

    ``convolutions`` come first, then ``hidden`` layers of the given widths, then ten outputs.
    ``dropout`` follows the convolutions and each hidden layer. ``distorted`` says whether every
    epoch distorts its images anew. ``doubt`` is the weight of telling digits from non-digits,
    where telling digits apart has 1. The acceptance rule must accept the fraction ``accepted`` of
    the drawn digits, and ``right`` of those must be read right. ``teacher`` names the architecture
    whose published model it learns from (see :mod:`convert.training.distillation`).
    """

    name: str
    title: str
    description: str
    convolutions: tuple[Convolution, ...] = ()
    hidden: tuple[int, ...] = ()
    dropout: float = 0.0
    epochs: int
    batch_size: int = 256
    learning_rate: float
    distorted: bool = True
    doubt: float = 0.3
    accepted: float = 0.98
    right: float = 0.995
    teacher: str | None = None


ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            name="dense",
            title="Simple Dense",
            description="One dense layer: each digit's score is a weighted sum of the pixels.",
            epochs=40,
            learning_rate=2e-3,
            distorted=False,
            doubt=0.15,
            accepted=0.90,
            right=0.985,
        ),
        Architecture(
            name="mlp",
            title="Multi-layer Perceptron",
            description="Two hidden layers with ReLU, of 384 and 192 units.",
            hidden=(384, 192),
            epochs=50,
            learning_rate=4e-3,
            teacher="cnn",
        ),
        Architecture(
            name="cnn",
            title="Convolutional Network",
            description="Five convolutions with ReLU, of 16 to 64 filters, and one dense layer.",
            convolutions=(
                Convolution(16, 5, 2),
                Convolution(32, 3, 1),
                Convolution(32, 3, 2),
                Convolution(64, 3, 1),
                Convolution(64, 3, 1),
            ),
            dropout=0.3,
            epochs=15,
            learning_rate=2e-3,
        ),
    )
}

BUDGETS = {
    "dense": Budget(accuracy_loss_points=0.05, agreement=0.998, bytes=12_000),
    "mlp": Budget(accuracy_loss_points=0.05, agreement=0.999, bytes=700_000),
    "cnn": Budget(accuracy_loss_points=0.05, agreement=0.999, bytes=120_000),
}
"""What int8 may cost, by architecture. The scores of a single layer lie closer together than a deep
network's, so more of its answers change."""
