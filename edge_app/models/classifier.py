"""Models: every folder of ``models/`` that is whole, loaded and ready to answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.normalization import SIZE, Normalization
from edge_app.errors import UserError
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import Card, CardError, Output, read_card, read_file
from edge_app.models.interpreter import Interpreter, InterpreterError, find_runtime

_log = logging.getLogger("edge_app")


class ModelError(UserError):
    """Models that cannot be loaded at all."""


class Prediction(NamedTuple):
    """What one inference gave for N images."""

    outputs: NDArray[np.float32]
    """float32 (N, 10), as the model's file gives them."""
    probabilities: NDArray[np.float32]
    """float32 (N, 10): the probability of each digit, 0 to 1."""
    acceptance: Acceptance | None
    """The model's rule."""

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """Which answers pass the rule, bool (N,); all of them where the model has none.

        Worked out when it is asked for: it takes half as long as a small model's inference, which
        those who only want the probabilities, or time the inference, shall not pay for.
        """
        if self.acceptance is None:
            return np.ones(len(self.outputs), np.bool_)
        return self.acceptance.accepts(self.outputs, self.probabilities)


class Classifier:
    """A classifier of digits, in one file or several.

    Args:
        name: as programs know it: "mlp".
        title: as people read it: "Multi-layer Perceptron".
        normalization: how its images must be normalized: "moments" or "box".
        output: what its files give.
        interpreters: its files, by variant.
        acceptance: when its answers count; None where all do.
    """

    def __init__(
        self,
        name: str,
        title: str,
        normalization: Normalization,
        output: Output,
        interpreters: Mapping[str, Interpreter],
        acceptance: Acceptance | None = None,
    ) -> None:
        self.name = name
        self.title = title
        self.normalization = normalization
        self.output = output
        self.interpreters = interpreters
        self.acceptance = acceptance

    @property
    def variants(self) -> tuple[str, ...]:
        """("float32", "float16", "dynamic", "int8"), or one name where there is one file."""
        return tuple(self.interpreters)

    def choose(self, variant: str) -> str:
        """The variant that answers when one is asked for: a single file answers to every name."""
        return self.variants[0] if len(self.variants) == 1 else variant

    def predict(self, images: NDArray[np.uint8], variant: str = "int8") -> NDArray[np.float32]:
        """Classify normalized images.

        Args:
            images: uint8 (N, 28, 28), ink 255 on 0, as this model's normalization gives them.
            variant: one of ``variants``, or any where there is one file.

        Returns:
            float32 (N, 10): the probability of each digit, 0 to 1.

        Raises:
            ValueError: an unknown variant, or images of another shape or dtype.
        """
        return self.answer(images, variant).probabilities

    def answer(self, images: NDArray[np.uint8], variant: str = "int8") -> Prediction:
        """Classify as :meth:`predict` does, and tell which answers are accepted, too."""
        outputs = self.infer(images, variant)
        probabilities = softmax(outputs) if self.output == "logits" else outputs
        return Prediction(outputs, probabilities, self.acceptance)

    def infer(self, images: NDArray[np.uint8], variant: str = "int8") -> NDArray[np.float32]:
        """What the file gives for the same arguments, logits or probabilities: float32 (N, 10)."""
        variant = self.choose(variant)
        if variant not in self.interpreters:
            raise ValueError(f"Unknown variant {variant!r}; expected {', '.join(self.variants)}.")
        if images.ndim != 3 or images.shape[1:] != (SIZE, SIZE) or images.dtype != np.uint8:
            raise ValueError(
                f"Images of shape {images.shape} and dtype {images.dtype} were given; "
                f"expected (N, {SIZE}, {SIZE}) and uint8."
            )
        return self.interpreters[variant].run(images)


class Model(Classifier):
    """A classifier with a card, in its quantized variants."""

    def __init__(self, card: Card, interpreters: Mapping[str, Interpreter]) -> None:
        contract = card.contract
        super().__init__(
            card.name,
            card.title,
            contract.normalization,
            contract.output,
            interpreters,
            card.acceptance,
        )
        self.card = card


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits, float32 (N, 10), to probabilities of the same shape."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def load_models(
    folder: str | Path = "models", report: Callable[[str], None] = _log.warning
) -> dict[str, Model]:
    """Load every model of a folder, and leave out those that are not whole.

    Args:
        folder: holds a folder per model, ``<name>/card.json`` and the files that the card names.
        report: called with a sentence for each model that is left out.

    Returns:
        The models by name, the most accurate last: the order in which to show them.

    Raises:
        ModelError: the folder is missing or unreadable.
        InterpreterError: no TFLite runtime is installed.
    """
    find_runtime()
    try:
        names = sorted(
            path.name
            for path in Path(folder).iterdir()
            if path.is_dir() and not path.name.startswith(".")
        )
    except OSError as error:
        raise ModelError(
            f"The models folder {folder} cannot be read ({error.strerror}); "
            "expected a folder per model in it."
        ) from error
    models = []
    for name in names:
        try:
            models.append(load_model(Path(folder) / name))
        except (CardError, InterpreterError) as error:
            report(f"Model {name!r} is left out: {error}")
    return {
        model.name: model
        for model in sorted(models, key=lambda model: (model.card.original.accuracy, model.name))
    }


def load_model(folder: Path) -> Model:
    """Load one model's folder, whole.

    Raises:
        CardError: its card, or a file that the card names, is missing or corrupt.
        InterpreterError: a file does not load, or has other shapes.
    """
    card = read_card(folder)
    if card.name != folder.name:
        raise CardError(f"its card names it {card.name!r}; the folder must have the same name.")
    contents = {record.file: read_file(folder, record) for record in card.files()}
    interpreters = {}
    for variant, record in card.variants.items():
        try:
            interpreters[variant] = Interpreter(contents[record.file])
        except InterpreterError as error:
            raise InterpreterError(f"{folder / record.file}: {error}") from error
    return Model(card, interpreters)
