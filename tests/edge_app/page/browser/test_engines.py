"""The page in Firefox and in WebKitGTK, whose engine is also Safari's."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from app import App, until
from engines import Engine, draw, firefox, webkit
from visit import ONE, SEVEN

pytestmark = [pytest.mark.slow, pytest.mark.engines]


@pytest.fixture(scope="module", params=[firefox, webkit])
def running(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with request.param() as engine:
        yield engine


@pytest.fixture
def engine(running: Engine, app: App) -> Engine:
    running.open("about:blank")  # A drawing stays in the window while its page is only loaded anew.
    running.open(app.url)
    running.run("sessionStorage.clear()")
    running.open("about:blank")
    running.open(app.url)
    until(lambda: text(running, ".size"))
    return running


def text(engine: Engine, selector: str) -> str:
    found = engine.run(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''")
    assert isinstance(found, str)
    return found


def reads(engine: Engine, digit: str) -> None:
    """Wait for what the MLP says."""
    until(lambda: text(engine, "[data-testid=digit-mlp]") == digit)


def click(engine: Engine, selector: str) -> None:
    x, y = engine.run(
        f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
        f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
    )
    move = {"type": "pointerMove", "x": round(x), "y": round(y)}
    engine.act("mouse", [move, *({"type": f"pointer{way}", "button": 0} for way in ("Down", "Up"))])


@pytest.mark.parametrize("kind", ["mouse", "touch"])
def test_a_digit_is_read_and_undone(engine: Engine, kind: str) -> None:
    draw(engine, kind, SEVEN)
    reads(engine, "7")
    click(engine, "[data-testid=undo]")
    reads(engine, "")
    click(engine, "[data-testid=redo]")
    reads(engine, "7")
    click(engine, "[data-testid=clear]")
    reads(engine, "")
    draw(engine, kind, ONE)
    reads(engine, "1")


def test_a_dot_is_seen(engine: Engine) -> None:
    draw(engine, "mouse", [[(500, 500)]])
    ink = (
        "((canvas) => canvas.getContext('2d').getImageData("
        "canvas.width / 2, canvas.height / 2, 1, 1).data[3])"
        "(document.querySelector('[data-testid=canvas]'))"
    )
    until(lambda: engine.run(ink) == 255)


def test_variants_tabs_and_a_reload(engine: Engine) -> None:
    draw(engine, "mouse", SEVEN)
    reads(engine, "7")
    for tab in ("models", "device"):
        click(engine, f"nav a[href='#{tab}']")
        until(lambda: text(engine, ".sheet h2"))
    click(engine, "nav h1 a")
    click(engine, "[data-testid=variant] label:has(input[value=float32])")
    until(lambda: "full precision" in text(engine, "[data-model=mlp] .drift"))
    engine.run("location.reload()")
    reads(engine, "7")


@pytest.mark.parametrize("kind", ["mouse", "touch"])
def test_why_paints_the_drawing_and_gives_way_to_drawing_on(engine: Engine, kind: str) -> None:
    draw(engine, kind, SEVEN)
    reads(engine, "7")
    click(engine, "[data-testid=why-mlp]")
    until(lambda: text(engine, ".reason").strip().startswith("What makes it a 7 and not a"))
    painted = engine.run(
        """(() => {
            const canvas = document.querySelector(".evidence canvas");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.width);
            const blue = (i) => data[i + 3] > 250 && data[i + 2] > data[i] + 60;
            return data.reduce((sum, _, i) => sum + (i % 4 === 0 && blue(i)), 0) / data.length;
        })()"""
    )
    assert painted > 0.001
    draw(engine, kind, ONE)
    until(lambda: engine.run("document.querySelector('.evidence').hidden"))
    click(engine, "[data-testid=undo]")
    reads(engine, "7")
