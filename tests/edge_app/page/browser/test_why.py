"""Why?: the evidence is painted on the drawing, when asked for, and gives way to drawing on."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Locator, Request, Route, expect

from app import App
from colours import contrast, parsed, readable
from edge_app.digits.normalization import CENTRE, Normalization, placement, rasterize
from visit import BAR, ONE, PHONE, SEVEN, Strokes, Visit, Visits, calls, content

pytestmark = pytest.mark.slow

FOUR: Strokes = [
    [(420, 150), (350, 350), (300, 540), (500, 530), (720, 520)],
    [(620, 260), (610, 500), (600, 860)],
]


def why(visit: Visit, model: str = "mlp") -> Locator:
    return visit.get(f"why-{model}")


def layer(visit: Visit) -> Locator:
    return visit.get("evidence")


def explained(visit: Visit, model: str = "mlp") -> Any:
    """Open Why? and return the server's explanation."""
    with visit.page.expect_response(lambda found: calls(found.request, "explain")) as reply:
        why(visit, model).click()
    expect(layer(visit)).to_be_visible()
    return reply.value.json()


def change(visit: Visit, edit: Callable[[Any], object]) -> None:
    """Change the server's explanations from now on, in place."""

    def handle(route: Route) -> None:
        if not calls(route.request, "explain"):
            return route.fallback()
        response = route.fetch()
        reply = response.json()
        edit(reply)
        return route.fulfill(response=response, json=reply)

    visit.page.route("**/component_server/", handle)


