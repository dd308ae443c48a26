"""What the page says of the models, the device and the last benchmark, as texts."""

from __future__ import annotations

import dataclasses
import json
import re
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import segno
from PIL import Image

from edge_app.device.description import Condition, Device
from edge_app.device.history import History, Sample
from edge_app.digits.normalization import Normalization
from edge_app.explanation.weights import weight_pictures
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import VARIANTS, FileRecord
from edge_app.models.classifier import Classifier, Model
from edge_app.models.confusion import Confusion
from edge_app.page.tabs import benchmark, device
from edge_app.page.tabs.benchmark import benchmark_sheet
from edge_app.page.tabs.content import Picture, Sheet, Table, size
from edge_app.page.tabs.device import condition_facts, device_sheet
from edge_app.page.tabs.models import models_sheet
from results import RESULT, changed

LAN = "http://192.168.1.20:7860"
SAME: Any = {name: RESULT[name] for name in ("board", "cpu", "architecture", "runtime")}
HERE = Device(
    **SAME, cores=2, memory_bytes=3_977_609_216, system="Debian", python="3.11", numpy="1.26"
)
"""The device of the benchmark ``RESULT``."""


def test_the_models_tab_shows_what_the_cards_say(models: dict[str, Model]) -> None:
    sheet = models_sheet(models)
    assert "Accuracy on MNIST, test set." in sheet["text"]
    compared, *sections = sheet["sections"]
    assert compared["table"]["columns"] == ["", *(model.title for model in models.values())]
    for column, (section, model) in enumerate(zip(sections, models.values(), strict=True)):
        card = model.card
        assert section["title"] == card.title
        groups = grouped(compared["table"], column)
        files = {"original": card.original, **card.variants}
        assert groups["Accuracy"] == {name: f"{each.accuracy:.2%}" for name, each in files.items()}
        assert groups["Size"] == {name: size(each.bytes) for name, each in files.items()}
        assert groups[""] == {"Parameters": f"{card.parameters:,}"}
        lost = 100 * (card.original.accuracy - card.variants["int8"].accuracy)
        assert float(groups["Lost"]["int8"]) == pytest.approx(lost, abs=0.005)
        assert set(groups["Lost"]) == set(card.variants)
        facts = dict(section["facts"])
        assert facts["Normalization"].startswith("bimoment: centred, straightened")
        assert facts["Trained on"].startswith("MNIST, 55,000 images\nCC BY-SA 3.0")
        assert facts["Also trained on"].startswith(
            "Pen-Based Digits (UCI), 5,246 images\nCC BY 4.0"
        )
    assert "-0.00" not in json.dumps(sheet)


def grouped(table: Table, column: int) -> dict[str, dict[str, str]]:
    """A model's cells by the heading above them and the name of their row."""
    groups: dict[str, dict[str, str]] = {"": {}}
    for name, *cells in table["rows"]:
        if cells:
            groups[[*groups][-1]][name] = cells[column]
        else:
            groups[name] = {}
    return groups


def test_the_best_of_each_row_is_marked_where_there_is_a_choice(models: dict[str, Model]) -> None:
    table = models_sheet(models)["sections"][0]["table"]
    best = dict(zip([name for name, *_ in table["rows"]], table["best"], strict=True))
    assert best["Parameters"] == [0]  # The fewest,
    assert best["int8"] == [0]  # the smallest file,
    assert best["Accuracy"] == []  # and nothing where there is no figure.
    rows = [(name, marked) for (name, *_), marked in zip(table["rows"], table["best"], strict=True)]
    assert [marked for name, marked in rows if name == "original"] == [[2], [0]]  # The most right.
    assert [marked for name, marked in rows if name == "float32"][1] == []  # All lose nothing.
    twice = {"one": models["dense"], "two": models["dense"], "three": models["cnn"]}
    table = models_sheet(twice)["sections"][0]["table"]
    assert table["best"][0] == [0, 1]
    [alone] = [models_sheet({"dense": models["dense"]})["sections"][0]]
    assert not any(alone["table"]["best"])
    assert "text" not in alone


