"""What several tests share: where things lie, and the data that the repository holds."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app import App, start
from convert import __main__ as convert_command
from edge_app.digits.labelled import LabelledDrawing, read_json_lines
from edge_app.digits.mnist import Digits, read_digits
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import read_card, write_card
from idx import write_digits
from model_folders import ODD_TITLE, with_copies

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from visit import Visit


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def models_folder(root: Path) -> Path:
    """The models that ship."""
    return root / "models"


@pytest.fixture(scope="session")
def sample_folder(root: Path) -> Path:
    """1,000 of MNIST's training images, 100 of each digit, as IDX files."""
    return root / "tests" / "data" / "mnist-sample"


@pytest.fixture(scope="session")
def data_folder(
    sample_folder: Path, test_set: Digits, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """IDX files like MNIST's: 1,000 training images and 500 test images."""
    folder = tmp_path_factory.mktemp("data")
    for path in sample_folder.glob("*.gz"):
        shutil.copy(path, folder)
    write_digits(folder, "t10k", Digits(test_set.images[:500], test_set.labels[:500]))
    return folder


@pytest.fixture(scope="session")
def few_folder(
    sample_folder: Path, test_set: Digits, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Fewer of them, for what works on each: 120 training images, and 10 test images."""
    folder = tmp_path_factory.mktemp("few")
    sample = read_digits(sample_folder, "train")
    write_digits(folder, "train", Digits(sample.images[:120], sample.labels[:120]))
    write_digits(folder, "t10k", Digits(test_set.images[:10], test_set.labels[:10]))
    return folder


@pytest.fixture(scope="session")
def test_set(root: Path) -> Digits:
    """MNIST's 10,000 test images."""
    return read_digits(root / "benchmarks" / "mnist", "t10k")


@pytest.fixture(scope="session")
def drawings_file(root: Path) -> Path:
    """Ten synthetic drawings, the digits 0 to 9 in order, on a canvas of 280 by 280."""
    return root / "tests" / "data" / "drawings.jsonl"


@pytest.fixture(scope="session")
def drawings(drawings_file: Path) -> list[LabelledDrawing]:
    """The digits 0 to 9 in order."""
    return read_json_lines(drawings_file)


@pytest.fixture(scope="session")
def page_drawings_file(root: Path) -> Path:
    """Two drawings of each digit, drawn in the page and kept as it sent them."""
    return root / "tests" / "data" / "page-drawings.jsonl"


@pytest.fixture(scope="session")
def page_drawings(page_drawings_file: Path) -> list[LabelledDrawing]:
    """Two of each digit."""
    return read_json_lines(page_drawings_file)


@pytest.fixture(scope="session")
def pen_file() -> Path:
    """UCI's original pen trajectories, where ``$PEN_DIGITS`` names the file."""
    name = os.environ.get("PEN_DIGITS")
    if not name:
        pytest.skip("PEN_DIGITS does not name UCI's pendigits-orig.tra (see convert/README.md)")
    path = Path(name)
    if not path.is_file():
        pytest.fail(f"PEN_DIGITS names {path}, which is not a file")
    return path


@pytest.fixture
def convert(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs the converter within this process; gives its exit status and what it says of errors."""

    def run(*words: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["convert", *map(str, words)])
        capfd.readouterr()
        try:
            status = convert_command.main()
        except SystemExit as end:
            status = int(end.code or 0)
        return status, capfd.readouterr().err

    return run


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The running app as it ships, for tests that leave it as it was."""
    with start(tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture(scope="session")
def doubting_app(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The running app with models of which the dense one is never sure, and the MLP always."""
    models = shutil.copytree(models_folder, tmp_path_factory.mktemp("doubting") / "models")
    for name, rule in {"dense": Acceptance(0, 1e9), "mlp": Acceptance(0, -1e9)}.items():
        folder = models / name
        write_card(dataclasses.replace(read_card(folder), acceptance=rule), folder)
    with start(tmp_path_factory.mktemp("app"), "--models", models) as running:
        yield running


@pytest.fixture(scope="session")
def three_models(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The running app with three models, of which one may be a copy of another."""
    models = with_copies(models_folder, tmp_path_factory.mktemp("three") / "models", 3)
    with start(tmp_path_factory.mktemp("app"), "--models", models) as running:
        yield running


@pytest.fixture(scope="session")
def many_models(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The running app with ten models, most of them copies of another, and an odd title."""
    models = with_copies(models_folder, tmp_path_factory.mktemp("many") / "models", 10)
    folder = models / "another-3"
    write_card(dataclasses.replace(read_card(folder), title=ODD_TITLE), folder)
    with start(tmp_path_factory.mktemp("app"), "--models", models) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as it is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        reason = f"No browser is installed: none of {', '.join(names)} was found"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    arguments = ["--disable-gpu", "--disable-background-networking"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Which Chromium asks for there.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - Not where the edge is tested.

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, app: App) -> Iterator[Callable[..., Visit]]:
    """Opens the page: ``open_page()``, another app's, or with options of a browser's context."""
    from visit import Visit  # noqa: PLC0415

    visits: list[Visit] = []

    def opened(of: App = app, **options: Any) -> Visit:
        page = browser.new_context(**options).new_page()
        visits.append(Visit(page, of.url))
        return visits[-1]

    yield opened
    for each in visits:
        each.page.context.close()
        assert each.complaints == []
        assert each.elsewhere == []
