"""One run of the benchmarks: measure everything that is selected."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from benchmarks.drift import corruption
from benchmarks.drift.datasets import MNIST, LabelledSet, drawn_set, mnist_set
from benchmarks.drift.drift import (
    STAND_IN,
    DriftError,
    ModelDrift,
    Original,
    Quality,
    compare_model,
    failures,
    measure_quality,
)
from benchmarks.drift.layers import IMAGES, Layer, LayersError, compare_layers
from benchmarks.drift.predictions import predict, steps
from benchmarks.drift.reference import read_reference
from benchmarks.latency.device import describe_device
from benchmarks.latency.latency import measure_latency
from benchmarks.latency.plan import plan_latency
from benchmarks.results import TEST_SET, CardlessResults, MeasuredSet, ModelResults, Results
from benchmarks.serving.serving import FULL, QUICK, measure_serving
from edge_app.digits.labelled import read_json_lines
from edge_app.digits.mnist import Digits, read_digits
from edge_app.models.card import CARD, VARIANTS, CardError, read_file, record_file
from edge_app.models.cardless import CARDLESS, NoAnswerError
from edge_app.models.classifier import Classifier, Model, normalizations
from edge_app.models.folder import ModelError, load_folder

_progress = partial(tqdm, disable=None, leave=False)  # A bar on terminals only, gone at the end.


class Selection(NamedTuple):
    """What to measure, by the command's options: a folder of models, some of them and of their
    variants by name, all if empty (float32 is always measured), and "drift", "latency", "all",
    which is both of them, or "serving"."""

    models: Path
    model: Collection[str]
    variant: Collection[str]
    what: str
    quick: bool
    drawings: Path | None


def measure(selection: Selection) -> Results:
    """Measure what is selected; on a terminal, show the progress.

    A model or a variant that cannot be loaded, or whose drift is unknown or beyond its budget,
    becomes a sentence in ``problems``; the others are still measured.

    Raises:
        ModelError: the folder cannot be read, or no selected model can be loaded.
        InterpreterError: no TFLite runtime is installed.
        DataError: the test set is missing or damaged.
        DrawingError: the drawings cannot be read.
        ServingError: the app does not start.
    """
    measured_at = datetime.now(UTC)
    digits = read_digits(MNIST, "t10k")
    problems: list[str] = []
    loaded = _load(selection, problems)
    models = {name: model for name, model in loaded.items() if isinstance(model, Model)}
    cardless = {name: model for name, model in loaded.items() if name not in models}
    sets: list[LabelledSet] = []
    drift: dict[str, dict[str, ModelDrift]] = {}
    layers: dict[str, dict[str, tuple[Layer, ...]]] = {}
    qualities: dict[str, Quality] = {}
    if selection.what in {"drift", "all"}:
        sets += _labelled_sets(selection, digits, loaded)
        drift = measure_drift(selection, models, digits, sets, problems)
        layers = _measure_layers(selection, models, sets[0], problems)
        qualities = _measure_quality(cardless, sets[0], problems)
    latency, serving = None, None
    if selection.what in {"latency", "all"}:
        plan = plan_latency(selection.models, loaded, selection.quick)
        with _progress(desc="Latency", total=plan.steps) as bar:
            latency = measure_latency(plan, bar.update)
    if selection.what == "serving":
        amount = QUICK if selection.quick else FULL
        with _progress(desc="Serving", total=amount.steps) as bar:
            serving = measure_serving(selection.models, bar.update, amount)
    return Results(
        measured_at=measured_at,
        quick=selection.quick,
        device=describe_device(),
        dataset_sha256=digits.sha256(),
        sets={each.name: MeasuredSet(each.title, len(each.labels), each.sha256) for each in sets},
        models={
            name: ModelResults(
                card=model.card,
                card_sha256=record_file(selection.models / name / CARD).sha256,
                drift=drift.get(name, {}),
                layers=layers.get(name, {}),
                images=sets[0].images[model.normalization] if name in drift else None,
            )
            for name, model in models.items()
        },
        cardless={
            name: CardlessResults(
                model.title, model.files[CARDLESS], model.normalization, qualities.get(name)
            )
            for name, model in cardless.items()
        },
        latency=latency,
        serving=serving,
        problems=problems + (latency.problems if latency else []),
    )


def _load(selection: Selection, problems: list[str]) -> dict[str, Classifier]:
    """The selected models with their selected variants."""
    left_out: list[str] = []
    wanted = {STAND_IN, *(selection.variant or VARIANTS)}
    models: dict[str, Classifier] = {}
    for name, model in load_folder(selection.models, left_out.append, selection.model).items():
        if not isinstance(model, Model):
            models[name] = model
        elif chosen := {each: file for each, file in model.interpreters.items() if each in wanted}:
            models[name] = Model(model.card, chosen)
            if STAND_IN not in chosen:
                left_out.append(
                    f"The layers of {name}, and its drift on other images than MNIST's, are "
                    f"unknown: both are compared with {STAND_IN}, which is missing."
                )
        else:
            left_out.append(f"Model {name!r} has none of the variants to measure.")
    if not models:
        expected = "expected a folder per model, each complete, or .tflite files"
        nothing = f"No model in {selection.models} can be measured; {expected}."
        raise ModelError(" ".join([*left_out, nothing]))
    problems += left_out
    return models


def _labelled_sets(
    selection: Selection, digits: Digits, models: Mapping[str, Classifier]
) -> Iterator[LabelledSet]:
    """MNIST's test set first."""
    names = normalizations(models.values())
    drawings = read_json_lines(selection.drawings) if selection.drawings else []
    with _progress(desc="Normalization", total=len(digits.labels) * len(names)) as bar:
        yield mnist_set(digits, names, bar.update)
    if selection.drawings:
        with _progress(desc="Drawing", total=len(drawings) * len(names)) as bar:
            yield drawn_set(drawings, selection.drawings.name, names, bar.update)
    if not selection.quick:
        with _progress(desc="Corruption", total=corruption.steps(digits, names)) as bar:
            yield from corruption.corrupted_sets(digits, names, bar.update)


