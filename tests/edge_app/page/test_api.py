"""The API of the running app: through Gradio's client, and over plain HTTP."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

import edge_app
from app import PYTHON, App, client, post
from convert.data.unipen import read_unipen
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.mnist import Digits
from edge_app.digits.picture import MAX_SIDE
from edge_app.digits.strokes import MAX_POINTS
from edge_app.models.card import VARIANTS
from edge_app.server.guard import MAX_BODY
from png import bomb, encode

SEVEN = [[[10, 10], [90, 10], [40, 100]]]


@pytest.fixture(scope="module")
def caller(app: App) -> Iterator[Client]:
    """Gradio's client, connected to the app."""
    gradio = client(app.url)
    yield gradio
    gradio.close()


@pytest.fixture(scope="module")
def models(models_folder: Path) -> dict[str, edge_app.Model]:
    return edge_app.load_models(models_folder)


def points(drawing: LabelledDrawing) -> list[list[list[float]]]:
    return [stroke.tolist() for stroke in drawing.strokes]


def classify(
    app: App, strokes: object, variant: object = "int8", image: object = None
) -> dict[str, Any]:
    """The answers over plain HTTP."""
    response = post(f"{app.url}/gradio_api/run/classify", {"data": [strokes, variant, image]})
    assert response.status_code == 200, response.text
    [answers] = response.json()["data"]
    assert isinstance(answers, dict)
    return answers


def untimed(answers: dict[str, Any]) -> dict[str, Any]:
    """What is the same each time."""
    return {
        name: {key: value for key, value in answer.items() if key != "latency_us"}
        for name, answer in answers.items()
    }


def resident_mib(app: App) -> float:
    """The most memory that the app has had so far."""
    status = Path(f"/proc/{app.process.pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def test_the_client_gets_every_model_s_answer_by_int8_unless_told_otherwise(
    caller: Client, models: dict[str, edge_app.Model]
) -> None:
    answers = caller.predict(SEVEN, api_name="/classify")
    assert list(answers) == list(models)
    for answer in answers.values():
        assert answer.keys() == {
            *("digit", "accepted", "probabilities", "variant", "latency_us"),
            *("drift", "float32_digit"),
        }
        assert isinstance(answer["accepted"], bool)
        assert answer["variant"] == "int8"
        assert len(answer["probabilities"]) == 10
        assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-4)
        assert answer["digit"] == answer["probabilities"].index(max(answer["probabilities"])) == 7
        assert answer["latency_us"] > 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_plain_http_gives_what_the_client_gets(app: App, caller: Client, variant: str) -> None:
    called = caller.predict(SEVEN, variant, api_name="/classify")
    posted = classify(app, SEVEN, variant)
    for answers in (called, posted):
        for answer in answers.values():
            assert answer["variant"] == variant
            assert answer.pop("latency_us") > 0
    assert called == posted


def rounding() -> float:
    """How far answers of the app and of this process may be apart.

    They round alike. But another runtime's kernels round the model's own arithmetic otherwise, and
    so do those that TensorFlow brings into a process in which another test has loaded it.
    """
    return 1e-6 if sys.executable == PYTHON and "tensorflow" not in sys.modules else 0.05


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_answers_are_those_of_the_library(
    app: App, models: dict[str, edge_app.Model], drawings: list[LabelledDrawing], variant: str
) -> None:
    tolerance = rounding()
    for drawing in drawings:
        answers = classify(app, points(drawing), variant)
        for name, model in models.items():
            image = edge_app.rasterize(drawing.strokes, model.normalization)
            probabilities = model.predict(image[None], variant)[0]
            assert answers[name]["digit"] == probabilities.argmax()
            assert answers[name]["probabilities"] == pytest.approx(
                probabilities.tolist(), abs=tolerance
            )


@pytest.mark.parametrize("strokes", [[], [[]], [[], []]])
def test_an_empty_drawing_is_no_digit(app: App, caller: Client, strokes: list[Any]) -> None:
    expected = {
        "digit": None,
        "accepted": False,
        "probabilities": [0] * 10,
        "variant": "int8",
        "latency_us": 0,
        "drift": None,
        "float32_digit": None,
    }
    for answers in (caller.predict(strokes, api_name="/classify"), classify(app, strokes)):
        assert answers
        assert all(answer == expected for answer in answers.values())


