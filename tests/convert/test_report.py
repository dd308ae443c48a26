"""The report: figures worked out by hand, and published as the command prints them."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.data.non_digits import read_non_digits
from convert.report import read_test_parts, report
from edge_app.digits.normalization import stack
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import read_card, write_card
from edge_app.models.folder import load_model

DASH = "\N{EN DASH}"


def cells(printed: str) -> dict[str, list[str]]:
    """A printed table's cells by the labels of its rows."""
    rows = [line.strip("|").split(" | ") for line in printed.splitlines()]
    return {label.strip(): [cell.strip() for cell in row] for label, *row in rows}


def with_card(source: Path, folder: Path, **changes: Any) -> Path:
    """A copy of a model's folder with changes to its card."""
    shutil.copytree(source, folder)
    write_card(dataclasses.replace(read_card(folder), name=folder.name, **changes), folder)
    return folder


def test_figures_are_the_card_s_and_int8_s_own_answers(
    models_folder: Path,
    page_drawings_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Half of the drawings are accepted, by this rule.
    test = read_test_parts([page_drawings_file])
    dense = load_model(models_folder / "dense")
    images = stack((each.strokes for each in test), "bimoment")
    labels = np.array([each.label for each in test])
    logits = dense.interpreters["int8"].run(images).astype(np.float64)
    energies = np.log(np.exp(logits).sum(axis=1))
    rule = Acceptance(0.0, float(np.median(energies)))
    card = dense.card
    with_card(models_folder / "dense", tmp_path / "one", acceptance=rule, title="A | b")
    contract = dataclasses.replace(card.contract, normalization="box")
    with_card(models_folder / "dense", tmp_path / "two", acceptance=None, contract=contract)

    report([], tmp_path, [page_drawings_file])
    printed = capsys.readouterr().out
    assert printed.startswith("| | A \\| b | Simple Dense |\n| --- | ---: | ---: |\n")
    found = cells(printed.split("\n", 2)[2])
    right = logits.argmax(axis=1) == labels
    accepted = energies >= np.median(energies)
    others = stack((strokes for _, strokes in read_non_digits()), "bimoment")
    floats = dense.interpreters["float32"].run(images).argmax(axis=1)
    foreign = dense.interpreters["int8"].run(others).astype(np.float64)
    refused = np.log(np.exp(foreign).sum(axis=1)) < np.median(energies)
    expected = {
        "MNIST test accuracy, int8": f"{card.variants['int8'].accuracy:.2%}",
        "MNIST test accuracy, original": f"{card.original.accuracy:.2%}",
        "drawn digits, int8": f"{right.mean():.2%}",
        "drawn digits, float32": f"{(floats == labels).mean():.2%}",
        "drawn digits accepted, int8": f"{accepted.mean():.2%}",
        "accepted drawn digits read right": f"{right[accepted].mean():.2%}",
        "non-digits refused": f"{refused.mean():.2%}",
        "parameters": "7,850",
        "int8 file": f"{(models_folder / 'dense' / 'int8.tflite').stat().st_size / 1000:.1f} kB",
        "original": f"{(models_folder / 'dense' / 'model.keras').stat().st_size / 1000:.1f} kB",
    }
    assert {label: row[0] for label, row in found.items()} == expected
    assert 0.4 < accepted.mean() < 0.7
    # The other sees other images, and has no rule.
    boxed = stack((each.strokes for each in test), "box")
    read = dense.interpreters["int8"].run(boxed).argmax(axis=1)
    assert found["drawn digits, int8"][1] == f"{(read == labels).mean():.2%}"
    unknown = {label for label, row in found.items() if row[1] == DASH}
    assert unknown == {label for label in found if "accepted" in label or "refused" in label}


def test_a_rule_that_accepts_nothing_reads_nothing_right_and_only_the_named_are_shown(
    models_folder: Path,
    page_drawings_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("mlp", "dense"):
        with_card(models_folder / name, tmp_path / name, acceptance=Acceptance(0.0, 1e9))
    (tmp_path / "damaged").mkdir()
    # In the order of the app.
    two, one = "| | Simple Dense | Multi-layer Perceptron |\n", "| | Multi-layer Perceptron |\n"
    for names, heading in ((["mlp", "dense", "mlp"], two), (["mlp"], one)):
        report(names, tmp_path, [page_drawings_file])
        printed = capsys.readouterr().out
        assert printed.startswith(heading)
        found, count = cells(printed), len(set(names))
        assert found["drawn digits accepted, int8"] == ["0.00%"] * count
        assert found["accepted drawn digits read right"] == [DASH] * count
        assert found["non-digits refused"] == ["100.00%"] * count


def test_every_file_gives_the_part_that_training_keeps_out(
    data: Any, page_drawings_file: Path, drawings_file: Path
) -> None:
    (source,) = data.drawn
    first, second, both = map(
        read_test_parts,
        ([page_drawings_file], [drawings_file], [page_drawings_file, drawings_file]),
    )
    assert [each.label for each in first] == source.test.labels.tolist()
    np.testing.assert_array_equal(stack([d.strokes for d in first], "bimoment"), source.test.images)
    assert [each.label for each in both] == [each.label for each in first + second]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("dense rnn", "There is no model 'rnn' in models; expected dense, mlp, cnn."),
        ("--models nowhere", "The models folder nowhere cannot be read (No such file or directory"),
        ("--models {here}", "There are no models in {here}; expected a folder per model in it."),
        ("--models {here}/damaged", "Model 'dense' is left out: {here}/damaged/dense/model.keras"),
        ("dense --models {here}/damaged", "There is no model 'dense' in {here}/damaged"),
        ("--drawings nowhere", "nowhere cannot be read (No such file or directory)."),
        ("--drawings {here}/few", "{here}/few holds too few drawings to have a test part"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(
    words: str,
    sentence: str,
    convert: Callable[..., tuple[int, str]],
    root: Path,
    drawings_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "few" in words:
        (tmp_path / "few").write_text(drawings_file.read_text().splitlines()[0])
    if "damaged" in words:
        shutil.copytree(root / "models" / "dense", tmp_path / "damaged" / "dense")
        (tmp_path / "damaged" / "dense" / "model.keras").write_bytes(b"damaged")
    monkeypatch.chdir(root)
    status, said = convert("report", *words.format(here=tmp_path).split())
    # The runtime may have noted something when it loaded the models.
    *notes, last = said.splitlines()
    assert status == 1
    assert last.startswith("convert: " + sentence.format(here=tmp_path))
    assert all(note.startswith("INFO:") for note in notes)


@pytest.mark.slow
def test_the_published_tables_are_what_the_command_prints(
    root: Path, pen_file: Path, models_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report([], models_folder, [pen_file])
    found = cells(capsys.readouterr().out)
    published = [root / "README.md", root / "models" / "README.md"]
    text = "".join(path.read_text(encoding="utf-8") for path in published if path.is_file())
    tables = cells("\n".join(re.findall(r"^\|.*\|$", text, re.MULTILINE)))
    rows = {label: row for label, row in found.items() if len(label) > 3 and label in tables}
    assert len(rows) > len(found) / 2
    assert rows == {label: tables[label] for label in rows}


def test_readme_counts_what_the_figures_are_of(root: Path, pen_file: Path) -> None:
    drawn = read_test_parts([pen_file])
    text = "".join(path.read_text(encoding="utf-8") for path in root.glob("**/README.md"))
    assert f"{len(drawn):,}" in text
    assert f"{len(read_non_digits())}" in text
    assert len({drawing.writer for drawing in drawn}) == 6
