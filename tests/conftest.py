"""What several tests share: where things lie, and the data that the repository holds."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app import App, start
from convert.command import main as convert_main
from edge_app.digits.labelled import LabelledDrawing, read_json_lines
from edge_app.digits.mnist import Digits, read_digits
from edge_app.errors import exit_status
from edge_app.models.classifier import Model
from edge_app.models.folder import load_models
from edge_app.models.interpreter import find_runtime
from idx import write_digits

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Shells ignore SIGINT in what they start in the background, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Before TensorFlow, whose kernels the runtime would use if it came second; they round otherwise.
find_runtime()


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps what the commands store for a user out of the home of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def models_folder(root: Path) -> Path:
    """The models that ship."""
    return root / "models"


@pytest.fixture(scope="session")
def models(models_folder: Path) -> dict[str, Model]:
    """The same, loaded."""
    return load_models(models_folder)


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
            status = exit_status("convert", convert_main)
        except SystemExit as end:
            status = int(end.code or 0)
        return status, capfd.readouterr().err

    return run


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The running app as it ships, for tests that leave it as it was."""
    with start(tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as it is installed. Playwright's event loop runs as long, and allows no other."""
    from visit import open_browser  # noqa: PLC0415 - Playwright is not where the edge is tested.

    with open_browser() as opened:
        yield opened
