"""Loading a folder: models with a card, files without one, and what is left out of either."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import ROOT
from edge_app import ModelError, load_models
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import stack
from edge_app.models.acceptance import Acceptance
from edge_app.models.answers import choices
from edge_app.models.card import CARD, VARIANTS, Budget, read_card, record_file, write_card
from edge_app.models.folder import CARDLESS, load_folder
from edge_app.models.interpreter import find_runtime

Change = Callable[[dict[str, Any]], object]

KILLER = b"\xff\xff\xff\x7f"
"""Kills tflite-runtime as the first four bytes, which say where a file's contents begin."""


@pytest.fixture
def folder(models_folder: Path, tmp_path: Path) -> Path:
    """A models folder with a copy of the dense model, to damage."""
    shutil.copytree(models_folder / "dense", tmp_path / "models" / "dense")
    return tmp_path / "models"


@pytest.fixture
def file(models_folder: Path, tmp_path: Path) -> Path:
    """A file in a models folder of its own: moments, pixels of 0 to 255, logits."""
    (tmp_path / "files").mkdir()
    path = tmp_path / "files" / "My Model.tflite"
    shutil.copy(models_folder / "dense" / "float32.tflite", path)
    return path


def edit_card(folder: Path, change: Change) -> None:
    card = json.loads((folder / CARD).read_text())
    change(card)
    (folder / CARD).write_text(json.dumps(card))


def replace_file(folder: Path, variant: str, change: Callable[[bytes], bytes]) -> None:
    """Change a variant's file, and the card with it: the hash is right, the content is not."""

    def record(card: dict[str, Any]) -> None:
        path = folder / card["variants"][variant]["file"]
        content = change(path.read_bytes())
        path.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        card["variants"][variant] |= {"bytes": len(content), "sha256": sha256}

    edit_card(folder, record)


def flip_a_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def change_file(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def reshape_input(content: bytes) -> bytes:
    """A model file that takes (1, 14, 56) where it took (1, 28, 28)."""
    assert struct.pack("<3i", 1, 28, 28) in content
    return content.replace(struct.pack("<3i", 1, 28, 28), struct.pack("<3i", 1, 14, 56))


def left_out(folder: Path) -> str:
    """The one sentence about a folder that no model loads from."""
    reports: list[str] = []
    assert load_folder(folder, reports.append) == {}
    [sentence] = reports
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


# Models with a card


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (
            lambda folder: change_file(folder / "int8.tflite", flip_a_bit),
            r"int8\.tflite is corrupt: found \d+",
        ),
        (
            lambda folder: change_file(folder / "reference.npz", flip_a_bit),
            r"reference\.npz is corrupt",
        ),
        (lambda folder: (folder / "model.keras").unlink(), r"model\.keras is missing; fetch"),
        (
            lambda folder: replace_file(folder, "float32", reshape_input),
            r"float32\.tflite: Its inputs and outputs have the shapes \(1, 14, 56\), \(1, 10\); "
            r"expected one input \(1, 28, 28\), .* and one output \(1, 10\)",
        ),
        (lambda folder: (folder / CARD).unlink(), r"card\.json is missing; every model's folder"),
        (lambda folder: (folder / CARD).write_bytes(b"\xff\xfe"), "card.json cannot be read"),
        (lambda folder: (folder / CARD).write_text("[]"), "it holds a list, not an object"),
        (lambda folder: folder.rename(folder.with_name("other")), "its card names it 'dense'"),
    ],
)
def test_a_damaged_model_is_left_out_whole(
    damage: Callable[[Path], object], reason: str, folder: Path
) -> None:
    damage(folder / "dense")
    sentence = left_out(folder)
    assert re.match("Model '(dense|other)' is left out: ", sentence)
    assert re.search(reason, sentence)


def of(part: str, **fields: Any) -> Change:
    """A change of the fields of a part of a card."""
    return lambda card: card[part].update(fields)


def accept(**rule: Any) -> Change:
    """A change of a card's acceptance rule."""
    return lambda card: card.update(acceptance=rule)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda card: card.update(format=2), "it has format 2, expected 1"),
        (lambda card: card.pop("contract"), "field 'contract' is missing"),
        (lambda card: card.update(parameters=None), "is not a model card"),
        (lambda card: card.update(parameters=math.inf), "cannot convert float infinity"),
        (of("contract", normalization="none"), "unknown normalization 'none'"),
        (of("contract", output="votes"), "unknown output 'votes'"),
        (of("original", accuracy="good"), "'good' is not a finite number"),
        (of("original", sha256="0" * 64), "model.keras is corrupt"),
        (of("original", file="../mlp/x"), "file '../mlp/x' lies outside of the model's folder"),
        (of("original", file=".."), "cannot be read"),
        (of("budget", agreement=99.8), "an agreement of 99.8, not of 0 to 1"),
        (of("budget", bytes=0), "allows 0 bytes, not a whole number"),
        (of("budget", bytes=1.5), "allows 1.5 bytes, not a whole number"),
        (of("budget", bytes=True), "allows True bytes, not a whole number"),
        (lambda card: card.update(acceptance=[0.5, 3]), "its acceptance is a list, not an object"),
        (accept(probability=0.5), "field 'energy' is missing"),
        (accept(probability=1.1, energy=None), "asks for a probability of 1.1, not of 0 to 1"),
        (accept(probability=-0.1, energy=3), "asks for a probability of -0.1, not of 0 to 1"),
        (accept(probability=True, energy=3), "True is not a finite number"),
        (accept(probability=0.5, energy=math.nan), "nan is not a finite number"),
        (accept(probability=0.5, energy=10**400), "int too large"),
        (of("contract", output="probabilities"), "asks for an energy, which only logits have"),
    ],
)
def test_a_model_whose_card_was_edited_is_left_out(
    change: Change, reason: str, folder: Path
) -> None:
    edit_card(folder / "dense", change)
    assert reason in left_out(folder)


