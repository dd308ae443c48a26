"""The pipeline: which training ships, what its card says, and what an interruption leaves."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.training.architectures import ARCHITECTURES
from edge_app import load_models
from edge_app.digits.mnist import Digits, read_digits
from edge_app.models.card import read_card

pytest.importorskip("tensorflow", reason="training needs TensorFlow, which the edge never installs")

import keras

from convert import train as pipeline
from convert.data import pool, validation
from convert.data.sources import TrainingData, load
from convert.data.validation import Validation
from convert.export.tflite import predict
from convert.train import UNFINISHED, _accuracy, _calibrate, _cross_entropy, _fingerprint
from convert.training import fit as training
from convert.training.distillation import load_teacher
from convert.training.networks import cool
from convert.training.temperature import fit_temperature

EPOCHS = {0: 1, 1: 8, 2: 2}
"""Of each seed: the second one's model is the best."""
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module", autouse=True)
def quick() -> Any:
    """Little of everything, and so many epochs as each seed should have."""
    with pytest.MonkeyPatch.context() as patch:
        for constant in ("MNIST_VARIATIONS", "DRAWN_VARIATIONS"):
            patch.setattr(pool, constant, 1)
        patch.setattr(validation, "NON_DIGITS", 50)
        patch.setattr(validation, "ENOUGH", 2)
        patch.setattr(pipeline, "SEEDS", tuple(EPOCHS))
        patch.setattr(pipeline, "commit", lambda: COMMIT)
        short = replace(ARCHITECTURES["dense"], batch_size=32, learning_rate=0.01)
        patch.setitem(ARCHITECTURES, "dense", short)
        fit = training.train

        def fit_for_a_while(
            architecture: Any, pool: Any, digits: Any, seed: int, *others: Any
        ) -> Any:
            return fit(replace(architecture, epochs=EPOCHS[seed]), pool, digits, seed, *others)

        patch.setattr(pipeline, "fit", fit_for_a_while)
        yield


@pytest.fixture(scope="module")
def data(few_folder: Path, page_drawings_file: Path) -> TrainingData:
    return load(few_folder, [page_drawings_file], allow_other=True, normalization="moments", seed=0)


@pytest.fixture(scope="module")
def trained(
    few_folder: Path, page_drawings_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A models' folder with one model."""
    out = tmp_path_factory.mktemp("trained")
    pipeline.train(["dense"], few_folder, [page_drawings_file], out, allow_other=True)
    return out


def test_the_seed_with_the_lowest_cross_entropy_ships(trained: Path, data: TrainingData) -> None:
    told = read_card(trained / "dense").training
    losses = {each["seed"]: each["validation_cross_entropy"] for each in told["seeds"]}
    assert list(losses) == list(EPOCHS)
    assert told["seed"] == min(losses, key=lambda seed: losses[seed]) == 1
    shipped = keras.models.load_model(trained / "dense" / "model.keras")
    found = [_cross_entropy(shipped, source.validation) for source in data.sources]
    assert np.mean(found) == pytest.approx(losses[1], rel=1e-4)


def test_the_card_says_how_each_seed_reads_what_was_held_out(
    trained: Path, data: TrainingData
) -> None:
    told = read_card(trained / "dense").training
    shipped = keras.models.load_model(trained / "dense" / "model.keras")
    for seed in told["seeds"]:
        for part in ("validation", "test"):
            assert len(seed[part]) == 2
            if seed["seed"] == told["seed"]:
                parts = [getattr(source, part) for source in data.sources]
                right = [
                    (predict(shipped, digits.images).argmax(axis=1) == digits.labels).mean()
                    for digits in parts
                ]
                assert seed[part] == pytest.approx(right)


def test_the_card_says_what_made_the_model(
    trained: Path, few_folder: Path, page_drawings_file: Path
) -> None:
    told = read_card(trained / "dense").training
    assert told["commit"] == COMMIT
    assert told["command"] == (
        "python -m convert train dense --drawings page-drawings.jsonl "
        f"--data {few_folder.name} --allow-other-data"
    )
    assert told["architecture"] == json.loads(json.dumps(asdict(ARCHITECTURES["dense"])))
    text = page_drawings_file.read_text().rstrip()
    assert told["data"] == [
        {
            "name": f"{few_folder.name}, not MNIST",
            "licence": "unknown",
            "sha256": read_digits(few_folder, "train").sha256(),
            "training_images": 110,
            "validation_images": 10,
            "test_images": 10,
        },
        {
            "name": "page-drawings.jsonl",
            "licence": "the user's own",
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "training_images": 13,
            "validation_images": 2,
            "test_images": 5,
        },
    ]


def test_calibration_makes_a_model_as_sure_as_it_is_right_on_every_source_alike(
    trained: Path, data: TrainingData
) -> None:
    sources = [
        Digits(images, (labels + (np.arange(len(labels)) % every == 0)) % 10)
        for (images, labels), every in ((data.mnist.train, 2), (data.drawn[0].train, 7))
    ]
    model = keras.models.load_model(trained / "dense" / "model.keras")
    cool(model, 20.0)  # All of its few validation images were read right: it is far too sure.
    _calibrate(model, Validation(sources, [], data.mnist.train.images[:0]))
    logits = np.concatenate([predict(model, source.images) for source in sources])
    labels = np.concatenate([source.labels for source in sources])
    weights = np.concatenate([np.full(len(each.labels), 1 / len(each.labels)) for each in sources])
    assert fit_temperature(logits, labels, weights) == pytest.approx(1, rel=0.01)
    assert fit_temperature(logits, labels) > 1.05  # All images alike, the first source weighs more.


def test_what_ships_has_a_rule_of_acceptance(trained: Path) -> None:
    rule = read_card(trained / "dense").acceptance
    assert rule is not None
    assert rule.energy is not None


def test_nothing_else_is_left(trained: Path) -> None:
    assert [path.name for path in trained.iterdir()] == ["dense"]


def test_an_accuracy_of_nothing_is_none() -> None:
    nothing = Digits(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))
    assert _accuracy(None, nothing) is None


