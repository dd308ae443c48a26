"""The command line: what it offers, and what it refuses before Gradio is imported."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import pytest

from app import App, call, run, start
from edge_app.command import parse_size
from second_runtime import SECOND, install_second_runtime


@pytest.fixture
def without_gradio(tmp_path: Path) -> Path:
    """A folder whose Gradio ends the program: whatever is found in time is found without it."""
    folder = tmp_path / "packages" / "gradio"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('Gradio was imported.')")
    return folder.parent


def refusal(ended: App) -> str:
    """The sentence that a command line was refused with."""
    assert (ended.process.returncode, ended.printed("stdout")) == (1, "")
    errors = ended.printed("stderr").splitlines()
    [sentence] = [line for line in errors if not line.startswith("INFO: ")]
    assert sentence.startswith("edge_app: ")
    return sentence


def test_a_port_in_use_is_refused(tmp_path: Path, without_gradio: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = run(tmp_path, f"--port={port}", PYTHONPATH=without_gradio)
    assert f"Cannot listen on 127.0.0.1 port {port}: Address already in use;" in refusal(ended)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--port=65536", "Port 65536 is out of range; expected 0 to 65535."),
        ("--allow-host http://pi", "The host 'http://pi' is not a name or an address; expected"),
        ("--host 192.0.2.77", "192.0.2.77 port 0: Cannot assign requested address;"),
        ("--models {folder}/nowhere", "nowhere cannot be read (No such file"),
        ("--models {folder}/empty", "empty; expected folders with a card.json"),
        ("--models {folder}/one", "one model; expected the folder that holds it: {folder}."),
        ("--auth-file {folder}/users", "run: chmod 600 {folder}/users"),
        ("--save-drawings {folder}/empty", "(Is a directory); choose another file for --save-dr"),
        ("--save-drawings {folder}/users", "Line 1 of {folder}/users is not a labelled drawing"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(
    arguments: str, sentence: str, tmp_path: Path, without_gradio: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "card.json").touch()
    (tmp_path / "users").write_text("anna:password")
    (tmp_path / "users").chmod(0o644)
    words = arguments.format(folder=tmp_path).split()
    ended = run(tmp_path, *words, PYTHONPATH=without_gradio)
    assert sentence.format(folder=tmp_path) in refusal(ended)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--variant int4", "argument --variant: invalid choice: 'int4' (choose from "),
        ("--runtime tensorflow", "argument --runtime: invalid choice: 'tensorflow' (choose from "),
        ("--prot 3", "unrecognized arguments: --prot"),
        ("sevrice", "unknown command 'sevrice'; the only one is service"),
        ("--save-limit much", "argument --save-limit: invalid size 'much'; expected something"),
    ],
)
def test_an_unknown_word_is_refused(
    arguments: str, sentence: str, tmp_path: Path, without_gradio: Path
) -> None:
    ended = run(tmp_path, *arguments.split(), PYTHONPATH=without_gradio)
    assert (ended.process.returncode, ended.printed("stdout")) == (2, "")
    assert f"python -m edge_app: error: {sentence}" in ended.printed("stderr")


@pytest.mark.slow
def test_the_runtime_is_the_one_asked_for_and_the_page_says_so(tmp_path: Path) -> None:
    place, _ = install_second_runtime(tmp_path)
    with start(tmp_path, "--runtime", SECOND, PYTHONPATH=place) as app:
        assert app.printed("stdout").startswith(f"Runtime: {SECOND} 0\n")
        assert f"{SECOND} 0" in call(app, "tabs", "sheet", "device").text


def test_a_runtime_that_is_not_installed_is_refused(tmp_path: Path, without_gradio: Path) -> None:
    module = without_gradio / SECOND.replace("-", "_")
    module.mkdir()
    (module / "__init__.py").write_text("raise ModuleNotFoundError")
    ended = run(tmp_path, "--runtime", SECOND, PYTHONPATH=without_gradio)
    assert f"{SECOND} is not installed; " in refusal(ended)


@pytest.mark.parametrize(
    ("text", "size"),
    [("200000", 200_000), (" 50 mb ", 50_000_000), ("1.5G", 1_500_000_000), ("20kB", 20_000)],
)
def test_sizes_have_units(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-5", "0", "0.1", "1e3", "5 TB", "5MB5", "٣"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"invalid size .*; expected something"):
        parse_size(text)
