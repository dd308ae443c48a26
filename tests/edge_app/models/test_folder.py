"""Loading a folder: models with a card, files without one, and what is left out of either."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import re
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_app import ModelError, load_models
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import stack, views
from edge_app.digits.samples import drawings
from edge_app.models import folder as model_folder
from edge_app.models.acceptance import Acceptance
from edge_app.models.answers import VariantError, choices, classify
from edge_app.models.card import (
    CARD,
    VARIANTS,
    Budget,
    Card,
    CardError,
    read_card,
    record_file,
    write_card,
)
from edge_app.models.cardless import CARDLESS
from edge_app.models.folder import load_folder, load_model
from edge_app.models.interpreter import InterpreterError

Change = Callable[[dict[str, Any]], object]


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

RESHAPED = (
    r"float32\.tflite: Its inputs and outputs have the shapes \(1, 14, 56\), \(1, 10\); "
    r"expected one input \(1, 28, 28\), .* and one output \(1, 10\)"
)


def fill(path: Path) -> None:
    """Make a file far larger than any model, of zeros that take no place on the disk."""
    with path.open("wb") as file:
        file.truncate(10**9)


def replace(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


@pytest.mark.parametrize(
    ("variant", "damage", "reason"),
    [
        ("int8", lambda path: change_file(path, flip_a_bit), r"int8\.tflite is corrupt: found \d+"),
        ("float16", Path.unlink, r"float16\.tflite is missing; fetch it or convert"),
        ("int8", lambda path: replace(path, os.mkfifo), "int8.* cannot be read .it is not a regul"),
        ("dynamic", lambda path: replace(path, Path.mkdir), "cannot be read .it is not a regular"),
        ("dynamic", fill, "cannot be read .it has 1,000,000,000 bytes, expected at most 100,000,"),
        (
            "int8",
            lambda path: replace(path, lambda it: it.symlink_to(it)),
            "cannot be read .Too many levels of symbolic links",
        ),
        ("float32", lambda path: replace_file(path.parent, "float32", reshape_input), RESHAPED),
    ],
)
def test_a_damaged_variant_is_missing_and_the_most_exact_one_answers_for_it(
    variant: str, damage: Callable[[Path], object], reason: str, folder: Path
) -> None:
    damage(folder / "dense" / f"{variant}.tflite")
    reports: list[str] = []
    models = load_folder(folder, reports.append)
    [sentence] = reports
    assert sentence.startswith(f"Model 'dense' lacks its variant {variant}: ")
    assert re.search(reason, sentence)
    dense = models["dense"]
    rest = tuple(each for each in VARIANTS if each != variant)
    assert (dense.variants, dense.missing, tuple(dense.files)) == (rest, (variant,), rest)
    images = views(drawings()[3], ["bimoment"])
    for asked in VARIANTS:
        answer = classify(models, images, asked)["dense"]
        assert (answer["digit"], answer["variant"]) == (3, rest[0] if asked == variant else asked)
        assert (answer["drift"] is None) == (variant == "float32")
    with pytest.raises(VariantError, match="'int4'; expected one of "):
        classify(models, images, "int4")
    with pytest.raises(CardError if variant != "float32" else InterpreterError, match=reason):
        load_model(folder / "dense")
    assert load_models(folder, reports.append, complete=True) == {}


def test_one_variant_is_enough_and_none_is_not(folder: Path) -> None:
    for variant in ("int8", "float32", "dynamic"):
        (folder / "dense" / f"{variant}.tflite").unlink()
    reports: list[str] = []
    models = load_folder(folder, reports.append)
    assert len(reports) == 3
    for asked in VARIANTS:
        answer = classify(models, views(drawings()[3], ["bimoment"]), asked)["dense"]
        assert (answer["digit"], answer["variant"]) == (3, "float16")
    (folder / "dense" / "float16.tflite").unlink()
    assert re.search(r"dense' is left out: .*/float32\.tflite is missing; fetch", left_out(folder))


def test_variants_to_choose_from_are_in_order_whatever_is_missing(
    models_folder: Path, folder: Path
) -> None:
    shutil.copytree(models_folder / "mlp", folder / "mlp")
    (folder / "dense" / "float16.tflite").unlink()
    (folder / "mlp" / "int8.tflite").unlink()
    assert choices(load_folder(folder, lambda _: None)) == list(VARIANTS)


@pytest.mark.parametrize("name", ["model.keras", "reference.npz"])
def test_an_original_or_a_reference_is_not_needed_to_answer(name: str, folder: Path) -> None:
    change_file(folder / "dense" / name, flip_a_bit)
    assert load_folder(folder, pytest.fail)["dense"].variants == VARIANTS
    with pytest.raises(CardError, match=rf"{name} is corrupt: found \d+"):
        load_model(folder / "dense")


def nest(card: dict[str, Any]) -> None:
    card["training"]["data"] = json.loads("[" * 40 + "]" * 40)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_text("[" * 500_000), "cannot be read .(maximum rec|Stack over)"),
        (lambda path: edit_card(path.parent, nest), "it nests deeper than 30 levels"),
        (lambda path: replace(path, os.mkfifo), "cannot be read .it is not a regular file"),
        (lambda path: replace(path, Path.mkdir), "cannot be read .it is not a regular file"),
        (
            lambda path: replace(path, lambda it: it.symlink_to("/dev/zero")),
            "cannot be read .it is not a regular file",
        ),
        (fill, "it has 1,000,000,000 bytes, expected at most 1,000,000"),
    ],
)
def test_a_card_may_be_anything(
    damage: Callable[[Path], object], reason: str, folder: Path
) -> None:
    damage(folder / "dense" / CARD)
    assert re.search(rf"'dense' is left out: .*/card\.json .*{reason}", left_out(folder))


def test_an_error_that_nobody_thought_of_keeps_no_other_model_out(
    models_folder: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(models_folder / "mlp", folder / "mlp")

    def fail(path: Path) -> Card:
        return {"dense": read_card}[path.name](path)

    monkeypatch.setattr(model_folder, "read_card", fail)
    reports: list[str] = []
    assert list(load_folder(folder, reports.append)) == ["dense"]
    [sentence] = reports
    assert sentence == "Model 'mlp' is left out: it fails with KeyError ('mlp'); convert it again."


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
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
        (lambda card: card.update(parameters=math.inf), "inf is not a whole number of 0 to"),
        (lambda card: card.update(parameters=10**400), "0 is not a whole number of 0 to"),
        (lambda card: card.update(title="\ud800"), r"the text '\ud800' has a control character"),
        (lambda card: card.update(title=7), "its title is of type int, not a string"),
        (lambda card: card.update(description="a\0"), r"the text 'a\x00' has a control char"),
        (lambda card: card.update(title="x" * 201), "its title has 201 characters, expected at"),
        (lambda card: card.update(training=[]), "its training is of type list, not an object"),
        (lambda card: card["versions"].update({"\x1b": ""}), r"the text '\x1b' has a control"),
        (of("original", file="a\0b"), r"the text 'a\x00b' has a control character"),
        (of("original", bytes=10**9), "1000000000 is not a whole number of 0 to 100,000,000"),
        (of("original", accuracy=1.5), "an accuracy of 1.5, not of 0 to 1"),
        (of("contract", normalization="none"), "unknown normalization 'none'"),
        (of("contract", output="votes"), "unknown output 'votes'"),
        (of("original", accuracy="good"), "'good' is not a finite number"),
        (of("original", file="../mlp/x"), "file '../mlp/x' lies outside of the model's folder"),
        (lambda card: [v.update(file="..") for v in card["variants"].values()], "cannot be read"),
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
    (file.parent / "folder.tflite").mkdir()
    (file.parent / "dangling.tflite").symlink_to("nowhere")
    os.mkfifo(file.parent / "fifo.tflite")
    (file.parent / "Datei-\udcfc.tflite").touch()
    reports: list[str] = []
    models = load_folder(file.parent, reports.append)
    assert [re.sub("left out: .*/", "left out: ", sentence) for sentence in reports] == [
        "Model 'folder.tflite' is left out: card.json is missing; every model's folder has one.",
        "The file 'Datei-\\udcfc.tflite' is left out: Its name cannot be shown; rename the file.",
        "The file 'dangling.tflite' is left out: dangling.tflite is missing; fetch it or convert "
        "the model again.",
        "The file 'fifo.tflite' is left out: fifo.tflite cannot be read (it is not a regular "
        "file).",
    ]
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
