"""The command line: errors are sentences, and nothing slow is needed to print them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Convert = Callable[..., tuple[int, str]]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--data {here}/no", "No train-images-idx3-ubyte or train-images-idx3-ubyte.gz in {here}"),
        ("--data {here}/damaged", "{here}/damaged/train-images-idx3-ubyte "),
        ("--data {few}", "The train data in {few} is intact but not MNIST"),
        (
            "--data {few} --allow-other-data --drawings {here}/bad",
            "{here}/bad, line 2: The label is 11; expected a whole number",
        ),
        ("--out {here}/bad/models", "{here}/bad/models cannot be written (Not a directory)."),
    ],
)
def test_bad_data_and_folders_are_one_sentence(
    options: str, sentence: str, convert: Convert, few_folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("tensorflow")
    shutil.copytree(few_folder, tmp_path / "damaged")
    path = tmp_path / "damaged" / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:5000])
    (tmp_path / "bad").write_text(
        '{"label": 3, "strokes": [[[1, 2]]]}\n{"label": 11, "strokes": [[[1, 2]]]}\n'
    )
    places = {"here": tmp_path, "few": few_folder}
    words = options.format_map(places).split()
    status, said = convert("train", "dense", "--out", tmp_path / "out", *words)
    assert status == 1
    assert said.startswith("convert: " + sentence.format_map(places))
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("train lenet", "unknown model 'lenet'; expected one of dense, mlp, cnn"),
        ("add model.keras", "the following arguments are required: --name"),
    ],
)
def test_wrong_words_are_refused(words: str, sentence: str, convert: Convert) -> None:
    status, said = convert(*words.split())
    assert status == 2
    assert sentence in said


def test_output_that_cannot_be_written_is_one_sentence(
    convert: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("convert.report.report", fail)
    sentence = "convert: standard output cannot be written (No space left on device).\n"
    assert convert("report") == (1, sentence)


@pytest.mark.slow
def test_only_training_needs_tensorflow_and_names_what_is_not_installed(root: Path) -> None:
    run = _without("keras", root, "train")
    assert run.returncode == 1
    assert run.stderr.startswith(f"convert: keras is not installed for {sys.executable}; ")
    assert run.stderr.count("\n") == 1
    run = _without("tensorflow", root, "report", "dense")
    assert run.returncode == 0
    assert run.stdout.startswith("| | Simple Dense |\n")


def _without(absent: str, root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs the command where importing a package fails as if it were not installed."""
    script = f"""
import runpy, sys
sys.modules[{absent!r}] = None
sys.argv = ["convert", *{words!r}]
runpy.run_module("convert", run_name="__main__")
"""
    return subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
