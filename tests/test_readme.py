"""The READMEs: their commands, options, code, figures and links are right."""

from __future__ import annotations

import base64
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app import PYTHON, ROOT, App, post
from edge_app.digits.labelled import parse_line
from edge_app.digits.mnist import Digits
from edge_app.digits.picture import MAX_SIDE
from edge_app.digits.strokes import MAX_POINTS
from edge_app.models import metrics
from edge_app.models.card import PROBABILITIES, Card, read_card
from edge_app.models.interpreter import RUNTIMES, InterpreterError, find_runtime
from edge_app.server.guard import MAX_BODY
from png import encode
from sheets import photograph

COMMANDS = {
    "edge_app/README.md": ["edge_app"],
    "benchmarks/README.md": ["benchmarks"],
    "convert/README.md": ["convert train", "convert add", "convert report", "convert confusion"],
}
"""Every command that has options, by the README that lists them."""
MAIN, APP, BENCHMARKS, CONVERT, MODELS = "README.md", *COMMANDS, "models/README.md"
OTHERS = ("benchmarks/mnist/README.md", "tests/data/mnist-sample/README.md")
TEXTS = {
    path: (ROOT / path).read_text(encoding="utf-8") for path in (MAIN, *COMMANDS, MODELS, *OTHERS)
}
USERS_OWN = {"drawings.jsonl", "users.txt"}


def blocks(path: str, language: str, containing: str = "") -> list[str]:
    """The code blocks of a README in a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```", TEXTS[path], re.DOTALL | re.MULTILINE)
    return [block for block in found if containing in block]


def table(path: str) -> dict[str, list[str]]:
    """The cells of a README's tables, by the first one in their line."""
    return {row[0]: row[1:] for row in rows(path)}


def rows(path: str) -> list[list[str]]:
    """The cells of every line of a README's tables."""
    lines = [line for line in TEXTS[path].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines]


def kilobytes(count: int) -> str:
    return f"{count / 1000:,.1f} kB"


def options(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def printed(*words: str, folder: Path = ROOT) -> str:
    """What a command prints."""
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def cards(models_folder: Path) -> list[Card]:
    """Of the models that ship, in the order of the tables' columns."""
    return [read_card(models_folder / name) for name in ("dense", "mlp", "cnn")]


@pytest.mark.parametrize(
    ("requirements", "last"),
    [("requirements-edge.txt", "-m edge_app"), ("requirements-dev.txt", "-m pytest")],
)
def test_one_block_sets_up_and_runs_the_app_and_another_the_tests(
    requirements: str, last: str
) -> None:
    (block,) = blocks(MAIN, "sh", requirements)
    environment = block.split()[3]
    assert block.splitlines() == [
        f"python3 -m venv {environment}",
        f"{environment}/bin/pip install -r {requirements}",
        f"{environment}/bin/python {last}",
    ]


def test_the_commands_for_a_device_without_internet_are_those_of_ci() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (download,) = blocks(APP, "sh", "pip download")
    (install,) = blocks(APP, "sh", "--no-index")
    tags = re.findall(r"--platform=(\S+)_aarch64", download)
    assert f"{{{','.join(f'{tag}_' for tag in tags)}}}" in ci
    assert "download -r requirements-edge.txt -d wheels --no-deps" in download
    assert 'download -r requirements-edge.txt -d "$work/wheels" --no-deps' in ci
    assert "--no-index --find-links wheels -r requirements-edge.txt" in install
    assert '--no-index --find-links "$work/wheels" -r requirements-edge.txt' in ci


def test_the_versions_it_installs_are_those_of_the_requirements() -> None:
    pinned = re.findall(r"[\w-]+==[\d.]+", "".join(TEXTS.values()))
    requirements = (ROOT / "requirements-edge.txt").read_text(encoding="utf-8")
    assert [pin for pin in pinned if pin not in requirements] == []


def test_its_command_for_the_faster_runtime_is_that_of_the_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 11))
    monkeypatch.setitem(RUNTIMES, "ai-edge-litert", "no_such_module")
    with pytest.raises(InterpreterError) as caught:
        find_runtime.__wrapped__("ai-edge-litert")
    command = str(caught.value).partition("run: ")[2]
    assert command in TEXTS[MAIN]
    assert command in TEXTS[BENCHMARKS]


@pytest.mark.slow
def test_every_option_is_in_its_readme_and_every_option_in_a_readme_exists() -> None:
    known: set[str] = set()
    for path, commands in COMMANDS.items():
        shown = [printed(PYTHON, "-m", *command.split(), "--help") for command in commands]
        known |= options("".join(shown))
        assert options("".join(shown)) - {"--help"} <= options(TEXTS[path])
    known |= options(printed(sys.executable, "tests/attack/attack.py", "--help"))
    known |= options(printed(sys.executable, "tests/photos/photos.py", "--help"))
    pip = re.compile(r"^.* pip .*\\\n.*$|^.*\bpip\b.*$", re.MULTILINE)  # With a line that goes on.
    assert options(pip.sub("", "".join(TEXTS.values()))) <= known


