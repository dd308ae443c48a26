"""Confusion matrices of published models: written beside the card, which records them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge_app.digits.mnist import Digits, read_digits
from edge_app.models.card import CARD, read_card, write_card
from edge_app.models.confusion import CONFUSION
from edge_app.models.folder import load_models

Convert = Callable[..., tuple[int, str]]


@pytest.fixture
def few(few_folder: Path) -> Digits:
    """A test set of ten images."""
    return read_digits(few_folder, "t10k")


@pytest.fixture
def folder(models_folder: Path, few: Digits, tmp_path: Path) -> Path:
    """A models folder whose cards name that test set, and no confusion matrix."""
    for name in ("dense", "mlp"):
        shutil.copytree(models_folder / name, tmp_path / name)
        card = read_card(tmp_path / name)
        reference = replace(card.reference, dataset_sha256=few.sha256())
        write_card(replace(card, reference=reference, confusion=None), tmp_path / name)
        (tmp_path / name / CONFUSION).unlink()
    return tmp_path


def test_models_published_before_get_theirs_and_keep_the_rest(
    convert: Convert, folder: Path, few_folder: Path, few: Digits
) -> None:
    cards = {name: read_card(folder / name) for name in ("dense", "mlp")}
    options = ("--models", folder, "--data", few_folder)
    assert convert("confusion", "mlp", *options) == (0, "")
    assert not (folder / "dense" / CONFUSION).exists()
    for _ in range(2):  # Again, it replaces its own.
        assert convert("confusion", *options) == (0, "")
        models = load_models(folder, pytest.fail)
        for name, card in cards.items():
            confusion = models[name].confusion
            assert confusion
            assert confusion.counts.sum(axis=1).tolist() == [
                (few.labels == digit).sum() for digit in range(10)
            ]
            assert confusion.counts.trace() + len(confusion.pictures) == 10
            assert replace(models[name].card, confusion=None) == card
            assert not [*(folder / name).glob(".*")]


def test_a_damaged_one_is_made_again(convert: Convert, folder: Path, few_folder: Path) -> None:
    options = ("--models", folder, "--data", few_folder)
    assert convert("confusion", *options) == (0, "")
    made = (folder / "dense" / CONFUSION).read_bytes()
    (folder / "dense" / CONFUSION).write_text("damaged")
    assert convert("confusion", *options) == (0, "")
    assert (folder / "dense" / CONFUSION).read_bytes() == made


def test_another_test_set_is_refused_and_nothing_written(
    convert: Convert, folder: Path, data_folder: Path
) -> None:
    before = (folder / "dense" / CARD).read_bytes()
    status, said = convert("confusion", "--models", folder, "--data", data_folder)
    assert status == 1
    assert said.startswith("convert: dense belongs to MNIST, test set with SHA-256 ")
    assert said.endswith("; name its folder with --data.\n")
    assert (folder / "dense" / CARD).read_bytes() == before
    assert not (folder / "dense" / CONFUSION).exists()
    status, said = convert("confusion", "--models", folder, "--data", folder)
    assert (status, said.count("\n")) == (1, 1)
    assert "No t10k-images-idx3-ubyte" in said
    assert convert("confusion", "lenet", "--models", folder)[0] == 1
