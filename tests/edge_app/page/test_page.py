"""The page in a browser: what people draw with mouse and finger, and what they see."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, expect

import edge_app
from app import PYTHON, App, start
from colours import contrast, ground, luminance, rgb
from convert.data.unipen import read_unipen
from edge_app.digits.labelled import LabelledDrawing, read_json_lines
from edge_app.models.card import VARIANTS
from model_folders import ODD_TITLE, with_copies
from visit import (
    SEVEN,
    Stroke,
    Strokes,
    Visit,
    alike,
    asks,
    points,
    press,
    shows,
    touch,
    with_finger,
    with_mouse,
)

ONE: Strokes = [[(500, 200), (500, 400), (500, 600), (500, 800)]]
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 3,
    "is_mobile": True,
    "has_touch": True,
}
MODELS = ("dense", "mlp", "cnn")

Visits = Callable[..., Visit]


def strokes_of(drawing: LabelledDrawing) -> Strokes:
    return [[(x, y) for x, y in stroke.tolist()] for stroke in drawing.strokes]


def fitted(drawing: LabelledDrawing) -> Strokes:
    """A drawing of any scale, brought onto the canvas."""
    every = np.concatenate(drawing.strokes)
    low, high = every.min(axis=0), every.max(axis=0)
    scale = 600 / (high - low).max()
    middle = (low + high) / 2
    return [
        [(x, y) for x, y in ((stroke - middle) * scale + 500).tolist()]
        for stroke in drawing.strokes
    ]


def best(probabilities: list[float]) -> list[int]:
    """The two most probable digits, of equals the lower one first."""
    return sorted(range(10), key=lambda digit: -probabilities[digit])[:2]


def preview(visit: Visit) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The pixels that the page shows as the models' own, uint8 (28, 28)."""
    data = visit.get("preview").evaluate(
        "canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, 28, 28).data)"
    )
    red, green, blue, opacity = np.array(data, np.uint8).reshape(28, 28, 4).transpose(2, 0, 1)
    assert (red == green).all()
    assert (red == blue).all()
    assert (opacity == 255).all()
    return red


# Drawing


def test_digits_drawn_with_the_mouse_are_read(
    open_page: Visits, page_drawings: list[LabelledDrawing]
) -> None:
    visit = open_page(viewport={"width": 1280, "height": 800})
    for drawing in page_drawings:
        visit.clear()
        answers = visit.draw(strokes_of(drawing))
        assert answers["mlp"]["digit"] == drawing.label
        for model in MODELS:
            answer = answers[model]
            shown = str(answer["digit"]) if answer["accepted"] else "?"
            expect(visit.digit(model)).to_have_text(shown)


def test_digits_drawn_with_a_finger_are_read(
    open_page: Visits, page_drawings: list[LabelledDrawing]
) -> None:
    visit = open_page(**PHONE)
    for drawing in page_drawings[::2]:
        visit.clear()
        answers = visit.draw(strokes_of(drawing), with_finger)
        assert answers["mlp"]["digit"] == drawing.label
        expect(visit.digit("mlp")).to_have_text(str(drawing.label))


def test_digits_of_people_who_were_not_trained_on_are_read(
    open_page: Visits, pen_file: Path
) -> None:
    visit = open_page(**PHONE)
    unseen = [drawing for drawing in read_unipen(pen_file) if (drawing.writer or 0) >= 25]
    right = 0
    for digit in range(10):
        drawing = next(drawing for drawing in unseen if drawing.label == digit)
        visit.clear()
        right += visit.draw(fitted(drawing), with_finger)["mlp"]["digit"] == digit
    assert right >= 9


def test_a_second_finger_draws_nothing(open_page: Visits) -> None:
    visit = open_page(**PHONE)
    first = visit.places(SEVEN[0])
    second = visit.places([(x, y - 200) for x, y in SEVEN[0]])
    both = map(list, zip(first, second, strict=True))
    visit.answered(SEVEN, lambda: touch(visit, first[:1], *both))
    expect(visit.digit("mlp")).to_have_text("7")
    visit.get("undo").click()
    expect(visit.digit("mlp")).to_have_text("")
    assert visit.sent[-1]["strokes"] == []


def test_the_page_stays_where_it_is_while_a_finger_draws(open_page: Visits) -> None:
    visit = open_page(**PHONE | {"viewport": {"width": 390, "height": 400}})
    visit.draw([ONE[0][::-1]], with_finger)  # From bottom to top.
    assert visit.page.evaluate("scrollY") == 0
    heading = visit.page.locator("header").bounding_box()
    assert heading
    x, y = heading["x"] + 20, heading["y"] + heading["height"]
    touch(visit, *([(x, y - step)] for step in range(0, int(y), 10)))  # Elsewhere it scrolls.
    visit.page.wait_for_function("scrollY > 0")


def test_an_answer_comes_while_the_line_is_still_drawn(open_page: Visits) -> None:
    visit = open_page()
    press(visit, SEVEN[0])
    expect(visit.digit("mlp")).to_have_text("7")
    sizes = [len(each["strokes"][0]) for each in visit.sent if each["strokes"]]
    assert sizes[0] < sizes[-1]
    assert sizes == sorted(sizes)
    visit.page.mouse.up()


def test_a_line_that_leaves_the_canvas_comes_back(open_page: Visits) -> None:
    visit = open_page()
    there: Stroke = [(500, 500), (1000, 500)]
    back: Stroke = [(1000, 600), (500, 600)]
    outside: Stroke = [(1200, 500), (1200, 600)]
    # The models see what is on the canvas, and no line between the two places.
    visit.answered([there, back], lambda: with_mouse(visit, [there + outside + back]))
    visit.get("undo").click()  # It is one stroke.
    expect(visit.page.locator(".hint")).to_be_visible()


def test_the_other_buttons_of_a_mouse_draw_nothing(open_page: Visits) -> None:
    visit = open_page()
    visit.get("canvas").click(button="right")
    visit.get("canvas").click(button="middle")
    expect(visit.page.locator(".hint")).to_be_visible()


