"""What the page shows and says of the models' answers."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

import edge_app
from app import PYTHON, App, start
from edge_app.models.card import VARIANTS
from model_folders import ODD_TITLE
from visit import PHONE, SEVEN, Stroke, Strokes, Visit, Visits, asks

pytestmark = pytest.mark.slow


def test_each_answer_is_shown_with_its_probabilities_and_what_the_models_saw(
    open_page: Visits, models: dict[str, edge_app.Model]
) -> None:
    visit = open_page()
    expect(visit.hint).to_be_visible()
    assert not preview(visit).any()
    for model in models:
        expect(visit.digit(model)).to_have_text("")
        expect(visit.part(model, "bars")).to_have_attribute("aria-label", "No probabilities yet")
        expect(visit.part(model, "latency")).to_have_text("")
    for model, answer in visit.draw(SEVEN).items():
        expect(visit.digit(model)).to_have_text("7")
        expect(visit.part(model, "best")).to_have_text("7")
        expect(visit.part(model, "latency")).to_have_text(re.compile(r"^\d+ µs$"))
        shown = visit.part(model, "bars i").evaluate_all(
            "bars => bars.map(bar => Number(bar.style.getPropertyValue('--probability')))"
        )
        assert shown == answer["probabilities"]
    expect(visit.hint).to_be_hidden()
    [normalization] = {model.normalization for model in models.values()}
    expected = edge_app.rasterize(visit.sent[-1]["strokes"], normalization)
    # Another NumPy may add up in another order.
    tolerance = 0 if sys.executable == PYTHON else 1
    np.testing.assert_allclose(preview(visit), expected, atol=tolerance)


def preview(visit: Visit) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The pixels that the page shows as what the models see, 0 to 255, (28, 28)."""
    data = visit.get("preview").evaluate(
        "canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, 28, 28).data)"
    )
    pixels = np.array(data).reshape(28, 28, 4)
    assert (pixels[..., :3] == pixels[..., :1]).all()
    assert (pixels[..., 3] == 255).all()
    return pixels[..., 0]


def test_every_variant_answers_for_the_drawing_with_the_size_of_its_file(
    open_page: Visits, models: dict[str, edge_app.Model]
) -> None:
    visit = open_page()
    expect(visit.variant("int8")).to_be_checked()
    visit.draw(SEVEN)
    strokes = visit.sent[-1]["strokes"]
    for variant in VARIANTS:  # int8, the one chosen at first, comes last.
        with visit.page.expect_response(lambda response: asks(response.request)) as chosen:
            visit.variant(variant).check(force=True)
        assert visit.sent[-1] == {"strokes": strokes, "variant": variant}
        assert {each["variant"] for each in chosen.value.json()["answers"].values()} == {variant}
        for name, model in models.items():
            number = model.card.variants[variant].bytes
            kilo = f"{number / 1e3:.{1 if number < 1e5 else 0}f} kB"
            shown = kilo if number < 1e6 else f"{number / 1e6:.1f} MB"
            expect(visit.part(name, "size")).to_have_text(shown)


def guessed(probabilities: dict[int, float]) -> dict[str, Any]:
    return {"probabilities": [probabilities.get(digit, 0) for digit in range(10)]}