def test_mistakes_are_counted_and_shown_as_pictures(models: dict[str, Model]) -> None:
    for section, model in zip(models_sheet(models)["sections"][1:], models.values(), strict=True):
        confusion = model.confusion
        assert confusion
        assert section["matrix"]["counts"] == confusion.counts.tolist()
        wrong = 10_000 - round(10_000 * model.card.variants["int8"].accuracy)
        assert f"It misreads {wrong:,} of 10,000." in section["matrix"]["text"]
        mistakes = section["galleries"][0]
        for number, picture in enumerate(mistakes["pictures"]):
            label, answer = confusion.labels[number], confusion.answers[number]
            assert picture["name"] == f"{label}, read as {answer}"
            np.testing.assert_array_equal(pixels(picture), confusion.pictures[number])
    none = np.zeros((0,), np.uint8)
    few = Confusion("int8", np.diag([5] * 10), np.zeros((0, 28, 28), np.uint8), none, none)
    faultless = Model(model.card, model.interpreters, few)
    section = models_sheet({"cnn": faultless})["sections"][1]
    assert section["galleries"] == []
    assert "It misreads 0 of 50." in section["matrix"]["text"]


def test_a_model_of_one_layer_shows_its_weights_in_two_colours(models: dict[str, Model]) -> None:
    dense, *others = models_sheet(models)["sections"][1:]
    assert [each["title"] for section in others for each in section["galleries"]] == [
        *("Misread digits", "Misread digits")
    ]
    pictures = dense["galleries"][1]["pictures"]
    assert [picture["name"] for picture in pictures] == [f"Weights of {each}" for each in range(10)]
    weights = weight_pictures(models["dense"])
    assert weights is not None
    for picture, each in zip(pictures, weights, strict=True):
        shown = pixels(picture).astype(int)
        most, least = (np.unravel_index(find(each), each.shape) for find in (np.argmax, np.argmin))
        red, _, blue = shown[most]
        assert blue > red + 40
        red, _, blue = shown[least]
        assert red > blue + 40
        grey = shown @ (0.299, 0.587, 0.114)
        assert grey[most] < 130  # Where there is no weight, it is 154.
        assert grey[least] > 180


def pixels(picture: Picture) -> Any:
    with Image.open(BytesIO(b64decode(picture["png"]))) as image:
        assert image.size == (28, 28)
        return np.asarray(image.convert("RGB") if image.mode == "P" else image)


UNSURE = "if its best guess is below 54%, or the drawing is unlike its digits (energy below -0.13)"


@pytest.mark.parametrize(
    ("changes", "name", "line"),
    [
        ({"training": {"data": "MNIST"}}, "Trained on", "unknown"),
        ({"training": {"data": [3, {"name": "My own"}]}}, "Trained on", "My own"),
        ({"training": {"data": [{"training_images": "?"}]}}, "Trained on", "unnamed data set"),
        ({"training": {"data": [{"name": [], "licence": {}}]}}, "Trained on", "unnamed data set"),
        ({"acceptance": Acceptance(0.54, -0.126)}, "Not sure", UNSURE),
        ({"acceptance": Acceptance(0.605, None)}, "Not sure", "if its best guess is below 60.5%"),
        ({"acceptance": None}, "Not sure", None),
    ],
)
def test_a_card_need_not_say_everything(
    models: dict[str, Model], changes: dict[str, Any], name: str, line: str | None
) -> None:
    card = dataclasses.replace(models["dense"].card, **changes)
    _, section = models_sheet({"dense": Model(card, models["dense"].interpreters)})["sections"]
    assert dict(section["facts"]).get(name) == line


def test_a_missing_variant_is_marked_and_its_stand_in_is_named(models: dict[str, Model]) -> None:
    card, files = models["dense"].card, models["dense"].interpreters
    left = {name: files[name] for name in ("float16", "dynamic")}
    dense = Model(card, left, models["dense"].confusion)
    sheet = models_sheet({"dense": dense, "mlp": models["mlp"]})
    assert sheet["warnings"] == [
        "Simple Dense lacks float32 and int8, whose files are missing or damaged; float16 answers "
        "instead."
    ]
    sizes = grouped(sheet["sections"][0]["table"], 0)["Size"]
    assert [name for name, shown in sizes.items() if shown == "missing"] == ["float32", "int8"]
    assert [*sizes] == ["original", *VARIANTS]


