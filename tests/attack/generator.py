"""The generator: for a seed, the attempts of each number, in any order and one at a time."""

from __future__ import annotations

from random import Random

from tests.attack import malformed, nonsense, pictures, visits
from tests.attack.attempts import Attempt, Kind, Target

STRETCH = 10_000
"""In each of the first three stretches of so many numbers every burst comes once, and then in every
tenth. In one of fifty calls go unfetched, after which the others find no room for their answers for
a minute."""

_USUAL: dict[Kind, float] = {
    visits.drawing: 5,
    visits.page: 1,
    visits.tab: 1,
    visits.saving: 1,
    visits.why: 0.3,
    visits.api: 4,
    visits.photo: 0.2,
    nonsense.path: 40,
    nonsense.header: 12,
    nonsense.document: 20,
    nonsense.drawing: 2,
    nonsense.picture: 2,
    nonsense.size: 0.3,
    malformed.message: 10,
    malformed.pipeline: 0.2,
    malformed.partial: 0.5,
    malformed.aborted: 1,
}
"""How often each comes. What takes the app long is rare: a million take less than an hour."""
_BURSTS: tuple[Kind, ...] = (
    malformed.large_pictures,
    malformed.savings,
    malformed.whys,
    malformed.idle,
    malformed.unread,
    malformed.crowd,
)
_LOGIN: dict[Kind, float] = {nonsense.login: 10, nonsense.anyone: 15}
_UNFETCHED = 1
"""Which stretch of fifty leaves calls unfetched."""


class Generator:
    """Makes attempts.

    Args:
        seed: the same one makes the same attempts for the same target.
        target: the app.
    """

    def __init__(self, seed: int, target: Target) -> None:
        self._seed = seed
        self._target = target
        pictures.prepare()
        self._kinds = _USUAL | (_LOGIN if target.cookie else {})

    def make(self, number: int) -> list[Attempt]:
        """One attempt, or the attempts of one burst.

        Args:
            number: from 0.
        """
        random = Random(f"{self._seed}/{number}")  # noqa: S311 - Nothing is kept secret.
        stretch, place = divmod(number, STRETCH)
        burst, within = divmod(place - STRETCH // 10, STRETCH // len(_BURSTS))
        if not within and (stretch < 3 or stretch % 10 == 0):
            return _BURSTS[burst](random, self._target)
        if stretch % 50 == _UNFETCHED:
            if place == 1:
                return malformed.unfetched(random, self._target)
            if random.random() < 0.05:
                return nonsense.queued(random, self._target)
        kind = random.choices(tuple(self._kinds), tuple(self._kinds.values()))[0]
        return kind(random, self._target)
