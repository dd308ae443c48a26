"""One run of the benchmarks: every model measured, and a sentence for everything that is wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift import corruption
from benchmarks.drift.budget import GATED, failures
from benchmarks.drift.datasets import MNIST, LabelledSet, drawn_set, mnist_set
from benchmarks.drift.drift import (
    STAND_IN,
    DriftError,
    ModelDrift,
    Original,
    Quality,
    measure_drift,
    measure_quality,
)
from benchmarks.drift.layers import IMAGES, Layer, LayersError, measure_layers
from benchmarks.drift.originals import check_installed, recompute
from benchmarks.drift.predictions import predict, steps
from benchmarks.drift.reference import check_recomputed, read_reference
from benchmarks.latency.device import Device, describe_device
from benchmarks.latency.latency import Latency, measure_latency
from benchmarks.latency.plan import plan_latency
from benchmarks.progress import progress_bar
from benchmarks.serving.serving import FULL, QUICK, Serving, measure_serving
from benchmarks.serving.serving import steps as serving_steps
from edge_app.digits.labelled import read_json_lines
from edge_app.digits.mnist import Digits, read_digits
from edge_app.digits.normalization import Normalization
from edge_app.models.card import CARD, Card, CardError, FileRecord, record_file
from edge_app.models.classifier import Classifier, Model, ModelError, load_models
from edge_app.models.folder import VARIANT, BareModel, load_bare_models

TEST_SET = "mnist"
"""The name of the labelled set that budgets are about."""


class Selection(NamedTuple):
    """What to measure."""

    folder: Path
    """The models'."""
    names: Collection[str] = ()
    """Of models; all where there is none."""
    variants: Collection[str] = ()
    """All where there is none; float32 is measured besides."""
    drift: bool = True
    latency: bool = True
    serving: bool = False
    quick: bool = False
    drawings: Path | None = None
    originals: bool = False
    """Whether TensorFlow computes the originals' outputs again."""


@dataclass(frozen=True)
class ModelResults:
    """One model: its card, that file's SHA-256, its drift by labelled set, the layers of its
    variants, and the test set as it sees it, uint8 (N, 28, 28), where its drift is known."""

    card: Card
    card_sha256: str
    drift: Mapping[str, ModelDrift]
    layers: Mapping[str, tuple[Layer, ...]]
    images: NDArray[np.uint8] | None


@dataclass(frozen=True)
class BareResults:
    """A file without a card: how well it reads, and no drift, as its original is unknown."""

    title: str
    file: FileRecord
    normalization: Normalization
    quality: Quality | None
    variant: str = VARIANT


@dataclass(frozen=True)
class Results:
    """Everything that one run found out: ``models`` with a card and ``bare`` ones without, by name,
    and ``problems`` as sentences. ``dataset_sha256`` is the test set's; ``sets`` has all labelled
    sets by name."""

    measured_at: datetime
    quick: bool
    device: Device
    dataset_sha256: str
    sets: Mapping[str, MeasuredSet]
    models: Mapping[str, ModelResults]
    bare: Mapping[str, BareResults]
    latency: Latency | None
    serving: Serving | None
    problems: list[str]

    @property
    def verdict(self) -> str | None:
        """A sentence when every model passed the gate; None when one did not, or was not there."""
        gated = [
            TEST_SET in model.drift and GATED in model.drift[TEST_SET].variants
            for model in self.models.values()
        ]
        if self.problems or not gated or not all(gated):
            return None
        return "Every model is within the budget of its card."

    def sizes(self) -> dict[tuple[str, str], int]:
        """Bytes of every file that was measured, by model and variant."""
        return {
            **{
                (name, variant): file.bytes
                for name, model in self.models.items()
                for variant, file in model.card.variants.items()
            },
            **{(name, each.variant): each.file.bytes for name, each in self.bare.items()},
        }


class MeasuredSet(NamedTuple):
    """A labelled set: its title, how many images it has, and the SHA-256 of what it was made from:
    of MNIST's test images and labels, or of the drawings."""

    title: str
    images: int
    sha256: str


class _Loaded(NamedTuple):
    models: Mapping[str, Model]
    bare: Mapping[str, BareModel]

    @property
    def all(self) -> dict[str, Classifier]:
        return {**self.models, **self.bare}


