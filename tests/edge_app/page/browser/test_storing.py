"""Drawings that people label are stored, where the app was told to."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app import App
from edge_app.digits.labelled import read_json_lines
from visit import ONE, PHONE, SEVEN, Visit, Visits

pytestmark = pytest.mark.slow

LOST = "Can't reach the device. The drawing may not be stored."


def test_one_tap_stores_the_drawing_with_its_label_once(open_page: Visits, odd_app: App) -> None:
    file = odd_app.folder.parent / "drawings.jsonl"
    before = len(read_json_lines(file))
    visit = open_page(odd_app, clock=True, **PHONE)
    note, labels, samples = map(visit.page.locator, (".legend", ".labels", ".samples"))
    expect(note).to_contain_text(f"Tap to store it · {before} stored")
    expect(labels).to_be_hidden()
    visit.stop_time()
    visit.draw(SEVEN, Visit.with_finger)
    expect(visit.digit("mlp")).to_have_text("7")
    visit.button("Store the drawing as 7").dblclick()
    said = f"Stored as 7 · {before + 1} stored on the device"
    expect(note).to_have_text(said)
    expect(visit.get("announcement")).to_have_text(said)
    expect(labels).to_be_visible()  # A second tap hits no sample.
    visit.page.clock.resume()
    expect(labels).to_be_hidden()
    expect(samples).to_be_visible()
    expect(visit.get("clear")).to_be_focused()
    visit.answered(SEVEN, visit.page.reload)
    expect(visit.digit("mlp")).to_have_text("7")
    expect(labels).to_be_hidden()
    visit.answered([*SEVEN, *ONE], lambda: visit.with_finger(ONE))
    expect(labels).to_be_visible()
    expect(samples).to_be_hidden()
    *_, stored = drawings = read_json_lines(file)
    assert len(drawings) == before + 1
    assert stored.label == 7
    (corner, _, *rest) = SEVEN[0]  # A point on a straight line adds nothing.
    [stroke] = stored.strokes
    assert stroke.tolist() == [list(place) for place in (corner, *rest)]


def test_a_sample_is_not_offered_for_storing(open_page: Visits, odd_app: App) -> None:
    visit = open_page(odd_app, reduced_motion="reduce")
    visit.button("Sample: 3").click()
    expect(visit.digit("mlp")).to_have_text("3")
    expect(visit.get("labels")).to_be_hidden()
    visit.with_mouse(ONE)  # A part of this drawing is still the sample.
    expect(visit.get("labels")).to_be_hidden()
    visit.clear()
    visit.draw(SEVEN)
    expect(visit.get("labels")).to_be_visible()


def test_the_page_says_why_a_drawing_is_not_stored(open_page: Visits, odd_app: App) -> None:
    file = odd_app.folder.parent / "drawings.jsonl"
    before = file.read_bytes()
    visit = open_page(odd_app, clock=True)
    visit.draw(SEVEN)
    store = visit.button("Store the drawing as 7")
    full = "The file has reached its limit."
    for reply, sentence in (
        (lambda route: route.fulfill(json={"error": full}), full),
        (lambda route: route.abort(), LOST),
        (lambda _: visit.page.clock.run_for(16_000), LOST),  # There is no answer at all.
    ):
        visit.page.route("**/component_server/", reply, times=1)
        visit.status.evaluate("status => status.textContent = ''")
        store.click()
        expect(visit.status).to_have_text(sentence)
    assert file.read_bytes() == before
    store.click()  # It can be tried again.
    expect(visit.page.locator(".legend")).to_contain_text("Stored as 7")
    expect(visit.status).to_be_empty()
    visit.complaints.clear()  # The browser's own, about the request that failed.
