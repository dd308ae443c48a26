"""Training, from the command to the published models, and what an interruption leaves."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.data.pool import Pool
from convert.data.sources import TrainingData
from convert.training.architectures import ARCHITECTURES, BUDGETS
from convert.training.temperature import cross_entropy, fit_temperature
from convert.training.thresholds import choose_acceptance
from edge_app.digits.mnist import Digits, read_digits
from edge_app.models.card import read_card
from edge_app.models.classifier import softmax
from edge_app.models.folder import load_models
from edge_app.models.interpreter import find_runtime

pytest.importorskip("tensorflow", reason="training needs TensorFlow, which the edge never installs")

import keras

from convert import train as pipeline
from convert.data import pool, validation
from convert.data.validation import hold_out
from convert.export.tflite import predict
from convert.train import UNFINISHED, calibrate
from convert.training import fit as training
from convert.training.distillation import load_teacher
from convert.training.networks import build, cool, plain

pytestmark = pytest.mark.slow

EPOCHS = {0: 1, 1: 3}
"""For each seed: the second one gives the best model."""
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SMALL: dict[str, Any] = {
    "convolutions": (),
    "hidden": (),
    "distorted": False,
    "batch_size": 32,
    "learning_rate": 0.01,
}


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Small networks, little data, and few epochs."""
    with pytest.MonkeyPatch.context() as patch:
        for constant in ("MNIST_VARIATIONS", "DRAWN_VARIATIONS"):
            patch.setattr(pool, constant, 1)
        patch.setattr(validation, "NON_DIGITS", 50)
        patch.setattr(validation, "ENOUGH", 2)
        patch.setattr(pipeline, "SEEDS", tuple(EPOCHS))
        patch.setattr(pipeline, "commit", lambda: COMMIT)
        for name, architecture in ARCHITECTURES.items():
            patch.setitem(ARCHITECTURES, name, replace(architecture, **SMALL))
        fit = training.train

        def fit_briefly(architecture: Any, pool: Any, digits: Any, seed: int, *rest: Any) -> Any:
            return fit(replace(architecture, epochs=EPOCHS[seed]), pool, digits, seed, *rest)

        patch.setattr(pipeline, "fit", fit_briefly)
        yield