def test_a_canvas_scribbled_full_is_still_answered(open_page: Visits) -> None:
    visit = open_page()
    press(visit, [(500, 500)])
    for _ in range(2):
        with visit.page.expect_response(lambda response: points(response.request) > 100) as last:
            visit.get("canvas").evaluate(SCRIBBLE)
        assert last.value.ok
        assert points(last.value.request)
    visit.page.mouse.up()
    expect(visit.digit("mlp")).not_to_have_text("")
    assert max(visit.bytes_sent) <= 3000


def test_hundreds_of_strokes_are_still_answered(open_page: Visits) -> None:
    visit = open_page()
    with visit.page.expect_response(lambda response: points(response.request) > 100) as last:
        visit.get("canvas").evaluate(SPRINKLE)
    assert last.value.ok
    expect(visit.digit("mlp")).not_to_have_text("")
    assert max(visit.bytes_sent) <= 3000


SPRINKLE = """canvas => {
    const box = canvas.getBoundingClientRect();
    canvas.setPointerCapture = () => {};  // There is no such pointer.
    for (let i = 0; i < 600; i++) {
        const place = {
            pointerId: 1,
            clientX: box.x + (17 * i) % box.width,
            clientY: box.y + (29 * i) % box.height,
        };
        canvas.dispatchEvent(new PointerEvent("pointerdown", place));
        canvas.dispatchEvent(new PointerEvent("pointerup", place));
    }
}"""
"""600 dots."""


SCRIBBLE = """canvas => {
    const box = canvas.getBoundingClientRect();
    let i = 0;
    const next = () => new PointerEvent("pointermove", {
        pointerId: 1,
        clientX: box.x + (17 * ++i) % box.width,
        clientY: box.y + (29 * i) % box.height,
    });
    for (let frame = 0; frame < 40; frame++) {
        const coalescedEvents = Array.from({ length: 500 }, next);
        canvas.dispatchEvent(new PointerEvent("pointermove", { pointerId: 1, coalescedEvents }));
    }
}"""
"""20,000 points, of which a device reports a few hundred a second."""


# What is seen


def test_an_empty_canvas_has_no_answer_but_a_hint(open_page: Visits) -> None:
    visit = open_page()
    expect(visit.page.locator(".hint")).to_be_visible()
    for model in MODELS:
        expect(visit.digit(model)).to_have_text("")
    expect(visit.status).to_have_text("")
    assert not preview(visit).any()
    visit.draw(SEVEN)
    expect(visit.page.locator(".hint")).to_be_hidden()


def test_undo_takes_the_last_stroke_back_and_clear_takes_all(open_page: Visits) -> None:
    visit = open_page()
    cross: Strokes = [[(200, 100), (200, 900)], [(800, 100), (800, 900)]]
    visit.draw([*SEVEN, *cross])
    for left in ([*SEVEN, cross[0]], SEVEN):
        visit.answered(left, visit.get("undo").click)
    expect(visit.digit("mlp")).to_have_text("7")
    visit.get("undo").click()
    visit.get("undo").click()  # There is none left.
    expect(visit.digit("mlp")).to_have_text("")
    expect(visit.page.locator(".hint")).to_be_visible()
    visit.draw([*SEVEN, *cross])
    visit.get("clear").click()
    expect(visit.digit("mlp")).to_have_text("")
    expect(visit.page.locator(".hint")).to_be_visible()
    visit.draw(SEVEN)
    expect(visit.digit("mlp")).to_have_text("7")


def test_keys_work_on_a_layout_without_latin_letters(open_page: Visits) -> None:
    visit = open_page()
    visit.draw(SEVEN)
    type_key = "(key) => document.body.dispatchEvent(new KeyboardEvent('keydown', key))"
    key = {"key": "я", "code": "KeyZ", "ctrlKey": True, "bubbles": True}
    visit.answered([], lambda: visit.page.evaluate(type_key, key))
    key |= {"key": "Я", "shiftKey": True}
    visit.answered(SEVEN, lambda: visit.page.evaluate(type_key, key))


@pytest.mark.parametrize("command", ["Control", "Meta"])
def test_keys_undo_redo_and_clear(open_page: Visits, command: str) -> None:
    visit = open_page()
    cross: Stroke = [(200, 100), (200, 900)]
    press = visit.page.keyboard.press
    visit.draw([*SEVEN, cross])
    visit.answered(SEVEN, lambda: press(f"{command}+z"))
    visit.answered([*SEVEN, cross], lambda: press(f"{command}+Shift+z"))
    visit.answered([], lambda: press("Escape"))
    expect(visit.digit("mlp")).to_have_text("")
    visit.answered([*SEVEN, cross], lambda: press(f"{command}+z"))  # Cleared by mistake.
    visit.answered(SEVEN, lambda: press(f"{command}+z"))
    expect(visit.digit("mlp")).to_have_text("7")


def test_redo_brings_strokes_back_until_another_is_drawn(open_page: Visits) -> None:
    visit = open_page()
    cross: Stroke = [(200, 100), (200, 900)]
    visit.draw([*SEVEN, cross])
    for _ in range(2):
        visit.get("undo").click()
    visit.answered(SEVEN, visit.get("redo").click)
    visit.answered([*SEVEN, cross], visit.get("redo").click)
    visit.answered(SEVEN, visit.get("undo").click)
    visit.answered([*SEVEN, *ONE], lambda: with_mouse(visit, ONE))
    visit.get("redo").click()  # There is nothing left to do again.
    visit.answered(SEVEN, visit.get("undo").click)


