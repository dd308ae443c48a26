"""Everything fits the window, stays where it is, can be told apart, and is reached by keyboard."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Locator, expect

from app import App
from colours import contrast, ground, readable
from sheets import photograph
from visit import ONE, PHONE, SEVEN, Visit, Visits

pytestmark = pytest.mark.slow

LYING = 360
"""The height of a phone that lies on its side: the answers may need scrolling there."""
WINDOWS = [
    (320, 640, 36, 11),
    (390, 664, 40, 11),
    (740, LYING, 25, 11),
    (768, 1024, 45, 12),
    (1280, 800, 110, 12),
    (1920, 1080, 190, 17),
]
"""Width and height, the least height of a bar, and the least size of text, in pixels."""


@pytest.mark.parametrize(("width", "height", "bar", "text"), WINDOWS)
def test_everything_fits_the_window_and_nothing_moves(
    open_page: Visits, width: int, height: int, bar: int, text: int
) -> None:
    device = PHONE if width < 760 else {}
    visit = open_page(**device | {"viewport": {"width": width, "height": height}})
    check_place(visit, ".samples button", ".answer", ".doubt")
    assert visit.get("canvas").evaluate("each => each.clientWidth") >= 0.35 * min(width, height)
    assert visit.part("mlp", "bars i").first.evaluate("each => each.clientHeight") >= bar
    assert (
        min(visit.page.locator("#canvas :is(p, span, label):not(.unseen)").evaluate_all(SIZES))
        >= text
    )
    if height != LYING:
        visit.part("cnn", "verdict").click(force=True)  # One model alone.
        check_place(visit, ".alone .doubt", ".alone .all")


SIZES = "texts => texts.map((each) => parseFloat(getComputedStyle(each).fontSize))"


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
    seen += [".variants > span", ".variants small", ".legend"]
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


@pytest.mark.parametrize("width", [390, 320])
def test_with_text_of_twice_the_size_nothing_is_cut_off_or_overlaps(
    open_page: Visits, odd_app: App, width: int
) -> None:
    visit = open_page(odd_app, viewport={"width": width, "height": 664})
    page = visit.page
    expect(page.get_by_role("link", name="Benchmark")).to_be_visible()
    links = page.locator("nav a")
    sizes = links.evaluate_all("each => each.flatMap((a) => [a.clientWidth, a.clientHeight])")
    assert min(sizes) >= 44
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    check_large(visit, "nav a, .samples button, .views canvas, .legend, .variants > *, .bars i")
    visit.draw(SEVEN)
    check_large(visit, "nav a, .labels > *, .views canvas, .legend, .one, .verdict, .facts, .bars")
    visit.part("mlp", "one").click()
    check_large(visit, ".alone .one, .alone .all, .alone .verdict, .alone .facts, .alone .bars")
    for tab in ("Models", "Device", "Benchmark", "Class"):
        page.get_by_role("link", name=tab).click()
        expect(page.locator(".sheet h2")).to_be_focused()
        check_large(visit, "nav a, .sheet :is(h2, h3, p, dt, dd, .table)")
    page.get_by_role("link", name="Play").click()
    check_large(visit, "nav a, .challenge :is(p, button), .views canvas, .one, .facts, .bars")


def check_large(visit: Visit, parts: str) -> None:
    """These parts fit the window's width and none covers another one."""
    assert visit.page.evaluate(CUT_OFF) == []
    assert visit.page.evaluate(OVERLAPS, parts) == []


OVERLAPS = """(parts) => {
    const seen = [...document.querySelectorAll(parts)].filter((each) => each.checkVisibility());
    const boxes = seen.map((each) => each.getBoundingClientRect());
    const wide = seen.filter((_, i) => boxes[i].left < 0 || boxes[i].right > innerWidth);
    const covered = seen.filter((_, i) => boxes.slice(0, i).some((box) =>
        box.right > boxes[i].left + 1 && boxes[i].right > box.left + 1 &&
        box.bottom > boxes[i].top + 1 && boxes[i].bottom > box.top + 1));
    const bare = seen.filter((_, i) => boxes[i].width < 8 || boxes[i].height < 8);
    return [...wide, ...covered, ...bare].map((each) => each.outerHTML);
}"""
"""Which of some parts are wider than the window, cover another, or have no place."""


def test_both_previews_have_their_place_and_say_which_models_see_them(
    open_page: Visits, odd_app: App
) -> None:
    visit = open_page(odd_app, viewport={"width": 1280, "height": 800})
    captions = visit.page.locator(".views b")
    expect(captions).to_have_text(["What the other models see", "What Boxed sees"])
    visit.draw(SEVEN)
    assert visit.page.evaluate(OVERLAPS, ".tools, .views canvas, .views b, .labels") == []
    visit.page.set_viewport_size({"width": 390, "height": 844})  # There they share one.
    caption = "getComputedStyle(document.querySelector('.views'), '::after').content"
    assert visit.page.evaluate(caption) == '"What the models see"'
    assert visit.page.evaluate(OVERLAPS, ".tools, .views canvas, .labels") == []


