"""The line that says which models agree, and the accuracy beside each model's name."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

import edge_app
from app import App, start
from visit import PHONE, SEVEN, Visit, Visits

pytestmark = pytest.mark.slow

SIZE = "each => parseFloat(getComputedStyle(each).fontSize)"


def say(visit: Visit, **answers: tuple[int, bool]) -> None:
    """Have models answer a digit and whether they are sure, and ask again."""

    def change(reply: Any) -> None:
        for name, (digit, accepted) in answers.items():
            if reply["answers"][name]["digit"] is not None:
                reply["answers"][name].update(digit=digit, accepted=accepted)

    visit.page.unroute_all(behavior="wait")
    visit.reply(change)
    visit.get("undo").click()
    expect(visit.digit("mlp")).to_have_text("")
    visit.get("redo").click()


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        ({"dense": (1, True)}, "MLP and CNN: 7; Simple Dense: 1"),
        ({"dense": (1, True), "cnn": (2, True)}, "CNN: 2; MLP: 7; Simple Dense: 1"),
        ({"dense": (1, False), "mlp": (7, False)}, "CNN: 7; Simple Dense and MLP: not sure"),
        ({"dense": (1, False), "mlp": (7, False), "cnn": (7, False)}, "No model is sure"),
    ],
)
def test_it_says_who_disagrees(
    open_page: Visits, answers: dict[str, tuple[int, bool]], line: str
) -> None:
    visit = open_page()
    agreement = visit.get("agreement")
    expect(agreement).to_be_empty()
    visit.draw(SEVEN)
    expect(agreement).to_have_text("All agree: 7")
    say(visit, **answers)
    expect(agreement).to_have_text(line)
    visit.clear()
    expect(agreement).to_be_empty()


def test_it_is_read_from_the_last_row_and_fits_every_screen(open_page: Visits) -> None:
    visit = open_page(viewport={"width": 1920, "height": 1080})
    visit.draw(SEVEN)
    agreement = visit.get("agreement")
    expect(agreement).to_have_text("All agree: 7")
    assert agreement.evaluate(SIZE) >= 48
    expect(visit.page.locator(".legend")).to_be_visible()  # It says what is stored.
    check_longest(visit, least=28)
    visit = open_page(**PHONE)
    visit.draw(SEVEN)
    check_longest(visit, least=17)
    agreement = visit.get("agreement")
    visit.part("mlp", "one").tap()
    expect(agreement).to_be_hidden()  # One model agrees with nobody.
    visit.button("All models").tap()
    expect(agreement).to_be_visible()


def check_longest(visit: Visit, least: int) -> None:
    """It is seen to its end, in letters of at least this size in pixels."""
    say(visit, dense=(1, True))
    agreement = visit.get("agreement")
    expect(agreement).to_have_text("MLP and CNN: 7; Simple Dense: 1")
    assert agreement.evaluate("each => each.scrollWidth <= each.clientWidth")
    assert agreement.evaluate(SIZE) >= least


def test_of_ten_models_most_are_counted(open_page: Visits, odd_app: App) -> None:
    visit = open_page(odd_app)
    visit.draw(SEVEN)
    expect(visit.get("agreement")).to_have_text("9 models: 7; Simple Dense: not sure")


def test_accuracy_stands_beside_the_name_and_follows_the_variant(
    open_page: Visits, models: dict[str, edge_app.Model]
) -> None:
    visit = open_page()
    for variant in ("int8", "dynamic"):
        visit.variant(variant).check(force=True)
        for name, model in models.items():
            accuracy = model.card.variants[variant].accuracy
            expect(visit.part(name, "accuracy")).to_have_attribute(
                "title", f"Reads {accuracy:.2%} of MNIST, test set right"
            )
            shown = float(visit.part(name, "accuracy").inner_text().removesuffix("% right"))
            assert shown == pytest.approx(100 * accuracy, abs=0.051)


def test_with_one_model_without_a_card_there_is_neither(
    open_page: Visits, tmp_path_factory: pytest.TempPathFactory, models_folder: Any
) -> None:
    folder = tmp_path_factory.mktemp("bare")
    (folder / "models").mkdir()
    content = (models_folder / "mlp" / "int8.tflite").read_bytes()
    (folder / "models" / "mlp.tflite").write_bytes(content)
    (folder / "app").mkdir()
    with start(folder / "app", "--models", folder / "models") as one:
        visit = open_page(one)
        visit.draw(SEVEN)
        expect(visit.digit("mlp")).to_have_text("7")
        expect(visit.get("agreement")).to_have_count(0)
        expect(visit.page.locator(".accuracy")).to_have_count(0)