def test_a_pen_draws_all_the_points_that_it_reports(open_page: Visits) -> None:
    visit = open_page()
    bow: Stroke = [(200 + 4 * i, 200 + i * i // 40) for i in range(150)]
    answers = visit.answered([bow], lambda: visit.get("canvas").evaluate(PEN, bow))
    assert answers["mlp"]["digit"] is not None
    [line] = visit.sent[-1]["strokes"]
    # Each of its points lies near the line that was sent, which has fewer.
    assert len(line) < len(bow)
    assert max(min(aside(place, *ends) for ends in pairwise(line)) for place in bow) < 4


PEN = """(canvas, places) => {
    const box = canvas.getBoundingClientRect();
    const pen = ([x, y]) => ({
        pointerId: 7,
        pointerType: "pen",
        clientX: box.x + x / 1000 * box.width,
        clientY: box.y + y / 1000 * box.height,
    });
    canvas.setPointerCapture = () => {};  // There is no such pointer.
    canvas.dispatchEvent(new PointerEvent("pointerdown", pen(places[0])));
    const coalescedEvents = places.map((place) => new PointerEvent("pointermove", pen(place)));
    const last = pen(places.at(-1));
    canvas.dispatchEvent(new PointerEvent("pointermove", { ...last, coalescedEvents }));
    canvas.dispatchEvent(new PointerEvent("pointerup", last));
}"""
"""A pen that reports many points at once."""


def aside(place: Sequence[float], one: Sequence[float], other: Sequence[float]) -> float:
    """How far a place is from the line between two others."""
    way = np.subtract(other, one)
    along = np.clip(np.dot(np.subtract(place, one), way) / max(np.dot(way, way), 1), 0, 1)
    return math.dist(place, one + along * way)


@pytest.mark.parametrize("options", [PHONE, {"device_scale_factor": 1}], ids=["phone", "desktop"])
def test_the_pen_is_as_wide_as_it_should_be(open_page: Visits, options: dict[str, Any]) -> None:
    visit = open_page(**options)
    visit.draw(ONE)
    expect(visit.digit("mlp")).not_to_have_text("")
    visit.page.evaluate("() => new Promise(requestAnimationFrame)")
    width, density, inked = visit.get("canvas").evaluate(
        """canvas => {
            const y = Math.round(canvas.height / 2);
            const row = canvas.getContext("2d").getImageData(0, y, canvas.width, 1).data;
            const opacity = row.filter((_, i) => i % 4 === 3);
            const inked = opacity.reduce((sum, one) => sum + one / 255, 0);
            return [canvas.width, canvas.width / canvas.clientWidth, inked];
        }"""
    )
    assert density == pytest.approx(options["device_scale_factor"], rel=0.01)
    assert inked / width == pytest.approx(0.05, rel=0.05)


def test_clearing_in_the_middle_of_a_stroke_ends_it(open_page: Visits) -> None:
    visit = open_page()
    visit.clear()  # Its button keeps the focus.
    press(visit, ONE[0])
    visit.page.keyboard.press("Enter")
    visit.page.mouse.move(*visit.places([(100, 100)])[0])
    visit.page.mouse.up()
    expect(visit.page.locator(".hint")).to_be_visible()
    visit.draw(SEVEN)
    expect(visit.digit("mlp")).to_have_text("7")


def test_another_variant_answers_for_the_drawing_that_is_there(open_page: Visits) -> None:
    visit = open_page()
    expect(visit.variant("int8")).to_be_checked()
    visit.draw(SEVEN)
    strokes = visit.sent[-1]["strokes"]
    for variant in VARIANTS:  # int8, which is chosen, comes last.
        with visit.page.expect_response(lambda response: asks(response.request)) as chosen:
            visit.variant(variant).check(force=True)
        assert visit.sent[-1] == {"strokes": strokes, "variant": variant}
        assert {each["variant"] for each in chosen.value.json()["answers"].values()} == {variant}
        expect(visit.digit("mlp")).to_have_text("7")


def test_each_answer_says_how_far_it_is_from_float32(open_page: Visits) -> None:
    visit = open_page()
    drift = visit.page.locator("[data-model=mlp] .drift")
    expect(drift).to_have_text("")
    told = {"digit": 7, "float32_digit": 7, "variant": "int8"}
    visit.page.evaluate(TELL, told | {"drift": 0.0123})
    visit.draw(SEVEN)
    expect(drift).to_have_text("1.2 pts off float32")
    for changes, sentence in (
        ({"drift": 0.0004}, "< 0.1 pts off float32"),
        ({"drift": 0}, "same as float32"),
        ({"drift": 0.4, "float32_digit": 1}, "float32 says 1"),
        ({"drift": None, "float32_digit": None}, ""),
        ({"variant": "float32", "drift": 0}, "float32 itself"),
    ):
        visit.page.evaluate(TELL, told | changes)
        visit.get("undo").click()
        visit.get("redo").click()
        expect(drift).to_have_text(sentence)
        flips = "drift flips" if "says" in sentence else "drift"
        expect(drift).to_have_class(flips)


def test_the_size_is_that_of_the_variant_s_file(open_page: Visits, models_folder: Path) -> None:
    visit = open_page()
    model = edge_app.load_models(models_folder)["mlp"]
    for variant, file in model.card.variants.items():
        visit.variant(variant).check(force=True)
        size = f"{file.bytes / 1e6:.1f} MB" if file.bytes >= 1e6 else f"{file.bytes / 1e3:.0f} kB"
        expect(visit.page.locator("[data-model=mlp] .size")).to_have_text(size)


def test_a_title_is_shown_as_it_is_whatever_it_looks_like(
    open_page: Visits, many_models: App
) -> None:
    visit = open_page(many_models)
    odd = visit.page.locator("[data-model=another-3]")
    expect(odd.locator("h2")).to_contain_text(ODD_TITLE)
    expect(odd.locator("h2")).to_have_attribute("title", ODD_TITLE)
    expect(odd).to_have_attribute("aria-label", ODD_TITLE)
    assert visit.page.title() == "Draw a digit"
    visit.draw(SEVEN)
    expect(visit.get("announcement")).to_contain_text(f"{ODD_TITLE}: 7")


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_sample_is_drawn_and_read(open_page: Visits, motion: str) -> None:
    visit = open_page(reduced_motion=motion)
    samples = json.loads((Path(edge_app.__file__).parent / "page/canvas/samples.json").read_text())
    assert [sample["label"] for sample in samples] == list(range(10))
    before = len(visit.sent)
    for sample in samples:
        button = visit.page.get_by_role("button", name=f"Sample: {sample['label']}")
        answers = visit.answered(sample["strokes"], button.click)
        expect(visit.digit("mlp")).to_have_text(str(sample["label"]))
        assert answers["mlp"]["digit"] == sample["label"]
    if motion == "reduce":
        assert len(visit.sent) == before + len(samples)
    visit.answered(samples[8]["strokes"], visit.get("undo").click)


def test_drawing_completes_a_sample_at_once(open_page: Visits) -> None:
    visit = open_page()
    visit.page.evaluate("requestAnimationFrame = () => 1")  # It stands still at its first point.
    visit.page.get_by_role("button", name="Sample: 8").click()
    samples = json.loads((Path(edge_app.__file__).parent / "page/canvas/samples.json").read_text())
    eight = samples[8]["strokes"]
    visit.answered([*eight, *ONE], lambda: with_mouse(visit, ONE))
    visit.answered(eight, visit.get("undo").click)


def test_the_preview_is_what_the_models_see(open_page: Visits, models_folder: Path) -> None:
    visit = open_page()
    visit.draw(SEVEN)
    expect(visit.digit("mlp")).to_have_text("7")
    [normalization] = {m.normalization for m in edge_app.load_models(models_folder).values()}
    expected = edge_app.rasterize(visit.sent[-1]["strokes"], normalization)
    # Another NumPy may add up in another order.
    tolerance = 0 if sys.executable == PYTHON else 1
    np.testing.assert_allclose(preview(visit).astype(int), expected.astype(int), atol=tolerance)


def latency(answer: Any) -> str:
    """As the page writes it: a half is rounded up, where Python rounds it to what is even."""
    return f"{math.floor(answer['latency_us'] + 0.5)} µs"


def test_confidence_and_bars_show_the_probabilities(open_page: Visits) -> None:
    visit = open_page()
    answer = visit.draw(SEVEN)["mlp"]
    section = visit.page.locator("[data-model=mlp]")
    expect(section.locator(".best")).to_have_text("7")
    expect(section.locator(".latency")).to_have_text(latency(answer))
    shown = section.locator(".bars i").evaluate_all(
        "bars => bars.map(bar => Number(bar.style.getPropertyValue('--probability')))"
    )
    assert shown == answer["probabilities"]


def test_a_model_that_is_not_sure_says_so_with_its_two_best_guesses(
    open_page: Visits, doubting_app: App
) -> None:
    visit = open_page(doubting_app)
    section, other = (visit.page.locator(f"[data-model={name}]") for name in ("dense", "mlp"))
    for strokes in (SEVEN, ONE):
        visit.clear()
        for each in (section, other):
            expect(each.locator(".doubt")).to_have_text("")
        answer = visit.draw(strokes)["dense"]
        expect(visit.digit("dense")).to_have_text("?")
        first, second = best(answer["probabilities"])
        assert first == answer["digit"]
        expect(section.locator(".doubt")).to_be_visible()
        expect(section.locator(".doubt")).to_have_text(
            re.compile(rf"^Not sure: {first} \(.*%\) or {second} \(.*%\)$")
        )
        expect(section.locator(".confidence")).to_have_text("")
        expect(section.locator(".best")).to_have_count(0)
        expect(section.locator(".latency")).to_have_text(latency(answer))


def test_a_model_that_is_sure_beside_one_that_is_not_shows_its_digit(
    open_page: Visits, doubting_app: App
) -> None:
    visit = open_page(doubting_app)
    visit.draw(SEVEN)
    section = visit.page.locator("[data-model=mlp]")
    expect(visit.digit("mlp")).to_have_text("7")
    expect(section.locator(".confidence")).to_have_text(re.compile(r"\d%$"))
    expect(section.locator(".best")).to_have_text("7")
    expect(section.locator(".doubt")).to_have_text("")


def test_answers_and_doubt_are_announced_when_they_stay(
    open_page: Visits, doubting_app: App
) -> None:
    visit = open_page(doubting_app)
    visit.draw(SEVEN)
    said = visit.get("announcement")
    expect(said).to_have_attribute("aria-live", "polite")
    expect(said).to_have_text(
        re.compile(r"^Simple Dense: not sure, 7 \(.*%\) or \d \(.*%\)\..*Perceptron: 7, .*%\.$")
    )


@pytest.mark.parametrize(
    ("probabilities", "sentence"),
    [
        ({4: 0.55, 9: 0.4, 7: 0.05}, "Not sure: 4 (55%) or 9 (40%)"),
        ({9: 0.55, 4: 0.4, 7: 0.05}, "Not sure: 9 (55%) or 4 (40%)"),
        ({8: 0.5, 3: 0.5}, "Not sure: 3 (50%) or 8 (50%)"),
        ({7: 0.6, 5: 0.2, 2: 0.2}, "Not sure: 7 (60%) or 2 (20%)"),
        (dict.fromkeys(range(10), 0.1), "Not sure: 0 (10%) or 1 (10%)"),
        ({6: 0.9901, 0: 0.0099}, "Not sure: 6 (> 99%) or 0 (< 1%)"),
        ({6: 0.99, 0: 0.01}, "Not sure: 6 (99%) or 0 (1%)"),
        ({6: 1}, "Not sure: 6 (> 99%) or 0 (< 1%)"),
    ],
)
def test_guesses_come_from_the_probabilities_the_lower_digit_of_equals_first(
    open_page: Visits, probabilities: dict[int, float], sentence: str
) -> None:
    visit = open_page()
    told = [probabilities.get(digit, 0) for digit in range(10)]
    visit.page.evaluate(TELL, {"digit": best(told)[0], "accepted": False, "probabilities": told})
    visit.draw(SEVEN)
    for model in MODELS:
        expect(visit.digit(model)).to_have_text("?")
        expect(visit.page.locator(f"[data-model={model}] .doubt")).to_have_text(sentence)


TELL = """(told) => {
    const fetch = (window.honest ??= window.fetch);
    window.fetch = async (...request) => {
        const response = await fetch(...request);
        const content = await response.json();
        for (const answer of Object.values(content.answers)) Object.assign(answer, told);
        return new Response(JSON.stringify(content), response);
    };
}"""
"""Every answer from here on is told with these fields."""


@pytest.mark.parametrize(
    ("width", "height"), [(360, 640), (390, 844), (740, 360), (768, 1024), (1280, 800)]
)
def test_nothing_moves_when_a_model_is_not_sure(
    open_page: Visits, three_models: App, width: int, height: int
) -> None:
    device = PHONE if width < 720 else {}
    visit = open_page(three_models, **device | {"viewport": {"width": width, "height": height}})
    blank = visit.page.evaluate(PLACES)
    visit.draw(SEVEN)
    expect(visit.digit("mlp")).to_have_text("7")
    assert visit.page.evaluate(PLACES) == still(blank)
    told = [0.0] * 9 + [1.0]
    visit.page.evaluate(TELL, {"digit": 9, "accepted": False, "probabilities": told})
    visit.get("undo").click()
    visit.draw(SEVEN)
    expect(visit.page.locator(".doubt").last).to_have_text("Not sure: 9 (> 99%) or 0 (< 1%)")
    assert visit.page.evaluate(PLACES) == still(blank)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.page.evaluate(ROOM)


PLACES = """() => {
    const selector = "canvas, button, .answer, .answer h2, .verdict, .digit, .bars, .views";
    return Array.from(document.querySelectorAll(selector), (element) => {
        const { x, y, width, height } = element.getBoundingClientRect();
        return [x, y, width, height];
    }).flat();
}"""
"""Where each part of the answers is, and how large, in one row."""


def still(places: list[float]) -> Any:
    """The same, but for a fraction of a pixel, which nobody sees."""
    return pytest.approx(places, abs=0.1)


ROOM = """() => Array.from(document.querySelectorAll(".doubt"), (doubt) => {
    const box = doubt.parentElement.getBoundingClientRect();
    const row = doubt.closest(".verdict");
    const verdict = row.getBoundingClientRect();
    const digit = row.querySelector(".digit").getBoundingClientRect();
    return box.left >= digit.right + 8 && box.right <= verdict.right
        && box.top >= verdict.top - 2 && box.bottom <= verdict.bottom + 2;
}).every(Boolean)"""
"""Whether each doubt lies within its place, beside the digit."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_doubt_stands_out_from_its_ground(
    open_page: Visits, doubting_app: App, scheme: str
) -> None:
    visit = open_page(doubting_app, color_scheme=scheme)
    visit.draw(SEVEN)
    expect(visit.digit("dense")).to_have_text("?")
    for selector in (".digit", ".doubt span", ".latency", ".bars li"):
        text = visit.page.locator(f"[data-model=dense] {selector}").first
        colour = rgb(text.evaluate("element => getComputedStyle(element).color"))
        assert contrast(colour, ground(text)) >= 4.5, selector


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_ink_and_text_stand_out_from_their_ground(open_page: Visits, scheme: str) -> None:
    visit = open_page(color_scheme=scheme)
    visit.draw(SEVEN)
    expect(visit.digit("mlp")).to_have_text("7")
    assert contrast(ink(visit), ground(visit.get("canvas"))) >= 4.5
    for selector in (
        *("header p", "h2", ".digit", ".confidence", ".latency", ".bars li", ".drift"),
        *(".variants label", ".variants label:has(:checked)", ".legend", ".tools button"),
        *("figcaption b", "figcaption span", ".samples button"),
    ):
        text = visit.page.locator(f"#canvas {selector}").first
        colour = rgb(text.evaluate("element => getComputedStyle(element).color"))
        assert contrast(colour, ground(text)) >= 4.5, selector
    is_dark = luminance(ground(visit.get("canvas"))) < 0.5
    assert is_dark == (scheme == "dark")


def test_the_ink_changes_with_the_colour_scheme(open_page: Visits) -> None:
    visit = open_page(color_scheme="light")
    visit.draw(SEVEN)
    visit.page.emulate_media(color_scheme="dark")
    expect(visit.page.locator("body")).to_have_class("dark")
    assert contrast(ink(visit), ground(visit.get("canvas"))) >= 4.5


def test_the_drawing_and_what_can_be_undone_outlive_the_page(open_page: Visits) -> None:
    visit = open_page(**PHONE)
    cross: Stroke = [(200, 100), (200, 900)]
    visit.variant("float16").check(force=True)
    visit.draw([*SEVEN, cross], with_finger)
    visit.answered(SEVEN, visit.get("undo").click)
    visit.answered(SEVEN, visit.page.reload)
    expect(visit.digit("mlp")).to_have_text("7")
    expect(visit.variant("float16")).to_be_checked()
    assert visit.sent[-1]["variant"] == "float16"
    visit.answered([*SEVEN, cross], visit.get("redo").click)
    for _ in range(2):
        visit.get("undo").click()
    expect(visit.page.locator(".hint")).to_be_visible()


def test_a_page_that_is_left_in_the_middle_of_a_stroke_keeps_it(open_page: Visits) -> None:
    visit = open_page()
    press(visit, SEVEN[0])
    expect(visit.digit("mlp")).to_have_text("7")
    # Still drawing, so that an answer from before may be on its way: what counts comes after.
    visit.page.reload()
    expect(visit.digit("mlp")).to_have_text("7")
    assert alike(visit.sent[-1]["strokes"], SEVEN)
    visit.page.mouse.up()


def test_the_drawing_stays_when_a_phone_is_turned(open_page: Visits) -> None:
    visit = open_page(**PHONE)
    visit.draw(SEVEN, with_finger)
    before = ink(visit)
    visit.page.set_viewport_size({"width": 844, "height": 390})
    expect(visit.get("canvas")).to_be_in_viewport(ratio=1)
    assert ink(visit) == before
    visit.answered([*SEVEN, *ONE], lambda: with_finger(visit, ONE))


def test_the_drawing_stays_when_the_window_changes(open_page: Visits) -> None:
    visit = open_page(viewport={"width": 390, "height": 844})
    visit.draw(SEVEN)
    before = ink(visit)
    visit.page.set_viewport_size({"width": 1280, "height": 800})
    visit.page.wait_for_function("document.querySelector('[data-testid=canvas]').width > 400")
    assert ink(visit) == before


@pytest.mark.parametrize(
    ("width", "height"), [(360, 560), (360, 640), (390, 844), (740, 360), (1280, 800)]
)
def test_canvas_and_digits_fit_the_window(open_page: Visits, width: int, height: int) -> None:
    device = PHONE if width < 720 else {}
    visit = open_page(**device | {"viewport": {"width": width, "height": height}})
    visit.draw(SEVEN)
    assert visit.page.evaluate("innerWidth") == width
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    shown = ("canvas", "undo", "redo", "clear", "variant", "preview")
    for name in (*shown, *(f"digit-{model}" for model in MODELS)):
        expect(visit.get(name)).to_be_in_viewport(ratio=1)
    assert visit.page.evaluate("scrollY") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(360, 640), (390, 844), (768, 1024), (1280, 800)])
def test_three_models_fit_the_window_without_scrolling(
    open_page: Visits, three_models: App, width: int, height: int, scheme: str
) -> None:
    device = PHONE if width < 720 else {}
    size = {"width": width, "height": height}
    visit = open_page(three_models, **device | {"viewport": size, "color_scheme": scheme})
    visit.draw(SEVEN)
    page = visit.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.scrollHeight") <= height
    for selector in (
        *("[data-testid=canvas]", ".tools button", ".samples button", ".views canvas"),
        *(".answer", ".answer h2", ".digit", ".confidence", ".drift", ".bars", ".facts"),
    ):
        for place in page.locator(f"#canvas {selector}").all():
            expect(place).to_be_in_viewport(ratio=1)
    canvas = visit.get("canvas").bounding_box()
    assert canvas
    assert canvas["width"] == canvas["height"] >= 0.35 * min(width, height)
    assert page.evaluate(CUT_OFF) == []


CUT_OFF = """() => Array.from(document.querySelectorAll(
    "#canvas :is(h1, h2, .legend, .facts, .verdict, .beside, .bars, label, figcaption, button)," +
    "#canvas .one span"
)).filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.textContent)"""
"""What is wider than its place."""


@pytest.mark.parametrize(("width", "height"), [(360, 640), (1280, 800)])
def test_the_answers_of_more_models_scroll_beside_the_canvas(
    open_page: Visits, many_models: App, width: int, height: int
) -> None:
    visit = open_page(many_models, viewport={"width": width, "height": height})
    visit.draw(SEVEN)
    page = visit.page
    assert page.evaluate("document.documentElement.scrollHeight") <= height
    last = page.locator(".answer").last
    page.get_by_role("region", name="Answers").focus()
    page.keyboard.press("End")
    expect(last).to_be_in_viewport(ratio=0.98)  # Scrolled to a whole pixel.
    expect(visit.get("canvas")).to_be_in_viewport(ratio=1)


def alone(visit: Visit, title: str) -> Locator:
    """The button that shows one model alone, and all of them again."""
    return visit.page.get_by_role("button", name=f"Show {title} alone", exact=True)


def test_one_model_is_shown_alone_and_then_all_of_them_again(
    open_page: Visits, three_models: App
) -> None:
    visit = open_page(three_models, **PHONE)
    cards = visit.page.locator(".answer").filter(visible=True)
    said = visit.get("announcement")
    one = alone(visit, "Multi-layer Perceptron")
    # All of the card but its bars will do, not the name alone.
    visit.page.locator("[data-model=mlp] .verdict").tap(force=True)
    expect(cards).to_have_count(1)
    expect(one).to_have_attribute("aria-pressed", "true")
    press(visit, SEVEN[0])
    expect(visit.digit("mlp")).to_have_text("7")  # While the line is still drawn.
    visit.page.mouse.up()
    expect(said).to_have_text(re.compile(r"^Multi-layer Perceptron: 7, [^:]*$"))
    figure = visit.page.locator("[data-model=mlp] .best").get_attribute("data-percent")
    expect(visit.page.locator("[data-model=mlp] .confidence")).to_have_text(figure or "none")
    one.tap()
    expect(cards).to_have_count(3)
    expect(one).to_have_attribute("aria-pressed", "false")
    expect(visit.digit("dense")).to_have_text(re.compile(r"[7?]"))  # Asked all the time.
    expect(said).to_have_text(re.compile("Simple Dense: .*Multi-layer Perceptron: 7, "))


def test_the_model_that_is_shown_alone_outlives_the_page_unless_it_is_gone(
    open_page: Visits, three_models: App
) -> None:
    visit = open_page(three_models)
    cards = visit.page.locator(".answer").filter(visible=True)
    one = alone(visit, "Simple Dense")
    one.focus()
    visit.page.keyboard.press("Enter")
    expect(cards).to_have_count(1)
    visit.draw(SEVEN)
    visit.answered(SEVEN, visit.page.reload)
    expect(visit.digit("dense")).to_be_visible()
    expect(cards).to_have_count(1)
    one.focus()
    visit.page.keyboard.press("Tab")
    expect(visit.page.get_by_role("button", name="All models")).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(cards).to_have_count(3)
    expect(one).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(cards).to_have_count(1)
    visit.page.add_init_script(
        "sessionStorage.digits = sessionStorage.digits.replace('\"dense\"', '\"gone\"')"
    )
    visit.answered(SEVEN, visit.page.reload)  # Of the drawing, nothing is lost.
    expect(cards).to_have_count(3)


@pytest.mark.parametrize(("width", "height"), [(360, 640), (390, 844), (768, 1024), (1280, 800)])
def test_one_model_alone_fits_the_window_has_more_room_and_stands_still(
    open_page: Visits, many_models: App, width: int, height: int
) -> None:
    visit = open_page(many_models, viewport={"width": width, "height": height})
    page = visit.page
    card = page.locator("[data-model=cnn]")
    before = [card.locator(part).bounding_box() for part in (".digit", ".bars")]
    alone(visit, "Convolutional Network").last.click()
    after = [card.locator(part).bounding_box() for part in (".digit", ".bars")]
    for small, large in zip(before, after, strict=True):
        assert small
        assert large
        assert large["height"] > 1.4 * small["height"]
    blank = page.evaluate(PLACES)
    told = [0.0] * 9 + [1.0]
    page.evaluate(TELL, {"digit": 9, "accepted": False, "probabilities": told})
    visit.draw(SEVEN)
    expect(card.locator(".doubt")).to_have_text("Not sure: 9 (> 99%) or 0 (< 1%)")
    assert page.evaluate(PLACES) == still(blank)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.scrollHeight") <= height
    assert page.evaluate(CUT_OFF) == []
    back = page.get_by_role("button", name="All models")
    for place in (visit.get("canvas"), back, *card.locator(":scope > :visible, li").all()):
        expect(place).to_be_in_viewport(ratio=1)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("body")).to_have_class("dark" if scheme == "dark" else "")
        colour = rgb(back.evaluate("element => getComputedStyle(element).color"))
        assert contrast(colour, ground(back)) >= 4.5
    page.evaluate("document.querySelector('.alone').parentElement.scrollTop = 1000")
    back.click()
    expect(card).to_be_in_viewport(ratio=0.98)  # Back among the others, it is not lost of sight.


def test_every_control_is_reached_by_keyboard_has_a_name_and_shows_its_focus(
    open_page: Visits, three_models: App
) -> None:
    visit = open_page(three_models)
    names = []
    for _ in range(20):
        visit.page.keyboard.press("Tab")
        focus = visit.page.locator(":focus")
        names.append(
            focus.evaluate("each => each.ariaLabel ?? (each.closest('label') ?? each).textContent")
        )
        seen = focus.evaluate(
            "each => getComputedStyle(each.closest('label') ?? each).outlineStyle"
        )
        assert seen == "solid", names[-1]
    samples = [f"Sample: {digit}" for digit in range(10)]
    tabs = ["Draw a digit", "Models", "Device"]
    titles = ("Convolutional Network", "Simple Dense", "Multi-layer Perceptron")
    models = {f"Show {title} alone" for title in titles}
    names = [name.strip() for name in names]
    assert names[:-3] == [*tabs, "int8", "Undo", "Redo", "Clear", *samples]
    assert set(names[-3:]) == models
    visit.variant("int8").focus()
    visit.page.keyboard.press("ArrowLeft")
    expect(visit.variant("dynamic")).to_be_checked()


def ink(visit: Visit) -> tuple[float, ...]:
    """The colour of the canvas where SEVEN's bar is."""
    visit.page.evaluate("() => new Promise(requestAnimationFrame)")  # It is painted once a frame.
    *colour, opacity = visit.get("canvas").evaluate(
        """canvas => Array.from(canvas.getContext('2d').getImageData(
               0.5 * canvas.width, 0.25 * canvas.height, 1, 1).data)"""
    )
    assert opacity == 255
    return tuple(colour)


# What is sent


def test_a_slow_server_is_asked_once_at_a_time_and_for_the_newest_state(open_page: Visits) -> None:
    visit = open_page()
    visit.page.evaluate(HOLD)
    before = len(visit.sent)
    with_mouse(visit, SEVEN)
    assert visit.page.evaluate("held.length") == 1
    visit.page.evaluate("held.shift()()")
    visit.page.wait_for_function("held.length")
    visit.answered(SEVEN, lambda: visit.page.evaluate("held.shift()()"))
    expect(visit.digit("mlp")).to_have_text("7")
    assert visit.page.evaluate("held.length") == 0
    assert len(visit.sent) == before + 2


HOLD = """() => {
    const fetch = (window.unheld = window.fetch);
    window.held = [];
    window.fetch = (...request) => new Promise((go) => {
        window.asked = request;
        held.push(() => go(fetch(...request)));
    });
}"""
"""Each request waits until ``held.shift()()`` lets it go."""


def test_a_visit_stores_no_file_and_sends_nothing_but_drawings(open_page: Visits, app: App) -> None:
    visit = open_page()
    files = app.files()
    visit.draw(SEVEN)
    visit.get("undo").click()
    visit.variant("float32").check(force=True)
    visit.draw(ONE)
    assert visit.elsewhere == []
    assert visit.sent
    assert all(each.keys() == {"strokes", "variant"} for each in visit.sent)
    assert app.files() == files


def test_two_who_draw_at_once_get_their_own_answers(open_page: Visits) -> None:
    one, other = open_page(), open_page(**PHONE)
    press(one, SEVEN[0])
    other.draw(ONE, with_finger)
    expect(one.digit("mlp")).to_have_text("7")
    expect(other.digit("mlp")).to_have_text("1")
    one.page.mouse.up()


def test_an_answer_that_does_not_come_is_waited_for_and_then_asked_for_again(
    open_page: Visits,
) -> None:
    visit = open_page()
    visit.page.clock.install()
    visit.page.evaluate(HOLD)
    with_mouse(visit, SEVEN)
    visit.page.clock.run_for(3500)
    expect(visit.status).to_have_text("Waiting for the device.")
    expect(visit.page.locator(".answers")).to_have_class("answers stale")
    visit.page.clock.run_for(12_000)
    expect(visit.status).to_have_text("The device does not answer. Trying again.")
    visit.page.evaluate("held.length = 0")
    visit.page.clock.run_for(2500)
    visit.page.wait_for_function("held.length")  # Whether it must log in again.
    assert visit.page.evaluate("asked[1].signal instanceof AbortSignal")  # Nor waited for for ever.
    visit.page.evaluate("window.fetch = unheld; held.shift()()")
    expect(visit.digit("mlp")).to_have_text("7")
    expect(visit.status).to_have_text("")
    expect(visit.page.locator(".answers")).to_have_class("answers")


def test_the_page_says_when_the_server_is_gone_and_goes_on_when_it_is_back(
    browser: Browser, tmp_path: Path, models_folder: Path
) -> None:
    folders = [tmp_path / name for name in ("first", "second", "third")]
    for folder in folders:
        folder.mkdir()
    with start(folders[0]) as app:
        visit = Visit(browser.new_page(), app.url)
        visit.draw(ONE)
        app.stop()
    visit.get("clear").click()
    with visit.page.expect_event("requestfailed", lambda request: shows(request, SEVEN)):
        with_mouse(visit, SEVEN)
    answers = visit.page.locator(".answers")
    expect(visit.status).to_have_text("The device does not answer. Trying again.")
    expect(answers).to_have_class("answers stale")
    port = ("--port", str(urlsplit(app.url).port))
    with start(folders[1], *port) as app:
        expect(visit.digit("mlp")).to_have_text("7")
        expect(visit.status).to_have_text("")
        expect(answers).to_have_class("answers")
        app.stop()
    with_mouse(visit, ONE)
    expect(visit.status).to_have_text("The device does not answer. Trying again.")
    # Back with other models, it has another page, too.
    models = with_copies(models_folder, tmp_path / "models", 4)
    with start(folders[2], *port, "--models", models) as app:
        expect(visit.page.locator(".answer")).to_have_count(4)
        visit.answered(SEVEN, visit.get("undo").click)
        expect(visit.digit("mlp")).to_have_text("7")
        expect(visit.digit("another-3")).not_to_have_text("")
        visit.page.close()


def test_an_app_that_was_started_anew_with_other_models_is_noticed(open_page: Visits) -> None:
    visit = open_page()
    visit.draw(SEVEN)
    for change in OTHERS.values():
        visit.page.route("**/component_server/", partial(changed, change), times=1)
        if change is OTHERS["error"]:
            visit.page.route("**/app_id", lambda route: route.fulfill(json={"app_id": 0}), times=1)
        with visit.page.expect_navigation():
            visit.get("undo").click()
        visit.answered(SEVEN, visit.get("redo").click)
        expect(visit.digit("mlp")).to_have_text("7")


OTHERS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a model more": lambda content: content["answers"].update(new=content["answers"]["mlp"]),
    "a model less": lambda content: content["answers"].pop("cnn"),
    "another normalization": lambda content: content.update(
        views={"box": content["views"]["moments"]}
    ),
    "a single file": lambda content: content["answers"]["mlp"].update(variant="tflite"),
    "error": lambda content: content.update(error="The variant is 'int8'; expected one of tflite."),
}
"""What differs in an answer of another app."""