def test_on_a_phone_nothing_of_an_answer_stands_on_its_bars(open_page: Visits) -> None:
    visit = open_page(**PHONE)
    visit.draw(SEVEN)
    expect(visit.part("cnn", "latency")).not_to_be_empty()
    assert visit.page.evaluate(OVERLAPS, ".one, .accuracy, .facts, .verdict, .bars") == []


def test_what_is_stored_is_read_from_the_last_row(open_page: Visits, odd_app: App) -> None:
    visit = open_page(odd_app, viewport={"width": 1920, "height": 1080})
    visit.draw(SEVEN)
    labels = visit.get("labels").locator("span")
    assert min(labels.evaluate_all(SIZES)) >= 22
    visit.button("Save the drawing as 7").click()
    assert min(visit.get("saved").locator("span").evaluate_all(SIZES)) >= 22
    visit.answered(SEVEN, visit.get("undo").click)
    expect(labels).to_be_visible()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_photo_is_read_with_text_of_twice_the_size(open_page: Visits, width: int) -> None:
    visit = open_page(viewport={"width": width, "height": 800})
    page = visit.page
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    photo = photograph([[np.array(stroke) for stroke in SEVEN]], 3).jpeg
    visit.get("photo").set_input_files(
        {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo}
    )
    expect(visit.get("found")).to_have_text("One digit found")
    parts = ".photo img, .photo footer > *, .views canvas, .one, .verdict, .facts, .bars"
    assert page.evaluate(OVERLAPS, parts) == []
    label, image = page.locator(".boxes span"), page.locator(".photo img")
    height = "each => each.getBoundingClientRect().height"
    assert label.evaluate(height) < 0.15 * image.evaluate(height)
    if width < 400:
        expect(page.locator(".tools")).to_be_hidden()


def test_bars_and_choices_are_seen_in_forced_colours(open_page: Visits) -> None:
    visit = open_page(forced_colors="active", reduced_motion="reduce")
    visit.draw(SEVEN)
    best, other = visit.part("mlp", "best i"), visit.part("mlp", "bars i").first
    assert contrast(colour(best), colour(other)) >= 3
    chosen = visit.page.locator("label:has(:checked)")
    expect(chosen).to_have_css("outline-style", "solid")
    assert contrast(visit.ink(PLACE)[:3], ground(visit.get("canvas"))) >= 4.5


def colour(locator: Locator) -> tuple[float, ...]:
    """In its middle, as painted."""
    picture = Image.open(BytesIO(locator.screenshot())).convert("RGB")
    width, height = picture.size
    middle = picture.resize((1, 1), box=(2, 2, width - 2, height - 2))
    red, green, blue = middle.tobytes()
    return red, green, blue


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_axe_finds_nothing_that_keeps_people_out(
    open_page: Visits, odd_app: App, width: int, scheme: str
) -> None:
    visit = open_page(odd_app, viewport={"width": width, "height": 844}, color_scheme=scheme)
    check_axe(visit)
    visit.draw(SEVEN)
    expect(visit.digit("mlp")).to_have_text("7")
    check_axe(visit)
    for tab in ("Models", "Device", "Benchmark", "Class"):
        visit.page.get_by_role("link", name=tab).click()
        expect(visit.page.locator(".sheet h2")).to_be_focused()
        check_axe(visit)
    visit.page.get_by_role("link", name="Play").click()
    check_axe(visit)
    visit.button("Skip").click()
    visit.button("End").click()
    check_axe(visit)
    visit.page.keyboard.press("Escape")
    visit.button("Invite others").click()
    expect(visit.get("invitation")).to_contain_text("Only this device")
    check_axe(visit)


def check_axe(visit: Visit) -> None:
    # Listing what is right, too, takes axe as long again.
    found = Axe().run(visit.page, options={"resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()


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
    *("h2", ".digit", ".latency", ".bars span", ".drift", ".tools button", ".legend"),
    *(
        ".variants span",
        ".variants label",
        ".variants small",
        ".variants label:has(:checked)",
        "figcaption b",
        "figcaption span",
    ),
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
    for _ in range(23):
        visit.page.keyboard.press("Tab")
        name, outline = visit.page.locator(":focus").evaluate(
            """each => {
                const seen = each.closest("label") ?? each;
                const name = each.ariaLabel ?? (each.value || seen.textContent);
                return [name, getComputedStyle(seen).outlineStyle];
            }"""
        )
        names.append(name.strip())
        assert outline == "solid", name
    assert names == [
        *("Draw a digit", "Models", "Device", "Play", "Invite others"),
        *("Photo", "Undo", "Redo", "Clear"),
        *(f"Sample: {digit}" for digit in range(10)),
        "int8",
        *("Show only Simple Dense", "Show only Multi-layer Perceptron"),
        "Show only Convolutional Network",
    ]
    visit.variant("int8").focus()
    visit.page.keyboard.press("ArrowLeft")
    expect(visit.variant("dynamic")).to_be_checked()
