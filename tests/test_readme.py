"""The README: what it says of commands, options, numbers and code is so."""

from __future__ import annotations

import base64
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from app import PYTHON, App, post
from benchmarks.report.device_tables import HASH
from benchmarks.report.markdown import BEGIN, END
from edge_app.digits.mnist import Digits
from edge_app.models.card import CARD, read_card, record_file
from png import encode


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def blocks(readme: str, language: str) -> list[str]:
    """The code blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", readme, re.DOTALL)


def help_text(root: Path, *command: str) -> str:
    return subprocess.run(
        [PYTHON, "-m", *command, "--help"], cwd=root, capture_output=True, text=True, check=True
    ).stdout


def test_one_command_runs_the_app_and_one_passes_the_tests(readme: str) -> None:
    run, test = [block for block in blocks(readme, "sh") if "pip install" in block]
    assert run.count("\n") == test.count("\n") == 1
    assert "-r requirements-edge.txt" in run
    assert run.rstrip().endswith("-m edge_app")
    assert "-r requirements-dev.txt" in test
    assert test.rstrip().endswith("-m pytest")


def test_every_option_it_names_exists_and_every_option_of_the_app_is_named(
    readme: str, root: Path
) -> None:
    named = set(re.findall(r"--[a-z][a-z-]+", readme))
    app = set(re.findall(r"--[a-z][a-z-]+", help_text(root, "edge_app")))
    commands = [("benchmarks",), ("convert", "train"), ("convert", "add"), ("convert", "report")]
    others = re.findall(r"--[a-z][a-z-]+", "".join(help_text(root, *each) for each in commands))
    assert named <= app | set(others)
    assert app - {"--help"} <= named


def test_the_log_of_the_models_has_every_seed(root: Path, models_folder: Path) -> None:
    log = (root / "convert" / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in log]
    for folder in sorted(path for path in models_folder.iterdir() if path.is_dir()):
        card = read_card(folder)
        assert len(card.training["seeds"]) == 3
        for seed in card.training["seeds"]:
            accuracies = [f"{part:.2%}" for part in (*seed["validation"], *seed["test"])]
            ships = "yes" if seed["seed"] == card.training["seed"] else ""
            loss = f"{seed['validation_cross_entropy']:.4f}"
            assert [card.title, str(seed["seed"]), loss, *accuracies, ships] in rows


def test_its_benchmark_is_of_the_models_that_ship(readme: str, models_folder: Path) -> None:
    """What is between the marks is written by ``python -m benchmarks --markdown README.md``."""
    found = re.findall(rf"^{BEGIN}\n```\n(.*?)```\n{END}$", readme, re.DOTALL | re.MULTILINE)
    assert len(found) == 1, f"README.md has no benchmark between {BEGIN!r} and {END!r}"
    rows = [line.split() for line in found[0].splitlines()]
    measured = {row[0]: row[2] for row in rows if row[1:2] == ["card"]}
    folders = [path.parent for path in models_folder.glob(f"*/{CARD}")]
    assert measured == {each.name: record_file(each / CARD).sha256[:HASH] for each in folders}
    for folder in folders:
        card = read_card(folder)
        for variant, file in {"original": card.original, **card.variants}.items():
            row = next(row for row in rows if row[:2] == [card.name, variant])
            assert row[2] == f"{100 * file.accuracy:.2f}"


def test_its_python_runs_on_the_device(readme: str, root: Path) -> None:
    code = next(block for block in blocks(readme, "python") if "import edge_app" in block)
    printed = subprocess.run(
        [PYTHON, "-c", code], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    assert len(re.findall(r"\d\.\d+(?:e-\d+)?", printed)) == 10


def test_its_python_client_gets_an_answer(readme: str, root: Path, app: App) -> None:
    code = next(block for block in blocks(readme, "python") if "gradio_client" in block)
    printed = subprocess.run(
        [PYTHON, "-c", re.sub(r"http://[\d.:]+", app.url, code)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "'mlp': {'digit': 7" in printed


def test_its_curl_command_gets_an_answer(readme: str, app: App) -> None:
    words = shlex.split(next(block for block in blocks(readme, "sh") if "curl" in block))
    path = re.sub(r"http://[\d.:]+", "", words[2])
    answer = post(f"{app.url}{path}", words[words.index("-d") + 1])
    assert answer.json()["data"][0]["mlp"]["digit"] == 7


def test_its_command_for_a_picture_gets_an_answer(
    readme: str, app: App, test_set: Digits, tmp_path: Path
) -> None:
    (tmp_path / "digit.png").write_bytes(base64.b64decode(encode(test_set.images[0])))
    block = next(block for block in blocks(readme, "sh") if "digit.png" in block)
    text = subprocess.run(
        ["/bin/sh", "-c", block.partition("|")[0]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    answer = post(f"{app.url}/gradio_api/run/classify", text)
    assert answer.json()["data"][0]["mlp"]["digit"] == test_set.labels[0]


def test_the_files_and_sections_that_it_links_to_are_there(readme: str, root: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", readme) if "://" not in link]
    titles = re.findall(r"^##+ (.+)$", readme, re.MULTILINE)
    sections = {"#" + title.lower().replace(" ", "-") for title in titles}
    assert links
    assert [link for link in links if link not in sections and not (root / link).exists()] == []