def changed(change: Callable[[dict[str, Any]], object], route: Any) -> None:
    response = route.fetch()
    content = response.json()
    change(content)
    route.fulfill(response=response, json=content)


# Storing drawings


def test_one_tap_stores_the_drawing_with_its_label(open_page: Visits, tmp_path: Path) -> None:
    file = tmp_path / "drawings.jsonl"
    file.write_text('{"label": 1, "strokes": [[[0, 0], [0, 9]]]}\n')
    (tmp_path / "app").mkdir()
    with start(tmp_path / "app", "--save-drawings", file) as app:
        visit = open_page(app, **PHONE)
        note = visit.page.locator(".legend")
        expect(note).to_contain_text("1 stored")
        labels = visit.get("labels")
        expect(labels).to_be_hidden()
        visit.draw(SEVEN, with_finger)
        visit.page.clock.install()
        visit.page.clock.pause_at(visit.page.evaluate("Date.now() + 1000"))
        button = labels.get_by_role("button", name="Store the drawing as 7")
        button.dblclick()
        expect(note).to_have_text("Stored as 7 · 2 stored on the device")
        expect(visit.get("announcement")).to_have_text("Stored as 7 · 2 stored on the device")
        expect(labels).to_be_visible()  # No sample comes under the second tap.
        expect(button).to_be_focused()
        visit.page.clock.resume()
        expect(labels).to_be_hidden()
        expect(visit.get("clear")).to_be_focused()
        visit.answered([*SEVEN, *ONE], lambda: with_finger(visit, ONE))
        expect(labels).to_be_visible()
    first, second = read_json_lines(file)
    assert (first.label, second.label) == (1, 7)
    (corner, _, *rest) = SEVEN[0]  # A point on a straight line adds nothing.
    assert strokes_of(second) == [[corner, *rest]]