def measure(selection: Selection) -> Results:
    """Measure what is selected; on a terminal, show how far it is.

    A model that cannot be loaded, or whose drift is unknown or past its budget, becomes a sentence
    in ``problems``; the others are measured all the same.

    Raises:
        ModelError: the folder cannot be read, no model in it can be loaded, or none has a name
            that was asked for.
        InterpreterError: no TFLite runtime is installed.
        DataError: the test set is missing or damaged.
        DrawingError: the drawings cannot be read.
        DriftError: the originals are to run, and TensorFlow is not installed.
        ServingError: the app does not start.
    """
    if selection.originals:
        check_installed()
    measured_at = datetime.now(UTC)
    digits = read_digits(MNIST, "t10k")
    problems: list[str] = []
    loaded = _load(selection, problems)
    sets = list(_labelled_sets(selection, digits, loaded.all)) if selection.drift else []
    drift = _measure_drift(selection, loaded.models, digits, sets, problems)
    layers = _measure_layers(selection, loaded.models, sets, problems) if sets else {}
    qualities = _measure_quality(loaded.bare, sets[0], problems) if sets else {}
    latency = _measure_latency(selection, loaded.all) if selection.latency else None
    return Results(
        measured_at=measured_at,
        quick=selection.quick,
        device=describe_device(),
        dataset_sha256=digits.sha256(),
        sets={each.name: MeasuredSet(each.title, len(each.labels), each.sha256) for each in sets},
        models={
            name: ModelResults(
                card=model.card,
                card_sha256=record_file(selection.folder / name / CARD).sha256,
                drift=drift.get(name, {}),
                layers=layers.get(name, {}),
                images=sets[0].images[model.normalization] if name in drift else None,
            )
            for name, model in loaded.models.items()
        },
        bare={
            name: BareResults(model.title, model.file, model.normalization, qualities.get(name))
            for name, model in loaded.bare.items()
        },
        latency=latency,
        serving=_measure_serving(selection) if selection.serving else None,
        problems=problems + (latency.problems if latency else []),
    )


def _load(selection: Selection, problems: list[str]) -> _Loaded:
    left_out: list[str] = []
    models = load_models(selection.folder, report=left_out.append)
    bare = load_bare_models(selection.folder, models, left_out.append)
    names = [*models, *bare]
    # What is left out has its own sentence, and the others are measured all the same.
    known = {*names, *(path.name for path in selection.folder.iterdir() if path.is_dir())}
    if unknown := [name for name in selection.names if name not in known]:
        nothing = (
            f"No model is named {unknown[0]!r}; in {selection.folder} there are "
            f"{', '.join(names) or 'none'}."
        )
        raise ModelError("\n".join([*left_out, nothing]))  # Perhaps it is one that is left out.
    wanted = selection.names or names
    if not {*names} & {*wanted}:
        nothing = (
            f"No model in {selection.folder} can be measured; expected a folder per model, each "
            "whole."
        )
        raise ModelError("\n".join([*left_out, nothing]))
    asked_for = tuple(f"Model {name!r} is left out" for name in selection.names)
    problems += [each for each in left_out if not asked_for or each.startswith(asked_for)]
    return _Loaded(
        {name: _narrow(each, selection) for name, each in models.items() if name in wanted},
        {name: each for name, each in bare.items() if name in wanted},
    )


def _narrow(model: Model, selection: Selection) -> Model:
    """The same model with the selected variants."""
    wanted = {STAND_IN, *selection.variants} if selection.variants else set(model.variants)
    return Model(
        model.card, {name: each for name, each in model.interpreters.items() if name in wanted}
    )


def _labelled_sets(
    selection: Selection, digits: Digits, models: Mapping[str, Classifier]
) -> Iterator[LabelledSet]:
    """MNIST's test set first."""
    names = list(dict.fromkeys(model.normalization for model in models.values()))
    drawings = read_json_lines(selection.drawings) if selection.drawings else []
    with progress_bar("Normalization", len(digits.labels) * len(names)) as advance:
        yield mnist_set(digits, names, advance)
    if selection.drawings:
        with progress_bar("Drawing", len(drawings) * len(names)) as advance:
            yield drawn_set(drawings, selection.drawings.name, names, advance)
    if not selection.quick:
        with progress_bar("Corruption", corruption.steps(digits, names)) as advance:
            yield from corruption.corrupted_sets(digits, names, advance)


