"""Tables of probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def probabilities(*rows: dict[int, float]) -> NDArray[np.float32]:
    """Rows of ten from the few that are not 0: {digit: probability}."""
    table = np.zeros((len(rows), 10), np.float32)
    for line, row in zip(table, rows, strict=True):
        for digit, probability in row.items():
            line[digit] = probability
    return table
