"""Architectures: the models that ship, and how each is trained."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """A network and its training.

    ``hidden`` are the widths of its hidden layers; ``augmented`` says whether every epoch sees
    freshly distorted images.
    """

    name: str
    title: str
    description: str
    hidden: tuple[int, ...]
    epochs: int
    batch_size: int
    learning_rate: float
    augmented: bool


ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            name="dense",
            title="Simple Dense",
            description="One dense layer: each digit's score is a weighted sum of the pixels.",
            hidden=(),
            epochs=30,
            batch_size=128,
            learning_rate=2e-3,
            augmented=False,
        ),
        Architecture(
            name="mlp",
            title="Multi-layer Perceptron",
            description="Two hidden layers with ReLU, of 512 and 256 units.",
            hidden=(512, 256),
            epochs=40,
            batch_size=128,
            learning_rate=2e-3,
            augmented=True,
        ),
    )
}
