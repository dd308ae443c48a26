"""The challenge: ten digits to draw, for all models or to fool one; in the browser alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from app import App
from edge_app.digits.labelled import read_json_lines
from visit import ONE, PHONE, SEVEN, Visit, Visits

pytestmark = pytest.mark.slow

ROUNDS = 10


def play(visit: Visit) -> Locator:
    """Start a challenge whose digits come in their order; returns its place."""
    visit.page.evaluate("Math.random = (() => { let at = 0; return () => at++; })()")
    visit.page.get_by_role("link", name="Play").click()
    challenge = visit.get("challenge")
    expect(task(visit)).to_have_text("Draw a 0 that every model reads")
    return challenge


def task(visit: Visit) -> Locator:
    return visit.get("challenge").get_by_role("status")


def read(visit: Visit, readers: Callable[[int], list[str]]) -> None:
    """Have these models read the digit that is asked for, by its round, and others another."""

    def change(reply: Any) -> None:
        found = re.search(r"Draw an? (\d)", task(visit).text_content() or "")
        for name, answer in reply["answers"].items():
            if answer["digit"] is not None and found:
                digit = int(found[1])
                right = name in readers(digit)
                answer.update(digit=digit if right else (digit + 1) % 10, accepted=True)

    visit.reply(change)


def test_ten_drawings_points_and_each_model_s_score(open_page: Visits) -> None:
    visit = open_page(clock=True)
    all_three = ["dense", "mlp", "cnn"]
    # The dense one fails where all are to read the digit, but for the first, and is fooled.
    read(visit, lambda digit: all_three if digit == 0 else all_three[1:])
    challenge = play(visit)
    expect(visit.get("variant")).to_be_hidden()
    expect(visit.page.locator(".samples")).to_be_hidden()
    expect(challenge).to_contain_text("1 of 10 · 0 points")
    visit.stop_time()
    visit.draw(ONE)
    expect(visit.digit("dense")).to_have_text("0")
    expect(task(visit)).to_have_text("Draw a 0 that every model reads")
    visit.page.clock.run_for(1100)  # It is what was asked for, and nobody draws on.
    expect(task(visit)).to_have_text("Yes, that is read! 10 points")
    visit.answered([], visit.button("Next").click)
    expect(task(visit)).to_have_text("Draw a 1 that fools exactly one model")
    expect(challenge).to_contain_text("2 of 10 · 10 points · not sure counts as fooled")
    visit.draw(ONE)
    expect(visit.digit("dense")).to_have_text("2")
    visit.page.clock.run_for(1100)
    expect(task(visit)).to_have_text("You fooled Simple Dense! 10 points")
    visit.answered([], visit.button("Next").click)
    visit.draw(ONE)
    expect(visit.digit("dense")).to_have_text("3")
    visit.page.clock.run_for(5000)  # It may still become one that all read.
    expect(task(visit)).to_have_text("Draw a 2 that every model reads")
    visit.button("Done").click()
    expect(task(visit)).to_have_text("Not read by Simple Dense: 7 points")
    visit.answered([], visit.button("Next").click)
    visit.page.clock.resume()
    for digit in range(3, ROUNDS):
        expect(task(visit)).to_contain_text(f"{digit} that")
        visit.button("Skip").click()
    result = visit.get("result")
    expect(result.get_by_role("heading")).to_have_text("27 of 100 points")
    expect(result.locator("ul li")).to_have_text(
        [
            "Convolutional Network read 3 of 3",
            "Multi-layer Perceptron read 3 of 3",
            "Simple Dense read 1 of 3",
        ]
    )
    expect(result.locator("ol li")).to_have_count(ROUNDS)
    expect(result.locator("ol li").nth(1)).to_have_text("1 · +10")
    expect(result.locator("ol li").nth(9)).to_have_text("9 · skipped")
    visit.button("Play again").click()
    expect(challenge).to_contain_text("1 of 10 · 0 points")


def test_a_drawing_counts_only_when_it_is_the_player_s_own_and_finished(open_page: Visits) -> None:
    visit = open_page(clock=True, reduced_motion="reduce")
    read(visit, lambda _: ["dense", "mlp", "cnn"])
    visit.button("Sample: 3").click()
    challenge = play(visit)
    visit.stop_time()
    visit.button("Done").click()
    expect(challenge).to_contain_text("Draw it first, or skip it.")
    visit.get("undo").click()  # The sample is back.
    expect(visit.digit("mlp")).to_have_text("0")
    visit.page.clock.run_for(5000)
    visit.button("Done").click()
    expect(task(visit)).to_have_text("Draw a 0 that every model reads")
    visit.clear()
    visit.answered(ONE, lambda: visit.press(ONE[0]), pressed=True)
    visit.page.clock.run_for(5000)
    expect(task(visit)).to_have_text("Draw a 0 that every model reads")
    visit.answered(ONE, visit.page.mouse.up)
    expect(visit.digit("mlp")).to_have_text("0")
    visit.page.clock.run_for(1100)
    expect(task(visit)).to_have_text("Yes, that is read! 10 points")


def test_it_goes_on_after_a_look_elsewhere_and_ends_with_a_summary(open_page: Visits) -> None:
    visit = open_page(**PHONE)
    challenge = play(visit)
    visit.button("Skip").tap()
    expect(challenge).to_contain_text("2 of 10")
    visit.page.get_by_role("link", name="Models").tap()
    expect(challenge).to_be_hidden()
    visit.page.go_back()
    expect(challenge).to_contain_text("2 of 10")
    visit.answered([], visit.page.reload)
    expect(task(visit)).to_have_text("Draw a 1 that fools exactly one model")
    visit.draw(SEVEN, Visit.with_finger)
    visit.button("End").tap()
    expect(visit.get("result")).to_contain_text("0 of 100 points")
    visit.page.keyboard.press("Escape")
    expect(visit.get("result")).to_be_hidden()
    expect(challenge).to_be_hidden()
    expect(visit.digit("mlp")).to_have_text("7")  # Escape has not cleared it.
    expect(visit.page.get_by_role("link", name="Draw a digit")).to_have_attribute(
        "aria-current", "page"
    )
    assert visit.page.url.rstrip("#").endswith("/")


def test_it_can_be_played_by_keyboard(open_page: Visits) -> None:
    visit = open_page()
    press = visit.page.keyboard.press
    read(visit, lambda _: ["dense", "mlp", "cnn"])
    play(visit)
    visit.get("canvas").focus()
    press("Shift+Tab")
    press("Tab")
    expect(visit.page.locator(".cursor")).to_be_visible()
    down: list[Any] = [[(500, 250), (500, 350), (500, 450), (475, 450)]]

    def write() -> None:
        press(" ")
        press("Shift+ArrowDown")
        press("Shift+ArrowDown")
        press("ArrowLeft")
        press(" ")

    visit.answered(down, write)
    press("ArrowRight")  # The pen is lifted.
    expect(task(visit)).to_have_text("Yes, that is read! 10 points")
    assert visit.sent[-1]["strokes"] == [[[500, 250], [500, 450], [475, 450]]]
    visit.button("Next").press("Enter")
    expect(task(visit)).to_have_text("Draw a 1 that fools exactly one model")
    visit.button("Skip").press(" ")
    visit.button("End").press("Enter")
    expect(visit.get("result")).to_contain_text("10 of 100 points")


def test_nothing_is_stored_but_what_is_labelled(open_page: Visits, odd_app: App) -> None:
    file = odd_app.folder.parent / "drawings.jsonl"
    before = file.read_bytes()
    visit = open_page(odd_app)
    play(visit)
    visit.draw(SEVEN)
    visit.button("Done").click()
    expect(task(visit)).to_contain_text("points")
    expect(visit.get("labels")).to_be_hidden()  # It says which digit was asked for.
    assert file.read_bytes() == before
    visit.button("End").click()
    visit.page.keyboard.press("Escape")
    visit.answered([], visit.button("Save the drawing as 7").click)
    assert read_json_lines(file)[-1].label == 7
    visit.answered(SEVEN, visit.button("Undo saving").click)
    assert file.read_bytes() == before


def test_on_a_small_phone_the_drawing_keeps_its_room(open_page: Visits) -> None:
    visit = open_page(**PHONE | {"viewport": {"width": 390, "height": 664}})
    canvas = visit.get("canvas")
    usual = canvas.evaluate("each => each.clientWidth")
    challenge = play(visit)
    assert canvas.evaluate("each => each.clientWidth") >= usual
    assert visit.page.evaluate("document.documentElement.scrollHeight") <= 664
    for part in (task(visit), *challenge.get_by_role("button").all(), visit.digit("cnn")):
        expect(part).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("width", "height"), [(390, 664), (740, 360), (768, 1024), (1280, 800)])
def test_no_hand_hides_the_task(open_page: Visits, width: int, height: int) -> None:
    visit = open_page(viewport={"width": width, "height": height})
    challenge = play(visit)
    canvas = visit.get("canvas")
    asked, paper = challenge.bounding_box(), canvas.bounding_box()
    assert asked
    assert paper
    if width < height:
        assert asked["y"] + asked["height"] <= paper["y"]
    else:
        assert asked["y"] < paper["y"] + 20
        assert asked["x"] >= paper["x"] + paper["width"]
    for part in (canvas, task(visit), *challenge.get_by_role("button").all()):
        expect(part).to_be_in_viewport(ratio=1)
