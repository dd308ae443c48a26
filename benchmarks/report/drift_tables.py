"""Drift as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from benchmarks.drift.budget import GATED, failures
from benchmarks.drift.corruption import FARTHEST_SHIFT
from benchmarks.drift.drift import STAND_IN, Drift
from benchmarks.drift.layers import ALARM_DB, Layer, advise
from benchmarks.report.tables import UNKNOWN, Part, Table, number, percent
from benchmarks.results import TEST_SET, BareResults, ModelResults


def drift_tables(
    models: Mapping[str, ModelResults], bare: Mapping[str, BareResults]
) -> Iterator[Part]:
    """How far the variants drifted from their originals."""
    of_test_set = [model.drift[TEST_SET] for model in models.values() if TEST_SET in model.drift]
    images = of_test_set[0].images if of_test_set else None
    yield Part(
        "Drift from the original" + (f", on MNIST's {images:,} test images" if images else ""),
        _answers(models, bare),
        _budgets(models, bare),
    )
    yield Part(
        "The same drift in probabilities",
        _probabilities(models, bare),
        "KL: divergence in nats. Signal to noise: of the probabilities. ECE: expected calibration "
        "error, 15 bins.",
    )
    if others := other_sets(models):
        yield Part(
            "On other images: agreement with the original, %",
            _elsewhere(models, others, lambda drift: percent(drift.agreement)),
            f"{_first_rows(models, others)} Images are shifted (by up to {FARTHEST_SHIFT} pixels "
            "across and down) and made noisy after the normalization, which would undo the one and "
            "mistake the other for ink; all else is done before it.",
        )
        yield Part(
            "On other images: accuracy lost, points",
            _elsewhere(models, others, lambda drift: f"{drift.accuracy_loss_points:.2f}"),
            _first_rows(models, others),
        )
    if any(GATED in model.layers for model in models.values()):
        yield Part(
            f"Where {GATED}'s error enters, layer by layer: signal to noise, dB",
            _layers({name: model.layers.get(GATED, ()) for name, model in models.items()}),
            "\n".join(advice(models, GATED)),
        )


def advice(models: Mapping[str, ModelResults], variant: str) -> list[str]:
    """A sentence on each model's layers."""
    return [
        f"{name}: {advise(model.layers[variant])}"
        for name, model in models.items()
        if variant in model.layers
    ]


def _answers(models: Mapping[str, ModelResults], bare: Mapping[str, BareResults]) -> Table:
    table = Table(
        ("model", "variant"),
        (
            "accuracy\n%",
            "interval\n95%",
            "lost\npoints",
            "agreed\n%",
            "flips\nwrong",
            "flips\nright",
            "p",
        ),
    )
    for name, model in models.items():
        drift = model.drift.get(TEST_SET)
        if drift is None:
            table.add(name, UNKNOWN)
            continue
        original = drift.original
        table.add(
            name, "original", percent(original.accuracy), _interval(original.accuracy_interval)
        )
        failed = GATED in drift.variants and failures(model.card, drift)
        for variant, each in drift.variants.items():
            table.add(
                name,
                variant,
                percent(each.accuracy),
                _interval(each.accuracy_interval),
                f"{each.accuracy_loss_points:.2f}",
                percent(each.agreement),
                f"{each.flips_to_wrong}",
                f"{each.flips_to_right}",
                f"{each.mcnemar_p:.2g}",
                is_marked=variant == GATED and bool(failed),
            )
    for name, each_bare in bare.items():
        if quality := each_bare.quality:
            table.add(
                name,
                each_bare.variant,
                percent(quality.accuracy),
                _interval(quality.accuracy_interval),
            )
    return table


def _probabilities(models: Mapping[str, ModelResults], bare: Mapping[str, BareResults]) -> Table:
    table = Table(
        ("model", "variant"),
        ("largest\ndiff.", "mean\ndiff.", "KL", "signal to\nnoise dB", "ECE\n%"),
    )
    for name, model in models.items():
        drift = model.drift.get(TEST_SET)
        if drift is None:
            continue
        ece = percent(drift.original.calibration_error)
        table.add(name, "original", *[UNKNOWN] * 4, ece)
        for variant, each in drift.variants.items():
            table.add(
                name,
                variant,
                f"{each.largest_difference:.2g}",
                f"{each.mean_difference:.2g}",
                f"{each.kl_divergence:.2g}",
                number(each.signal_to_noise_db),
                percent(each.calibration_error),
            )
    for name, each_bare in bare.items():
        if quality := each_bare.quality:
            ece = percent(quality.calibration_error)
            table.add(name, each_bare.variant, *[UNKNOWN] * 4, ece)
    return table


def other_sets(models: Mapping[str, ModelResults]) -> list[str]:
    """The labelled sets besides MNIST's test set, by name."""
    names = dict.fromkeys(name for model in models.values() for name in model.drift)
    return [name for name in names if name != TEST_SET]


def _elsewhere(
    models: Mapping[str, ModelResults], names: Sequence[str], show: Callable[[Drift], str]
) -> Table:
    table = Table(("model", "variant"), tuple(names))
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


def _first_rows(models: Mapping[str, ModelResults], names: Sequence[str]) -> str:
    words = "A model's first row is its accuracy, %, and the others are held against that."
    if any(_stands_in(model, names) for model in models.values()):
        words += f" Here {STAND_IN} stands for originals: what they give is not known."
    return words


def _stands_in(model: ModelResults, names: Sequence[str]) -> bool:
    """A model's original is known on all of these sets, or on none."""
    return any(model.drift[name].origin == STAND_IN for name in names if name in model.drift)


def _layers(models: Mapping[str, tuple[Layer, ...]]) -> Table:
    table = Table(
        ("model", "layer"),
        (
            "its\nweights",
            "its output,\nown error",
            "its output,\nall errors",
            "the outputs,\nown error",
        ),
    )
    for name, layers in models.items():
        for layer in filter(_errs, layers):
            table.add(
                name,
                layer.name,
                number(layer.weights_snr_db),
                number(layer.own_snr_db),
                number(layer.snr_db),
                number(layer.outputs_snr_db),
                is_marked=(layer.outputs_snr_db or ALARM_DB) < ALARM_DB,
            )
    return table


def _errs(layer: Layer) -> bool:
    """Whether it adds an error of its own: a reshape does not."""
    return layer.own_snr_db is not None


def _budgets(models: Mapping[str, ModelResults], bare: Mapping[str, BareResults]) -> str:
    told = [
        "Points are percentage points of accuracy; flips turned an answer wrong or right, and p is "
        "McNemar's: how likely such flips are by chance."
    ]
    for name, model in models.items():
        budget = model.card.budget
        size = f", in {budget.bytes / 1000:g} kB" if budget.bytes is not None else ""
        told.append(
            f"{name}'s {GATED} may lose {budget.accuracy_loss_points:g} points and must agree on "
            f"{100 * budget.agreement:g}%{size}."
        )
    if bare:
        told.append("A file without a card has no known original to drift from.")
    return "\n".join(told)


def _interval(interval: tuple[float, float]) -> str:
    return "-".join(percent(end) for end in interval)
