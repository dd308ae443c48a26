"""Architectures: the models that ship, and how each is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from edge_app.models.card import Budget


class Convolution(NamedTuple):
    """A convolution of a square kernel, that keeps the size or, with a stride, divides it."""

    filters: int
    kernel: int
    stride: int


@dataclass(frozen=True)
class Architecture:
    """A network and its training.

    ``convolutions`` come first, then ``hidden`` layers of those widths, then ten outputs;
    ``dropout`` stands after each hidden layer and before the outputs. ``distorted`` says whether
    every epoch distorts its images anew. ``doubt``
    weighs telling digits from what is none against telling digits apart. ``accepted`` is the part
    of the drawn digits that its acceptance rule must let pass, ``right`` the part of those that it
    must read right. ``teacher`` names the architecture whose published model it learns from,
    besides the labels (see :mod:`convert.training.distillation`).
    """

    name: str
    title: str
    description: str
    convolutions: tuple[Convolution, ...]
    hidden: tuple[int, ...]
    dropout: float
    epochs: int
    batch_size: int
    learning_rate: float
    distorted: bool
    doubt: float
    accepted: float
    right: float
    teacher: str | None = None


ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            name="dense",
            title="Simple Dense",
            description="One dense layer: each digit's score is a weighted sum of the pixels.",
            convolutions=(),
            hidden=(),
            dropout=0.0,
            epochs=40,
            batch_size=256,
            learning_rate=2e-3,
            distorted=False,
            doubt=0.05,
            accepted=0.90,
            right=0.985,
        ),
        Architecture(
            name="mlp",
            title="Multi-layer Perceptron",
            description="Two hidden layers with ReLU, of 384 and 192 units.",
            convolutions=(),
            hidden=(384, 192),
            dropout=0.0,
            epochs=50,
            batch_size=256,
            learning_rate=4e-3,
            distorted=True,
            doubt=0.3,
            accepted=0.98,
            right=0.995,
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
            hidden=(),
            dropout=0.3,
            epochs=15,
            batch_size=256,
            learning_rate=2e-3,
            distorted=True,
            doubt=0.3,
            accepted=0.98,
            right=0.995,
        ),
    )
}

BUDGETS = {
    "dense": Budget(accuracy_loss_points=0.05, agreement=0.998, bytes=12_000),
    "mlp": Budget(accuracy_loss_points=0.05, agreement=0.999, bytes=700_000),
    "cnn": Budget(accuracy_loss_points=0.05, agreement=0.999, bytes=120_000),
}
"""What int8 may cost, by the architecture's name. One layer's scores lie closer together than a
deep network's, so that more of its answers change."""