def measure_drift(
    selection: Selection,
    models: Mapping[str, Model],
    digits: Digits,
    sets: Sequence[LabelledSet],
    problems: list[str],
) -> dict[str, dict[str, ModelDrift]]:
    """Each model's drift by set; a model beyond its budget is a problem as well.

    The originals' outputs are stored for the test set only: float32 stands in elsewhere.
    """
    stored: dict[str, Original] = {}
    for name, model in models.items():
        try:
            stored[name] = read_reference(selection.models / name, model.card, digits)
        except CardError as error:
            problems.append(f"The drift of {name} is unknown: {error}")
        except DriftError as error:
            problems.append(str(error))
    known = {name: model for name, model in models.items() if name in stored}
    drift: dict[str, dict[str, ModelDrift]] = {name: {} for name in known}
    with _progress(desc="Drift", total=sum(steps(known, each.images) for each in sets)) as bar:
        for each in sets:
            for name, outputs in predict(known, each.images, bar.update).items():
                if each.name == TEST_SET:
                    original = stored[name]
                elif STAND_IN in outputs:
                    original = Original(outputs[STAND_IN], STAND_IN)
                else:
                    continue
                try:
                    drift[name][each.name] = compare_model(name, original, outputs, each.labels)
                except DriftError as error:
                    problems.append(str(error))
    for name, of_model in drift.items():
        if TEST_SET in of_model:
            problems += failures(models[name].card, of_model[TEST_SET])
    return drift


def _measure_layers(
    selection: Selection, models: Mapping[str, Model], test_set: LabelledSet, problems: list[str]
) -> dict[str, dict[str, tuple[Layer, ...]]]:
    layers: dict[str, dict[str, tuple[Layer, ...]]] = {}
    pairs = [
        (name, variant)
        for name, model in models.items()
        if STAND_IN in model.variants
        for variant in model.variants
        if variant != STAND_IN
    ]
    for name, variant in _progress(pairs, desc="Layers"):
        model, folder = models[name], selection.models / name
        images = test_set.images[model.normalization][:IMAGES]
        try:
            reference = read_file(folder, model.files[STAND_IN])
            other = read_file(folder, model.files[variant])
            layers.setdefault(name, {})[variant] = compare_layers(reference, other, images)
        except CardError as error:
            problems.append(str(error))
        except LayersError as error:
            problems.append(f"The layers of {name}'s {variant} are unknown: {error}")
    return layers


def _measure_quality(
    models: Mapping[str, Classifier], test_set: LabelledSet, problems: list[str]
) -> dict[str, Quality]:
    qualities = {}
    with _progress(desc="Accuracy without a card", total=steps(models, test_set.images)) as bar:
        for name, model in models.items():  # They share a process; one may end it.
            try:
                outputs = predict({name: model}, test_set.images, bar.update)
                qualities[name] = measure_quality(outputs[name][CARDLESS], test_set.labels)
            except (NoAnswerError, ValueError) as error:
                reason = str(error).rstrip(".")
                problems.append(f"The accuracy of {name} is unknown: {reason}.")
    return qualities
