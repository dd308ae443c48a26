"""What the tabs show, as texts: of the models, the device and the last benchmark."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from edge_app.device.description import Condition, Device
from edge_app.device.qr import encode, to_svg
from edge_app.models.acceptance import Acceptance
from edge_app.models.classifier import Classifier, Model, load_models
from edge_app.page.tabs import benchmark, device
from edge_app.page.tabs.benchmark import benchmark_sheet
from edge_app.page.tabs.content import Section, size
from edge_app.page.tabs.device import condition_facts, device_sheet
from edge_app.page.tabs.models import models_sheet
from results import RESULT

LAN = "http://192.168.1.20:7860"
HERE = Device(
    board=None,
    cpu="AMD EPYC",
    architecture="x86_64",
    cores=2,
    memory_bytes=3_977_609_216,
    system="Debian GNU/Linux 12 (bookworm)",
    python="3.11.7",
    numpy="1.26.4",
    runtime="tflite-runtime 2.14.0",
)


@pytest.fixture(scope="module")
def models(models_folder: Path) -> dict[str, Model]:
    return load_models(models_folder)


def with_training(model: Model, training: dict[str, Any]) -> Section:
    """The section of a model whose card tells that of its training."""
    card = dataclasses.replace(model.card, training=training)
    return models_sheet({"dense": Model(card, model.interpreters)})["sections"][0]


def test_the_models_are_told_by_their_cards(models: dict[str, Model]) -> None:
    sheet = models_sheet(models)
    assert "Accuracy on MNIST, test set." in sheet["text"]
    assert [section["title"] for section in sheet["sections"]] == [
        "Simple Dense",
        "Multi-layer Perceptron",
        "Convolutional Network",
    ]
    for section, model in zip(sheet["sections"], models.values(), strict=True):
        card = model.card
        rows = section["table"]["rows"]
        files = {"original": card.original, **card.variants}
        assert [row[0] for row in rows] == list(files)
        assert [row[1] for row in rows] == [
            f"{100 * file.accuracy:.2f}%" for file in files.values()
        ]
        assert [row[3] for row in rows] == [size(file.bytes) for file in files.values()]
        lost = 100 * (card.original.accuracy - card.variants["int8"].accuracy)
        assert float(rows[-1][2]) == pytest.approx(lost, abs=0.005)
        assert rows[0][2] == ""
        facts = dict(section["facts"])
        assert facts["Parameters"] == f"{card.parameters:,}"
        assert facts["Normalization"].startswith("moments: centred, straightened")
        assert facts["Trained on"].startswith("MNIST, 55,000 images\nCC BY-SA 3.0")
        assert facts["and on"].startswith("pendigits-orig.tra.gz, 5,246 images\nCC BY 4.0")
    assert "-0.00" not in json.dumps(sheet)


@pytest.mark.parametrize(
    ("training", "line"),
    [
        ({}, "not known"),
        ({"data": None}, "not known"),
        ({"data": "MNIST"}, "not known"),
        ({"data": [3, {"name": "My own"}]}, "My own"),
        ({"data": [{"training_images": "many"}]}, "data without a name"),
    ],
)
def test_a_card_may_tell_little_of_its_training(
    models: dict[str, Model], training: dict[str, Any], line: str
) -> None:
    assert dict(with_training(models["dense"], training)["facts"])["Trained on"] == line


@pytest.mark.parametrize(
    ("acceptance", "line"),
    [
        (
            Acceptance(probability=0.54, energy=-0.126),
            "if its best guess has less than 54%, "
            "or a drawing is unlike its digits (energy below -0.13)",
        ),
        (Acceptance(probability=0.605, energy=None), "if its best guess has less than 60.5%"),
        (None, None),
    ],
)
def test_a_model_tells_when_it_is_not_sure(
    models: dict[str, Model], acceptance: Acceptance | None, line: str | None
) -> None:
    card = dataclasses.replace(models["dense"].card, acceptance=acceptance)
    sheet = models_sheet({"dense": Model(card, models["dense"].interpreters)})
    assert dict(sheet["sections"][0]["facts"]).get("Not sure") == line


def test_a_model_without_a_card_is_shown_as_that(models: dict[str, Model]) -> None:
    model = models["dense"]
    bare = Classifier("my", "my (no card)", "box", "logits", model.interpreters)
    sheet = models_sheet({"my": bare})
    assert sheet["text"] == "None of them has a card."
    assert "table" not in sheet["sections"][0]
    facts = dict(sheet["sections"][0]["facts"])
    assert facts["Normalization"].startswith("box: centred")


def test_the_next_phone_gets_a_code_of_the_address() -> None:
    section = device_sheet(lambda: [LAN, "http://pi.local:7860"])["sections"][0]
    assert section["text"] == f"{LAN}\nhttp://pi.local:7860"
    assert section["picture"] == to_svg(encode(LAN))


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:7860", "http://[::1]:7860", "http://localhost:7860"]
)
def test_an_address_that_no_phone_can_open_has_no_code(address: str) -> None:
    section = device_sheet(lambda: [address])["sections"][0]
    assert "picture" not in section
    assert "no phone can open it" in section["text"]


def test_an_address_too_long_for_a_code_has_none() -> None:
    address = f"http://{'x' * 100}.local:7860"
    section = device_sheet(lambda: [address])["sections"][0]
    assert (section["text"], "picture" in section) == (address, False)


def test_the_device_is_told_as_far_as_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "describe_device", lambda: HERE)
    facts = dict(device_sheet(lambda: [LAN])["sections"][2]["facts"])
    assert "Board" not in facts
    assert facts["Memory"] == "4.0 GB"
    assert facts["Cores"] == "2, x86_64"
    assert condition_facts(Condition(None, None, None, None, None)) == []
    assert condition_facts(
        Condition(48.686, (0.5, 1, 12.25), 350735.5, 3 * 10**9, 140_000_000)
    ) == [
        ("CPU temperature", "49 °C"),
        ("Load, 1/5/15 min", "0.50 · 1.00 · 12.25"),
        ("This app's memory", "140.0 MB"),
        ("Memory available", "3.0 GB"),
        ("Up for", "4 days"),
    ]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.5, "0 min"), (3599, "59 min"), (3660, "1 h 1 min")]
)
def test_how_long_the_device_is_up(seconds: float, words: str) -> None:
    assert condition_facts(Condition(None, None, seconds, None, None)) == [("Up for", words)]


def test_the_last_benchmark_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "describe_device", lambda: HERE)
    path = tmp_path / "benchmark.json"
    path.write_text(json.dumps(RESULT))
    sheet = benchmark_sheet(path, {"dense": "1" * 64, "mlp": "2" * 64, "cnn": "3" * 64})
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


@pytest.mark.parametrize(
    ("cards", "here", "sentence"),
    [
        ({"dense": "1" * 64, "mlp": "3" * 64}, HERE, "than those served now: Multi-layer Perceptr"),
        ({"mlp": "2" * 64}, HERE, "of other models than those served now: Simple Dense."),
        (None, dataclasses.replace(HERE, cpu="Cortex-A72"), "of another device than this one"),
        (None, dataclasses.replace(HERE, runtime="ai-edge-litert 2.3.0"), "runs ai-edge-litert"),
    ],
)
def test_a_benchmark_of_something_else_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cards: dict[str, str] | None,
    here: Device,
    sentence: str,
) -> None:
    monkeypatch.setattr(benchmark, "describe_device", lambda: here)
    path = tmp_path / "benchmark.json"
    path.write_text(json.dumps(RESULT | {"warnings": [], "problems": []}))
    sheet = benchmark_sheet(path, cards or {"dense": "1" * 64, "mlp": "2" * 64})
    assert sheet
    (warning,) = sheet["warnings"]
    assert sentence in warning


def test_without_a_result_there_is_no_sheet(tmp_path: Path) -> None:
    assert benchmark_sheet(tmp_path / "missing.json", {}) is None
    path = tmp_path / "benchmark.json"
    path.write_text(json.dumps(RESULT | {"format": 1}))
    assert benchmark_sheet(path, {}) is None


@pytest.mark.parametrize(
    ("number", "words"),
    [(9800, "9.8 kB"), (395_800, "396 kB"), (1_534_000, "1.5 MB"), (4e9, "4.0 GB"), (None, "-")],
)
def test_sizes_for_people(number: float | None, words: str) -> None:
    assert size(number) == words
