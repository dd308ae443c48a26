"""Publication: a model's folder is replaced whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from convert.data.sources import TrainingData
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import CARD, VARIANTS
from edge_app.models.confusion import CONFUSION
from edge_app.models.folder import load_models

pytest.importorskip("tensorflow", reason="training needs TensorFlow, which the edge never installs")

import keras

from convert.export import publication
from convert.export.tflite import export
from convert.training.architectures import BUDGETS

pytestmark = pytest.mark.slow

FILES = {
    CARD,
    CONFUSION,
    "model.keras",
    "reference.npz",
    *(f"{variant}.tflite" for variant in VARIANTS),
}
IDENTITY = publication.Identity("dense", "Simple Dense", "One dense layer.")


@pytest.fixture(scope="module")
def publish(data: TrainingData) -> Iterator[Callable[[Path], object]]:
    """Publishes an untrained linear model to a folder; its files are converted only once."""
    keras.utils.set_random_seed(0)
    layers = [keras.Input((28, 28)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten()]
    original = keras.Sequential([*layers, keras.layers.Dense(10)])
    images = data.mnist.train.images[:20]
    contents = export(original, images, data.mnist.validation.images)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publication, "export", lambda *_: contents)
        yield lambda folder: publication.publish(
            *(original, IDENTITY, "logits", BUDGETS["dense"], Acceptance(0.5, 1.0)),
            *(images, data, {"seed": 0}, folder),
        )


@pytest.fixture
def standing(models_folder: Path, tmp_path: Path) -> Path:
    """A models folder with an older model of that name, and another one."""
    shutil.copytree(models_folder / "dense", tmp_path / "models" / "dense")
    (tmp_path / "models" / "dense" / "stray").write_text("old")
    (tmp_path / "models" / "other").mkdir()
    (tmp_path / "models" / "other" / "file").write_text("other")
    return tmp_path / "models"


def contents(folder: Path) -> dict[str, bytes]:
    """Every file beneath a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_model_of_the_same_name_is_replaced_and_others_stay(
    publish: Callable[[Path], object], standing: Path
) -> None:
    publish(standing)
    assert {path.name for path in (standing / "dense").iterdir()} == FILES
    assert contents(standing / "other") == {"file": b"other"}
    assert {path.name for path in standing.iterdir()} == {"dense", "other"}
    shutil.rmtree(standing / "other")
    published = load_models(standing, pytest.fail)["dense"]
    assert published.card.training == {"seed": 0}
    assert published.confusion
    counts, right = published.confusion.counts, published.card.variants["int8"].accuracy
    assert counts.trace() == pytest.approx(right * counts.sum())


@pytest.mark.parametrize("step", ["export", "load_model"])
def test_when_a_step_fails_the_old_model_stays(
    step: str, publish: Callable[[Path], object], standing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = contents(standing)
    monkeypatch.setattr(publication, step, fail)
    with pytest.raises(OSError, match="No space left"):
        publish(standing)
    assert contents(standing) == before
    assert {path.name for path in standing.iterdir()} == {"dense", "other"}


@pytest.mark.parametrize(("rename", "done"), [(1, False), (1, True), (2, False), (2, True)])
def test_an_interrupted_swap_leaves_the_old_or_the_new_model(
    rename: int,
    done: bool,
    publish: Callable[[Path], object],
    standing: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = contents(standing / "dense")
    really, count = Path.rename, [0]

    def interrupted(path: Path, target: Path) -> Any:
        count[0] += 1
        if count[0] != rename:
            return really(path, target)
        if done:
            really(path, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publish(standing)
    found = contents(standing / "dense")
    is_new = (rename, done) == (2, True)
    assert set(found) == FILES if is_new else found == before
    assert {path.name for path in standing.iterdir()} == {"dense", "other"}