@pytest.mark.parametrize(
    ("rule", "budget"),
    [
        (Acceptance(0.9, 3.5), Budget(0.1, 0.995, 100_000)),
        (Acceptance(1, None), Budget(0, 1, 1)),
        (Acceptance(0, -2.5), Budget(0, 0, None)),
        (None, Budget(-1, 0.5, None)),
    ],
)
def test_a_card_keeps_its_rule_and_its_budget(
    rule: Acceptance | None, budget: Budget, folder: Path
) -> None:
    card = dataclasses.replace(read_card(folder / "dense"), acceptance=rule, budget=budget)
    write_card(card, folder / "dense")
    if not rule:  # As cards of older versions are.
        edit_card(folder / "dense", lambda fields: fields.pop("acceptance"))
    assert load_models(folder)["dense"].card == card
    assert load_models(folder)["dense"].acceptance == rule


def test_one_damaged_model_keeps_no_other_out(
    models_folder: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(models_folder / "mlp", folder / "mlp")
    (folder / ".staging-1").mkdir()
    (folder / "README.md").write_text("notes")
    # The most accurate last, by the cards.
    edit_card(folder / "mlp", of("original", accuracy=0.5))
    assert list(load_models(folder, pytest.fail)) == ["mlp", "dense"]
    (folder / "mlp" / CARD).unlink()
    assert list(load_models(folder)) == ["dense"]
    assert "Model 'mlp' is left out" in caplog.text


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"missing cannot be read \(No such file or .*\); expect"):
        load_models(tmp_path / "missing")


# Files without a card


def test_a_file_is_named_after_itself_and_comes_last(file: Path, models_folder: Path) -> None:
    shutil.copytree(models_folder / "dense", file.parent / "dense")
    file = file.rename(file.with_name("LeNet_5 (mine).int8.tflite"))
    (file.parent / ".hidden.tflite").write_text("")
    (file.parent / "dangling.tflite").symlink_to("nowhere")
    models = load_folder(file.parent, pytest.fail)
    assert list(models) == ["dense", "lenet-5-mine-int8"]
    bare = models["lenet-5-mine-int8"]
    assert bare.title == "lenet-5-mine-int8 (no card)"
    assert bare.files == {CARDLESS: record_file(file)}
    # A single file has no variants to choose from.
    assert choices(models) == list(VARIANTS)
    assert choices({"file": bare}) == [CARDLESS]


def test_a_file_does_not_replace_a_model_of_its_name(file: Path, models_folder: Path) -> None:
    shutil.copytree(models_folder / "dense", file.parent / "dense")
    content = file.read_bytes()
    for name in ("dense.tflite", "my_model.tflite"):  # Sorted after "My Model.tflite".
        file.with_name(name).write_bytes(content + b"\0")
    reports: list[str] = []
    models = load_folder(file.parent, reports.append)
    assert models["dense"].variants == VARIANTS
    assert models["my-model"].files[CARDLESS].bytes == len(content)
    assert reports == [
        f"The file {file!r} is left out: Another model is already named {name!r}; rename the file."
        for file, name in (("dense.tflite", "dense"), ("my_model.tflite", "my-model"))
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_file_answers_every_request_as_it_does_with_its_card(
    variant: str, models_folder: Path, tmp_path: Path, test_set: Digits
) -> None:
    shutil.copy(models_folder / "dense" / f"{variant}.tflite", tmp_path / "bare.tflite")
    bare = load_folder(tmp_path, pytest.fail)["bare"]
    dense = load_models(models_folder)["dense"]
    assert bare.normalization == dense.normalization
    images = stack(test_set.images[:50], bare.normalization)
    expected = dense.predict(images, variant)
    for asked in ("int8", "float32", CARDLESS):
        np.testing.assert_array_equal(bare.predict(images, asked), expected)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(
            lambda content: KILLER + content[4:],
            r"It ends the process that runs it \(SIG\w+\); convert it again"
            if find_runtime().name == "tflite-runtime"
            else "does not load it",
            id="one that kills the process",
        ),
        pytest.param(lambda _: b"", "does not load it", id="an empty one"),
    ],
)
def test_a_malformed_file_is_left_out(
    damage: Callable[[bytes], bytes], reason: str, file: Path
) -> None:
    change_file(file, damage)
    sentence = left_out(file.parent)
    assert sentence.startswith("The file 'My Model.tflite' is left out: ")
    assert re.search(reason, sentence)


def test_a_file_that_hangs_is_left_out(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_app.models.folder.PATIENCE_S", 0.001)  # No process starts so soon.
    assert "It did not respond within 0.001 seconds" in left_out(file.parent)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("os.write(1, b'INFO: a line'); print('and another')", None),
        ("bytearray(3 * 2**30)", "It asks for more than 2 GiB of memory; convert it again."),
    ],
)
def test_a_runtime_may_print_but_not_take_all_memory(
    action: str, reason: str | None, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is tried in a process of its own, where the runtime does this."""
    stub = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from edge_app.models import interpreter
runtime = interpreter.find_runtime()

class Interpreter(runtime.interpreter):
    def invoke(self):
        {action}
        super().invoke()

interpreter.find_runtime = lambda *_: runtime._replace(interpreter=Interpreter)
"""
    # Every Python process imports it when it starts.
    (tmp_path / "sitecustomize.py").write_text(stub)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    if reason is None:
        assert list(load_folder(file.parent, pytest.fail)) == ["my-model"]
    else:
        assert reason in left_out(file.parent)
