"""The tabs in a browser: models, device and the last benchmark, and the way back to the canvas."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

import edge_app
from app import App
from colours import readable
from edge_app.device.history import History, Sample
from edge_app.page.tabs.device import device_sheet
from visit import PHONE, SEVEN, Visit, Visits, calls

pytestmark = pytest.mark.slow

SERVER = "**/component_server/"
LAN = "http://192.168.1.20:7860"
HISTORY = History(lambda: Sample(81.0, 0.5))
DATE = "22 November 2026, 17:00 UTC"


def tab(visit: Visit, name: str) -> Locator:
    return visit.page.get_by_role("link", name=name)


def test_models_device_and_back_to_the_drawing(
    open_page: Visits, models: dict[str, edge_app.Model]
) -> None:
    visit = open_page()
    sheet = visit.get("sheet")
    visit.draw(SEVEN)
    visit.page.evaluate("document.body.style.minHeight = '300vh'; scrollTo(0, 500)")
    tab(visit, "Models").click()
    expect(visit.get("canvas")).to_be_hidden()
    expect(sheet.get_by_role("heading", level=2)).to_be_focused()
    assert visit.page.evaluate("scrollY") == 0
    expect(tab(visit, "Models")).to_have_attribute("aria-current", "page")
    table = visit.page.get_by_role("region", name="Figures: Compared")
    accuracies = [f"{model.card.variants['int8'].accuracy:.2%}" for model in models.values()]
    expect(table.get_by_role("row", name="int8").first).to_have_text(
        f"int8{accuracies[0]}{accuracies[1]}★ {accuracies[2]}"
    )
    expect(table.get_by_role("img", name="best").first).to_be_visible()
    visit.page.keyboard.press("Escape")  # Clears the drawing only where it is seen.
    for _ in ("Invite others", "Play", "Device"):  # What is before it, from the last one on.
        visit.page.keyboard.press("Shift+Tab")
    visit.page.keyboard.press("Enter")
    expect(sheet).to_contain_text("This app's memory")
    expect(sheet).to_contain_text("Only this device can open the app")
    visit.page.go_back()
    expect(table).to_be_visible()
    tab(visit, "Draw a digit").click()
    expect(sheet).to_be_hidden()
    expect(visit.digit("mlp")).to_have_text("7")
    visit.answered([], visit.get("undo").click)
    visit.page.route(SERVER, lambda route: route.abort(), times=1)
    tab(visit, "Models").click()
    expect(sheet).to_contain_text("Can't reach the device. Open this tab again to retry.")
    tab(visit, "Models").press("Enter")
    expect(table).to_be_visible()
    visit.page.route(SERVER, lambda route: route.fulfill(body="null"), times=1)
    tab(visit, "Device").click()
    expect(sheet).to_contain_text("There is nothing left to show here.")
    visit.complaints.clear()  # The browser's own, about the request that failed.


def test_a_double_tap_on_a_link_opens_its_tab_though_links_move(open_page: Visits) -> None:
    visit = open_page(clock=True, **PHONE)
    visit.stop_time()
    box = tab(visit, "Device").bounding_box()
    assert box
    icon = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)]
    visit.touch(icon)
    expect(visit.page.locator(".sheet h2")).to_be_focused()
    visit.touch(icon)  # Another link is there now.
    visit.page.clock.run_for(600)
    expect(tab(visit, "Device")).to_have_attribute("aria-current", "page")
    tab(visit, "Models").tap()
    expect(tab(visit, "Models")).to_have_attribute("aria-current", "page")


def test_the_last_benchmark_has_a_tab_where_there_is_one(
    open_page: Visits, odd_app: App, app: App
) -> None:
    visit = open_page(odd_app)
    tab(visit, "Benchmark").click()
    expect(visit.get("sheet")).to_contain_text(DATE)
    dense = visit.page.get_by_role("region", name="Figures: Simple Dense").get_by_role("row")
    expect(dense.last).to_have_text("int896.91%99.83%12.159.69.8 kB")
    # Its model's title is shown as it is.
    expect(visit.page.get_by_role("heading", name="<img src=x onerror=alert(1)>")).to_be_visible()
    visit.answered([], visit.page.reload)  # The address says which tab is open.
    expect(visit.get("sheet")).to_contain_text(DATE)
    visit = open_page()
    with visit.page.expect_response(
        lambda response: calls(response.request, "sheet") and "?again" in response.frame.url
    ) as asked:
        visit.page.goto(f"{app.url}/?again#benchmark")
    assert asked.value.json() is None
    expect(visit.get("canvas")).to_be_visible()
    expect(tab(visit, "Models")).to_have_count(1)
    expect(visit.page.get_by_text("Benchmark", exact=True)).to_be_hidden()


@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(360, 640, "light"), (768, 1024, "dark"), (1280, 800, "light")]
)
def test_every_sheet_fits_the_window_and_can_be_read(
    open_page: Visits, odd_app: App, width: int, height: int, scheme: str
) -> None:
    visit = open_page(odd_app, viewport={"width": width, "height": height}, color_scheme=scheme)
    device = device_sheet(lambda: [LAN], HISTORY)
    for name in ("models", "benchmark", "device"):
        if name == "device":
            visit.page.route(SERVER, lambda route: route.fulfill(json=device))
        tab(visit, name).click()
        expect(visit.page.locator(".sheet h2")).to_be_focused()
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        wide = visit.page.locator(".table").evaluate_all(
            "tables => tables.filter(each => each.scrollWidth > each.clientWidth).length"
        )
        # The observer that makes wide tables focusable runs after the layout.
        expect(visit.page.locator('.table[tabindex="0"]')).to_have_count(wide)
        pictures = visit.page.locator(".sheet :is(svg, img)")
        assert min(pictures.evaluate_all(SIZES)) >= 36
        for text in ("nav a", ".sheet p", ".sheet h3", ".sheet :is(dt, th)", ".sheet :is(dd, td)"):
            assert readable(visit.page.locator(text).filter(visible=True).last), (name, text)
    code = visit.page.get_by_role("img", name=f"QR code of {LAN}")
    assert code.evaluate("each => each.clientWidth") >= 200


SIZES = "each => each.flatMap((picture) => [picture.clientWidth, picture.clientHeight])"


def test_mistakes_and_weights_are_pictures_with_names(
    open_page: Visits, models: dict[str, edge_app.Model]
) -> None:
    visit = open_page()
    tab(visit, "Models").click()
    dense = visit.page.get_by_role("region", name="Simple Dense", exact=True)
    matrix = dense.get_by_role("region", name="Figures: Confusion matrix, Simple Dense")
    confusion = models["dense"].confusion
    assert confusion
    for digit in range(10):
        expected = ["" if count == 0 else f"{count}" for count in confusion.counts[digit]]
        cells = matrix.get_by_role("row").nth(digit + 1).get_by_role("cell")
        expect(cells).to_have_text(expected)
    misread = f"{confusion.labels[0]}, read as {confusion.answers[0]}"
    expect(dense.get_by_role("img", name=misread).first).to_be_visible()
    weights = dense.get_by_role("img", name="Weights of 3")
    assert weights.evaluate("each => each.decode().then(() => each.naturalWidth)") == 28
    expect(visit.page.get_by_role("img", name="Weights of 3")).to_have_count(1)


def test_wide_tables_and_charts_scroll_in_place(open_page: Visits, odd_app: App) -> None:
    visit = open_page(odd_app, viewport={"width": 320, "height": 640})
    for name, region in (("Models", "Compared"), ("Benchmark", "Accuracy and latency")):
        tab(visit, name).click()
        frame = visit.page.get_by_role("region", name=f"Figures: {region}")
        expect(frame).to_have_attribute("tabindex", "0")
        frame.focus()
        visit.page.keyboard.press("ArrowRight")
        expect(frame).not_to_have_js_property("scrollLeft", 0)
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 320
    expect(frame.get_by_role("img", name="Accuracy against latency")).to_be_visible()


def test_the_lines_of_the_device_are_seen(open_page: Visits) -> None:
    visit = open_page()
    visit.page.route(SERVER, lambda route: route.fulfill(json=device_sheet(lambda: [LAN], HISTORY)))
    tab(visit, "Device").click()
    past = visit.page.get_by_role("region", name="Since the app started")
    name = "CPU temperature: 81 °C now, 81 °C to 81 °C"
    line = past.get_by_role("img", name=name)
    expect(line).to_be_visible()
    expect(past.get_by_text(name)).to_be_visible()
    assert line.evaluate("each => getComputedStyle(each.querySelector('circle')).fill") != BLACK


BLACK = "rgb(0, 0, 0)"
"""What a chart's parts are filled with if no rule applies."""


def test_the_page_weighs_little(open_page: Visits, odd_app: App) -> None:
    visit = open_page(odd_app, fresh=True)
    expect(tab(visit, "Benchmark")).to_be_visible()
    visit.page.wait_for_load_state("networkidle")
    sizes = visit.page.evaluate(
        """["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
               .map((each) => each.transferSize)"""
    )
    assert 20 < len(sizes) <= 45
    assert 100_000 < sum(sizes) <= 280_000