WORDS: list[tuple[str, dict[str, Any], str]] = [
    ("drift", {"drift": 0.0123}, "1.2 points from full precision"),
    ("drift", {"drift": 0.001}, "0.1 points from full precision"),
    ("drift", {"drift": 0.0004}, "< 0.1 points from full precision"),
    ("drift", {"drift": 0}, "same as full precision"),
    ("drift", {"drift": None, "float32_digit": None}, ""),
    ("drift", {"variant": "float32", "drift": 0}, "full precision"),
    ("drift.flips", {"drift": 0.4, "float32_digit": 1}, "full precision reads 1"),
    ("doubt", guessed({4: 0.55, 9: 0.4, 7: 0.05}), "Not sure: 4 or 9"),
    ("doubt", guessed({9: 0.55, 4: 0.4, 7: 0.05}), "Not sure: 9 or 4"),
    ("doubt", guessed({8: 0.5, 3: 0.5}), "Not sure: 3 or 8"),
    ("doubt", {"digit_like": False}, "Doesn't look like a digit to me; closest: 7"),
    ("confidence", guessed({7: 0.96849}), "96.8%"),
    ("confidence", guessed({7: 0.999}), "99.9%"),
    ("confidence", guessed({7: 0.99996}), "> 99.9%"),
    ("confidence", guessed({7: 1}), "> 99.9%"),
]
"""Parts of the page, what an answer says, and what is shown: no figure is rounded up to 100%."""


def test_drift_doubt_and_confidence_are_put_into_words(open_page: Visits) -> None:
    visit = open_page()
    visit.draw(SEVEN)
    best = visit.part("mlp", "best")
    for part, changes, words in WORDS:
        sure = part != "doubt"
        usual = {"digit": 7, "float32_digit": 7, "variant": "int8", "accepted": sure}
        usual["digit_like"] = True
        visit.tell(**usual | changes)
        expect(visit.part("mlp", part)).to_have_text(words)
        expect(visit.digit("mlp")).to_have_text("7" if sure else "?")
        expect(best).to_have_count(int(sure))
        expect(visit.part("mlp", "flips")).to_have_count(int("flips" in part))
    expect(best).to_have_attribute("title", "7: > 99.9%")
    expect(best).to_have_attribute("data-percent", "> 99.9%")
    spoken = re.compile("^Probabilities: 0: 0.0%, 1: 0.0%, .*, 7: > 99.9%, ")
    expect(visit.part("mlp", "bars")).to_have_attribute("aria-label", spoken)


def test_a_model_that_lacks_the_chosen_variant_says_which_one_answers(
    open_page: Visits, models_folder: Path, tmp_path: Path
) -> None:
    models = shutil.copytree(models_folder, tmp_path / "models")
    (models / "mlp" / "int8.tflite").unlink()
    (models / "cnn" / "int8.tflite").unlink()
    (models / "cnn" / "float32.tflite").unlink()
    (tmp_path / "app").mkdir()
    with start(tmp_path / "app", "--models", models) as app:
        visit = open_page(app)
        visit.draw(SEVEN)
        expect(visit.part("mlp", "drift")).to_have_text("no int8, so full precision")
        expect(visit.part("cnn", "drift")).to_have_text("no int8, so float16")
        expect(visit.part("dense", "drift")).to_contain_text("points from full precision")
        visit.variant("float32").check(force=True)
        expect(visit.part("mlp", "drift")).to_have_text("full precision")
        expect(visit.part("cnn", "drift")).to_have_text("no float32, so float16")
        visit.page.close()


def test_the_time_is_the_median_of_the_model_s_latest_in_this_variant(open_page: Visits) -> None:
    visit = open_page()
    times = iter([12_815, 100, 300, 90, 12_900, 7, *[500] * 9])
    during: list[int] = []  # A dot's answer before the pen is lifted takes as long as the next.

    def measure(reply: dict[str, Any]) -> None:
        answer = reply["answers"]["mlp"]
        if answer["digit"] is None:
            return
        answer["latency_us"] = during.pop() if during else next(times)
        if answer["drift"] is None:
            during.append(answer["latency_us"])

    visit.reply(measure)
    dot: Stroke = [(500, 500)]
    strokes: Strokes = []
    for shown in (12_815, 100, 300, 100, 300):
        strokes.append(dot)
        visit.answered(strokes, lambda: visit.with_mouse([dot]))
        expect(visit.part("mlp", "latency")).to_have_text(f"{shown} µs")
    for variant, shown in (("float32", 7), ("int8", 300)):
        visit.variant(variant).check(force=True)
        expect(visit.part("mlp", "latency")).to_have_text(f"{shown} µs")
    for _ in range(8):
        strokes.append(dot)
        visit.answered(strokes, lambda: visit.with_mouse([dot]))
    expect(visit.part("mlp", "latency")).to_have_text("500 µs")