FAIL_ONCE = """() => {
    const { fetch } = window;
    window.fetch = () => {
        window.fetch = fetch;
        return Promise.reject(Error("gone"));
    };
}"""
"""The page's next request comes to nothing."""


def test_a_sample_is_not_offered_for_storing(open_page: Visits, tmp_path: Path) -> None:
    with start(tmp_path, "--save-drawings", tmp_path / "drawings.jsonl") as app:
        visit = open_page(app, reduced_motion="reduce")
        visit.page.locator(".samples button").nth(3).click()
        expect(visit.digit("mlp")).to_have_text("3")
        expect(visit.get("labels")).to_be_hidden()
        with_mouse(visit, ONE)  # A part of it is nobody's own.
        expect(visit.get("labels")).to_be_hidden()
        visit.clear()
        visit.draw(SEVEN)
        expect(visit.get("labels")).to_be_visible()
        visit.page.evaluate(FAIL_ONCE)
        visit.get("labels").get_by_role("button").nth(7).click()
        expect(visit.status).to_contain_text("may not be stored")
        visit.get("labels").get_by_role("button").nth(7).click()
        expect(visit.get("labels")).to_be_hidden()
        expect(visit.status).to_be_empty()
        visit.answered(SEVEN, visit.page.reload)
        expect(visit.digit("mlp")).to_have_text("7")
        expect(visit.get("labels")).to_be_hidden()  # It is stored once.


