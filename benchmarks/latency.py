"""Latency: how long the models take on this device, by runtime, threads and images at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.conditions import Conditions
from benchmarks.timing import Times


@dataclass(frozen=True)
class Start:
    """A model's file in a process that has loaded its runtime and nothing else yet.

    ``load_ms`` and ``first_us`` are medians of ``starts`` such processes.
    """

    model: str
    variant: str
    runtime: str
    """Package and version: "tflite-runtime 2.14.0"."""
    threads: int
    starts: int
    load_ms: float
    """From the file's bytes to an interpreter that is ready."""
    first_us: float
    """The first inference, in microseconds."""
    memory_before_bytes: int | None
    """Resident memory of the process before it loads the model; None where the kernel does not
    tell."""
    memory_after_bytes: int | None
    """The same after the first inference."""


@dataclass(frozen=True)
class Inference:
    """``model.predict(images, variant)`` as the app calls it.

    The files take one image at a time: a batch is run image by image within one call.
    """

    model: str
    variant: str
    runtime: str
    threads: int
    batch: int
    """Images in a call."""
    times: Times
    """Of calls."""
    image_us: float
    """Mean time of one image: ``times.mean_us / batch``."""
    images_per_second: float


@dataclass(frozen=True)
class Original:
    """The original in Keras, one image a call, the output read back as an array."""

    model: str
    call: str
    """"predict", or "model(x)": the model called like a function."""
    runtime: str
    """"tensorflow 2.19.1, keras 3.15.1"."""
    times: Times


@dataclass(frozen=True)
class Normalizing:
    """What comes before inference."""

    function: str
    """"normalize", of pictures of the test set, or "rasterize", of ten synthetic drawings."""
    normalization: str
    """"moments" or "box"."""
    times: Times


@dataclass(frozen=True)
class Latency:
    """Everything that was timed in one run, and how far to trust it."""

    inference: list[Inference]
    """By model and variant in the order of the models, runtime, threads, batch."""
    starts: list[Start]
    originals: list[Original]
    """Empty where TensorFlow is not installed, or in a quick run."""
    normalization: list[Normalizing]
    conditions: list[Conditions]
    """Of the device before, after each part of the run, and at its end."""
    others_cores: float | None
    """Cores that other programs kept busy meanwhile, on average; None where unknown."""
    seconds: float
    """How long it all took."""
    warnings: list[str]
    """Why not to trust the times: a sentence each, with what was found and the limit."""
    problems: list[str]
    """What could not be measured: a sentence each."""

    def app(self, model: str, variant: str) -> Inference | None:
        """The measurement that is nearest to the app's use: its runtime, one thread, one image."""
        return next(
            (
                each
                for each in self.inference
                if (each.model, each.variant, each.threads, each.batch) == (model, variant, 1, 1)
            ),
            None,
        )


def ratio(inference: Inference, all_of_them: Sequence[Inference]) -> float | None:
    """Its time an image against float32's with one thread, one image, same model and runtime."""
    for other in all_of_them:
        if (other.model, other.runtime, other.variant, other.threads, other.batch) == (
            inference.model,
            inference.runtime,
            "float32",
            1,
            1,
        ):
            return inference.image_us / other.image_us
    return None