def test_an_answer_that_is_not_accepted_comes_with_its_digit(doubting_app: App) -> None:
    gradio = client(doubting_app.url)
    for answers in (gradio.predict(SEVEN, api_name="/classify"), classify(doubting_app, SEVEN)):
        assert answers["dense"]["accepted"] is False
        assert answers["mlp"]["accepted"] is True
        for answer in answers.values():
            assert answer["digit"] == 7
            assert answer["probabilities"][7] == max(answer["probabilities"])
    gradio.close()


def test_what_is_left_out_is_as_the_client_would_have_it(app: App, caller: Client) -> None:
    expected = caller.predict(SEVEN, api_name="/classify")
    for data in ([SEVEN], [SEVEN, "int8"], [SEVEN, "int8", None]):
        response = post(f"{app.url}/gradio_api/run/classify", {"data": data})
        assert untimed(response.json()["data"][0]) == untimed(expected)


# A picture


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("inverted", [False, True])
def test_a_picture_is_answered_as_the_library_would(
    app: App,
    models: dict[str, edge_app.Model],
    test_set: Digits,
    variant: str,
    *,
    inverted: bool,
) -> None:
    tolerance = rounding()
    for image in test_set.images[:10]:
        answers = classify(app, None, variant, encode(255 - image if inverted else image))
        for name, model in models.items():
            normalized = edge_app.normalize(image, model.normalization)
            probabilities = model.predict(normalized[None], variant)[0]
            assert answers[name]["variant"] == variant
            assert answers[name]["digit"] == probabilities.argmax()
            assert answers[name]["probabilities"] == pytest.approx(
                probabilities.tolist(), abs=tolerance
            )


def test_the_client_sends_a_picture_too(app: App, caller: Client, test_set: Digits) -> None:
    image = encode(test_set.images[0])
    expected = untimed(classify(app, None, "int8", image))
    assert expected["mlp"]["digit"] == test_set.labels[0]
    assert untimed(caller.predict(image=image, api_name="/classify")) == expected
    url = f"data:image/png;base64,{image}"
    assert untimed(caller.predict(None, "int8", url, api_name="/classify")) == expected


def test_a_picture_without_ink_is_no_digit(app: App) -> None:
    answers = classify(app, None, "int8", encode(np.full((30, 20), 255, np.uint8)))
    assert [answer["digit"] for answer in answers.values()] == [None] * len(answers)


def test_the_largest_pictures_at_once_are_all_answered_in_bounded_memory(app: App) -> None:
    large = np.zeros((MAX_SIDE, MAX_SIDE, 4), np.uint8)
    large[200:1800, 950:1050] = 255
    image = encode(large)
    assert len(image) < MAX_BODY
    classify(app, None, "int8", image)
    before = resident_mib(app)
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: classify(app, None, "int8", image), range(16))
        assert [answer["mlp"]["digit"] for answer in answers] == [1] * 16
    assert resident_mib(app) <= before + 64


def test_many_who_ask_at_once_get_their_own_answers(
    app: App, drawings: list[LabelledDrawing]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda drawing: classify(app, points(drawing)), drawings * 5)
        digits = [answer["mlp"]["digit"] for answer in answers]
    assert digits == [drawing.label for drawing in drawings * 5]


def test_drawings_made_in_the_page_are_read_right(
    app: App, page_drawings: list[LabelledDrawing]
) -> None:
    read = [classify(app, points(drawing))["mlp"]["digit"] for drawing in page_drawings]
    assert read == [drawing.label for drawing in page_drawings]