def test_a_model_without_a_card_says_so(models: dict[str, Model]) -> None:
    bare = Classifier("my", "my (no card)", "box", "logits", models["dense"].interpreters)
    sheet = models_sheet({"my": bare})
    assert sheet["text"] == "None of these models has a card."
    [section] = sheet["sections"]
    assert dict(section["facts"])["Normalization"].startswith("box: centred")
    file = FileRecord("my.tflite", 2048, "0" * 64)
    bare = Classifier(
        *("my", "my (no card)", "box", "logits", models["mlp"].interpreters, None, {"tflite": file})
    )
    compared, first, second = models_sheet({"dense": models["dense"], "my": bare})["sections"]
    assert grouped(compared["table"], 1)["Size"]["tflite"] == "2.0 kB"
    assert set(grouped(compared["table"], 1)["Accuracy"].values()) == {"-"}
    assert "matrix" in first
    assert "matrix" not in second


def test_a_phone_gets_a_qr_code_of_an_address_that_it_can_open() -> None:
    section = device_sheet(lambda: [LAN, "http://pi.local:7860"], History())["sections"][0]
    assert section["text"] == f"{LAN}\nhttp://pi.local:7860"
    picture, code = section["picture"], segno.make_qr(LAN)
    assert '<path fill="#fff" ' in picture
    dark = re.compile(r'<path [^>]*stroke="#000" d="[^"]+"')
    assert dark.findall(picture) == dark.findall(code.svg_inline(border=4, lineclass=None))
    section = device_sheet(lambda: ["http://127.0.0.1:7860"], History())["sections"][0]
    assert "picture" not in section
    assert "Only this device can open the app" in section["text"]


def test_the_device_tab_shows_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "describe_device", lambda: HERE)
    facts = dict(device_sheet(lambda: [LAN], History())["sections"][-1]["facts"])
    assert "Board" not in facts
    assert facts["Memory"] == "4.0 GB"
    assert facts["Cores"] == "2, x86_64"
    assert condition_facts(Condition(None, None, None, None, None)) == []
    known = Condition(48.686, (0.5, 1, 12.25), 350735.5, 3 * 10**9, 140_000_000)
    assert condition_facts(known) == [
        ("CPU temperature", "49 °C"),
        ("Load, 1/5/15 min", "0.50 · 1.00 · 12.25"),
        ("This app's memory", "140.0 MB"),
        ("Memory available", "3.0 GB"),
        ("Uptime", "4 days"),
    ]
    for seconds, words in ((0.5, "0 min"), (3599, "59 min"), (3660, "1 h 1 min")):
        condition = Condition(None, None, seconds, None, None)
        assert condition_facts(condition) == [("Uptime", words)]


def test_temperature_and_load_are_lines_since_the_start() -> None:
    samples = iter([Sample(41, 0.5), Sample(81, None), Sample(None, 2), Sample(48.4, 1)])
    history = History(lambda: next(samples))
    for _ in range(3):
        history.record()
    sections = device_sheet(lambda: [LAN], history)["sections"]
    [section] = [each for each in sections if each["title"] == "Since the app started"]
    assert section["text"].startswith("The last 1 min. Marked below the line: 80 °C or more")
    assert [each["caption"] for each in section["drawings"]] == [
        "CPU temperature: 48 °C now, 41 °C to 81 °C",
        "Load: 1.00 now, 0.50 to 2.00",
    ]
    unknown = History(lambda: Sample(None, None))
    titles = [each["title"] for each in device_sheet(lambda: [LAN], unknown)["sections"]]
    assert "Since the app started" not in titles