def test_answers_are_announced_once_they_settle(open_page: Visits, odd_app: App) -> None:
    """Of the odd app: its dense model is never sure, and another has an odd title."""
    visit = open_page(odd_app, clock=True)
    said = visit.get("announcement")
    expect(said).to_have_attribute("aria-live", "polite")
    visit.stop_time()
    visit.draw(SEVEN)
    for _ in range(2):
        visit.get("undo").click()
        expect(visit.digit("mlp")).to_have_text("")
        visit.get("redo").click()
        expect(visit.digit("mlp")).to_have_text("7")
        visit.page.clock.run_for(700)
        expect(said).to_have_text("")
    visit.page.clock.run_for(200)
    expect(said).to_have_text(
        re.compile("Simple Dense: doesn't look like a digit to me; closest: 7. ")
    )
    expect(said).to_have_text(re.compile(r"Multi-layer Perceptron: 7, [\d.]+%\. "))
    expect(said).to_contain_text(f"{ODD_TITLE}: 7, ")  # A title is never taken as markup.
    odd = visit.page.locator("[data-model=another-3]")
    expect(odd.locator("h2")).to_contain_text(ODD_TITLE)
    expect(odd).to_have_attribute("aria-label", ODD_TITLE)
    assert visit.page.title() == "Draw a digit"
    visit.tell(digit=7, accepted=True, drift=0.4, float32_digit=1)
    expect(visit.part("mlp", "drift")).to_have_text("full precision reads 1")
    visit.page.clock.run_for(900)
    expect(said).to_have_text(re.compile("Multi-layer Perceptron: 7, .*%; full precision reads 1"))


def test_one_model_is_shown_alone_and_then_all_of_them_again(open_page: Visits) -> None:
    visit = open_page(**PHONE)
    cards = visit.page.locator(".answer").filter(visible=True)
    said = visit.get("announcement")
    one = visit.button("Show only Multi-layer Perceptron")
    height = "digit => digit.clientHeight"
    small = visit.digit("mlp").evaluate(height)
    visit.part("mlp", "verdict").tap(force=True)  # The whole card but its bars is the button.
    expect(cards).to_have_count(1)
    expect(one).to_have_attribute("aria-pressed", "true")
    assert visit.digit("mlp").evaluate(height) > 1.4 * small > 0
    visit.press(SEVEN[0])
    expect(visit.digit("mlp")).to_have_text("7")  # While the line is still being drawn.
    visit.page.mouse.up()
    expect(said).to_have_text(re.compile(r"^Multi-layer Perceptron: 7, [^:]*$"))
    one.tap()
    expect(cards).to_have_count(3)
    expect(one).to_have_attribute("aria-pressed", "false")
    expect(visit.digit("dense")).to_have_text("7")  # It was asked all the time.
    expect(said).to_have_text(re.compile("Simple Dense: .*Multi-layer Perceptron: 7, "))
    one.focus()
    visit.page.keyboard.press("Enter")
    expect(cards).to_have_count(1)
    visit.page.keyboard.press("Tab")
    expect(visit.button("All models")).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(cards).to_have_count(3)
    expect(one).to_be_focused()
    visit.page.keyboard.press("Enter")
    visit.answered(SEVEN, visit.page.reload)
    expect(cards).to_have_count(1)
    visit.page.add_init_script(
        "sessionStorage.digits = sessionStorage.digits.replace('\"mlp\"', '\"gone\"')"
    )
    visit.answered(SEVEN, visit.page.reload)  # The app may have lost that model, not the drawing.
    expect(cards).to_have_count(3)
