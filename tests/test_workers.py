"""Workers: the same work on many items, in order, and what goes wrong in them."""

from __future__ import annotations

import math
import operator
import os

import pytest

from convert.workers import CHUNK, work

FEW, MANY = CHUNK, 2 * CHUNK + 7


@pytest.mark.parametrize("count", [0, 1, FEW, MANY])
def test_results_come_in_the_items_order(count: int) -> None:
    assert work(operator.neg, range(count), "Negating") == [-number for number in range(count)]


@pytest.mark.parametrize("count", [FEW, MANY])
def test_what_goes_wrong_with_an_item_is_raised(count: int) -> None:
    with pytest.raises(ValueError, match="math domain error"):
        work(math.sqrt, [*range(count - 1), -1], "Rooting")


def test_many_items_are_worked_on_in_other_processes_and_few_here() -> None:
    assert set(work(_process, range(FEW), "Asking")) == {os.getpid()}
    assert os.getpid() not in work(_process, range(MANY), "Asking")


def _process(_: int) -> int:
    return os.getpid()
