"""What the page sends, and what it does when the server is slow, gone, or another one."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Response, expect

from app import App, start
from model_folders import with_copies
from visit import BAR, ONE, SEVEN, Strokes, Visit, Visits, asks, calls

pytestmark = pytest.mark.slow

GONE = "Can't reach the device. Retrying…"


def test_a_visit_stores_nothing_and_sends_nothing_but_drawings(open_page: Visits, app: App) -> None:
    files = app.files()
    visit = open_page()
    expect(visit.page.locator(".legend")).to_contain_text("Drawings are not stored.")
    visit.draw(SEVEN)
    expect(visit.get("labels")).to_have_count(0)
    visit.variant("float32").check(force=True)
    visit.answered([], visit.get("undo").click)
    assert {key for each in visit.sent for key in each} == {"strokes", "variant", "unfinished"}
    assert app.files() == files


def test_the_guard_lets_in_all_that_the_page_asks_for(browser: Browser, odd_app: App) -> None:
    """And a later Gradio's page that asks for something else is noticed."""
    page = browser.new_context().new_page()
    asked, refused = set(), []

    def note(response: Response) -> None:
        path = urlsplit(response.url).path
        folder = re.match("/(assets|static)/", path)
        asked.add(f"{response.request.method} {folder[0] if folder else path}")
        if not response.ok:
            refused.append(path)

    page.on("response", note)
    visit = Visit(page, odd_app.url)
    for tab in ("models", "device", "benchmark"):
        with page.expect_response(lambda response: calls(response.request, "sheet")):
            page.locator(f"#tabs a[href='#{tab}']").click()
    page.context.close()
    assert visit.complaints == []
    assert refused == []
    assert asked == {
        *("GET /", "GET /theme.css", "GET /assets/", "GET /static/"),
        "POST /gradio_api/component_server/",
    }


HOLD = """() => {
    const fetch = (window.unheld = window.fetch);
    window.held = [];
    window.fetch = (...request) => new Promise((go) => {
        window.asked = request;
        held.push(() => go(fetch(...request)));
    });
}"""
"""Each request waits until ``held.shift()()`` lets it go."""


def test_a_slow_server_is_asked_once_at_a_time_and_again_after_a_while(open_page: Visits) -> None:
    visit = open_page(clock=True)
    visit.stop_time()
    page, answers = visit.page, visit.page.locator(".answers")
    page.evaluate(HOLD)
    before = len(visit.sent)
    visit.press(SEVEN[0])
    assert page.evaluate("held.length") == 1
    page.evaluate("held.shift()()")
    page.wait_for_function("held.length")
    visit.answered(SEVEN, lambda: page.evaluate("held.shift()()"), pressed=True)
    expect(visit.digit("mlp")).to_have_text("7")
    assert page.evaluate("held.length") == 0
    assert len(visit.sent) == before + 2
    page.mouse.up()
    visit.answered(SEVEN, lambda: page.evaluate("held.shift()()"))
    visit.get("undo").click()
    for wait_ms, sentence in ((2500, ""), (1000, "Waiting for the device…"), (12_000, GONE)):
        page.clock.run_for(wait_ms)
        expect(visit.status).to_have_text(sentence)
        expect(answers).to_have_class("answers stale" if sentence else "answers")
    page.evaluate("held.length = 0")
    page.clock.run_for(2500)
    page.wait_for_function("held.length")  # It asks whether it must log in again,
    assert page.evaluate("asked[1].signal instanceof AbortSignal")  # but not for ever.
    page.evaluate("window.fetch = unheld; held.shift()()")
    expect(visit.digit("mlp")).to_have_text("")
    expect(visit.status).to_have_text("")
    expect(answers).to_have_class("answers")