@pytest.fixture(scope="module")
def trained(
    few_folder: Path, page_drawings_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A models folder with a linear model, a teacher and its student."""
    out = tmp_path_factory.mktemp("trained")
    names = ["mlp", "dense", "cnn"]
    pipeline.train(names, few_folder, [page_drawings_file], out, allow_other=True)
    return out


@pytest.fixture
def shipped(trained: Path) -> Any:
    """The linear model's original."""
    return keras.models.load_model(trained / "dense" / "model.keras")


def test_the_seed_with_the_lowest_cross_entropy_ships(
    trained: Path, shipped: Any, data: TrainingData
) -> None:
    told = read_card(trained / "dense").training
    losses = {each["seed"]: each["validation_cross_entropy"] for each in told["seeds"]}
    assert list(losses) == list(EPOCHS)
    assert told["seed"] == min(losses, key=lambda seed: losses[seed]) == 1
    found = [
        cross_entropy(softmax(predict(shipped, part.images)), part.labels)
        for part in (data.mnist.validation, data.drawn[0].validation)
    ]
    assert np.mean(found) == pytest.approx(losses[1], rel=1e-4)
    # And the card tells how it reads the digits that it was not trained on.
    best = told["seeds"][1]
    for part in ("validation", "test"):
        digits = [getattr(source, part) for source in data.sources]
        right = [(predict(shipped, each.images).argmax(1) == each.labels).mean() for each in digits]
        assert best[part] == pytest.approx(right)


def test_the_card_tells_what_made_the_model(
    trained: Path, few_folder: Path, page_drawings_file: Path
) -> None:
    card = read_card(trained / "dense")
    told = card.training
    assert told["commit"] == COMMIT
    assert told["command"] == (
        "python -m convert train dense --drawings page-drawings.jsonl "
        f"--data {few_folder.name} --allow-other-data"
    )
    assert told["architecture"] == json.loads(json.dumps(asdict(ARCHITECTURES["dense"])))
    text = page_drawings_file.read_text().rstrip()
    assert [list(each.values()) for each in told["data"]] == [
        [
            *(f"{few_folder.name}, not MNIST", "unknown"),
            read_digits(few_folder, "train").sha256(),
            *(110, 10, 10),
        ],
        [
            *("page-drawings.jsonl", "the user's own"),
            hashlib.sha256(text.encode()).hexdigest(),
            *(13, 2, 5),
        ],
    ]
    assert card.reference.dataset == f"{few_folder.name}, not MNIST, test set"
    assert card.reference.dataset_sha256 == read_digits(few_folder, "t10k").sha256()
    versions = {"keras": keras.__version__, find_runtime().name: find_runtime().version}
    assert versions.items() <= card.versions.items()
    taught_by = {"name": "cnn", "sha256": read_card(trained / "cnn").original.sha256}
    assert read_card(trained / "mlp").training["teacher"] == taught_by
    assert told["teacher"] is None


def test_the_models_are_whole_and_take_and_give_whole_numbers_as_int8(
    trained: Path, data: TrainingData
) -> None:
    assert {path.name for path in trained.iterdir()} == set(ARCHITECTURES)
    models = load_models(trained, pytest.fail)
    assert set(models) == set(ARCHITECTURES)
    images, labels = data.mnist.test
    for name, model in models.items():
        card = model.card
        assert card.budget == BUDGETS[name]
        answers = predict(keras.models.load_model(trained / name / "model.keras"), images)
        assert card.original.accuracy == pytest.approx((answers.argmax(axis=1) == labels).mean())
        interpreter = find_runtime().interpreter(model_path=str(trained / name / "int8.tflite"))
        (image,), (logits,) = interpreter.get_input_details(), interpreter.get_output_details()
        assert (image["dtype"], image["quantization"]) == (np.uint8, (1.0, 0))
        assert logits["dtype"] == np.int8


def test_the_acceptance_rule_is_chosen_on_validation_data(
    trained: Path, shipped: Any, data: TrainingData
) -> None:
    expected = choose_acceptance(
        "logits",
        partial(predict, shipped),
        hold_out(data),
        accepted=ARCHITECTURES["dense"].accepted,
        right=ARCHITECTURES["dense"].right,
    )
    assert read_card(trained / "dense").acceptance == expected


def test_every_source_counts_the_same_in_calibration(shipped: Any, data: TrainingData) -> None:
    # A half of one's labels is wrong and a seventh of the other's.
    sources = [
        Digits(images, (labels + (np.arange(len(labels)) % every == 0)) % 10)
        for (images, labels), every in ((data.mnist.train, 2), (data.drawn[0].train, 7))
    ]
    cool(shipped, 20.0)
    calibrate(shipped, sources)
    logits = np.concatenate([predict(shipped, source.images) for source in sources])
    labels = np.concatenate([source.labels for source in sources])
    weights = np.concatenate([np.full(len(each.labels), 1 / len(each.labels)) for each in sources])
    assert fit_temperature(logits, labels, weights) == pytest.approx(1, rel=0.01)
    # With all images alike, the first source would weigh more.
    assert fit_temperature(logits, labels) > 1.05


def test_progress_counts_every_training(
    data: TrainingData,
    filled: Pool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stubs: dict[str, Callable[..., Any]] = {
        "load": lambda *_, **__: data,
        "fill": lambda _: filled,
        "fit": lambda architecture, *_: plain(build(architecture)),
        "choose_acceptance": lambda *_, **__: None,
        "publish": lambda *_: None,
    }
    for name, stub in stubs.items():
        monkeypatch.setattr(pipeline, name, stub)
    pipeline.train(["dense", "cnn"], None, [], tmp_path, allow_other=True)
    counted = re.findall(r"seed \d \((\d of \d)\)", capsys.readouterr().out)
    assert counted == ["1 of 4", "2 of 4", "3 of 4", "4 of 4"]


# Interruptions


@pytest.fixture
def command(
    convert: Callable[..., tuple[int, str]],
    few_folder: Path,
    page_drawings_file: Path,
    tmp_path: Path,
) -> Callable[..., int]:
    """Trains a model into ``tmp_path`` by the command; gives its exit status."""

    def run(name: str, *, with_drawings: bool = True) -> int:
        drawings = ["--drawings", page_drawings_file] if with_drawings else []
        words = ["--data", few_folder, "--allow-other-data", "--out", tmp_path, *drawings]
        status, said = convert("train", name, *words)
        assert said == ""
        return status

    return run


def contents(folder: Path) -> dict[str, bytes]:
    """Every file beneath a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_an_interrupted_training_keeps_the_models_and_is_resumed(
    trained: Path, command: Callable[..., int], saves: Callable[..., list[str]], tmp_path: Path
) -> None:
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    others = tmp_path / UNFINISHED / "other-data" / "mlp-0.keras"
    others.parent.mkdir(parents=True)
    others.write_bytes(b"theirs")
    before = contents(tmp_path)
    saved = saves(3)
    assert command("mlp") == 130
    teacher = load_teacher("cnn", tmp_path, "bimoment").weights_sha256()[:16]
    names = [f"mlp-{seed}-{teacher}.keras" for seed in EPOCHS]
    assert saved == [names[0], *[names[1]] * 2]
    after = contents(tmp_path)
    assert before.items() < after.items()
    assert {Path(name).name for name in after.keys() - before.keys()} == set(names)

    saved = saves()
    assert command("mlp") == 0
    assert saved == names[1:]
    assert list(contents(tmp_path / UNFINISHED)) == ["other-data/mlp-0.keras"]
    whole, parts = (read_card(folder / "mlp").training for folder in (trained, tmp_path))
    assert parts["seeds"] == whole["seeds"]


def test_a_training_is_not_resumed_with_other_code_or_data(
    command: Callable[..., int],
    saves: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for with_drawings, code in ((True, "the code"), (False, "the code"), (False, "other code")):
        monkeypatch.setattr(pipeline, "code_sha256", lambda code=code: code)
        saved = saves(1)
        assert command("dense", with_drawings=with_drawings) == 130
        assert saved == ["dense-0.keras"]
