"""The soak: valid drawings in a row, and whether memory grows with them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

import numpy as np

from app import App
from tests.attack import visits
from tests.attack.attempts import Target
from tests.attack.clients import Client
from tests.attack.tally import Tally
from tests.attack.witness import resident

SAMPLES = 500
"""How often memory is looked at."""
FLAT = 2e6
"""Bytes that memory may grow in 100,000 drawings and still count as flat."""
ENOUGH = 50_000
"""Drawings from which on the growth means something; memory also comes and goes."""


class Soaking(NamedTuple):
    """What came of it."""

    drawings: int
    memory: list[int]
    """Bytes, at regular intervals."""

    def growth(self) -> float:
        """Bytes in 100,000 drawings: a line fitted to the second half."""
        half = np.array(self.memory[len(self.memory) // 2 :], dtype=float)
        if len(half) < 3:
            return 0.0
        slope = np.polyfit(np.arange(len(half)), half, 1)[0]
        return float(slope * len(self.memory) * 1e5 / self.drawings)


def soak(
    app: App, target: Target, seed: int, drawings: int, tally: Tally, after: Callable[[], object]
) -> Soaking:
    """Send drawings from one client, every fourth through the API.

    Args:
        after: called after each.
    """
    random = Random(f"{seed}/soak")  # noqa: S311 - Nothing is kept secret.
    client = Client(target, 0, tally)
    memory = []
    for number in range(drawings):
        kind = visits.drawing if number % 4 else visits.api
        client.attempt(number, [each._replace(kind="soak") for each in kind(random, target)])
        if number % max(1, drawings // SAMPLES) == 0:
            memory.append(resident(app.process.pid))
        after()
    client.close()
    return Soaking(drawings, memory)
