"""Everything fits the window, stays where it is, can be told apart, and is reached by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app import App
from colours import contrast, ground, readable
from visit import ONE, PHONE, SEVEN, Visit, Visits

pytestmark = pytest.mark.slow

LYING = 360
"""The height of a phone that lies on its side: the answers may need scrolling there."""
WINDOWS = [(360, 640), (390, 844), (740, LYING), (768, 1024), (1280, 800)]


@pytest.mark.parametrize(("width", "height"), WINDOWS)
def test_everything_fits_the_window_and_nothing_moves(
    open_page: Visits, width: int, height: int
) -> None:
    device = PHONE if width < 760 else {}
    visit = open_page(**device | {"viewport": {"width": width, "height": height}})
    check_place(visit, ".samples button", ".answer", ".doubt")
    assert visit.get("canvas").evaluate("each => each.clientWidth") >= 0.35 * min(width, height)
    if height != LYING:
        visit.part("cnn", "verdict").click(force=True)  # One model alone.
        check_place(visit, ".alone .doubt", ".alone .all")


def check_place(visit: Visit, *parts: str) -> None:
    """Draw; nothing moves, and everything is seen, with these parts unless the phone is lying."""
    page, size = visit.page, visit.page.viewport_size
    assert size
    visit.clear()
    blank = page.evaluate(PLACES)
    visit.draw(SEVEN)
    visit.tell(accepted=False, digit_like=False)
    expect(visit.part("cnn", "doubt")).to_have_text("Doesn't look like a digit to me; closest: 7")
    assert page.evaluate(PLACES) == pytest.approx(blank, abs=0.1)
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    seen = ["[data-testid=canvas]", ".tools button", "[data-testid=variant]", ".views canvas"]
    if size["height"] != LYING:
        assert page.evaluate("document.documentElement.scrollHeight") <= size["height"]
        seen += [*parts, ".answer:visible :is(.bars, .facts, .digit)"]
    for selector in seen:
        places = page.locator(f"#canvas {selector}")
        expect(places).not_to_have_count(0)
        for place in places.all():
            expect(place).to_be_in_viewport(ratio=1)


PLACES = """Array.from(
    document.querySelectorAll("#canvas :is(canvas, button, .digit, .bars)"),
    (each) => Object.values(each.getBoundingClientRect().toJSON()),
).flat()"""
"""Where the parts of the page are, and how large, in one row."""
CUT_OFF = """Array.from(document.querySelectorAll("#canvas :is(h2, p:not(.unseen), button, label)"))
    .filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.textContent)"""
"""What is wider than its place."""


def test_answers_of_more_models_scroll_beside_the_canvas(open_page: Visits, odd_app: App) -> None:
    visit = open_page(odd_app, viewport={"width": 360, "height": 640})
    assert visit.page.evaluate("document.documentElement.scrollHeight") <= 640
    last = visit.page.locator(".answer").last
    expect(last).not_to_be_in_viewport()
    visit.page.get_by_role("region", name="Answers").focus()
    visit.page.keyboard.press("End")
    expect(last).to_be_in_viewport(ratio=0.98)  # Scrolled to a whole pixel.
    expect(visit.get("canvas")).to_be_in_viewport(ratio=1)
    last.locator(".one").click()
    visit.button("All models").click()
    expect(last).to_be_in_viewport(ratio=0.98)  # Back among the others, it is still in sight.


PLACE = (300, 250)
"""On SEVEN's bar."""
TEXTS = (
    *("h2", ".digit", ".latency", ".bars li", ".drift", ".tools button", ".legend", "header p"),
    *(".variants label", ".variants label:has(:checked)", "figcaption b", "figcaption span"),
    *(".samples button", ".confidence", ".doubt", ".labels span", ".labels button", ".all"),
)


def test_ink_and_text_stand_out_from_their_ground_light_and_dark(
    open_page: Visits, odd_app: App
) -> None:
    visit = open_page(odd_app, color_scheme="light")
    visit.draw(SEVEN)
    expect(visit.digit("mlp")).to_have_text("7")
    for scheme in ("light", "dark"):  # It changes while the page is open.
        visit.page.emulate_media(color_scheme=scheme)
        expect(visit.page.locator("body")).to_have_class("dark" if scheme == "dark" else "")
        paper = ground(visit.get("canvas"))
        assert contrast(visit.ink(PLACE)[:3], paper) >= 4.5
        assert (sum(paper) < 300) == (scheme == "dark")
        for selector in TEXTS:
            assert readable(visit.page.locator(f"#canvas {selector}").first), selector


def test_the_drawing_stays_when_a_phone_is_turned_or_the_window_changes(open_page: Visits) -> None:
    visit = open_page(**PHONE)
    visit.draw(SEVEN, Visit.with_finger)
    before = visit.ink(PLACE)
    assert before[3] == 255
    size = "document.querySelector('[data-testid=canvas]').width"
    for width, height in ((844, 390), (1280, 800)):
        old = visit.page.evaluate(size)
        visit.page.set_viewport_size({"width": width, "height": height})
        visit.page.wait_for_function(f"{size} !== {old}")
        assert visit.ink(PLACE) == before
    visit.answered([*SEVEN, *ONE], lambda: visit.with_finger(ONE))


def test_every_control_is_reached_by_keyboard_and_shows_its_focus(open_page: Visits) -> None:
    visit = open_page()
    names = []
    for _ in range(20):
        visit.page.keyboard.press("Tab")
        name, outline = visit.page.locator(":focus").evaluate(
            """each => {
                const seen = each.closest("label") ?? each;
                return [each.ariaLabel ?? seen.textContent, getComputedStyle(seen).outlineStyle];
            }"""
        )
        names.append(name.strip())
        assert outline == "solid", name
    assert names == [
        *("Draw a digit", "Models", "Device", "int8", "Undo", "Redo", "Clear"),
        *(f"Sample: {digit}" for digit in range(10)),
        *("Show only Simple Dense", "Show only Multi-layer Perceptron"),
        "Show only Convolutional Network",
    ]
    visit.variant("int8").focus()
    visit.page.keyboard.press("ArrowLeft")
    expect(visit.variant("dynamic")).to_be_checked()
