"""Drawing with mouse, finger and pen, taking it back, the samples, and loading the page again."""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

import edge_app
from edge_app.digits.labelled import LabelledDrawing
from visit import BAR, ONE, PHONE, SEVEN, Stroke, Strokes, Visit, Visits

pytestmark = pytest.mark.slow

SAMPLES: list[dict[str, Any]] = json.loads(
    (Path(edge_app.__file__).parent / "page" / "canvas" / "samples.json").read_text()
)


@pytest.mark.parametrize("pen", [Visit.with_mouse, Visit.with_finger])
def test_digits_are_read(open_page: Visits, page_drawings: list[LabelledDrawing], pen: Any) -> None:
    visit = open_page(**PHONE if pen is Visit.with_finger else {})
    for drawing in page_drawings[:: 10 if pen is Visit.with_mouse else 7]:
        visit.clear()
        answers = visit.draw([stroke.tolist() for stroke in drawing.strokes], pen)
        assert answers["mlp"]["digit"] == drawing.label
        for model, answer in answers.items():
            shown = str(answer["digit"]) if answer["accepted"] else "?"
            expect(visit.digit(model)).to_have_text(shown)


def test_one_finger_draws_and_the_page_stays_where_it_is(open_page: Visits) -> None:
    visit = open_page(**PHONE | {"viewport": {"width": 390, "height": 400}})
    first = visit.places(SEVEN[0])
    second = visit.places([(x, y - 200) for x, y in SEVEN[0]])
    both = map(list, zip(first, second, strict=True))
    visit.answered(SEVEN, lambda: visit.touch(first[:1], *both))
    visit.answered([], visit.get("undo").click)  # The second finger has drawn nothing.
    visit.draw([ONE[0][::-1]], Visit.with_finger)  # From bottom to top.
    assert visit.page.evaluate("scrollY") == 0
    heading = visit.page.locator("nav").bounding_box()
    assert heading
    x, y = heading["x"] + 20, heading["y"] + heading["height"]
    visit.touch(*([(x, y - step)] for step in range(0, int(y), 10)))  # Elsewhere it scrolls.
    visit.page.wait_for_function("scrollY > 0")


def test_every_tap_after_a_fast_stroke_counts(open_page: Visits) -> None:
    visit = open_page(**PHONE)
    clear = visit.get("clear")
    clear.evaluate("clear => clear.addEventListener('click', () => window.taps++, window.taps = 0)")
    box = clear.bounding_box()
    assert box
    for taps in range(1, 13):
        visit.draw([[(200, 800), (400, 500), (800, 100)]], Visit.with_finger)
        visit.touch([(box["x"] + 20, box["y"] + 20)])
        visit.page.wait_for_function(f"taps === {taps}")
        expect(visit.hint).to_be_visible()


def test_a_pen_takes_over_from_the_palm(open_page: Visits) -> None:
    visit = open_page(**PHONE)
    visit.draw([BAR], Visit.with_finger)
    palm = visit.places([(800, 900)])
    visit.touch(palm, lift=False)
    visit.answered([BAR, *SEVEN], lambda: visit.with_pen(SEVEN))  # The palm's dot is gone.
    visit.touch()
    visit.answered([BAR], visit.get("undo").click)  # It has drawn nothing more.
    visit.answered([], visit.get("undo").click)


def test_only_the_main_mouse_button_draws_and_answers_come_while_it_is_pressed(
    open_page: Visits,
) -> None:
    visit = open_page()
    visit.get("canvas").click(button="right")
    visit.get("canvas").click(button="middle")
    expect(visit.hint).to_be_visible()
    visit.press(SEVEN[0])
    expect(visit.hint).to_be_hidden()
    expect(visit.digit("mlp")).to_have_text("7")
    sizes = [len(each["strokes"][0]) for each in visit.sent if each["strokes"]]
    assert sizes[0] < sizes[-1]
    assert sizes == sorted(sizes)
    visit.page.mouse.up()
    visit.page.mouse.move(*visit.places([(100, 900)])[0])
    # It drew no more until then.
    visit.answered([*SEVEN, BAR], lambda: visit.press(BAR), pressed=True)
    visit.answered([*SEVEN, BAR], visit.page.reload)  # Left in the middle of a stroke.


@pytest.mark.parametrize("pen", [Visit.with_mouse, Visit.with_finger])
def test_a_tap_draws_a_dot(open_page: Visits, pen: Any) -> None:
    visit = open_page(**PHONE)
    visit.draw([[(500, 500)]], pen)
    assert visit.ink((485, 515))[3] == visit.ink((500, 500))[3] == 255
    assert visit.ink((530, 500))[3] == 0  # It is as wide as a line.


def test_a_line_that_leaves_the_canvas_and_comes_back_is_one_stroke(open_page: Visits) -> None:
    visit = open_page()
    there: Stroke = [(500, 500), (1000, 500)]
    back: Stroke = [(1000, 600), (500, 600), (500, 1000)]
    drawn = [*there, (1200, 500), (1200, 600), *back, (500, 1100), (-100, 1100)]
    drawn += [(-100, 300), (1100, 300)]
    # The models see what is on the canvas, and no line between the places where it was left.
    seen: Strokes = [there, back, [(0, 300), (1000, 300)]]
    visit.answered(seen, lambda: visit.with_mouse([drawn]))
    for line in visit.sent[-1]["strokes"]:
        assert all(0 <= value <= 1000 for place in line for value in place)
    visit.answered([], visit.get("undo").click)


