"""The API of the running app: through Gradio's client, and over plain HTTP."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client.exceptions import AppError

import edge_app
from app import PYTHON, App, call, client, post
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import NORMALIZATIONS, views
from edge_app.digits.picture import MAX_SIDE
from edge_app.explanation.explanation import explain_drawing, explain_strokes
from edge_app.models.answers import classify as answers_of
from edge_app.models.card import VARIANTS
from edge_app.server.guard import MAX_BODY
from png import bomb, encode
from sheets import photograph

pytestmark = pytest.mark.slow

PATH = "/gradio_api/run/classify"
EXPLAIN = "/gradio_api/run/explain"
SEVEN = [[[10, 10], [90, 10], [40, 100]]]


def classify(app: App, *data: object) -> dict[str, Any]:
    """The answers to strokes, variant and image, over plain HTTP."""
    response = post(app.url + PATH, {"data": data})
    assert response.status_code == 200, response.text
    [answers] = response.json()["data"]
    assert isinstance(answers, dict)
    return answers


def points(drawing: LabelledDrawing) -> list[Any]:
    return [stroke.tolist() for stroke in drawing.strokes]


def untimed(answers: dict[str, Any]) -> dict[str, Any]:
    """The answers without what differs each time."""
    return {name: answer | {"latency_us": None} for name, answer in answers.items()}


def test_the_client_and_plain_http_get_the_same_with_the_same_defaults(
    app: App, models: dict[str, edge_app.Model], test_set: Digits
) -> None:
    caller = client(app.url)
    answers = caller.predict(SEVEN, api_name="/classify")
    assert list(answers) == list(models)
    for answer in answers.values():
        assert answer["digit"] == 7
        assert answer["variant"] == "int8"
    for data in ([SEVEN], [SEVEN, "int8"], [SEVEN, "int8", None]):
        assert untimed(classify(app, *data)) == untimed(answers)
    image = encode(test_set.images[0])
    expected = untimed(classify(app, None, "int8", image))
    assert expected["mlp"]["digit"] == test_set.labels[0]
    assert untimed(caller.predict(image=image, api_name="/classify")) == expected
    with pytest.raises(AppError, match=r"The variant is 'int4'; expected one of float32, .*int8\."):
        caller.predict(SEVEN, "int4", api_name="/classify")
    caller.close()


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_answers_are_those_of_the_library(
    app: App,
    models: dict[str, edge_app.Model],
    drawings: list[LabelledDrawing],
    test_set: Digits,
    variant: str,
) -> None:
    """For strokes, and for pictures of bright ink on dark and of dark ink on bright."""
    # App and library round alike, unless another runtime's kernels, or those that TensorFlow
    # brings into this process, do the model's own arithmetic.
    tolerance = 1e-6 if sys.executable == PYTHON and "tensorflow" not in sys.modules else 0.05
    asked: list[tuple[list[Any], Any]] = [
        *(([points(each), variant], each.strokes) for each in drawings),
        *(([None, variant, encode(each)], each) for each in test_set.images[:5]),
        *(([None, variant, encode(255 - each)], each) for each in test_set.images[:5]),
    ]
    for data, drawing in asked:
        expected = answers_of(models, views(drawing, NORMALIZATIONS), variant)
        for name, answer in classify(app, *data).items():
            assert answer["latency_us"] > 0
            assert answer["variant"] == variant
            assert answer["digit"] == expected[name]["digit"]
            assert answer["accepted"] == expected[name]["accepted"]
            probabilities = expected[name]["probabilities"]
            assert answer["probabilities"] == pytest.approx(probabilities, abs=tolerance)


def test_what_is_empty_is_not_a_digit(app: App) -> None:
    blank = encode(np.full((30, 20), 255, np.uint8))
    for strokes, image in (([], None), ([[], []], None), (None, blank)):
        answers = classify(app, strokes, "int8", image)
        assert {answer["digit"] for answer in answers.values()} == {None}


def test_many_who_ask_at_once_get_their_own_answers_in_bounded_memory(
    app: App, page_drawings: list[LabelledDrawing]
) -> None:
    large = np.zeros((MAX_SIDE, MAX_SIDE, 4), np.uint8)
    large[200:1800, 950:1050] = 255
    data = [None, "int8", encode(large)]
    classify(app, *data)
    before = resident_mib(app)
    asked = [*([points(drawing)] for drawing in page_drawings), *[data] * 16]
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda data: classify(app, *data), asked)
        digits = [answer["mlp"]["digit"] for answer in answers]
    assert digits == [drawing.label for drawing in page_drawings] + [1] * 16
    assert resident_mib(app) <= before + 64


def resident_mib(app: App) -> float:
    """The most memory that the app has had so far."""
    status = Path(f"/proc/{app.process.pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def test_a_photo_is_read_digit_by_digit(
    app: App, models: dict[str, edge_app.Model], page_drawings: list[LabelledDrawing]
) -> None:
    chosen = [page_drawings[number] for number in (4, 9, 14)]
    photo = photograph([each.strokes for each in chosen], 2, columns=3, finger=False)
    caller = client(app.url)
    found = caller.predict(photo.text, api_name="/read")["digits"]
    assert [each["box"] for each in found] == [pytest.approx(box, abs=0.02) for box in photo.boxes]
    for each, drawing in zip(found, chosen, strict=True):
        assert list(each["answers"]) == list(models)
        assert each["answers"]["cnn"]["digit"] == drawing.label
        assert each["answers"]["cnn"]["variant"] == "int8"
    exact = caller.predict(image=photo.text, variant="float32", api_name="/read")["digits"]
    assert {each["answers"]["mlp"]["variant"] for each in exact} == {"float32"}
    assert caller.predict(photograph([], 1).text, api_name="/read") == {"digits": []}
    caller.close()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (["/etc/hostname"], "The image is not base64; expected a JPEG or PNG in base64."),
        ([{"path": "/etc/hostname"}], "The image is of type dict; expected a JPEG or PNG in"),
        ([bomb(50_000, 50_000)], "The image has 50,000 by 50,000 pixels; expected at most 2,000"),
    ],
    ids=["path", "file", "bomb"],
)
def test_what_is_no_photo_is_refused_with_a_sentence(
    app: App, data: list[Any], sentence: str
) -> None:
    response = post(app.url + "/gradio_api/run/read", {"data": data})
    assert response.status_code == 422
    assert response.json()["error"].startswith(sentence)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("[]", "The drawing is missing; expected strokes or an image."),
        ("[[], 'int8', 'iVBORw0KGgo=']", "Both strokes and an image were sent; expected one of"),
        ("[null, 'int8', {'path': '/etc/hostname'}]", "The image is of type dict; expected a PNG"),
        (f"[null, 'int8', '{bomb(50_000, 50_000)}']", "The image has 50,000 by 50,000 pixels;"),
        (f"[[{'[' * 300}{']' * 300}], 'int8']", "Stroke 1 holds something other than points"),
        ("[[[[1e9, 1]]], 'int8']", "Stroke 1 has a coordinate that is not a number between"),
        ("[[], null]", "The variant is None; expected one of float32, float16, dynamic, int8"),
    ],
    ids=lambda value: value[:30],
)
def test_other_things_than_drawings_are_refused_with_a_sentence(
    app: App, data: str, sentence: str
) -> None:
    content = f'{{"data": {data}}}'.replace("'", '"').replace(" ", "")
    assert len(content) <= MAX_BODY
    printed = app.printed("stderr")
    response = post(app.url + PATH, content)
    assert response.status_code == 422
    assert response.json()["error"].startswith(sentence)
    assert app.printed("stderr") == printed  # No traceback for a mistake of somebody else's.


def test_an_explanation_is_that_of_the_library_with_the_same_defaults(
    app: App, models: dict[str, edge_app.Model]
) -> None:
    caller = client(app.url)
    found = caller.predict(SEVEN, api_name="/explain")
    assert found == caller.predict(SEVEN, "int8", "mlp", api_name="/explain")
    with pytest.raises(AppError, match=r"The model is 'x'; expected one of dense, mlp, cnn\."):
        caller.predict(SEVEN, model="x", api_name="/explain")
    caller.close()
    # Another runtime's kernels round to the next step of an output.
    tolerance = 1e-3 if sys.executable == PYTHON and "tensorflow" not in sys.modules else 0.5
    for name in models:
        [found] = post(app.url + EXPLAIN, {"data": [SEVEN, "int8", name]}).json()["data"]
        expected = explain_strokes(models, SEVEN, "int8", name)
        evidence = expected.pop("evidence")
        np.testing.assert_allclose(found.pop("evidence"), evidence, atol=tolerance)
        assert found == expected


def test_the_page_asks_for_the_same_and_learns_where_on_the_canvas_it_belongs(
    app: App, models: dict[str, edge_app.Model]
) -> None:
    state = {"strokes": SEVEN, "variant": "float32", "model": "cnn"}
    found, expected = call(app, "canvas", "explain", state).json(), explain_drawing(models, state)
    assert found.keys() == expected.keys()
    assert found["placement"] == pytest.approx(expected["placement"])
    assert call(app, "canvas", "explain", {**state, "strokes": []}).json() == {
        "error": "The drawing is blank, so there is nothing to explain; draw a digit."
    }


@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        ("[]", 400, "The values do not fit (missing a required argument: 'strokes')"),
        ("[null]", 422, "The drawing is missing; expected a list of strokes"),
        ("[[]]", 422, "The drawing is blank, so there is nothing to explain"),
        ("[[[[0,0],[9,9]]],'int4']", 422, "The variant is 'int4'; expected one of float32"),
        ("[[[[0,0],[9,9]]],'int8',null]", 422, "The model is None; expected one of dense, mlp"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_a_sentence(
    app: App, data: str, status: int, sentence: str
) -> None:
    printed = app.printed("stderr")
    response = post(app.url + EXPLAIN, f'{{"data": {data}}}'.replace("'", '"'))
    assert response.status_code == status
    assert response.json()["error"].startswith(sentence)
    assert app.printed("stderr") == printed