@pytest.mark.parametrize(
    ("bits", "fact", "warned"),
    [
        (None, None, False),
        (0, "not since it was switched on", False),
        (0x50000, "earlier: under-voltage, throttling", False),
        (0x50005, "now: under-voltage, throttling", True),
        (0x70002, "now: a capped frequency\nearlier: under-voltage, throttling", True),
    ],
)
def test_a_device_that_is_slowed_down_says_so(
    bits: int | None, fact: str | None, warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    condition = Condition(None, None, None, None, None, bits)
    assert dict(condition_facts(condition)).get("Slowed down") == fact
    monkeypatch.setattr(device, "read_condition", lambda: condition)
    assert bool(device_sheet(lambda: [LAN], History())["warnings"]) == warned


def sheet_of(folder: Path, result: dict[str, Any], **cards: str) -> Sheet | None:
    """The sheet of a benchmark's result, where the cards of the models have these hashes."""
    path = folder / "benchmark.json"
    path.write_text(json.dumps(result))
    return benchmark_sheet(path, {name: 64 * digit for name, digit in cards.items()})


def test_the_benchmark_tab_shows_the_last_benchmark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "describe_device", lambda: HERE)
    sheet = sheet_of(tmp_path, RESULT, dense="1", mlp="2", cnn="3")
    assert sheet
    assert sheet["text"].startswith("22 November 2026, 17:00 UTC. ")
    assert sheet["warnings"] == ["A model is missing.", "The machine was busy."]
    chart, dense, mlp, stray, measured = sheet["sections"]
    [drawing] = chart["drawings"]
    shown = re.findall(r"<title>(.+?)</title>", drawing["svg"])
    assert shown == [
        "Simple Dense float32: 96.88%, 10.0 µs",
        "Simple Dense int8: 96.91%, 12.1 µs",
        "stray (no card) tflite: 97.41%, 11.0 µs",
    ]
    assert dense["table"]["rows"] == [
        ["float32", "96.88%", "100.00%", "10.0", "146", "32.7 kB"],
        ["int8", "96.91%", "99.83%", "12.1", "59.6", "9.8 kB"],
    ]
    assert mlp["table"]["rows"] == [["int8", "-", "-", "-", "-", "396 kB"]]
    assert stray["table"]["rows"] == [["tflite", "97.41%", "-", "11.0", "-", "2.0 kB"]]
    assert dict(measured["facts"])["CPU"] == "AMD EPYC"
    assert benchmark_sheet(tmp_path / "missing.json", {}) is None
    assert sheet_of(tmp_path, RESULT | {"format": 1}) is None


def test_the_chart_takes_no_markup_and_needs_both_figures(tmp_path: Path) -> None:
    result = changed(RESULT, "models/dense/title", "<img src=x onerror=alert(1)>" + "x" * 300)
    for variant, median in (("float32", 0), ("int8", 1e-300)):
        result = changed(result, f"models/dense/variants/{variant}/median_us", median)
    result = changed(result, "models/dense/variants/int8/accuracy", 1e15)
    sheet = sheet_of(tmp_path, result)
    assert sheet
    svg = sheet["sections"][0]["drawings"][0]["svg"]
    assert "<img" not in svg
    assert len(ElementTree.fromstring(svg).findall(".//*[@class='s0 area']")) == 1  # noqa: S314
    for name in ("dense", "stray"):
        for variant in result["models"][name]["variants"].values():
            variant["median_us"] = None
    sheet = sheet_of(tmp_path, result)
    assert sheet
    assert not any("drawings" in section for section in sheet["sections"])


@pytest.mark.parametrize(
    ("mlp", "here", "sentence"),
    [
        ("3", {}, "different versions of Multi-layer Perceptron."),
        ("2", {"cpu": "Cortex-A72", "runtime": "other 1.0"}, "on a different device"),
        ("2", {"runtime": "ai-edge-litert 2.3.0"}, "the app uses ai-edge-litert 2.3.0"),
    ],
)
def test_a_benchmark_of_something_else_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mlp: str, here: dict[str, Any], sentence: str
) -> None:
    monkeypatch.setattr(benchmark, "describe_device", lambda: dataclasses.replace(HERE, **here))
    sheet = sheet_of(tmp_path, RESULT | {"warnings": []}, dense="1", mlp=mlp)
    assert sheet
    [warning] = sheet["warnings"]
    assert sentence in warning


@pytest.mark.slow
def test_the_page_says_which_models_see_which_image() -> None:
    canvas = pytest.importorskip("edge_app.page.canvas.component").canvas
    unused: Any = {"tflite": None}

    def shown(**uses: Normalization) -> list[tuple[Any, ...]]:
        models = {name: Classifier(name, name, use, "logits", unused) for name, use in uses.items()}
        fields = ("normalization", "seers", "see", "first")
        views = canvas(models, "int8", {}).props["views"]
        return [tuple(view[field] for field in fields) for view in views]

    assert shown(first="box", second="moments", third="box", fourth="box") == [
        ("box", "the other models", "see", True),
        ("moments", "second", "sees", False),
    ]
    assert shown(first="box") == [("box", "the models", "see", True)]