# Interruptions


@pytest.fixture
def standing(trained: Path, tmp_path: Path) -> Path:
    """A copy of that folder, to train into again."""
    return shutil.copytree(trained, tmp_path / "models")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file beneath a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def command(
    convert: Callable[..., tuple[int, str]], few_folder: Path, page_drawings_file: Path
) -> Callable[[Path], tuple[int, str]]:
    """Trains into a folder, by the command."""
    data = ("--data", few_folder, "--allow-other-data", "--drawings", page_drawings_file)
    return lambda out: convert("train", "dense", *data, "--out", out)


@pytest.fixture
def saves(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The checkpoint of every epoch; the fourth is interrupted."""
    names: list[str] = []
    save = training._save

    def interrupted(model: Any, checkpoint: Path) -> None:
        names.append(checkpoint.name)
        if len(names) == 4:
            raise KeyboardInterrupt
        save(model, checkpoint)

    monkeypatch.setattr(training, "_save", interrupted)
    return names


def test_an_interruption_leaves_the_models_as_they_were_and_what_is_trained(
    standing: Path, command: Callable[[Path], tuple[int, str]], saves: list[str]
) -> None:
    before = contents(standing)
    assert command(standing) == (130, "")
    assert saves == ["dense-0.keras", *["dense-1.keras"] * 3]
    after = contents(standing)
    assert before.items() < after.items()
    (unfinished,) = (standing / UNFINISHED).iterdir()
    kept = {path.name for path in unfinished.iterdir()}
    assert kept == {"dense-0.keras", "dense-1.keras"}
    assert len(after) == len(before) + len(kept)
    reports: list[str] = []
    assert list(load_models(standing, reports.append)) == ["dense"]
    assert not reports


def test_it_goes_on_where_it_was_interrupted_and_ends_as_if_it_was_not(
    trained: Path,
    command: Callable[[Path], tuple[int, str]],
    saves: list[str],
    tmp_path: Path,
) -> None:
    command(tmp_path)
    del saves[:]
    saves += [""] * 4  # No more interruptions.
    assert command(tmp_path)[0] == 0
    assert saves[4:] == [*["dense-1.keras"] * 6, *["dense-2.keras"] * 2]
    assert [path.name for path in tmp_path.iterdir()] == ["dense"]
    whole, parts = (read_card(folder / "dense").training for folder in (trained, tmp_path))
    assert [each["validation"] for each in parts["seeds"]] == [
        each["validation"] for each in whole["seeds"]
    ]
    for one, other in zip(whole["seeds"], parts["seeds"], strict=True):
        loss = pytest.approx(one["validation_cross_entropy"], rel=1e-3)
        assert other["validation_cross_entropy"] == loss


def test_nothing_is_gone_on_with_that_was_begun_with_something_else(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _fingerprint(data)
    assert found == _fingerprint(data)
    others = {found, _fingerprint(data._replace(drawn=[]))}
    monkeypatch.setattr(pipeline, "code_sha256", lambda: "other code")
    assert len(others | {_fingerprint(data)}) == 3


def test_what_another_training_has_begun_stays(
    command: Callable[[Path], tuple[int, str]], tmp_path: Path
) -> None:
    others = tmp_path / UNFINISHED / "other-data" / "dense-0.keras"
    others.parent.mkdir(parents=True)
    others.write_bytes(b"theirs")
    assert command(tmp_path)[0] == 0
    assert [path for path in (tmp_path / UNFINISHED).rglob("*") if path.is_file()] == [others]


# Teachers


@pytest.fixture
def school(monkeypatch: pytest.MonkeyPatch) -> None:
    """The teacher and its student are small; neither learns for long."""
    for name in ("mlp", "cnn"):
        small = replace(
            ARCHITECTURES["dense"], name=name, title=name, teacher=ARCHITECTURES[name].teacher
        )
        monkeypatch.setitem(ARCHITECTURES, name, small)


@pytest.mark.usefixtures("school")
def test_a_student_goes_on_though_its_teacher_is_published_again(
    few_folder: Path, tmp_path: Path, saves: list[str]
) -> None:
    def train(*names: str) -> list[str]:
        """The checkpoints written, one an epoch."""
        del saves[4:]
        pipeline.train(names, few_folder, [], tmp_path, allow_other=True)
        return saves[4:]

    saves += [""] * 4  # No interruption but this one.
    with pytest.MonkeyPatch.context() as patch:
        calibrate, calls = pipeline._calibrate, [0]

        def interrupted(*arguments: Any) -> None:
            calibrate(*arguments)
            calls[0] += 1
            if calls[0] == 2 * len(EPOCHS):  # The student's last seed.
                raise KeyboardInterrupt

        patch.setattr(pipeline, "_calibrate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train("mlp", "cnn")
    teacher = load_teacher("cnn", tmp_path, "moments")
    names = [f"mlp-{seed}-{teacher.weights_sha256()[:16]}.keras" for seed in EPOCHS]
    (unfinished,) = (tmp_path / UNFINISHED).iterdir()
    assert {path.name for path in unfinished.glob("mlp-*")} == set(names)

    assert train("mlp", "cnn") == []
    again = load_teacher("cnn", tmp_path, "moments")
    assert again.sha256 != teacher.sha256  # The file holds its date.
    assert again.weights_sha256() == teacher.weights_sha256()
    assert read_card(tmp_path / "mlp").training["teacher"]["sha256"] == again.sha256
