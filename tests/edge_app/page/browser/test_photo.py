"""Photos of digits on paper: taken, dropped and pasted, read, and left again."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Locator, Route, expect

from app import App
from edge_app.digits.labelled import LabelledDrawing
from edge_app.server.guard import MAX_BODY
from sheets import Box, Photo, photograph
from visit import PHONE, SEVEN, Stroke, Visit, Visits, calls, content

pytestmark = pytest.mark.slow

LABELS = [3, 5, 1, 4, 2, 0]


@pytest.fixture(scope="module")
def sheet(page_drawings: list[LabelledDrawing]) -> Photo:
    """Six digits in two lines on squared paper."""
    digits = [page_drawings[2 * label].strokes for label in LABELS]
    return photograph(digits, 11, "squared", "felt-tip", columns=3, finger=True)


@pytest.fixture(scope="module")
def empty() -> Photo:
    return photograph([], 5, "ruled")


def found(visit: Visit) -> Locator:
    return visit.get("found")


def boxes(visit: Visit) -> Locator:
    return visit.page.locator(".boxes button")


def take(visit: Visit, photo: bytes, name: str = "photo.jpg") -> None:
    visit.get("photo").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": photo})


def give(visit: Visit, event: str, photo: bytes, kind: str = "image/jpeg") -> None:
    """Drop a file on the canvas or paste it."""
    visit.page.evaluate(_GIVE, [event, base64.b64encode(photo).decode(), kind])


_GIVE = """([kind, text, type]) => {
    const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], "photo", { type }));
    const options = { bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data };
    const place = document.querySelector("[data-testid=canvas]");
    if (kind === "paste") place.dispatchEvent(new ClipboardEvent("paste", options));
    else for (const name of ["dragover", "drop"]) place.dispatchEvent(new DragEvent(name, options));
}"""


def check_boxes(visit: Visit, expected: list[Box]) -> None:
    """Each lies on its digit in the photo."""
    picture = visit.page.locator(".photo img").bounding_box()
    assert picture
    for box, (left, top, width, height) in zip(boxes(visit).all(), expected, strict=True):
        place = box.bounding_box()
        assert place
        assert [
            (place["x"] - picture["x"]) / picture["width"],
            (place["y"] - picture["y"]) / picture["height"],
            place["width"] / picture["width"],
            place["height"] / picture["height"],
        ] == pytest.approx([left, top, width, height], abs=0.02)


def test_each_digit_on_a_photo_has_a_box_and_every_model_s_answer(
    open_page: Visits, sheet: Photo
) -> None:
    visit = open_page()
    requests: list[int] = []
    visit.page.on(
        "request",
        lambda request: (
            requests.append(len(request.post_data_buffer or b""))
            if request.method == "POST" and calls(request, "photo")
            else None
        ),
    )
    take(visit, sheet.jpeg)
    expect(found(visit)).to_have_text("6 digits found. Tap one.")
    expect(boxes(visit)).to_have_text([re.compile(rf"\b{label}\b") for label in LABELS])
    check_boxes(visit, sheet.boxes)
    assert max(requests) <= MAX_BODY
    expect(visit.get("canvas")).to_be_hidden()
    expect(visit.get("clear")).to_be_hidden()
    for number, label in enumerate(LABELS):
        boxes(visit).nth(number).click()
        expect(boxes(visit).nth(number)).to_have_attribute("aria-pressed", "true")
        name = boxes(visit).nth(number).get_attribute("aria-label")
        assert name
        assert name.startswith(f"Digit {number + 1} of 6: ")
        for model in ("mlp", "cnn"):
            expect(visit.digit(model)).to_have_text(str(label))
    asked = len(visit.sent)
    with visit.page.expect_request(lambda request: calls(request, "photo")) as again:
        visit.variant("float32").click()
    assert content(again.value)["data"]["variant"] == "float32"
    expect(visit.part("mlp", "drift")).to_have_text("full precision")
    expect(boxes(visit).last).to_have_attribute("aria-pressed", "true")
    assert len(visit.sent) == asked  # Nobody asks about the drawing under the photo.


def test_a_large_photo_is_sent_small_and_upright(
    open_page: Visits, page_drawings: list[LabelledDrawing]
) -> None:
    photo = photograph([page_drawings[8].strokes], 4, "plain", finger=False)
    image = Image.open(io.BytesIO(photo.jpeg))
    large = image.transpose(Image.Transpose.ROTATE_90).resize((image.height * 4, image.width * 4))
    exif = Image.Exif()
    exif[0x0112] = 6  # Turned by 90 degrees.
    file = io.BytesIO()
    large.save(file, "JPEG", exif=exif, quality=90)
    visit = open_page()
    with visit.page.expect_request(lambda request: calls(request, "photo")) as request:
        take(visit, file.getvalue())
    assert len(request.value.post_data_buffer or b"") <= MAX_BODY
    expect(boxes(visit)).to_have_text("4")
    check_boxes(visit, photo.boxes)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_photo_can_be_dropped_and_pasted_over_a_drawing_which_comes_back(
    open_page: Visits, sheet: Photo, way: str
) -> None:
    visit = open_page()
    visit.draw(SEVEN)
    expect(visit.page.locator(".camera")).to_be_hidden()
    give(visit, way, sheet.jpeg)
    expect(boxes(visit)).to_have_count(6)
    expect(visit.digit("mlp")).to_have_text("3")
    expect(visit.get("why-mlp")).to_be_hidden()  # It explains the drawing.
    visit.answered(SEVEN, lambda: visit.get("draw").click())
    expect(visit.get("why-mlp")).to_be_visible()
    expect(visit.digit("mlp")).to_have_text("7")
    expect(visit.get("canvas")).to_be_visible()
    assert visit.ink((500, 250))[3] == 255


def test_a_challenge_is_drawn(open_page: Visits, sheet: Photo) -> None:
    visit = open_page()
    take(visit, sheet.jpeg)
    expect(boxes(visit)).to_have_count(6)
    visit.page.get_by_role("link", name="Play").click()
    expect(visit.get("canvas")).to_be_visible()
    expect(visit.page.locator(".camera")).to_be_hidden()
    give(visit, "drop", sheet.jpeg)
    expect(visit.get("canvas")).to_be_visible()


def test_escape_leaves_the_photo_and_keeps_the_drawing(open_page: Visits, sheet: Photo) -> None:
    visit = open_page()
    visit.draw(SEVEN)
    give(visit, "drop", sheet.jpeg)
    expect(boxes(visit)).to_have_count(6)
    visit.answered(SEVEN, lambda: visit.page.keyboard.press("Escape"))
    expect(visit.get("canvas")).to_be_visible()
    expect(visit.digit("mlp")).to_have_text("7")


def test_it_works_by_keyboard_and_after_an_empty_sheet(
    open_page: Visits, empty: Photo, sheet: Photo, tmp_path: Path
) -> None:
    visit = open_page()
    page = visit.page
    file = tmp_path / "photo.jpg"
    file.write_bytes(empty.jpeg)
    page.on("filechooser", lambda chooser: chooser.set_files(file))
    visit.get("photo").focus()
    expect(visit.get("photo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(found(visit)).to_have_text("No digits found. Write on paper, large and dark.")
    expect(boxes(visit)).to_have_count(0)
    expect(visit.digit("mlp")).to_have_text("")
    expect(visit.get("draw")).to_be_focused()
    page.keyboard.press("Enter")
    expect(visit.get("photo")).to_be_focused()
    take(visit, sheet.jpeg)
    expect(boxes(visit)).to_have_count(6)
    boxes(visit).nth(3).focus()
    page.keyboard.press("Enter")
    expect(visit.digit("cnn")).to_have_text("4")


def test_what_goes_wrong_is_said(open_page: Visits, sheet: Photo) -> None:
    visit = open_page()
    take(visit, b"no picture")
    expect(found(visit)).to_have_text("This browser can't open that file as a picture.")

    def refuse(route: Route) -> None:
        if calls(route.request, "photo"):
            route.fulfill(json={"error": "The device is busy; try again in a moment."})
        else:
            route.fallback()

    visit.page.route("**/component_server/", refuse)
    take(visit, sheet.jpeg)
    expect(found(visit)).to_have_text("The device is busy; try again in a moment.")
    visit.page.unroute_all()
    visit.page.route("**/component_server/", lambda route: route.abort())
    take(visit, sheet.jpeg)
    expect(found(visit)).to_have_text("Can't reach the device. Choose the photo again.")
    visit.page.unroute_all()
    take(visit, sheet.jpeg)
    expect(boxes(visit)).to_have_count(6)
    visit.complaints[:] = [each for each in visit.complaints if "ERR_FAILED" not in each]


def test_a_photo_that_was_left_does_not_come_back(open_page: Visits, sheet: Photo) -> None:
    visit = open_page()
    held: list[Route] = []

    def hold(route: Route) -> Any:
        return held.append(route) if calls(route.request, "photo") else route.fallback()

    visit.page.route("**/component_server/", hold)
    with visit.page.expect_request(lambda request: calls(request, "photo")):
        take(visit, sheet.jpeg)
    expect(found(visit)).to_have_text("Reading the photo…")
    visit.get("draw").click()
    visit.draw(SEVEN)
    held[0].continue_()
    visit.clear()
    visit.draw(SEVEN)
    expect(visit.get("canvas")).to_be_visible()
    expect(boxes(visit)).to_have_count(0)


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_photo_fits_and_keeps_nobody_out(
    open_page: Visits, odd_app: App, sheet: Photo, width: int, scheme: str
) -> None:
    """With ten models, one of which sees another image."""
    visit = open_page(odd_app, viewport={"width": width, "height": 844}, color_scheme=scheme)
    take(visit, sheet.jpeg)
    expect(boxes(visit)).to_have_count(6)
    report = Axe().run(visit.page)
    assert report.violations_count == 0, report.generate_report()
    paper = visit.page.locator(".paper").bounding_box()
    assert paper
    for part in (".photo img", "[data-testid=draw]", "[data-testid=found]"):
        place = visit.page.locator(part).bounding_box()
        assert place
        assert paper["x"] <= place["x"]
        assert place["x"] + place["width"] <= paper["x"] + paper["width"]
        assert place["y"] + place["height"] <= paper["y"] + paper["height"]
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("pen", [Visit.with_mouse, Visit.with_finger])
def test_a_line_can_begin_on_the_button_and_a_tap_opens_a_photo(
    open_page: Visits, pen: Any
) -> None:
    touch = pen is Visit.with_finger
    visit = open_page(**PHONE if touch else {})
    camera = visit.page.locator(".camera")
    button, canvas = camera.bounding_box(), visit.get("canvas").bounding_box()
    assert button
    assert canvas
    x = (button["x"] + button["width"] / 2 - canvas["x"]) / canvas["width"] * 1000
    y = (button["y"] + button["height"] / 2 - canvas["y"]) / canvas["height"] * 1000
    line: Stroke = [(x, y), (x - 300, y - 100), (300, 300), (200, 100)]
    visit.draw([line], pen)
    expect(visit.get("found")).to_be_hidden()
    visit.answered([], visit.get("undo").click)
    with visit.page.expect_file_chooser():
        camera.tap() if touch else camera.click()
    assert visit.sent[-1]["strokes"] == []