def test_a_pen_s_points_are_thinned_and_a_canvas_full_of_them_is_still_answered(
    open_page: Visits,
) -> None:
    visit = open_page()
    bow: Stroke = [(500 - 400 * math.cos(i / 48), 100 + 800 * math.sin(i / 48)) for i in range(151)]
    visit.answered([bow], lambda: visit.with_pen([bow]))
    [line] = visit.sent[-1]["strokes"]
    assert len(line) < 100
    loops: Stroke = [
        (500 + 480 * math.sin(i / 90), 500 + 480 * math.cos(i / 77)) for i in range(20_000)
    ]
    for strokes in ([loops], [[place] for place in loops[::40]]):
        visit.clear()
        with visit.page.expect_response(
            lambda response: len(response.request.post_data or "") > 1000
        ) as last:
            visit.with_pen(strokes)
        assert last.value.ok
        expect(visit.digit("mlp")).not_to_have_text("")
    assert max(len(json.dumps(each, separators=(",", ":"))) for each in visit.sent) < 2900
    # Only so many steps are remembered: the first dots cannot be taken back.
    visit.get("undo").evaluate("undo => { for (let i = 0; i < 500; i++) undo.click() }")
    visit.page.wait_for_function("document.querySelector('[data-testid=undo][aria-disabled=true]')")
    expect(visit.hint).to_be_hidden()


def test_buttons_undo_redo_and_clear(open_page: Visits) -> None:
    visit = open_page()
    undo, redo, clear = (visit.get(name) for name in ("undo", "redo", "clear"))
    idle = visit.page.locator(".tools [aria-disabled=true]")
    expect(idle).to_have_count(3)
    visit.draw([*SEVEN, BAR])
    expect(idle).to_have_count(1)
    expect(undo).to_be_enabled()
    for button, left, others in ((undo, SEVEN, 0), (undo, [], 2), (redo, SEVEN, 0)):
        visit.answered(left, button.click)
        expect(idle).to_have_count(others)
    visit.answered([*SEVEN, *ONE], lambda: visit.with_mouse(ONE))
    redo.click(force=True)  # A new stroke leaves nothing to redo.
    visit.answered(SEVEN, undo.click)
    visit.answered([], clear.click)
    clear.click(force=True)  # On an empty canvas this is no step to undo.
    visit.answered(SEVEN, undo.click)
    clear.click()  # It keeps the focus.
    visit.press(ONE[0])
    visit.page.keyboard.press("Enter")  # In the middle of a stroke, which it ends.
    visit.page.mouse.move(*visit.places([(100, 100)])[0])
    visit.page.mouse.up()
    expect(visit.hint).to_be_visible()


def test_keys_undo_redo_and_clear_on_any_layout(open_page: Visits) -> None:
    visit = open_page()
    both: Strokes = [*SEVEN, BAR]
    visit.draw(both)
    for command, again in (("Control", "Control+y"), ("Meta", "Meta+Shift+z")):
        steps = {f"{command}+z": SEVEN, again: both, "Escape": []}
        for keys, left in [*steps.items(), (f"{command}+z", both)]:
            visit.answered(left, partial(visit.page.keyboard.press, keys))
    for nothing in ("z", "Alt+Control+z"):
        visit.page.keyboard.press(nothing)
    visit.answered(SEVEN, partial(visit.page.keyboard.press, "Control+z"))
    type_key = "(key) => document.body.dispatchEvent(new KeyboardEvent('keydown', key))"
    key = {"key": "я", "code": "KeyZ", "ctrlKey": True, "bubbles": True}
    visit.answered([], lambda: visit.page.evaluate(type_key, key))
    key |= {"key": "Я", "shiftKey": True}
    visit.answered(SEVEN, lambda: visit.page.evaluate(type_key, key))


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_sample_draws_itself_and_is_read(open_page: Visits, motion: str) -> None:
    assert [sample["label"] for sample in SAMPLES] == list(range(10))
    visit = open_page(reduced_motion=motion)
    samples = SAMPLES if motion == "reduce" else SAMPLES[7:]
    before = len(visit.sent)
    for sample in samples:
        button = visit.button(f"Sample: {sample['label']}")
        answers = visit.answered(sample["strokes"], button.click)
        assert answers["mlp"]["digit"] == sample["label"]
    # Several states each, or only one.
    assert (len(visit.sent) == before + len(samples)) is (motion == "reduce")
    visit.answered(samples[-2]["strokes"], visit.get("undo").click)  # It is undone as a whole.


def test_drawing_completes_a_sample_at_once(open_page: Visits) -> None:
    visit = open_page()
    visit.page.evaluate("requestAnimationFrame = () => 1")  # It stops at its first point.
    visit.button("Sample: 8").click()
    eight: Strokes = SAMPLES[8]["strokes"]
    visit.answered([*eight, *ONE], lambda: visit.with_mouse(ONE))
    visit.answered(eight, visit.get("undo").click)


def test_the_drawing_and_what_can_be_undone_outlive_the_page(open_page: Visits) -> None:
    visit = open_page(**PHONE)
    visit.variant("float16").check(force=True)
    visit.draw([*SEVEN, BAR], Visit.with_finger)
    visit.answered(SEVEN, visit.get("undo").click)
    visit.answered(SEVEN, visit.page.reload)
    assert visit.sent[-1]["variant"] == "float16"
    expect(visit.variant("float16")).to_be_checked()
    visit.answered([*SEVEN, BAR], visit.get("redo").click)
    visit.answered(SEVEN, visit.get("undo").click)
    visit.answered([], visit.get("undo").click)
    visit.page.add_init_script("sessionStorage.digits = '{}'")  # As if of another version.
    visit.answered([], visit.page.reload)
    visit.draw(SEVEN)
    expect(visit.digit("mlp")).to_have_text("7")