def pixels_of(canvas: Locator) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Red, green, blue and opacity of a square canvas, (side, side, 4)."""
    address = canvas.evaluate("canvas => canvas.toDataURL()")
    with Image.open(BytesIO(b64decode(address.partition(",")[2]))) as picture:
        return np.asarray(picture.convert("RGBA"))


def colours(visit: Visit) -> dict[str, tuple[float, ...]]:
    """Of the digit's evidence, the runner-up's, and ink that does not matter."""
    names = ("for", "against", "neutral")
    found = layer(visit).evaluate(
        """(layer, names) => names.map((name) => {
            const probe = document.createElement("i");
            probe.style.color = `var(--${name})`;
            layer.append(probe);
            const { color } = getComputedStyle(probe);
            probe.remove();
            return color;
        })""",
        names,
    )
    return dict(zip(names, map(parsed, found), strict=True))


def near(pixels: Any, colour: tuple[float, ...]) -> Any:
    """Which pixels are opaque and have about this colour."""
    return (abs(pixels[..., :3].astype(int) - colour) < 40).all(axis=-1) & (pixels[..., 3] > 250)


def test_it_is_asked_for_when_it_is_opened_and_says_what_makes_it_this_digit(
    open_page: Visits,
) -> None:
    visit = open_page()
    asked: list[Any] = []

    def note(request: Request) -> None:
        if calls(request, "explain"):
            asked.append(content(request)["data"])

    visit.page.on("request", note)
    for model in ("dense", "mlp", "cnn"):
        expect(why(visit, model)).to_be_hidden()
    visit.draw(FOUR)
    assert asked == []
    for model in ("dense", "mlp", "cnn"):
        expect(why(visit, model)).to_have_attribute("aria-expanded", "false")
        found = explained(visit, model)
        expect(why(visit, model)).to_have_attribute("aria-expanded", "true")
        assert (found["digit"], asked[-1]["model"], asked[-1]["variant"]) == (4, model, "int8")
        sentence = f"What makes it a 4 and not an? {found['runner_up']}"
        expect(layer(visit)).to_contain_text(re.compile(sentence))
        expect(layer(visit)).to_contain_text(re.compile(f"for 4\\s*for {found['runner_up']}"))
        spoken = re.compile(f"^{sentence}: most for 4, the .*; most for {found['runner_up']}, ")
        expect(layer(visit).get_by_role("img")).to_have_attribute("aria-label", spoken)
    assert len(asked) == 3
    why(visit, "cnn").click()
    expect(layer(visit)).to_be_hidden()
    expect(why(visit, "cnn")).to_have_attribute("aria-expanded", "false")
    visit.clear()
    expect(why(visit)).to_be_hidden()


def test_what_is_no_digit_is_not_explained_and_a_close_call_in_other_words(
    open_page: Visits,
) -> None:
    visit = open_page()
    visit.draw(SEVEN)
    visit.tell(accepted=False, digit_like=False)
    expect(why(visit)).to_be_hidden()
    visit.tell(accepted=False, digit_like=True)
    change(visit, lambda reply: reply.update(digit=4, runner_up=8))
    explained(visit)
    expect(layer(visit)).to_contain_text("What speaks for a 4, and what for an 8")


@pytest.mark.parametrize("model", ["mlp", "another-4"], ids=["bimoment", "box"])
def test_the_evidence_lies_where_on_the_drawing_the_model_saw_it(
    open_page: Visits, odd_app: App, model: str
) -> None:
    """One pixel alone speaks for the digit: one in the middle of a line; and one for the other."""
    visit = open_page(odd_app)
    visit.draw(FOUR)
    strokes = visit.sent[-1]["strokes"]
    normalization: Normalization = "box" if model == "another-4" else "bimoment"
    ink = rasterize(strokes, normalization)
    # The end of the foot, and that of the bar.
    pixels = [max(np.argwhere(ink == 255), key=lambda at: at @ way) for way in ([1, 0], [-1, 9])]

    def edit(reply: Any) -> None:
        evidence = np.zeros((28, 28))
        for (row, column), sign in zip(pixels, (1, -1), strict=True):
            evidence[row - 1 : row + 2, column - 1 : column + 2] = sign
        reply["evidence"] = evidence.tolist()

    change(visit, edit)
    visit.page.locator(f"[data-model={model}] .one").focus()  # It may have to scroll there.
    reply = explained(visit, model)
    assert reply["placement"] == pytest.approx(placement(strokes, normalization).matrix)
    picture, known = pixels_of(layer(visit).locator("canvas")), colours(visit)
    a, b, c, d, e, f = reply["placement"]
    side = len(picture)
    across, down = reply["balance"]
    for (row, column), name in zip(pixels, ("for", "against"), strict=True):
        column, row = unbalanced(column, *across), unbalanced(row, *down)  # noqa: PLW2901
        x, y = (a * column + c * row + e, b * column + d * row + f)
        places = np.argwhere(near(picture, known[name])) / side * 1000
        assert len(places) > 20
        assert np.hypot(*(np.median(places, axis=0) - (y, x))) < 40
    # The rest of the ink is neutral, and exactly where it was drawn.
    assert near(picture, known["neutral"]).sum() > 3 * near(picture, known["for"]).sum()
    drawn = pixels_of(visit.get("canvas"))[..., 3]
    np.testing.assert_array_equal(picture[..., 3] > 250, drawn > 250)


def unbalanced(place: float, k: float, deviation: float) -> float:
    """Where a column or row of the image was before it was balanced."""
    v = np.linspace(-8, 8, 10_001)
    balanced = v / (1 + k * v / (1 + np.abs(v) / 2))
    return float(CENTRE + deviation * np.interp((place - CENTRE) / deviation, balanced, v))


def test_it_closes_by_a_tap_or_escape_which_leave_the_drawing_as_it_is(open_page: Visits) -> None:
    visit = open_page(**PHONE)
    visit.draw(FOUR, Visit.with_finger)
    sent = len(visit.sent)
    explained(visit)
    visit.touch(visit.places([(700, 200)]))
    expect(layer(visit)).to_be_hidden()
    explained(visit)
    visit.page.keyboard.press("Escape")
    expect(layer(visit)).to_be_hidden()
    expect(visit.digit("mlp")).to_have_text("4")
    assert len(visit.sent) == sent
    visit.page.keyboard.press("Escape")  # Now it clears.
    expect(visit.digit("mlp")).to_have_text("")


@pytest.mark.parametrize("pen", [Visit.with_mouse, Visit.with_finger])
def test_drawing_on_closes_it_and_nothing_of_the_line_is_lost(open_page: Visits, pen: Any) -> None:
    visit = open_page(**PHONE if pen is Visit.with_finger else {})
    visit.draw(FOUR, pen)
    explained(visit)
    visit.answered([*FOUR, BAR], lambda: pen(visit, [BAR]))
    expect(layer(visit)).to_be_hidden()
    visit.answered(FOUR, visit.get("undo").click)


def test_it_closes_when_the_answer_changes(open_page: Visits) -> None:
    visit = open_page()
    visit.draw(SEVEN)
    dash: Strokes = [[(430, 520), (660, 520)]]
    visit.answered([*SEVEN, *dash], lambda: visit.with_mouse(dash))
    acts: list[Callable[[], object]] = [
        lambda: visit.variant("float32").check(force=True),
        visit.get("undo").click,
        visit.get("redo").click,
        lambda: visit.button("Show only Convolutional Network").click(),
    ]
    for act in acts:
        explained(visit)
        act()
        expect(layer(visit)).to_be_hidden()
    # Alone, a model keeps its own.
    explained(visit, "cnn")
    visit.button("All models").click()
    expect(layer(visit)).to_be_visible()


def test_an_answer_that_comes_after_it_was_closed_shows_nothing(open_page: Visits) -> None:
    visit = open_page()
    visit.draw(FOUR)
    held: list[Route] = []
    visit.page.route(
        "**/component_server/",
        lambda route: held.append(route) if calls(route.request, "explain") else route.fallback(),
    )
    with visit.page.expect_request(lambda each: calls(each, "explain")):
        why(visit).click()
    visit.answered([*FOUR, ONE[0]], lambda: visit.with_mouse(ONE))
    with visit.page.expect_response(lambda found: calls(found.request, "explain")):
        held[0].continue_()
    visit.page.evaluate("() => new Promise((done) => setTimeout(done, 50))")
    expect(layer(visit)).to_be_hidden()


def test_it_says_when_the_device_cannot_tell(open_page: Visits) -> None:
    visit = open_page()
    visit.draw(SEVEN)
    change(visit, lambda reply: [reply.clear(), reply.update(error="The model is out of order.")])
    explained(visit)
    expect(layer(visit)).to_contain_text("The model is out of order.")
    expect(layer(visit)).not_to_contain_text("for 7")
    visit.page.keyboard.press("Escape")
    visit.page.unroute("**/component_server/")
    visit.page.route(
        "**/component_server/",
        lambda route: route.abort() if calls(route.request, "explain") else route.fallback(),
    )
    why(visit).click()
    expect(layer(visit)).to_contain_text("Can't reach the device. Try again in a moment.")
    visit.complaints.clear()  # The browser's, of the request.


def test_it_is_reached_by_keyboard(open_page: Visits) -> None:
    visit = open_page()
    visit.draw(FOUR)
    visit.button("Show only Simple Dense").focus()
    visit.page.keyboard.press("Tab")
    expect(why(visit, "dense")).to_be_focused()
    expect(why(visit, "dense")).to_have_accessible_name("Why? Simple Dense")
    visit.page.keyboard.press("Enter")
    expect(layer(visit)).to_be_visible()
    expect(visit.get("announcement")).to_contain_text("Simple Dense: What makes it a 4")
    visit.page.keyboard.press("Escape")
    expect(layer(visit)).to_be_hidden()
    expect(why(visit, "dense")).to_be_focused()
    visit.page.keyboard.press("Control+z")
    visit.page.keyboard.press("Control+z")
    expect(visit.get("clear")).to_be_focused()  # Not lost with the button.


@pytest.mark.parametrize(
    ("width", "scheme"), [(320, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]
)
def test_nobody_is_kept_from_using_it(open_page: Visits, width: int, scheme: Any) -> None:
    visit = open_page(viewport={"width": width, "height": 700}, color_scheme=scheme)
    visit.draw(FOUR)
    explained(visit)
    found = Axe().run(visit.page)
    assert found.violations_count == 0, found.generate_report()
    for text in (why(visit), why(visit, "cnn"), layer(visit).locator("p").first):
        assert readable(text)
    for part in (".reason p", ".reason b"):
        for each in layer(visit).locator(part).all():
            expect(each).to_be_in_viewport(ratio=1)
    box = why(visit).evaluate(
        """button => {
            const { width, height } = getComputedStyle(button, "::after");
            return [parseFloat(width), parseFloat(height)];
        }"""
    )
    assert min(box) >= 42
    known = colours(visit)
    # Told apart in grey: by lightness from ink that does not matter, from each other by stripes.
    for name in ("for", "against"):
        assert contrast(known[name], known["neutral"]) >= 1.9


def test_with_text_of_twice_the_size_it_fits(open_page: Visits) -> None:
    visit = open_page(viewport={"width": 320, "height": 700})
    visit.page.evaluate("document.documentElement.style.fontSize = '200%'")
    visit.draw(FOUR)
    explained(visit)
    paper, reason = layer(visit).bounding_box(), layer(visit).locator(".reason").bounding_box()
    assert paper
    assert reason
    assert reason["height"] <= paper["height"]
    assert layer(visit).locator(".reason").evaluate("each => each.scrollWidth <= each.clientWidth")
    expect(visit.get("canvas")).to_be_in_viewport()