def test_lifting_the_pen_does_not_wait_for_the_answer_to_what_was_drawn_before(
    open_page: Visits,
) -> None:
    visit = open_page()
    page = visit.page
    page.evaluate(HOLD)
    visit.with_mouse(SEVEN)
    assert page.evaluate("held.length") == 2  # About its beginning, and about all of it.
    visit.answered(SEVEN, lambda: page.evaluate("held.pop()()"))
    expect(visit.digit("mlp")).to_have_text("7")
    expect(visit.part("mlp", "drift")).not_to_be_empty()
    dot = [SEVEN[0][:1]]
    visit.answered(dot, lambda: page.evaluate("held.pop()()"), pressed=True)  # It comes too late.
    page.evaluate("() => new Promise((go) => setTimeout(go, 100))")
    expect(visit.digit("mlp")).to_have_text("7")
    expect(visit.part("mlp", "drift")).not_to_be_empty()
    for _ in range(3):
        visit.with_mouse([BAR])
    assert page.evaluate("held.length") == 2  # There are never more.
    page.evaluate("held.splice(0).forEach((go) => go())")
    page.wait_for_function("held.length")
    whole: Strokes = [*SEVEN, BAR, BAR, BAR]
    visit.answered(whole, lambda: page.evaluate("window.fetch = unheld; held.shift()()"))


def test_the_page_says_when_the_server_is_gone_and_goes_on_when_another_is_there(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, models_folder: Path
) -> None:
    first, second = map(tmp_path_factory.mktemp, ("first", "second"))
    with start(first) as app:
        visit = Visit(browser.new_page(), app.url)
        visit.draw(ONE)
        app.stop()
    visit.get("clear").click()
    with visit.page.expect_event("requestfailed", lambda request: asks(request, SEVEN)):
        visit.with_mouse(SEVEN)
    expect(visit.status).to_have_text(GONE)
    models = with_copies(models_folder, second / "models", 4)
    port = str(urlsplit(app.url).port)
    with start(second, "--port", port, "--models", models):
        expect(visit.page.locator(".answer")).to_have_count(4)  # It was loaded again,
        expect(visit.digit("mlp")).to_have_text("7")  # and the drawing is still there.
        expect(visit.digit("another-3")).not_to_have_text("")
        expect(visit.status).to_have_text("")
        visit.page.close()


def test_a_restarted_app_has_its_page_loaded(open_page: Visits) -> None:
    visit = open_page()
    visit.draw(SEVEN)

    def is_loaded_again() -> None:
        with visit.page.expect_navigation():
            visit.get("undo").click(force=True)  # There may be nothing to undo.
        expect(visit.page.locator(".size").last).not_to_be_empty()
        visit.answered(SEVEN, visit.get("redo").click)

    for change in (  # How the answers of an app with other models can differ.
        lambda reply: reply["answers"].update(new=reply["answers"]["mlp"]),
        lambda reply: reply["answers"].pop("cnn"),
        lambda reply: reply.update(views={"box": reply["views"]["bimoment"]}),
        lambda reply: reply["answers"]["mlp"].update(variant="tflite"),
    ):
        visit.reply(change, times=1)
        is_loaded_again()
    # The page of the same app stays, though it was out of reach or refused to answer.
    loads: list[bool] = []
    visit.page.on("request", lambda request: loads.append(request.is_navigation_request()))
    error = {"error": "Too many drawings at once."}
    visit.page.route("**/component_server/", lambda route: route.abort(), times=1)
    for sentence in (GONE, error["error"]):
        with visit.page.expect_response("**/app_id"):
            visit.get("undo").click()
            expect(visit.status).to_have_text(sentence)
        visit.answered(SEVEN, visit.get("redo").click)
        visit.reply(lambda reply: reply.update(error), times=1)
    assert not any(loads)
    visit.answered([], visit.get("undo").click)
    for path, status in (("app_id", 200), ("login_check", 401)):
        visit.page.route(
            f"**/{path}",
            lambda route, *, status=status: route.fulfill(status=status, json={"app_id": 0}),
            times=1,
        )
        visit.reply(lambda reply: reply.update(error), times=1)
        is_loaded_again()
    visit.complaints.clear()  # The browser's own, about the status 401.
