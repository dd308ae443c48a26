"""Drawings that people label are stored, where the app was told to, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Route, expect

from app import App
from edge_app.digits.labelled import read_json_lines
from visit import ONE, PHONE, SEVEN, Visit, Visits

pytestmark = pytest.mark.slow

QUESTION = "What did you draw? It is stored only if you tap the digit."
LEGEND = "All models guess as you draw. Drawings you label are stored."
LOST = "Can't reach the device. The drawing may "


@pytest.fixture
def file(odd_app: App) -> Path:
    return odd_app.folder.parent / "drawings.jsonl"


def total(file: Path, more: int = 0) -> str:
    """What the line under the canvas says of the drawings in the file, and of some more."""
    return f"Only drawings you label are stored: {len(read_json_lines(file)) + more} so far."


def label(visit: Visit, digit: int) -> Locator:
    return visit.button(f"Save the drawing as {digit}")


def check_row(visit: Visit, offered: str, line: str) -> None:
    """The row under the canvas and the line below it."""
    expect(visit.page.locator(".legend")).to_have_text(line)
    for part in ("samples", "labels", "saved"):
        expect(visit.page.locator(f".{part}")).to_be_visible(visible=part == offered)


def test_one_tap_saves_the_drawing_with_its_label_and_another_takes_it_back(
    open_page: Visits, odd_app: App, file: Path
) -> None:
    before, none, one = file.read_bytes(), total(file), total(file, 1)
    visit = open_page(odd_app, clock=True, **PHONE)
    check_row(visit, "samples", none)
    visit.stop_time()
    visit.draw(SEVEN, Visit.with_finger)
    check_row(visit, "labels", QUESTION)
    visit.answered([], label(visit, 7).tap)  # The canvas is clean for the next one.
    check_row(visit, "saved", one)
    expect(visit.get("saved")).to_contain_text("Saved as 7")
    expect(visit.get("announcement")).to_have_text("Saved as 7")
    *_, stored = read_json_lines(file)
    assert stored.label == 7
    (corner, _, *rest) = SEVEN[0]  # A point on a straight line adds nothing.
    [stroke] = stored.strokes
    assert stroke.tolist() == [list(place) for place in (corner, *rest)]
    undo = visit.button("Undo saving")
    undo.tap(force=True)  # This may be the second tap of a double tap.
    check_row(visit, "saved", one)
    visit.page.clock.run_for(600)
    visit.answered(SEVEN, undo.tap)
    check_row(visit, "labels", QUESTION)
    label(visit, 1).tap(force=True)
    check_row(visit, "labels", QUESTION)
    assert file.read_bytes() == before
    visit.page.clock.resume()
    visit.answered([], label(visit, 1).tap)  # Now with another label.
    visit.answered([], visit.page.reload)
    check_row(visit, "saved", one)
    expect(visit.get("saved")).to_contain_text("Saved as 1")
    visit.button("Undo saving").tap()
    check_row(visit, "labels", QUESTION)
    assert file.read_bytes() == before


def test_the_tools_undo_takes_the_label_back_with_the_drawing(
    open_page: Visits, odd_app: App, file: Path
) -> None:
    before, one = file.read_bytes(), total(file, 1)
    visit = open_page(odd_app)
    undo = visit.get("undo")
    visit.draw(SEVEN)
    visit.answered([], label(visit, 7).click)
    visit.answered(ONE, lambda: visit.with_mouse(ONE))
    visit.answered([], undo.click)  # That takes back the stroke alone.
    check_row(visit, "saved", one)
    visit.page.route("**/component_server/", lambda route: route.abort(), times=1)
    visit.page.keyboard.press("Control+z")
    expect(visit.status).to_have_text(LOST + "still be saved.")
    check_row(visit, "saved", one)
    visit.button("Undo saving").click()
    check_row(visit, "labels", QUESTION)
    assert file.read_bytes() == before
    visit.answered([], label(visit, 7).click)
    visit.answered(SEVEN, undo.click)
    check_row(visit, "labels", QUESTION)
    assert file.read_bytes() == before
    expect(visit.get("announcement")).to_have_text("No longer saved")
    visit.answered([], visit.get("redo").click)
    check_row(visit, "samples", total(file))
    assert file.read_bytes() == before
    visit.complaints.clear()  # The browser's own, about the request that failed.


def test_the_row_and_the_line_below_follow_the_drawing(
    open_page: Visits, odd_app: App, file: Path
) -> None:
    visit = open_page(odd_app, reduced_motion="reduce")
    visit.button("Sample: 3").click()
    expect(visit.digit("mlp")).to_have_text("3")
    check_row(visit, "samples", LEGEND)
    visit.with_mouse(ONE)  # A part of this drawing is still the sample.
    check_row(visit, "samples", LEGEND)
    visit.clear()
    check_row(visit, "samples", total(file))
    visit.press(ONE[0])
    check_row(visit, "samples", total(file))
    visit.page.mouse.up()
    check_row(visit, "labels", QUESTION)
    visit.clear()
    check_row(visit, "samples", total(file))
    visit.answered(ONE, visit.get("undo").click)
    one = total(file, 1)
    label(visit, 1).press("Enter")
    check_row(visit, "saved", one)
    expect(visit.button("Undo saving")).to_be_focused()
    visit.page.keyboard.press("Escape")  # On the clean canvas.
    check_row(visit, "samples", total(file))
    expect(visit.get("clear")).to_be_focused()
    visit.answered([], visit.get("undo").click)
    check_row(visit, "saved", total(file))
    visit.draw(SEVEN)  # The next one.
    check_row(visit, "labels", QUESTION)


def test_what_is_not_saved_or_not_taken_back_is_said_as_long_as_it_is_seen(
    open_page: Visits, odd_app: App, file: Path
) -> None:
    before, one = file.read_bytes(), total(file, 1)
    visit = open_page(odd_app, clock=True)
    full = "The file has reached its limit."

    def refuse(sentence: str) -> None:
        """Let the next call fail in three ways, and find the sentence or that it was lost."""
        button = label(visit, 7) if "not" in sentence else visit.button("Undo saving")
        for reply, said in (
            (lambda route: route.fulfill(json={"error": full}), full),
            (lambda route: route.abort(), LOST + sentence),
            (lambda _: visit.page.clock.run_for(16_000), LOST + sentence),  # No answer at all.
        ):
            visit.page.route("**/component_server/", reply, times=1)
            button.click()
            expect(visit.status).to_have_text(said)

    visit.draw(SEVEN)
    refuse("not be saved.")
    assert file.read_bytes() == before
    with visit.page.expect_response("**/component_server/"):
        visit.variant("float32").check(force=True)
    expect(visit.status).to_have_text(LOST + "not be saved.")  # Although the device answers now.
    visit.answered([], visit.get("clear").click)
    expect(visit.status).to_be_empty()
    visit.answered(SEVEN, visit.get("undo").click)
    expect(visit.status).to_have_text(LOST + "not be saved.")
    label(visit, 7).click()  # It can be tried again.
    check_row(visit, "saved", one)
    expect(visit.status).to_be_empty()
    refuse("still be saved.")
    visit.button("Undo saving").click()
    check_row(visit, "labels", QUESTION)
    expect(visit.status).to_be_empty()
    assert file.read_bytes() == before
    visit.complaints.clear()  # The browser's own, about the request that failed.


def test_a_drawing_that_is_sent_again_is_stored_once(
    open_page: Visits, odd_app: App, file: Path
) -> None:
    one = total(file, 1)
    visit = open_page(odd_app)
    visit.draw(SEVEN)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    for digit in (7, 1):  # The same label once more, and another one.
        visit.page.route("**/component_server/", lose, times=1)
        label(visit, 7).click()
        expect(visit.status).to_have_text(LOST + "not be saved.")
        assert total(file) == one
        label(visit, digit).click()
        check_row(visit, "saved", one)
        assert total(file) == one
        assert read_json_lines(file)[-1].label == digit
        visit.answered(SEVEN, visit.button("Undo saving").click)
    visit.complaints.clear()  # The browser's own, about the request that failed.
