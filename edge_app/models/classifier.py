"""Classifiers: loaded models that are ready to answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import perf_counter_ns
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.normalization import SIZE, Normalization
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import Card, FileRecord, Output
from edge_app.models.confusion import Confusion
from edge_app.models.interpreter import Pixels


class Runner(Protocol):
    """What a classifier needs of an :class:`edge_app.models.interpreter.Interpreter`."""

    pixels: Pixels

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Outputs, float32 (N, 10), for uint8 (N, 28, 28)."""


class Measured(NamedTuple):
    """One inference: its outputs, float32 (1, 10), and how many microseconds it took."""

    outputs: NDArray[np.float32]
    latency_us: float


class Prediction(NamedTuple):
    """What one inference gave for N images."""

    outputs: NDArray[np.float32]
    """float32 (N, 10), as the model's file gives them."""
    probabilities: NDArray[np.float32]
    """float32 (N, 10): the probability of each digit, 0 to 1."""
    acceptance: Acceptance | None
    """The model's rule, if any."""

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """Which answers pass the rule, bool (N,); all of them if there is none.

        Computed on demand: it takes half as long as a small model's inference.
        """
        if self.acceptance is None:
            return np.ones(len(self.outputs), np.bool_)
        return self.acceptance.accepts(self.outputs, self.probabilities)


class Classifier:
    """A classifier of digits, in one file or several.

    Args:
        name: for programs: "mlp".
        title: for people: "Multi-layer Perceptron".
        normalization: how its images must be normalized: "moments", "bimoment" or "box".
        output: the kind of output of its files.
        interpreters: its files, loaded, by variant.
        acceptance: when its answers count; None if all do.
        files: the records of its files, by variant.
    """

    def __init__(
        self,
        name: str,
        title: str,
        normalization: Normalization,
        output: Output,
        interpreters: Mapping[str, Runner],
        acceptance: Acceptance | None = None,
        files: Mapping[str, FileRecord] | None = None,
    ) -> None:
        self.name = name
        self.title = title
        self.normalization = normalization
        self.output = output
        self.interpreters = interpreters
        self.acceptance = acceptance
        self.files = files or {}

    @property
    def variants(self) -> tuple[str, ...]:
        """("float32", "float16", "dynamic", "int8"), as far as they are loaded, or the one name of
        a single file."""
        return tuple(self.interpreters)

    @property
    def missing(self) -> tuple[str, ...]:
        """The variants that it should have but that are not loaded."""
        return ()

    def choose(self, variant: str) -> str:
        """The variant that answers a request for one. The most exact one answers for a missing one,
        and a single file answers every request."""
        if variant in self.variants:
            return variant
        is_answered = variant in self.missing or len(self.variants) == 1
        return self.variants[0] if is_answered else variant

    def predict(self, images: NDArray[np.uint8], variant: str = "int8") -> NDArray[np.float32]:
        """Classify normalized images.

        Args:
            images: uint8 (N, 28, 28), ink 255 on 0, as this model's normalization gives them.
            variant: see :meth:`choose`.

        Returns:
            float32 (N, 10): the probability of each digit, 0 to 1.

        Raises:
            ValueError: the variant is unknown, or the images have another shape or dtype.
        """
        return self.answer(images, variant).probabilities

    def answer(self, images: NDArray[np.uint8], variant: str = "int8") -> Prediction:
        """Like :meth:`predict`, but also tells which answers are accepted."""
        outputs = self.infer(images, variant)
        probabilities = softmax(outputs) if self.output == "logits" else outputs
        return Prediction(outputs, probabilities, self.acceptance)

    def infer(self, images: NDArray[np.uint8], variant: str = "int8") -> NDArray[np.float32]:
        """Like :meth:`predict`, but the file's own outputs, logits or probabilities."""
        variant = self.choose(variant)
        if variant not in self.interpreters:
            raise ValueError(f"Unknown variant {variant!r}; expected {', '.join(self.variants)}.")
        if images.ndim != 3 or images.shape[1:] != (SIZE, SIZE) or images.dtype != np.uint8:
            raise ValueError(
                f"Images of shape {images.shape} and dtype {images.dtype} were given; "
                f"expected (N, {SIZE}, {SIZE}) and uint8."
            )
        return self.interpreters[variant].run(images)

    def measure(self, image: NDArray[np.uint8], variant: str) -> Measured:
        """Like :meth:`infer` for one image, uint8 (28, 28), and also measures the time."""
        start = perf_counter_ns()
        outputs = self.infer(image[None], variant)
        return Measured(outputs, (perf_counter_ns() - start) / 1000)


class Model(Classifier):
    """A classifier with a card, in its quantized variants, some of which may be missing.

    ``confusion`` is None where it is unknown.
    """

    def __init__(
        self,
        card: Card,
        interpreters: Mapping[str, Runner],
        confusion: Confusion | None = None,
    ) -> None:
        contract = card.contract
        super().__init__(
            card.name,
            card.title,
            contract.normalization,
            contract.output,
            interpreters,
            card.acceptance,
            {variant: card.variants[variant] for variant in interpreters},
        )
        self.card = card
        self.confusion = confusion

    @property
    def missing(self) -> tuple[str, ...]:
        """The variants of the card that are not loaded."""
        return tuple(each for each in self.card.variants if each not in self.interpreters)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn logits, float32 (N, 10), into probabilities of the same shape."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def normalizations(models: Iterable[Classifier]) -> list[Normalization]:
    """The normalizations that the models need, each once."""
    return list(dict.fromkeys(model.normalization for model in models))
