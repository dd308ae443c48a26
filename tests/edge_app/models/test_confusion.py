"""Confusion: counted, written, and read back; a damaged file costs nothing but itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import tracemalloc
import zlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_app.digits.mnist import Digits
from edge_app.models.card import CARD, read_card, record_file, write_card
from edge_app.models.classifier import Model
from edge_app.models.confusion import CONFUSION, MOST, ConfusionError, confuse, read_confusion
from edge_app.models.folder import load_folder, load_model
from edge_app.page.tabs.models import models_sheet


@pytest.fixture
def folder(models_folder: Path, tmp_path: Path) -> Path:
    """The folder of a copy of the dense model, to damage."""
    shutil.copytree(models_folder / "dense", tmp_path / "models" / "dense")
    return tmp_path / "models" / "dense"


def test_answers_are_counted_and_the_surest_mistakes_kept() -> None:
    labels = (np.arange(100) % 10).astype(np.uint8)
    images = np.arange(100, dtype=np.uint8)[:, None, None] + np.zeros((28, 28), np.uint8)
    probabilities = np.full((100, 10), 0.01)
    probabilities[range(100), labels] = 0.5
    wrong = np.arange(0, 60, 2)  # Thirty.
    probabilities[wrong, (labels[wrong] + 1) % 10] = 0.6 + wrong / 1000
    found = confuse("int8", probabilities, images, labels)
    assert found.counts.sum() == 100
    assert found.counts.trace() == 70
    assert [found.counts[digit, (digit + 1) % 10] for digit in (0, 1)] == [6, 0]
    surest = wrong[::-1][:MOST]
    assert found.pictures[:, 0, 0].tolist() == surest.tolist()
    assert found.labels.tolist() == labels[surest].tolist()
    assert found.answers.tolist() == ((labels[surest] + 1) % 10).tolist()


@pytest.mark.parametrize("mistakes", [0, 3])
def test_what_is_written_is_read_the_same(mistakes: int, folder: Path) -> None:
    labels = (np.arange(20) % 10).astype(np.uint8)
    images = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
    probabilities = np.eye(10)[np.concatenate([(labels[:mistakes] + 1) % 10, labels[mistakes:]])]
    made = confuse("int8", probabilities, images, labels)
    card = record(folder, made.to_json())
    found = read_confusion(folder, card)
    assert found
    assert found.variant == "int8"
    for name in ("counts", "pictures", "labels", "answers"):
        np.testing.assert_array_equal(getattr(found, name), getattr(made, name))
    assert read_confusion(folder, replace(card, confusion=None)) is None


def record(folder: Path, text: str) -> Any:
    """Write the file and its record in the card, which is returned."""
    (folder / CONFUSION).write_text(text)
    card = replace(read_card(folder), confusion=record_file(folder / CONFUSION))
    write_card(card, folder)
    return card


def test_the_models_that_ship_have_one_of_the_whole_test_set(
    models: dict[str, Model], test_set: Digits
) -> None:
    for model in models.values():
        found, card = model.confusion, model.card
        assert found
        np.testing.assert_array_equal(found.counts.sum(axis=1), np.bincount(test_set.labels))
        assert found.counts.trace() == round(10_000 * card.variants["int8"].accuracy)
        assert len(found.pictures) == MOST
        # The model does read them so.
        answers = model.predict(found.pictures, "int8").argmax(axis=1)
        np.testing.assert_array_equal(answers, found.answers)
        assert (found.answers != found.labels).all()
        assert card.confusion
        assert card.confusion.bytes < 15_000


def replace_by_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def changed(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content.update(fields)


def packed(count: int) -> str:
    return b64encode(zlib.compress(bytes(count))).decode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (changed(format=2), "it has format 2, expected 1"),
        (changed(variant="int4"), "unknown variant 'int4'"),
        (lambda content: content.pop("counts"), "field 'counts' is missing"),
        (changed(counts=3), "is not iterable"),
        (changed(counts=[[0] * 10] * 9), "its counts have 9 rows, expected 10"),
        (changed(counts=[[0] * 9] * 10), "is not a list of 10 numbers"),
        (changed(counts=[[-1] * 10] * 10), "-1 is not a whole number of 0 to 1,000,000,000"),
        (changed(counts=[[True] * 10] * 10), "True is not a whole number"),
        (changed(counts=[[10**400] * 10] * 10), "is not a whole number"),
        (changed(labels=[1] * 25), "it has more than 24 pictures"),
        (changed(labels=[]), "is not a list of 0 numbers"),
        (changed(answers=[10] * MOST), "10 is not a whole number of 0 to 9"),
        (changed(pictures="?"), "is not a confusion matrix"),
        (changed(pictures=None), "is not a confusion matrix"),
        (changed(pictures=packed(784 * MOST - 1)), "its pictures are not 24 of 28 x 28 pixels"),
        (changed(pictures=packed(10**8)), "its pictures are not 24 of 28 x 28 pixels"),
        (lambda content: content.clear(), "field 'format' is missing"),
    ],
)
def test_a_file_of_something_else_is_left_out(
    change: Callable[[dict[str, Any]], object], reason: str, folder: Path
) -> None:
    content = json.loads((folder / CONFUSION).read_text())
    change(content)
    card = record(folder, json.dumps(content))
    with pytest.raises(ConfusionError, match=reason):
        read_confusion(folder, card)
    check_left_out(folder, reason)


def test_pictures_that_unpack_to_far_too_much_take_no_memory(folder: Path) -> None:
    content = json.loads((folder / CONFUSION).read_text())
    card = record(folder, json.dumps(content | {"pictures": packed(10**8)}))
    tracemalloc.start()
    with pytest.raises(ConfusionError):
        read_confusion(folder, card)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10**7


@pytest.mark.parametrize("text", ["", "[]", "\xff", "[" * 50_000, '"\\ud800"', "NaN"])
def test_a_file_that_is_no_object_is_left_out(text: str, folder: Path) -> None:
    record(folder, text)
    check_left_out(folder, "is not a confusion matrix: ")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes() + b" "), "confusion.json is corrupt"),
        (lambda path: path.unlink(), "confusion.json is missing"),
        (replace_by_fifo, "it is not a regular file"),
    ],
)
def test_a_damaged_file_costs_nothing_but_itself(
    damage: Callable[[Path], object], reason: str, folder: Path
) -> None:
    damage(folder / CONFUSION)
    check_left_out(folder, reason)


def check_left_out(folder: Path, reason: str) -> None:
    """One sentence says why, the model answers, and its tab says what is missing."""
    reports: list[str] = []
    models = load_folder(folder.parent, reports.append)
    [sentence] = reports
    assert sentence.startswith("Model 'dense' lacks its confusion matrix: ")
    assert reason in sentence
    assert sentence.isprintable()
    assert sentence.endswith(".")
    dense = models["dense"]
    assert isinstance(dense, Model)
    assert not dense.missing
    sheet = models_sheet(models)
    assert sheet["warnings"] == [
        "Simple Dense lacks its confusion matrix, whose file is missing or damaged."
    ]
    assert "matrix" not in sheet["sections"][1]
    assert load_model(folder).variants == dense.variants


def test_a_card_of_an_older_version_names_none(folder: Path) -> None:
    fields = json.loads((folder / CARD).read_text())
    del fields["confusion"]
    (folder / CARD).write_text(json.dumps(fields))
    (folder / CONFUSION).unlink()
    models = load_folder(folder.parent, pytest.fail)
    assert models["dense"].variants
    sheet = models_sheet(models)
    assert sheet["warnings"] == []
    assert "matrix" not in sheet["sections"][1]


@pytest.mark.parametrize("value", [[], "confusion.json", {}, {"file": "../x", "bytes": 1}])
def test_a_card_that_names_something_else_is_left_out(value: object, folder: Path) -> None:
    fields = json.loads((folder / CARD).read_text()) | {"confusion": value}
    (folder / CARD).write_text(json.dumps(fields))
    reports: list[str] = []
    assert load_folder(folder.parent, reports.append) == {}
    assert re.search("dense' is left out: .* is not a model card", reports[0])