def test_what_keeps_a_drawing_from_being_stored_is_said(open_page: Visits, tmp_path: Path) -> None:
    file = tmp_path / "drawings.jsonl"
    with start(tmp_path, "--save-drawings", file, "--save-limit", "20") as app:
        visit = open_page(app)
        visit.draw(SEVEN)
        visit.get("labels").get_by_role("button").nth(7).click()
        expect(visit.status).to_contain_text("has reached its limit of 20 bytes")
        expect(visit.get("labels")).to_be_visible()
        lost = "The device does not answer: the drawing may not be stored."
        visit.page.evaluate("() => { window.fetch = () => Promise.reject(Error('gone')) }")
        visit.get("labels").get_by_role("button").nth(7).click()
        expect(visit.status).to_have_text(lost)
        expect(visit.get("labels")).to_be_visible()
        visit.status.evaluate("status => status.textContent = ''")
        visit.page.clock.install()
        visit.page.evaluate("() => { window.fetch = () => new Promise(() => {}) }")  # It hangs.
        visit.get("labels").get_by_role("button").nth(7).click()
        visit.page.clock.run_for(16_000)
        expect(visit.status).to_have_text(lost)
        expect(visit.get("labels")).to_be_visible()
    assert file.read_bytes() == b""


def test_nothing_is_offered_for_storing_unless_the_app_was_told_to(open_page: Visits) -> None:
    visit = open_page()
    visit.draw(SEVEN)
    expect(visit.digit("mlp")).to_have_text("7")
    expect(visit.get("labels")).to_have_count(0)
    expect(visit.page.locator("header")).to_contain_text("Drawings are not stored.")
