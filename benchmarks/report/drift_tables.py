"""Drift as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from benchmarks.drift.corruption import FARTHEST_SHIFT
from benchmarks.drift.drift import GATED, STAND_IN, Drift, failures
from benchmarks.drift.layers import ALARM_DB, Layer, advise
from benchmarks.report.tables import UNKNOWN, Part, ReportTable, number, percent
from benchmarks.results import TEST_SET, ModelResults, Results


def drift_tables(results: Results) -> Iterator[Part]:
    """Tables of how far the variants are from their originals."""
    models = results.models
    images = {model.drift[TEST_SET].images for model in models.values() if TEST_SET in model.drift}
    yield Part(
        "Drift from the original"
        + "".join(f", on MNIST's {each:,} test images" for each in images)
        + f", {results.device.runtime}",
        _answers(results),
        _budgets(results),
    )
    yield Part(
        "The same drift in probabilities",
        _probabilities(results),
        "KL: divergence in nats. Signal to noise: ratio for the probabilities. ECE: expected "
        "calibration error, 15 bins.",
    )
    names = dict.fromkeys(name for model in models.values() for name in model.drift)
    if others := [name for name in names if name != TEST_SET]:
        words = "A model's first row is its accuracy, %; the others are compared with it."
        if any(_stands_in(model, others) for model in models.values()):
            words += f" Here {STAND_IN} stands in for the originals, whose outputs are unknown."
        yield Part(
            "On other images: agreement with the original, %",
            _elsewhere(models, others, lambda drift: percent(drift.agreement)),
            f"{words} Shift (by up to {FARTHEST_SHIFT} pixels across and "
            "down) and noise are applied after the normalization, which would undo the one and "
            "mistake the other for ink; all other corruptions are applied before it.",
        )
        yield Part(
            "On other images: accuracy lost, points",
            _elsewhere(models, others, lambda drift: f"{drift.accuracy_loss_points:.2f}"),
            words,
        )
    if layers := {
        name: each.layers[GATED] for name, each in models.items() if GATED in each.layers
    }:
        yield Part(
            f"Where {GATED}'s error enters, layer by layer: signal to noise, dB",
            _layers(layers),
            "\n".join(f"{name}: {advise(each)}" for name, each in layers.items()),
        )


def _answers(results: Results) -> ReportTable:
    quality = ("accuracy\n%", "interval\n95%")
    drift = ("lost\npoints", "agreed\n%", "flips\nwrong", "flips\nright", "p")
    table = ReportTable(("model", "variant"), quality + drift)
    failed = [
        (name, GATED)
        for name, model in results.models.items()
        if TEST_SET in model.drift and failures(model.card, model.drift[TEST_SET])
    ]
    for name, variant, each in results.qualities():
        interval = "-".join(map(percent, each.accuracy_interval))
        cells = [percent(each.accuracy), interval]
        if isinstance(each, Drift):
            cells += [f"{each.accuracy_loss_points:.2f}", percent(each.agreement)]
            cells += [f"{each.flips_to_wrong}", f"{each.flips_to_right}", f"{each.mcnemar_p:.2g}"]
        table.add(name, variant, *cells, is_marked=(name, variant) in failed)
    for name, model in results.models.items():
        if TEST_SET not in model.drift:
            table.add(name, UNKNOWN)
    return table


def _probabilities(results: Results) -> ReportTable:
    table = ReportTable(
        ("model", "variant"),
        ("largest\ndiff.", "mean\ndiff.", "KL", "signal to\nnoise dB", "ECE\n%"),
    )
    for name, variant, each in results.qualities():
        cells = [UNKNOWN] * 4
        if isinstance(each, Drift):
            differences = each.largest_difference, each.mean_difference, each.kl_divergence
            cells = [*(f"{value:.2g}" for value in differences), number(each.signal_to_noise_db)]
        table.add(name, variant, *cells, percent(each.calibration_error))
    return table


def _elsewhere(
    models: Mapping[str, ModelResults], names: Sequence[str], show: Callable[[Drift], str]
) -> ReportTable:
    table = ReportTable(("model", "variant"), tuple(names))
    for model_name, model in models.items():
        drifts = [model.drift.get(name) for name in names]
        if not any(drifts):
            continue
        originals = (percent(each.original.accuracy) if each else UNKNOWN for each in drifts)
        table.add(model_name, STAND_IN if _stands_in(model, names) else "original", *originals)
        for variant in model.card.variants:
            measured = [each.variants.get(variant) if each else None for each in drifts]
            if any(measured):
                table.add(
                    model_name, variant, *(show(each) if each else UNKNOWN for each in measured)
                )
    return table


def _stands_in(model: ModelResults, names: Sequence[str]) -> bool:
    """Whether float32 stands in for the original: on all of these sets or on none."""
    return any(model.drift[name].origin == STAND_IN for name in names if name in model.drift)


def _layers(models: Mapping[str, Sequence[Layer]]) -> ReportTable:
    numbers = {
        "its\nweights": "weights_snr_db",
        "its output,\nown error": "own_snr_db",
        "its output,\nall errors": "snr_db",
        "the outputs,\nown error": "outputs_snr_db",
    }
    table = ReportTable(("model", "layer"), tuple(numbers))
    for name, layers in models.items():
        for layer in layers:
            if layer.own_snr_db is not None:  # A reshape adds no error.
                cells = (number(getattr(layer, field)) for field in numbers.values())
                is_marked = (layer.outputs_snr_db or ALARM_DB) < ALARM_DB
                table.add(name, layer.name, *cells, is_marked=is_marked)
    return table


def _budgets(results: Results) -> str:
    lines = [
        "Points are percentage points of accuracy. Flips are answers that turned wrong or right; p "
        "is McNemar's: how likely such flips are by chance."
    ]
    for name, model in results.models.items():
        budget = model.card.budget
        size = f" within {budget.bytes / 1000:g} kB" if budget.bytes is not None else ""
        lines.append(
            f"Budget: {name}'s {GATED} may lose {budget.accuracy_loss_points:g} points and must "
            f"agree on {100 * budget.agreement:g}%{size}."
        )
    if results.cardless:
        lines.append("A file without a card has no known original to compare it with.")
    return "\n".join(lines)
