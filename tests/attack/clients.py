"""Clients: several at once, each at an address of its own, that send what the generator makes."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from tests.attack.attempts import EVENT, Attempt, Ending, Target, request
from tests.attack.connection import Answer, Connection
from tests.attack.generator import Generator
from tests.attack.tally import Outcome, Tally, outcome_of

PARKED = 150
"""Connections that a client keeps open without using them; the oldest is closed then."""
GLANCE_S = 0.05
"""How long to wait where the app may be waiting itself."""


class Client:
    """Sends attempts one after the other, and those of a burst at once.

    Args:
        target: the app.
        place: the client's, from 0; gives it an address.
        tally: counts what becomes of its attempts.
    """

    def __init__(self, target: Target, place: int, tally: Tally) -> None:
        self._target = target
        self._source = f"127.0.1.{place + 1}"
        self._tally = tally
        self._kept: Connection | None = None
        """Open after an answer, and used for the next attempt."""
        self._parked: deque[Connection] = deque()

    def attempt(self, number: int, attempts: list[Attempt]) -> list[Answer]:
        """Send the attempts of one number; returns the answers that came."""
        if len(attempts) == 1 and attempts[0].ending is Ending.ANSWER:
            return self._ask(number, attempts[0])
        opened = [(each, time.monotonic(), self._open(number, each)) for each in attempts]
        return [
            answer
            for each, since, connection in opened
            if connection
            for answer in self._await(number, each, since, connection)
        ]

    def close(self) -> None:
        for connection in [*self._parked, *([self._kept] if self._kept else [])]:
            connection.close()

    def _ask(self, number: int, attempt: Attempt) -> list[Answer]:
        """Use the kept connection; if the app has closed it meanwhile, a new one."""
        since = time.monotonic()
        kept, self._kept = self._kept, None
        if kept:
            try:
                kept.send(attempt.sent)
                answer = kept.read(bodiless=attempt.bodiless)
            except TimeoutError:
                kept.close()
                self._count(number, attempt, Outcome.HUNG, since)
                return []
            except OSError:
                answer = None
            if answer:
                return self._receive(number, attempt, since, kept, answer)
            kept.close()
        connection = self._open(number, attempt)
        return self._await(number, attempt, since, connection) if connection else []

    def _open(self, number: int, attempt: Attempt) -> Connection | None:
        """Connect and send."""
        since, connection = time.monotonic(), None
        waits = attempt.ending is Ending.ANSWER
        try:
            connection = Connection(self._target.host, self._source)
            connection.send(attempt.sent, *(() if waits else (0.2,)))
        except OSError:
            # An early refusal may come before everything is sent, and is read below.
            if connection is None:
                self._count(number, attempt, Outcome.DROPPED, since)
        return connection

    def _await(
        self, number: int, attempt: Attempt, since: float, connection: Connection
    ) -> list[Answer]:
        if attempt.ending in {Ending.PARK, Ending.LEAVE}:
            self._count(number, attempt, Outcome.LEFT, since)
            self._park(connection) if attempt.ending is Ending.PARK else connection.close()
            return []
        glance = attempt.ending is Ending.GLANCE
        try:
            answer = connection.read(
                bodiless=attempt.bodiless, **({"patience_s": GLANCE_S} if glance else {})
            )
        except TimeoutError:
            self._count(number, attempt, Outcome.LEFT if glance else Outcome.HUNG, since)
            self._park(connection)
            return []
        except OSError:
            answer = None
        if answer is None:
            self._count(number, attempt, Outcome.DROPPED, since)
            connection.close()
            return []
        if glance:
            self._count(number, attempt, outcome_of(answer.status), since, answer.status)
            self._park(connection)
            return [answer]
        return self._receive(number, attempt, since, connection, answer)

    def _receive(
        self, number: int, attempt: Attempt, since: float, connection: Connection, answer: Answer
    ) -> list[Answer]:
        """The first answer has come; get the others, and the result of a call."""
        answers = [answer]
        self._count(number, attempt, outcome_of(answer.status), since, answer.status)
        try:
            while not answers[-1].last and len(answers) < attempt.answers:
                answers.append(self._next(number, attempt, connection))
            if attempt.fetch and answer.status == 200 and not answer.last:
                event = str(json.loads(answer.body)["event_id"]).encode()
                path = attempt.fetch.replace(EVENT, event)
                connection.send(request(self._target, b"GET", path))
                answers.append(self._next(number, attempt, connection))
        except OSError:
            connection.close()
            return answers
        if answers[-1].last or self._kept:
            connection.close()
        else:
            self._kept = connection
        return answers

    def _next(self, number: int, attempt: Attempt, connection: Connection) -> Answer:
        since = time.monotonic()
        answer = connection.read()
        if answer is None:
            self._count(number, attempt, Outcome.DROPPED, since)
            raise ConnectionError
        self._count(number, attempt, outcome_of(answer.status), since, answer.status)
        return answer

    def _count(
        self, number: int, attempt: Attempt, outcome: Outcome, since: float, status: int = 0
    ) -> None:
        seconds = 0 if outcome in {Outcome.LEFT, Outcome.DROPPED} else time.monotonic() - since
        self._tally.add(number, attempt.kind, outcome, status, seconds)

    def _park(self, connection: Connection) -> None:
        self._parked.append(connection)
        if len(self._parked) > PARKED:
            self._parked.popleft().close()


def attack(
    generator: Generator,
    target: Target,
    requests: int,
    count: int,
    tally: Tally,
    alive: Callable[[], bool],
    after: Callable[[], object],
) -> dict[int, int]:
    """Send the attempts of the first numbers.

    Args:
        requests: how many numbers.
        count: how many clients send them.
        alive: whether to go on.
        after: called after each number.

    Returns:
        The last number of each client: if the app ended, one of these was too much for it.
    """
    numbers: Iterator[int] = iter(range(requests))
    lock = threading.Lock()
    last: dict[int, int] = {}

    def work(place: int) -> None:
        client = Client(target, place, tally)
        while alive():
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            last[place] = number
            client.attempt(number, generator.make(number))
            after()
        client.close()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return last
