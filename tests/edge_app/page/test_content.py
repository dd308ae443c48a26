"""What the page says of the models, the device and the last benchmark, as texts."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
import segno

from edge_app.device.description import Condition, Device
from edge_app.digits.normalization import Normalization
from edge_app.models.acceptance import Acceptance
from edge_app.models.classifier import Classifier, Model
from edge_app.page.tabs import benchmark, device
from edge_app.page.tabs.benchmark import benchmark_sheet
from edge_app.page.tabs.content import Sheet, size
from edge_app.page.tabs.device import condition_facts, device_sheet
from edge_app.page.tabs.models import models_sheet
from results import RESULT

LAN = "http://192.168.1.20:7860"
SAME: Any = {name: RESULT[name] for name in ("board", "cpu", "architecture", "runtime")}
HERE = Device(
    **SAME, cores=2, memory_bytes=3_977_609_216, system="Debian", python="3.11", numpy="1.26"
)
"""The device of the benchmark ``RESULT``."""


def test_the_models_tab_shows_what_the_cards_say(models: dict[str, Model]) -> None:
    sheet = models_sheet(models)
    assert "Accuracy on MNIST, test set." in sheet["text"]
    for section, model in zip(sheet["sections"], models.values(), strict=True):
        card = model.card
        assert section["title"] == card.title
        original, *_, int8 = rows = section["table"]["rows"]
        files = {"original": card.original, **card.variants}
        assert [(name, accuracy, bytes_) for name, accuracy, _, bytes_ in rows] == [
            (name, f"{file.accuracy:.2%}", size(file.bytes)) for name, file in files.items()
        ]
        lost = 100 * (card.original.accuracy - card.variants["int8"].accuracy)
        assert float(int8[2]) == pytest.approx(lost, abs=0.005)
        assert original[2] == ""
        facts = dict(section["facts"])
        assert facts["Parameters"] == f"{card.parameters:,}"
        assert facts["Normalization"].startswith("moments: centred, straightened")
        assert facts["Trained on"].startswith("MNIST, 55,000 images\nCC BY-SA 3.0")
        assert facts["Also trained on"].startswith(
            "Pen-Based Digits (UCI), 5,246 images\nCC BY 4.0"
        )
    assert "-0.00" not in json.dumps(sheet)


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
    [section] = models_sheet({"dense": Model(card, models["dense"].interpreters)})["sections"]
    assert dict(section["facts"]).get(name) == line


def test_a_missing_variant_is_marked_and_its_stand_in_is_named(models: dict[str, Model]) -> None:
    card, files = models["dense"].card, models["dense"].interpreters
    left = {name: files[name] for name in ("float16", "dynamic")}
    sheet = models_sheet({"dense": Model(card, left), "mlp": models["mlp"]})
    assert sheet["warnings"] == [
        "Simple Dense lacks float32 and int8, whose files are missing or damaged; float16 answers "
        "instead."
    ]
    assert [name for name, *_ in sheet["sections"][0]["table"]["rows"]] == [
        *("original", "float32 (missing)", "float16", "dynamic", "int8 (missing)")
    ]


def test_a_model_without_a_card_says_so(models: dict[str, Model]) -> None:
    bare = Classifier("my", "my (no card)", "box", "logits", models["dense"].interpreters)
    sheet = models_sheet({"my": bare})
    assert sheet["text"] == "None of these models has a card."
    assert "table" not in sheet["sections"][0]
    assert dict(sheet["sections"][0]["facts"])["Normalization"].startswith("box: centred")


def test_a_phone_gets_a_qr_code_of_an_address_that_it_can_open() -> None:
    section = device_sheet(lambda: [LAN, "http://pi.local:7860"])["sections"][0]
    assert section["text"] == f"{LAN}\nhttp://pi.local:7860"
    picture, code = section["picture"], segno.make_qr(LAN)
    assert '<path fill="#fff" ' in picture
    dark = re.compile(r'<path [^>]*stroke="#000" d="[^"]+"')
    assert dark.findall(picture) == dark.findall(code.svg_inline(border=4, lineclass=None))
    section = device_sheet(lambda: ["http://127.0.0.1:7860"])["sections"][0]
    assert "picture" not in section
    assert "Only this device can open the app" in section["text"]


def test_the_device_tab_shows_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "describe_device", lambda: HERE)
    facts = dict(device_sheet(lambda: [LAN])["sections"][2]["facts"])
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
    dense, mlp, stray, measured = sheet["sections"]
    assert dense["table"]["rows"] == [
        ["float32", "96.88%", "100.00%", "10.0", "146", "32.7 kB"],
        ["int8", "96.91%", "99.83%", "12.1", "59.6", "9.8 kB"],
    ]
    assert mlp["table"]["rows"] == [["int8", "-", "-", "-", "-", "396 kB"]]
    assert stray["table"]["rows"] == [["tflite", "97.41%", "-", "11.0", "-", "2.0 kB"]]
    assert dict(measured["facts"])["CPU"] == "AMD EPYC"
    assert benchmark_sheet(tmp_path / "missing.json", {}) is None
    assert sheet_of(tmp_path, RESULT | {"format": 1}) is None


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
