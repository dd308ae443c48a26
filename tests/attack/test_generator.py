"""The attack's requests: that a number says which one, so that each can be repeated."""

from __future__ import annotations

import pytest

from tests.attack.attempts import Target
from tests.attack.generator import STRETCH, Generator
from tests.attack.routes import Route

TARGET = Target(
    host=b"127.0.0.1:7860",
    routes=(Route("/", ("GET",)), Route("/gradio_api/call/{api_name}", ("POST",))),
    assets=("/assets/index.js",),
    components=(1, 2),
    cookie=b"token=known",
)


@pytest.mark.slow
def test_the_same_seed_and_number_make_the_same_attempts() -> None:
    forwards = [Generator(1, TARGET).make(number) for number in range(300)]
    backwards = [Generator(1, TARGET).make(number) for number in reversed(range(300))]
    assert forwards == backwards[::-1]
    assert forwards != [Generator(2, TARGET).make(number) for number in range(300)]


@pytest.mark.slow
def test_every_kind_comes() -> None:
    made = Generator(1, TARGET)
    kinds = {made.make(number)[0].kind for number in range(2 * STRETCH)}
    assert {"drawing", "path", "malformed", "login", "no login", "queued"} <= kinds
    assert len([kind for kind in kinds if kind.startswith("burst")]) == 7
