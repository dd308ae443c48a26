"""The tabs in a browser: models, device and the last benchmark, and the way back to the canvas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from app import App, start
from colours import contrast, ground, rgb
from edge_app.models.card import read_card
from edge_app.page.tabs.device import device_sheet
from results import RESULT
from visit import SEVEN, Visit, calls

LAN = "http://192.168.1.20:7860"
MARKUP = "<img src=x onerror=alert(1)>"
TABS = ("models", "device", "benchmark")

Visits = Callable[..., Visit]


@pytest.fixture(scope="module")
def measured(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The running app with a benchmark of its dense model, and of one of an odd name."""
    folder = tmp_path_factory.mktemp("measured")
    result = deepcopy(RESULT)
    card = (models_folder / "dense" / "card.json").read_bytes()
    result["models"]["dense"]["card_sha256"] = hashlib.sha256(card).hexdigest()
    result["models"]["mlp"]["title"] = MARKUP
    results = folder / "results.json"
    results.write_text(json.dumps(result), encoding="utf-8")
    with start(folder, "--results", results) as running:
        yield running


def tab(visit: Visit, name: str) -> Locator:
    return visit.page.get_by_role("link", name=name)


def sheet(visit: Visit) -> Locator:
    return visit.get("sheet")


def answer(visit: Visit, name: str, reply: Callable[[Route], None]) -> None:
    """Answer in the server's place when a sheet is asked for."""

    def handle(route: Route) -> None:
        content = route.request.post_data_json
        if calls(route.request, "sheet") and content and content["data"] == name:
            reply(route)
        else:
            route.fallback()

    visit.page.route("**/component_server/", handle)


def test_models_device_and_back_to_the_drawing(open_page: Visits, models_folder: Path) -> None:
    visit = open_page()
    accuracy = read_card(models_folder / "mlp").variants["int8"].accuracy
    visit.draw(SEVEN)
    tab(visit, "Models").click()
    expect(visit.get("canvas")).to_be_hidden()
    expect(sheet(visit).get_by_role("heading", level=2)).to_be_focused()
    expect(tab(visit, "Models")).to_have_attribute("aria-current", "page")
    table = visit.page.get_by_role("region", name="Figures: Multi-layer Perceptron")
    expect(table.get_by_role("row", name="int8")).to_contain_text(f"{accuracy:.2%}")
    expect(sheet(visit)).to_contain_text("CC BY-SA 3.0")
    visit.page.keyboard.press("Escape")  # Clears a drawing only where it is seen.
    visit.page.keyboard.press("Shift+Tab")
    visit.page.keyboard.press("Enter")  # The link before it is the last one: Device.
    expect(sheet(visit)).to_contain_text("This app's memory")
    expect(sheet(visit)).to_contain_text("no phone can open it")
    visit.page.go_back()
    expect(table).to_be_visible()
    tab(visit, "Draw a digit").click()
    expect(sheet(visit)).to_be_hidden()
    expect(visit.digit("mlp")).to_have_text("7")
    visit.get("undo").click()
    expect(visit.digit("mlp")).to_have_text("")


def test_the_last_benchmark_has_a_tab_where_there_is_one(
    open_page: Visits, measured: App, app: App
) -> None:
    visit = open_page(measured)
    tab(visit, "Benchmark").click()
    expect(sheet(visit)).to_contain_text("22 November 2026, 17:00 UTC")
    row = visit.page.get_by_role("region", name="Figures: Simple Dense").get_by_role("row")
    expect(row.last).to_have_text("int896.91%99.83%12.159.69.8 kB")
    expect(sheet(visit)).to_contain_text(f"of other models than those served now: {MARKUP}.")
    visit = open_page()
    # Not an answer that is still on its way to the page before.
    with visit.page.expect_response(
        lambda response: calls(response.request, "sheet") and "?again" in response.frame.url
    ) as asked:
        visit.page.goto(f"{app.url}/?again#benchmark")
    assert asked.value.json() is None
    expect(visit.get("canvas")).to_be_visible()
    expect(tab(visit, "Benchmark")).to_have_count(0)


@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(360, 640, "light"), (768, 1024, "dark"), (1280, 800, "light")]
)
def test_every_sheet_fits_the_window_and_can_be_read(
    open_page: Visits, measured: App, width: int, height: int, scheme: str
) -> None:
    visit = open_page(measured, viewport={"width": width, "height": height}, color_scheme=scheme)
    device = device_sheet(lambda: [LAN])
    answer(visit, "device", lambda route: route.fulfill(json=device))
    for name in TABS:
        tab(visit, name).click()
        expect(sheet(visit).locator("h2")).to_be_focused()
        page = visit.page
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for table in page.locator(".table").all():
            overflows = table.evaluate("each => each.scrollWidth > each.clientWidth")
            assert (table.get_attribute("tabindex") == "0") is overflows
        for text in ("nav a", *(f".sheet {each}" for each in ("p", "h3", "dt", "dd", "th", "td"))):
            place = page.locator(f"#tabs {text}").last
            if place.count():
                colour = rgb(place.evaluate("each => getComputedStyle(each).color"))
                assert contrast(colour, ground(place)) >= 4.5, text
        if name == "device":
            check_code(visit)


def check_code(visit: Visit) -> None:
    """The QR code is black on white, whatever the scheme, of whole modules with light around."""
    code = visit.page.get_by_role("img", name=f"QR code of {LAN}")
    expect(code).to_be_visible()
    colours = code.locator("path").evaluate_all("all => all.map((p) => getComputedStyle(p).fill)")
    assert colours == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    box = code.bounding_box()
    assert box
    assert box["width"] == box["height"] >= 200
    expect(sheet(visit)).to_contain_text(LAN)


def test_a_device_that_does_not_answer_is_said(open_page: Visits) -> None:
    visit = open_page()
    answer(visit, "models", lambda route: route.abort())
    tab(visit, "Models").click()
    expect(sheet(visit)).to_contain_text("The device does not answer")
    visit.page.unroute_all()
    tab(visit, "Device").click()
    tab(visit, "Models").click()
    expect(sheet(visit)).to_contain_text("Simple Dense")
    visit.complaints.clear()  # The browser's own, of the request that failed.


def test_the_page_weighs_little(open_page: Visits, measured: App) -> None:
    visit = open_page(measured)
    requests: list[str] = []
    sizes: list[float] = []
    network = visit.page.context.new_cdp_session(visit.page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def note(event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):
            requests.append(event["request"]["url"])

    network.on("Network.requestWillBeSent", note)
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    visit.page.reload()
    expect(tab(visit, "Benchmark")).to_be_visible()
    visit.page.wait_for_load_state("networkidle")
    assert 20 < len(requests) <= 45
    assert 100_000 < sum(sizes) <= 280_000
