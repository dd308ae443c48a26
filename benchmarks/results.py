"""The results of one run of the benchmarks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.drift import GATED, Drift, ModelDrift, Quality
from benchmarks.drift.layers import Layer
from benchmarks.latency.device import BenchmarkDevice
from benchmarks.latency.latency import Latency
from benchmarks.latency.timing import Times
from benchmarks.serving.serving import Serving
from edge_app.digits.normalization import Normalization
from edge_app.models.card import Card, FileRecord
from edge_app.models.cardless import CARDLESS

TEST_SET = "mnist"
"""The name of the labelled set that budgets apply to."""


class MeasuredSet(NamedTuple):
    """A labelled set: its title, its number of images, and the SHA-256 of the data that it was
    made from."""

    title: str
    images: int
    sha256: str


@dataclass(frozen=True)
class ModelResults:
    """One model: its card, that file's SHA-256, its drift by labelled set, its layers by variant,
    and the test set as the model sees it, uint8 (N, 28, 28); None if its drift is unknown."""

    card: Card
    card_sha256: str
    drift: Mapping[str, ModelDrift]
    layers: Mapping[str, tuple[Layer, ...]]
    images: NDArray[np.uint8] | None

    @property
    def gated(self) -> Drift | None:
        """The drift that the budget applies to; None if it was not measured."""
        return self.drift[TEST_SET].variants.get(GATED) if TEST_SET in self.drift else None


@dataclass(frozen=True)
class CardlessResults:
    """A file without a card: how well it reads. Its original, and so its drift, is unknown."""

    title: str
    file: FileRecord
    normalization: Normalization
    quality: Quality | None
    variant: str = CARDLESS


@dataclass(frozen=True)
class Results:
    """Everything that one run measured: ``models`` with a card and ``cardless`` ones, by name.

    ``dataset_sha256`` is the test set's; ``sets`` has all labelled sets by name; ``problems`` are
    sentences.
    """

    measured_at: datetime
    quick: bool
    device: BenchmarkDevice
    dataset_sha256: str
    sets: Mapping[str, MeasuredSet]
    models: Mapping[str, ModelResults]
    cardless: Mapping[str, CardlessResults]
    latency: Latency | None
    serving: Serving | None
    problems: list[str]

    @property
    def verdict(self) -> str | None:
        """A sentence if every model passed the gate; None if one did not or was not tested."""
        gated = [model.gated for model in self.models.values()]
        is_passed = gated and all(gated) and not self.problems
        return "Every model is within the budget of its card." if is_passed else None

    @property
    def warnings(self) -> list[str]:
        """Reasons not to trust the timings, in sentences."""
        return self.latency.warnings if self.latency else []

    def qualities(self) -> Iterator[tuple[str, str, Quality]]:
        """Model, variant or "original", and how it reads the test set, where that is known."""
        for name, model in self.models.items():
            if drift := model.drift.get(TEST_SET):
                yield name, "original", drift.original
                for variant, each in drift.variants.items():
                    yield name, variant, each
        for name, file in self.cardless.items():
            if file.quality:
                yield name, file.variant, file.quality

    def times(self, model: str, variant: str) -> Times | None:
        """Of the app's use: its runtime, one thread, one image; None if not measured."""
        timed = self.latency.app(model, variant) if self.latency else None
        return timed.times if timed else None

    def sizes(self) -> dict[tuple[str, str], int]:
        """Bytes of every measured file, by model and variant."""
        sizes = {(name, each.variant): each.file.bytes for name, each in self.cardless.items()}
        for name, model in self.models.items():
            sizes |= {(name, each): file.bytes for each, file in model.card.variants.items()}
        return sizes