@pytest.mark.parametrize("path", TEXTS)
def test_every_file_and_section_it_refers_to_is_there(path: str) -> None:
    here = (ROOT / path).parent
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", TEXTS[path]):
        target, _, section = link.partition("#")
        file = here / target if target else ROOT / path
        assert file.exists(), link
        titles = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE) if section else []
        slugs = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not section or section in slugs, link
    names = re.findall(r"`([\w./-]+(?:\.py|\.js|\.txt|\.jsonl|\.gz|/))`", TEXTS[path])
    missing = [name for name in names if not ((here / name).exists() or (ROOT / name).exists())]
    assert set(missing) <= USERS_OWN


def test_the_figures_of_the_models_are_those_of_their_cards(cards: list[Card]) -> None:
    short, long, limits = map(table, (MAIN, MODELS, BENCHMARKS))
    originals = [card.original for card in cards]
    int8 = [card.variants["int8"] for card in cards]
    accuracies = [
        (before.accuracy, after.accuracy) for before, after in zip(originals, int8, strict=True)
    ]
    lost = [100 * (before - after) for before, after in accuracies]
    assert long["MNIST test accuracy, original"] == [f"{before:.2%}" for before, _ in accuracies]
    assert long["MNIST test accuracy, int8"] == [f"{after:.2%}" for _, after in accuracies]
    assert long["points lost to quantization"] == [f"{points:.2f}" for points in lost]
    assert long["parameters"] == [f"{card.parameters:,}" for card in cards]
    assert long["original"] == [kilobytes(file.bytes) for file in originals]
    assert long["int8 file"] == [kilobytes(file.bytes) for file in int8]
    for label, same in {
        "MNIST test images read correctly": "MNIST test accuracy, int8",
        "drawn digits read correctly": "drawn digits, int8",
        "non-digits refused": "non-digits refused",
        "file size": "int8 file",
    }.items():
        assert short[label] == long[same]
    assert f"at most {max(lost):.2f} percentage points" in TEXTS[MAIN]
    budgets = [card.budget for card in cards]
    agreements = [f"{budget.agreement:.1%}" for budget in budgets]
    assert limits["points of accuracy lost, at most"] == [
        f"{budget.accuracy_loss_points}" for budget in budgets
    ]
    assert limits["agreement with the original, at least"] == agreements
    assert limits["file size, at most"] == [f"{(each.bytes or 0) // 1000} kB" for each in budgets]
    (rule,) = blocks(MODELS, "json")
    assert json.loads(f"{{{rule}}}") == {"acceptance": vars(cards[-1].acceptance)}


PREDICT = """
import sys
import numpy as np
import edge_app
from edge_app.digits.mnist import read_digits

test_set = read_digits("benchmarks/mnist", "t10k")
images = np.stack([edge_app.normalize(image) for image in test_set.images])
models = edge_app.load_models("models")
np.savez(sys.argv[1], **{name: model.predict(images, "int8") for name, model in models.items()})
"""


@pytest.mark.slow
@pytest.mark.skipif(find_runtime().name != "tflite-runtime", reason="measured with tflite-runtime")
def test_the_figures_on_mnist_are_those_of_the_files(
    root: Path, models_folder: Path, test_set: Digits, tmp_path: Path
) -> None:
    # In a process of its own: once TensorFlow is loaded in this one, its kernels round int8.
    subprocess.run([sys.executable, "-c", PREDICT, tmp_path / "int8.npz"], cwd=root, check=True)
    agreements, flips, errors = [], [], []
    for name, int8 in np.load(tmp_path / "int8.npz").items():
        original = np.load(models_folder / name / "reference.npz")[PROBABILITIES]
        before, after = metrics.answers(original), metrics.answers(int8)
        moved = metrics.flips(before, after, test_set.labels)
        error, before_error = (
            metrics.calibration_error(metrics.reliability(each, test_set.labels))
            for each in (int8, original)
        )
        agreements.append(f"{metrics.agreement(before, after):.2%}")
        flips.append(f"{moved.to_wrong} / {moved.to_right}")
        errors.append(f"{error:.2%} / {before_error:.2%}")
    figures = table(MODELS)
    assert figures["agreement of int8 with the original"] == agreements
    assert figures["images that flip: to wrong / to right"] == flips
    assert figures["expected calibration error, int8 / original"] == errors


