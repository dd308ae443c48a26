"""Temperatures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from convert.training.temperature import COLDEST, HOTTEST, cross_entropy, fit_temperature
from edge_app.models.classifier import softmax

# Two classes with logits z and 0, and the first right in the part q of the samples: the best
# softmax is q, so T = z / ln(q / (1 - q)).
LOGITS, LABELS, TEMPERATURE = [[6.0, 0.0]] * 4, [0, 0, 0, 1], 6 / math.log(3)


def test_weights_count_as_so_many_samples() -> None:
    expected = pytest.approx(TEMPERATURE, rel=1e-3)
    assert fit_temperature(LOGITS, LABELS) == expected
    assert fit_temperature(LOGITS[:2], [0, 1], weights=[3, 1]) == expected
    assert fit_temperature([*LOGITS, [9.0, 0.0]], [*LABELS, 1], [1, 1, 1, 1, 0]) == expected


def test_logits_three_times_as_far_apart_need_three_times_the_temperature() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (2000, 10))
    labels = [random.choice(10, p=row) for row in softmax(logits.astype(np.float32))]
    fitted = fit_temperature(logits, labels)
    assert fitted == pytest.approx(1, abs=0.1)  # The labels were drawn at a temperature of 1.
    assert fit_temperature(3 * logits, labels) == pytest.approx(3 * fitted, rel=1e-3)
    assert fit_temperature(logits + 100, labels) == pytest.approx(fitted, rel=1e-3)


def test_a_temperature_is_bounded() -> None:
    logits = np.eye(10)
    assert fit_temperature(logits, range(10)) == pytest.approx(COLDEST, rel=1e-3)
    assert fit_temperature(logits, [*range(1, 10), 0]) == pytest.approx(HOTTEST, rel=1e-3)


def test_where_many_temperatures_are_perfect_the_warmest_is_taken() -> None:
    # Below 1.3 the loss is 0, and the coldest would make logits 20 times as large.
    assert 1 < fit_temperature(1000 * np.eye(10), range(10)) < 2


def test_a_cross_entropy_worked_out_by_hand() -> None:
    table = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    assert cross_entropy(table, np.array([1, 1], np.uint8)) == pytest.approx(math.log(4) / 2)
    # Even an impossible digit costs no more than 30 powers of ten.
    worst = (math.log(2) + 30 * math.log(10)) / 2
    assert cross_entropy(table, np.array([0, 2], np.uint8)) == pytest.approx(worst)
