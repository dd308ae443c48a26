"""Connected components: which pixels hang together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_app.photos.components import components


def spread(ink: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The labels, found by filling one component after the other."""
    labels = np.full(ink.shape, -1, np.int32)
    for start in zip(*ink.nonzero(), strict=True):
        if labels[start] >= 0:
            continue
        number = labels.max() + 1
        waiting = [start]
        while waiting:
            row, column = waiting.pop()
            inside = 0 <= row < ink.shape[0] and 0 <= column < ink.shape[1]
            if inside and ink[row, column] and labels[row, column] < 0:
                labels[row, column] = number
                waiting += [(row + y, column + x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return labels


@given(
    shape=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    part=st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0]),
    seed=st.integers(0, 1000),
)
def test_components_are_those_that_filling_finds(
    shape: tuple[int, int], part: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    ink, values = random.random(shape) < part, random.random(shape).astype(np.float32)
    found, expected = components(ink, values), spread(ink)
    np.testing.assert_array_equal(found.labels, expected)
    assert len(found.areas) == expected.max() + 1
    for number, (box, area, peak) in enumerate(
        zip(found.boxes.tolist(), found.areas, found.peaks, strict=True)
    ):
        rows, columns = (expected == number).nonzero()
        assert box == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert area == len(rows)
        assert peak == values[rows, columns].max()


@pytest.mark.parametrize("turns", range(4))
def test_a_long_winding_line_is_one(turns: int) -> None:
    ink = np.zeros((61, 61), bool)
    ink[::4] = True
    ink[1::8, -1] = ink[2::8, -1] = ink[3::8, -1] = True
    ink[5::8, 0] = ink[6::8, 0] = ink[7::8, 0] = True
    turned = np.rot90(ink, turns)
    assert components(turned, turned.astype(np.float32)).areas.tolist() == [ink.sum()]
