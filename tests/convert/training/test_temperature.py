"""Calibration: errors and temperatures worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from convert.training.temperature import COLDEST, HOTTEST, fit_temperature
from edge_app.models.classifier import softmax
from edge_app.models.metrics import Bin, expected_calibration_error, reliability


def test_a_calibration_error_worked_out_by_hand() -> None:
    # Up to 1/2: one image, read wrong with 0.5. Above: three, two of them right, sure by 2.5 / 3.
    table = [[0.5, 0.5], [0.75, 0.25], [0.75, 0.25], [1.0, 0.0]]
    expected = 1 / 4 * abs(0 - 0.5) + 3 / 4 * abs(2 / 3 - 2.5 / 3)
    assert expected_calibration_error(table, [1, 0, 1, 0], bins=2) == pytest.approx(expected)


def test_the_bins_behind_it() -> None:
    table = [[0.5, 0.5], [0.75, 0.25], [0.75, 0.25], [1.0, 0.0]]
    unsure, sure = reliability(table, [1, 0, 1, 0], bins=2)
    assert unsure == Bin(1, 0.5, 0.0)
    assert sure.count == 3
    assert sure.confidence == pytest.approx(2.5 / 3)
    assert sure.accuracy == pytest.approx(2 / 3)
    assert reliability([[1.0, 0.0]], [0], bins=3) == (Bin(0, None, None),) * 2 + (Bin(1, 1.0, 1.0),)


def test_without_a_word_there_are_fifteen_bins() -> None:
    # 0.75 and 0.79 share the twelfth of fifteen, and lie in the 11th and 12th of fourteen.
    table = [[0.75, 0.25], [0.79, 0.21]]
    assert expected_calibration_error(table, [1, 0]) == pytest.approx(0.77 - 0.5)
    assert expected_calibration_error(table, [1, 0], bins=14) == pytest.approx((0.75 + 0.21) / 2)


def test_a_bin_holds_its_upper_edge_and_not_its_lower() -> None:
    # With 0.5 in the upper bin, being too sure and not sure enough would make up for each other.
    table = [[0.5, 0.5], [0.75, 0.25]]
    assert expected_calibration_error(table, [1, 0], bins=2) == pytest.approx((0.5 + 0.25) / 2)


def test_certainty_is_calibrated_when_it_is_right() -> None:
    table = np.eye(10)[[3, 8]]
    assert expected_calibration_error(table, [3, 8]) == 0
    assert expected_calibration_error(table, [4, 9]) == 1
    assert expected_calibration_error([[0.0, 0.0]], [0]) == 1


@pytest.mark.parametrize("probability", [0.9, 0.6])
def test_a_model_that_is_as_often_right_as_it_is_sure_has_no_error(probability: float) -> None:
    table = [[probability, 1 - probability]] * 10
    labels = [int(number >= 10 * probability) for number in range(10)]
    assert expected_calibration_error(table, labels) == pytest.approx(0)


# Two classes with logits z and 0, and the first right in the part q of the samples: the best
# softmax is q, so T = z / ln(q / (1 - q)).
LOGITS, LABELS, TEMPERATURE = [[6.0, 0.0]] * 4, [0, 0, 0, 1], 6 / math.log(3)


def test_a_temperature_worked_out_by_hand() -> None:
    assert fit_temperature(LOGITS, LABELS) == pytest.approx(TEMPERATURE, rel=1e-3)


def test_logits_three_times_as_far_apart_need_thrice_the_temperature() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (2000, 10))
    labels = [random.choice(10, p=row) for row in softmax(logits.astype(np.float32))]
    fitted = fit_temperature(logits, labels)
    assert fitted == pytest.approx(1, abs=0.1)  # The labels were drawn at a temperature of 1.
    assert fit_temperature(3 * logits, labels) == pytest.approx(3 * fitted, rel=1e-3)
    assert fit_temperature(logits + 100, labels) == pytest.approx(fitted, rel=1e-3)


def test_a_weight_counts_as_so_many_samples() -> None:
    weighted = fit_temperature(LOGITS[:2], [0, 1], weights=[3, 1])
    assert weighted == pytest.approx(TEMPERATURE, rel=1e-3)
    ignoring = fit_temperature([*LOGITS, [9.0, 0.0]], [*LABELS, 1], weights=[1, 1, 1, 1, 0])
    assert ignoring == pytest.approx(TEMPERATURE, rel=1e-3)


@pytest.mark.parametrize("margin", [1.0, 1000.0])
def test_digits_that_are_all_read_right_leave_the_temperature_bounded(margin: float) -> None:
    logits = margin * np.eye(10)
    assert COLDEST <= fit_temperature(logits, range(10)) < 2
    assert fit_temperature(logits, [*range(1, 10), 0]) == pytest.approx(HOTTEST, rel=1e-3)


@pytest.mark.parametrize(
    ("outputs", "labels", "reason"),
    [
        (np.zeros((0, 10)), [], "N at least 1"),
        (np.zeros(10), [1], "N at least 1"),
        (np.zeros((2, 10)), [1], "N at least 1"),
        ([[0.5, math.nan]], [0], "not finite"),
        ([[0.5, 0.5]], [2], "labels of 2 to 2"),
        ([[0.5, 0.5]], [-1], "labels of -1 to -1"),
    ],
)
def test_what_is_no_table_of_outputs_is_refused(outputs: Any, labels: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        expected_calibration_error(outputs, labels)
    with pytest.raises(ValueError, match=reason):
        fit_temperature(outputs, labels)


def test_no_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="0 bins"):
        expected_calibration_error([[1.0]], [0], bins=0)


@pytest.mark.parametrize("weights", [[1], [1, -1], [0, 0], [1, math.nan], [1, math.inf]])
def test_weights_that_weigh_nothing_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights of shape"):
        fit_temperature([[1.0, 0.0], [1.0, 0.0]], [0, 1], weights)