def _measure_drift(
    selection: Selection,
    models: Mapping[str, Model],
    digits: Digits,
    sets: Sequence[LabelledSet],
    problems: list[str],
) -> dict[str, dict[str, ModelDrift]]:
    """Each model's drift on each set; models past their budget are a problem, too."""
    originals = _originals(selection, models, digits, sets, problems) if sets else {}
    known = {name: model for name, model in models.items() if name in originals.get(TEST_SET, {})}
    drift: dict[str, dict[str, ModelDrift]] = {name: {} for name in known}
    with progress_bar("Drift", sum(steps(known, each.images) for each in sets)) as advance:
        for each in sets:
            of_set = originals.get(each.name, {})
            measured = measure_drift(known, each, of_set, advance, problems.append)
            for name, found in measured.items():
                drift[name][each.name] = found
    for name, of_model in drift.items():
        if TEST_SET in of_model and GATED in of_model[TEST_SET].variants:
            problems += failures(models[name].card, of_model[TEST_SET])
    return drift


def _originals(
    selection: Selection,
    models: Mapping[str, Model],
    digits: Digits,
    sets: Sequence[LabelledSet],
    problems: list[str],
) -> dict[str, dict[str, Original]]:
    """The originals' outputs by set and model; without them a model's drift is unknown."""
    stored: dict[str, Original] = {}
    for name, model in models.items():
        try:
            stored[name] = read_reference(selection.folder / name, model.card, digits)
        except (CardError, DriftError) as error:
            problems.append(str(error))
    if not selection.originals:
        return {TEST_SET: stored}
    known = {name: models[name] for name in stored}
    recomputed = recompute(known, selection.folder, sets, problems.append)
    for name, original in list(recomputed[TEST_SET].items()):
        try:
            check_recomputed(models[name].card, stored[name], original)
        except DriftError as error:
            problems.append(str(error))
            del recomputed[TEST_SET][name]
    return recomputed


def _measure_layers(
    selection: Selection,
    models: Mapping[str, Model],
    sets: Sequence[LabelledSet],
    problems: list[str],
) -> dict[str, dict[str, tuple[Layer, ...]]]:
    layers: dict[str, dict[str, tuple[Layer, ...]]] = {}
    pairs = [
        (name, variant)
        for name, model in models.items()
        for variant in model.variants
        if variant != STAND_IN
    ]
    with progress_bar("Layers", len(pairs)) as advance:
        for name, variant in pairs:
            model = models[name]
            images = sets[0].images[model.normalization][:IMAGES]
            try:
                layers.setdefault(name, {})[variant] = measure_layers(
                    model.card, selection.folder / name, variant, images
                )
            except (CardError, LayersError) as error:
                problems.append(str(error))
            advance(1)
    return layers


def _measure_quality(
    models: Mapping[str, BareModel], test_set: LabelledSet, problems: list[str]
) -> dict[str, Quality]:
    with progress_bar("Accuracy without a card", steps(models, test_set.images)) as advance:
        outputs = predict(models, test_set.images, advance)
    qualities = {}
    for name, predictions in outputs.items():
        try:
            qualities[name] = measure_quality(predictions[VARIANT], test_set.labels)
        except ValueError as error:
            problems.append(f"The accuracy of {name} is unknown: {error}.")
    return qualities


def _measure_latency(selection: Selection, models: Mapping[str, Classifier]) -> Latency:
    plan = plan_latency(
        selection.folder,
        models,
        {STAND_IN, *selection.variants} if selection.variants else (),
        selection.quick,
    )
    with progress_bar("Latency", plan.steps) as advance:
        return measure_latency(plan, advance)


def _measure_serving(selection: Selection) -> Serving:
    amount = QUICK if selection.quick else FULL
    with progress_bar("Serving", serving_steps(amount)) as advance:
        return measure_serving(selection.folder, advance, amount)
