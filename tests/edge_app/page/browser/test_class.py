"""The class so far and the invitation, in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Route, expect

from app import App, start
from edge_app.digits.labelled import LabelledDrawing, format_line, read_json_lines
from edge_app.page.tabs.invite import invite_sheet
from visit import PHONE, Visit, Visits, calls

pytestmark = pytest.mark.slow

SERVER = "**/component_server/"
LAN = "http://192.168.1.20:7860"


@pytest.fixture(scope="module")
def school(
    tmp_path_factory: pytest.TempPathFactory, page_drawings: list[LabelledDrawing]
) -> Iterator[App]:
    """The app with 100 drawings, behind a password; one is labelled wrongly."""
    folder = tmp_path_factory.mktemp("school")
    users = folder / "users.txt"
    users.touch(mode=0o600)
    users.write_text("anna:password\n")
    drawn = [page_drawings[number % 20] for number in range(99)]
    drawn.append(LabelledDrawing(3, page_drawings[18].strokes))  # It is a 9.
    file = folder / "drawings.jsonl"
    file.write_text("".join(map(format_line, drawn)))
    with start(folder, "--auth-file", users, "--save-drawings", file) as running:
        yield running


def enter(visit: Visit) -> None:
    visit.page.get_by_role("link", name="Class").click()
    expect(visit.page.get_by_role("heading", name="The class so far")).to_be_focused()


def pictures(visit: Visit) -> Locator:
    return visit.page.get_by_role("img", name="A drawing of")


@pytest.mark.parametrize("device", [{}, PHONE])
def test_drawings_by_digit_who_disagrees_first_and_each_model_s_confusion(
    school: App, open_page: Visits, device: dict[str, object]
) -> None:
    visit = logged_in(open_page, school, device)
    enter(visit)
    expect(visit.get("sheet")).to_contain_text("100 labelled drawings")
    expect(visit.get("sheet")).not_to_contain_text("Classified")  # It is by now.
    first = visit.page.locator(".grid figure").first
    expect(first).to_contain_text("not sure")
    expect(pictures(visit)).to_have_count(48)
    expect(visit.get("sheet")).to_contain_text("Page 1 of 3")
    visit.button("Next").click()
    expect(visit.get("sheet")).to_contain_text("Page 2 of 3")
    threes = visit.page.get_by_role("group", name="Which drawings").get_by_role("button").nth(4)
    threes.click()
    expect(threes).to_have_attribute("aria-pressed", "true")
    expect(pictures(visit)).to_have_count(11)
    expect(first).to_contain_text("MLP: 9, CNN: 9")  # It has the wrong label.
    expect(first).to_contain_text("Label: 3")
    for words in ("Under each drawing is its label", "Each row is a label", "In int8, it reads "):
        expect(visit.get("sheet")).to_contain_text(words)
    table = visit.page.get_by_role("region", name="Figures: MLP")
    row = table.get_by_role("row", name="3").filter(has=visit.page.locator("th[scope=row]"))
    expect(row.get_by_role("cell").nth(3)).to_have_text("10")
    expect(row.get_by_role("cell").nth(9)).to_have_text("1")
    width = visit.page.viewport_size
    assert width
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width["width"]
    with visit.page.expect_download() as download:
        visit.page.get_by_role("link", name="Download").click()
    assert len(read_json_lines(Path(download.value.path()))) == 100


def logged_in(open_page: Visits, school: App, device: dict[str, object]) -> Visit:
    """The page of who has the password."""
    return open_page(school, login=("anna", "password"), **device)


def test_who_is_logged_in_removes_a_drawing_with_two_taps(open_page: Visits, school: App) -> None:
    file = school.folder / "drawings.jsonl"
    visit = logged_in(open_page, school, {})
    enter(visit)
    before = len(read_json_lines(file))
    visit.button("Remove this 3").first.click()
    assert len(read_json_lines(file)) == before
    visit.button("Tap again to remove this 3").click()
    expect(visit.get("sheet")).to_contain_text(f"{before - 1} labelled drawings")
    assert len(read_json_lines(file)) == before - 1
    expect(visit.page.locator(".grid :focus")).to_have_count(1)


def test_others_see_drawings_and_remove_none(open_page: Visits, odd_app: App) -> None:
    visit = open_page(odd_app)
    enter(visit)
    expect(pictures(visit).first).to_be_visible()
    expect(visit.page.get_by_role("button", name="Remove")).to_have_count(0)


def test_progress_is_said_and_the_drawings_follow(open_page: Visits, odd_app: App) -> None:
    visit = open_page(odd_app, clock=True)
    done = False

    def answer(route: Route) -> None:
        if calls(route.request, "classroom"):
            response = route.fetch()
            seen = response.json() | {"count": 30_000, "classified": 30_000 if done else 1_200}
            route.fulfill(response=response, json=seen)
        elif calls(route.request, "progress"):
            found = {"count": 30_000, "classified": 30_000 if done else 1_300}
            route.fulfill(json=found)
        else:
            route.fallback()

    visit.page.route(SERVER, answer)
    enter(visit)
    expect(visit.get("sheet")).to_contain_text("Classified 1,200 of 30,000")
    visit.page.clock.run_for(2100)
    expect(visit.get("sheet")).to_contain_text("Classified 1,300 of 30,000")
    done = True
    visit.page.clock.run_for(2100)
    expect(visit.get("sheet")).to_contain_text("30,000 labelled drawings")
    expect(visit.get("sheet")).not_to_contain_text("Classified")


def test_what_cannot_be_read_is_said(open_page: Visits, odd_app: App) -> None:
    visit = open_page(odd_app)
    reason = "The file is not one of drawings."
    visit.page.route(SERVER, lambda route: route.fulfill(json={"error": reason}), times=1)
    visit.page.get_by_role("link", name="Class").click()
    expect(visit.get("sheet")).to_contain_text(reason)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (390, 664)])
def test_an_invitation_fills_the_window(open_page: Visits, width: int, height: int) -> None:
    visit = open_page(viewport={"width": width, "height": height})
    sheet = invite_sheet(lambda: [LAN, "http://pi.local:7860"])
    visit.page.route(SERVER, lambda route: route.fulfill(json=json.loads(json.dumps(sheet))))
    visit.get("invite").click()
    code = visit.page.get_by_role("img", name=f"QR code of {LAN}")
    assert code.evaluate("each => each.clientWidth") >= 0.55 * min(width, height)
    invitation = visit.get("invitation")
    for line in (LAN, "http://pi.local:7860"):
        expect(invitation).to_contain_text(line)
    for part in (code, invitation.get_by_text(LAN), visit.button("Close")):
        expect(part).to_be_in_viewport(ratio=1)
    visit.page.keyboard.press("Escape")
    expect(invitation).to_be_hidden()
    expect(visit.get("invite")).to_be_focused()


def test_an_invitation_of_an_app_that_is_for_this_device_alone_says_so(open_page: Visits) -> None:
    visit = open_page()
    visit.get("invite").click()
    expect(visit.get("invitation")).to_contain_text("Only this device can open the app")
    visit.button("Close").click()
    expect(visit.get("invitation")).to_be_hidden()
