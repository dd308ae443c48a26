"""Times of many calls, summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Times:
    """Percentiles in milliseconds, and of how many times they are.

    A percentile between two times is interpolated linearly, as numpy.percentile does by default.
    """

    median_ms: float
    p95_ms: float
    p99_ms: float
    count: int


def summarize(times_ms: Sequence[float]) -> Times:
    """Sum up times in milliseconds.

    Raises:
        ValueError: there are none.
    """
    if not times_ms:
        raise ValueError("No times were given; expected at least one.")
    median_ms, p95_ms, p99_ms = np.percentile(times_ms, (50, 95, 99)).round(4).tolist()
    return Times(median_ms, p95_ms, p99_ms, len(times_ms))