def test_the_limits_of_the_api_are_those_of_the_code() -> None:
    limits = (f"{MAX_POINTS:,} points", f"{MAX_SIDE:,} pixels a side", f"{MAX_BODY >> 10} KiB")
    assert [limit for limit in limits if limit not in TEXTS[APP]] == []


def test_the_benchmark_s_output_is_of_the_models_that_ship(cards: list[Card]) -> None:
    shown = re.findall(r"^cnn +(\S+) +(\S+)", TEXTS[BENCHMARKS], re.MULTILINE)
    files = {"original": cards[-1].original, **cards[-1].variants}
    assert shown == [(name, f"{100 * file.accuracy:.2f}") for name, file in files.items()]


def test_the_log_has_every_seed_and_split(cards: list[Card]) -> None:
    log = rows(CONVERT)
    splits = [[cell.partition(" by ")[0] for cell in row] for row in log]
    for card in cards:
        assert len(card.training["seeds"]) == 3
        for seed in card.training["seeds"]:
            accuracies = [f"{part:.2%}" for part in (*seed["validation"], *seed["test"])]
            ships = "yes" if seed["seed"] == card.training["seed"] else ""
            loss = f"{seed['validation_cross_entropy']:.4f}"
            assert [card.title, str(seed["seed"]), loss, *accuracies, ships] in log
        for source, name in zip(card.training["data"], ("MNIST", "UCI's pen digits"), strict=True):
            parts = ("training", "validation", "test")
            assert [name, *(f"{source[f'{part}_images']:,}" for part in parts)] in splits


def test_a_stored_drawing_is_as_it_is_shown() -> None:
    (line,) = blocks(APP, "json", "strokes")
    assert parse_line(line.strip()).label == 3


@pytest.mark.slow
def test_the_python_examples_run(app: App) -> None:
    (alone,) = blocks(APP, "python")
    assert len(re.findall(r"\d\.\d+(?:e-\d+)?", printed(PYTHON, "-c", alone))) == 10
    (client,) = blocks(MAIN, "python", "gradio_client")
    code = re.sub(r"http://[\d.:]+", app.url, client)
    assert "'mlp': {'digit': 7" in printed(PYTHON, "-c", code)


@pytest.mark.slow
def test_the_curl_command_gets_an_answer_with_the_fields_that_are_described(app: App) -> None:
    (command,) = blocks(MAIN, "sh", "curl")
    words = shlex.split(command)
    answer = post(re.sub(r"http://[\d.:]+", app.url, words[2]), words[words.index("-d") + 1])
    mlp = answer.json()["data"][0]["mlp"]
    assert mlp["digit"] == 7
    (example,) = blocks(APP, "json", "accepted")
    assert [*json.loads(example)] == [*mlp]
    assert {f"`{field}`" for field in mlp} <= table(APP).keys()


@pytest.mark.slow
def test_the_curl_command_for_an_explanation_gets_the_fields_that_are_described(app: App) -> None:
    (command,) = blocks(APP, "sh", "run/explain")
    words = shlex.split(command)
    answer = post(re.sub(r"http://[\d.:]+", app.url, words[2]), words[words.index("-d") + 1])
    (found,) = answer.json()["data"]
    assert found["digit"] == 7
    (example,) = blocks(APP, "json", "runner_up")
    assert re.findall(r'"(\w+)":', example) == [*found]


@pytest.mark.slow
def test_the_command_for_a_photo_finds_its_digit(app: App, tmp_path: Path) -> None:
    seven = [np.array([(0.0, 0.0), (80.0, 0.0), (30.0, 90.0)])]
    (tmp_path / "photo.jpg").write_bytes(photograph([seven], 3).jpeg)
    (block,) = blocks(APP, "sh", "photo.jpg")
    command, _, curl = block.partition("|")
    url = re.sub(r"http://[\d.:]+", app.url, shlex.split(curl)[2])
    answer = post(url, printed("/bin/sh", "-c", command, folder=tmp_path))
    (digit,) = answer.json()["data"][0]["digits"]
    assert digit["answers"]["mlp"]["digit"] == 7
    (example,) = blocks(APP, "json", '"box"')
    assert [*json.loads(example)["digits"][0]] == [*digit]


@pytest.mark.slow
def test_the_command_for_an_image_gets_an_answer(
    app: App, test_set: Digits, tmp_path: Path
) -> None:
    (tmp_path / "digit.png").write_bytes(base64.b64decode(encode(test_set.images[0])))
    (block,) = blocks(APP, "sh", "digit.png")
    request = printed("/bin/sh", "-c", block.partition("|")[0], folder=tmp_path)
    answer = post(f"{app.url}/gradio_api/run/classify", request)
    assert answer.json()["data"][0]["mlp"]["digit"] == test_set.labels[0]