def test_what_people_draw_who_were_not_trained_on_is_read(app: App, pen_file: Path) -> None:
    unseen = [drawing for drawing in read_unipen(pen_file) if (drawing.writer or 0) >= 25]
    right = 0
    for digit in range(10):
        drawn = [drawing for drawing in unseen if drawing.label == digit]
        for drawing in drawn[:: len(drawn) // 10][:10]:
            right += classify(app, points(drawing))["mlp"]["digit"] == digit
    assert right >= 95


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("[7, 'int8']", "The drawing is of type int; expected a list of strokes"),
        ("['7', 'int8']", "The drawing is of type str; expected a list of strokes"),
        ("[null, 'int8']", "The drawing is missing; expected strokes or an image."),
        ("[]", "The drawing is missing; expected strokes or an image."),
        ("[[], 'int8', 'iVBORw0KGgo=']", "Both strokes and an image were sent; expected one of"),
        ("[null, 'int8', 7]", "The image is of type int; expected a PNG in base64."),
        ("[null, 'int8', {'path': '/etc/hostname'}]", "The image is of type dict; expected a PNG"),
        ("[null, 'int8', '/etc/hostname']", "The image is no base64; expected a PNG in base64."),
        ("[null, 'int8', 'data:text/plain,hi']", "The image is no base64; expected a PNG in"),
        ("[null, 'int8', 'iVBORw0KGgo=']", "The image is a damaged PNG; send it again."),
        (f"[null, 'int8', '{bomb(50_000, 50_000)}']", "The image has 50,000 by 50,000 pixels;"),
        ("[{'path': '/etc/hostname'}, 'int8']", "The drawing is of type dict; expected"),
        ("[[null], 'int8']", "Stroke 1 is missing; expected a list of [x, y]"),
        ("[['one'], 'int8']", "Stroke 1 is of type str; expected a list of [x, y]"),
        ("[[[['1', '2']]], 'int8']", "Stroke 1 holds something other than points"),
        ("[[[[1, null]]], 'int8']", "Stroke 1 holds something other than points"),
        ("[[[[1, 2], [3]]], 'int8']", "Stroke 1 holds something other than points"),
        ("[[[[1, 2, 3]]], 'int8']", "Stroke 1 holds something other than points"),
        (f"[[{'[' * 300}{']' * 300}], 'int8']", "Stroke 1 holds something other than points"),
        ("[[[[NaN, 1]]], 'int8']", "Stroke 1 has a coordinate that is not a number between"),
        ("[[[[1e400, 1]]], 'int8']", "Stroke 1 has a coordinate that is not a number between"),
        ("[[[[1e7, 1]]], 'int8']", "Stroke 1 has a coordinate that is not a number between"),
        (f"[[{[[1, 1]] * (MAX_POINTS + 1)}], 'int8']", "The drawing has 10001 points; expected"),
        ("[[], 'int4']", "The variant is 'int4'; expected one of float32, float16, dynamic, int8"),
        ("[[], null]", "The variant is None; expected one of float32, float16, dynamic, int8"),
        ("[[], ['int8']]", "The variant is ['int8']; expected one of float32, float16, dynamic"),
    ],
    ids=lambda value: value[:30],
)
def test_what_is_no_drawing_is_refused_with_a_sentence(app: App, data: str, sentence: str) -> None:
    content = f'{{"data": {data}}}'.replace("'", '"').replace(" ", "")
    assert len(content) <= MAX_BODY
    printed = app.printed("stderr")
    response = post(f"{app.url}/gradio_api/run/classify", content)
    assert response.status_code == 500  # Gradio's choice, whosever mistake it was.
    assert response.json()["error"].startswith(sentence)
    assert response.json()["error"].endswith(".")
    assert app.printed("stderr") == printed  # No traceback for a mistake of somebody else's.
    assert classify(app, SEVEN)["mlp"]["digit"] == 7


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[",
        "null",
        '{"data": 7}',
        '{"data": [[[[1' + "0" * 5000 + ', 1]]], "int8"]}',
        '{"data": [' + "[" * 30_000 + "]" * 30_000 + ', "int8"]}',
    ],
    ids=lambda content: content[:30],
)
def test_what_is_no_request_is_refused(app: App, content: str) -> None:
    response = post(f"{app.url}/gradio_api/run/classify", content)
    assert response.status_code in {400, 422}
    assert response.json()["detail"]
    assert classify(app, SEVEN)["mlp"]["digit"] == 7


def test_the_client_is_told_what_is_wrong(caller: Client) -> None:
    with pytest.raises(AppError, match=r"The variant is 'int4'; expected one of float32, .*int8\."):
        caller.predict(SEVEN, "int4", api_name="/classify")
    with pytest.raises(AppError, match="Stroke 1 holds something other than points; expected"):
        caller.predict([[["1", "2"]]], api_name="/classify")
    assert caller.predict(SEVEN, api_name="/classify")["mlp"]["digit"] == 7
