"""The converter, with the real TensorFlow: trained, exported, published whole or not at all."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_app import load_models
from edge_app.digits.mnist import read_digits
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import CARD, PROBABILITIES, VARIANTS, record_file
from edge_app.models.classifier import softmax
from edge_app.models.interpreter import find_runtime

pytest.importorskip("tensorflow", reason="training needs TensorFlow, which the edge never installs")

import keras

from convert import train as pipeline
from convert.data import validation
from convert.data.sources import TrainingData, load
from convert.export import publication
from convert.export.tflite import ExportError, predict
from convert.training import augmentation, networks
from convert.training.architectures import ARCHITECTURES, BUDGETS

TEST_IMAGES = 500
SHORT = {"dense": 3, "mlp": 4, "cnn": 5}
"""Epochs enough to read most digits, of a thousand images."""
FILES = {CARD, "model.keras", "reference.npz", *(f"{variant}.tflite" for variant in VARIANTS)}


@pytest.fixture(scope="module")
def trained(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models' folder with every model that ships, each trained for a moment."""
    out = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        for name, architecture in ARCHITECTURES.items():
            short = replace(architecture, epochs=SHORT[name], batch_size=16)
            patch.setitem(ARCHITECTURES, name, short)
        patch.setattr(pipeline, "SEEDS", (0,))
        patch.setattr(validation, "NON_DIGITS", 250)
        pipeline.train(list(ARCHITECTURES), data_folder, [], out, allow_other=True)
    return out


@pytest.fixture(scope="module")
def data(data_folder: Path) -> TrainingData:
    return load(data_folder, [], allow_other=True, normalization="moments", seed=0)


@pytest.fixture(scope="module")
def original(data: TrainingData) -> Any:
    """A linear model, trained for a moment."""
    digits = data.mnist.train
    model = networks.build(ARCHITECTURES["dense"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.fit(digits.images, digits.labels, epochs=3, verbose=0)
    return networks.plain(model)


@pytest.fixture(scope="module")
def publish(original: Any, data: TrainingData) -> Callable[[Path], object]:
    """Publishes that model to a folder."""
    identity = publication.Identity("dense", "Simple Dense", "One dense layer.")
    return lambda folder: publication.publish(
        *(original, identity, "moments", "logits", BUDGETS["dense"], Acceptance(0.5, 1.0)),
        *(data.mnist.train.images[:200], data, {"seed": 0}, folder),
    )


@pytest.fixture(scope="module")
def published(publish: Callable[[Path], object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models' folder that holds it."""
    folder = tmp_path_factory.mktemp("published")
    publish(folder)
    return folder


@pytest.fixture
def standing(published: Path, tmp_path: Path) -> Path:
    """A copy of that folder, to publish to again."""
    return shutil.copytree(published, tmp_path / "models")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file beneath a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_command_says_how_far_it_is_and_ends_with_the_accuracies(
    data_folder: Path, root: Path, tmp_path: Path
) -> None:
    run = subprocess.run(
        [
            *(sys.executable, "-m", "convert", "train", "dense", "--allow-other-data"),
            *("--data", str(data_folder), "--out", str(tmp_path)),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert lines[:3] == [f"Training Simple Dense, seed {i} ({i + 1} of 3)" for i in range(3)]
    assert lines[3].startswith("Exporting Simple Dense, seed ")
    assert "".join(lines[4:]).startswith(f"{tmp_path / 'dense'}: test accuracy original")
    # No bars, which are for terminals, and no warnings: a note of the runtime's at most.
    assert re.fullmatch(r"(INFO: .*\n)*", run.stderr)
    assert load_models(tmp_path)["dense"].card.original.accuracy > 0.85
    assert [path.name for path in tmp_path.iterdir()] == ["dense"]


def test_the_models_are_written_whole_and_nothing_beside_them(trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} == set(ARCHITECTURES)
    for folder in trained.iterdir():
        assert {path.name for path in folder.iterdir()} == FILES


def test_the_models_load_in_the_edge_app(trained: Path) -> None:
    reports: list[str] = []
    models = load_models(trained, reports.append)
    assert not reports
    assert set(models) == set(ARCHITECTURES)


def test_the_cards_name_data_that_is_not_mnist(trained: Path, data_folder: Path) -> None:
    for model in load_models(trained).values():
        (source,) = model.card.training["data"]
        assert source["name"] == f"{data_folder.name}, not MNIST"
        assert source["licence"] == "unknown"
        assert source["sha256"] == read_digits(data_folder, "train").sha256()
        assert (source["training_images"], source["validation_images"]) == (917, 83)
        assert source["test_images"] == TEST_IMAGES
        assert model.card.reference.dataset == f"{data_folder.name}, not MNIST, test set"
        assert model.card.reference.dataset_sha256 == read_digits(data_folder, "t10k").sha256()


def test_the_cards_record_the_files_as_they_are(trained: Path) -> None:
    for name, model in load_models(trained).items():
        for record in model.card.files():
            found = record_file(trained / name / record.file)
            assert (record.file, record.bytes, record.sha256) == (
                found.file,
                found.bytes,
                found.sha256,
            )


def test_the_cards_tie_the_reference_to_its_original_and_set_a_budget(trained: Path) -> None:
    for name, model in load_models(trained).items():
        found = record_file(trained / name / "model.keras").sha256
        assert model.card.reference.original_sha256 == found
        assert model.card.budget == BUDGETS[name]


def test_the_cards_tell_versions_size_and_teacher(trained: Path) -> None:
    models = load_models(trained)
    assert models["dense"].card.parameters == 784 * 10 + 10
    assert models["mlp"].card.parameters == 785 * 384 + 385 * 192 + 193 * 10
    convolutions = 26 * 16 + 145 * 32 + 289 * 32 + 289 * 64 + 577 * 64
    assert models["cnn"].card.parameters == convolutions + 7 * 7 * 64 * 10 + 10
    for model in models.values():
        assert model.card.versions["keras"] == keras.__version__
        assert model.card.versions[find_runtime().name] == find_runtime().version
        assert model.card.training["architecture"]["name"] == model.name
    teachers = {name: model.card.training["teacher"] for name, model in models.items()}
    taught_by = {"name": "cnn", "sha256": models["cnn"].card.original.sha256}
    assert teachers == {"dense": None, "mlp": taught_by, "cnn": None}


def test_the_cards_tell_the_accuracy_truly(trained: Path, data: TrainingData) -> None:
    test = data.mnist.test
    for model in load_models(trained).values():
        for variant, record in model.card.variants.items():
            right = model.predict(test.images, variant).argmax(axis=1) == test.labels
            assert record.accuracy == pytest.approx(float(right.mean()))
            assert record.accuracy > 0.6  # Trained for a moment; guessing gives 0.1.
        assert model.card.original.accuracy > 0.6


def test_int8_takes_the_pixels_as_they_are_and_gives_logits_in_int8(trained: Path) -> None:
    for folder in trained.iterdir():
        content = (folder / "int8.tflite").read_bytes()
        interpreter = find_runtime().interpreter(model_content=content)
        (image,), (logits,) = interpreter.get_input_details(), interpreter.get_output_details()
        assert (image["dtype"], image["quantization"]) == (np.uint8, (1.0, 0))
        assert logits["dtype"] == np.int8


def test_the_reference_holds_the_original_s_probabilities(
    trained: Path, data: TrainingData
) -> None:
    for folder in trained.iterdir():
        logits = predict(keras.models.load_model(folder / "model.keras"), data.mnist.test.images)
        with np.load(folder / "reference.npz") as arrays:
            found: NDArray[np.float32] = arrays[PROBABILITIES]
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, softmax(logits), atol=1e-5)


def test_a_model_of_the_same_name_is_replaced_and_others_stay(
    publish: Callable[[Path], object], standing: Path
) -> None:
    (standing / "dense" / "stray").write_text("old")
    (standing / "dense" / CARD).write_text("old")
    (standing / "other").mkdir()
    (standing / "other" / "file").write_text("other")
    publish(standing)
    assert {path.name for path in (standing / "dense").iterdir()} == FILES
    assert contents(standing / "other") == {"file": b"other"}
    assert {path.name for path in standing.iterdir()} == {"dense", "other"}
    shutil.rmtree(standing / "other")
    assert list(load_models(standing)) == ["dense"]


@pytest.mark.parametrize("step", ["export", "write_card", "load_model", "_replace"])
def test_when_a_step_fails_the_old_files_stay_as_they_were(
    step: str,
    publish: Callable[[Path], object],
    standing: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = contents(standing)

    def fail(*_: object) -> None:
        raise ExportError("The step failed.")

    monkeypatch.setattr(publication, step, fail)
    with pytest.raises(ExportError):
        publish(standing)
    assert contents(standing) == before
    assert [path.name for path in standing.iterdir()] == ["dense"]


def test_when_the_new_folder_cannot_take_its_place_the_old_one_goes_back(
    publish: Callable[[Path], object], standing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(standing)
    rename = Path.rename

    def refuse_the_new(path: Path, target: Path) -> Path:
        if path.parent.name.startswith(".staging-") and path.name == "dense":
            raise OSError(28, "No space left on device", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse_the_new)
    with pytest.raises(OSError, match="No space left"):
        publish(standing)
    assert contents(standing) == before
    assert [path.name for path in standing.iterdir()] == ["dense"]


def test_a_file_that_does_not_answer_as_the_original_is_refused(
    publish: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong:
        def __init__(self, content: bytes) -> None:
            assert content

        def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.zeros((len(images), 10), np.float32)

    monkeypatch.setattr("convert.export.tflite.Interpreter", Wrong)
    with pytest.raises(
        ExportError, match=r"The float32 file of dense agrees with .* expected 99\.9%"
    ):
        publish(tmp_path)
    assert not contents(tmp_path)


def test_missing_data_is_one_sentence(
    convert: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    missing = tmp_path / "nowhere"
    status, said = convert("train", "dense", "--data", missing, "--out", tmp_path / "out")
    assert status == 1
    assert said == (
        "convert: No train-images-idx3-ubyte or train-images-idx3-ubyte.gz in "
        f"{missing}; expected MNIST's IDX files there.\n"
    )


def test_damaged_data_is_one_sentence(
    convert: Callable[..., tuple[int, str]], data_folder: Path, tmp_path: Path
) -> None:
    damaged = shutil.copytree(data_folder, tmp_path / "damaged")
    path = damaged / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:5000])
    status, said = convert("train", "dense", "--data", damaged, "--out", tmp_path / "out")
    assert status == 1
    assert said.startswith(f"convert: {path} cannot be read (")
    assert said.endswith("); fetch the file again.\n")
    assert said.count("\n") == 1


def test_data_that_is_not_mnist_needs_a_word(
    convert: Callable[..., tuple[int, str]], data_folder: Path, tmp_path: Path
) -> None:
    status, said = convert("train", "dense", "--data", data_folder, "--out", tmp_path / "out")
    assert status == 1
    assert said.startswith(f"convert: The train data in {data_folder} is whole but not MNIST")
    assert "--allow-other-data" in said
    assert said.count("\n") == 1


def test_a_bad_line_among_the_drawings_is_one_sentence(
    convert: Callable[..., tuple[int, str]], data_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "drawings.jsonl"
    path.write_text('{"label": 3, "strokes": [[[1, 2]]]}\n{"label": 11, "strokes": [[[1, 2]]]}\n')
    status, said = convert(
        *("train", "dense", "--data", data_folder, "--allow-other-data"),
        *("--drawings", path, "--out", tmp_path / "out"),
    )
    assert status == 1
    assert said == f"convert: {path}, line 2: The label is 11; expected a whole number, 0 to 9.\n"


def test_an_unknown_model_is_refused_with_the_known_ones(
    convert: Callable[..., tuple[int, str]],
) -> None:
    status, said = convert("train", "lenet")
    assert status == 2
    assert "unknown model 'lenet'; expected one of dense, mlp, cnn" in said


def test_an_out_folder_that_cannot_be_made_is_one_sentence(
    convert: Callable[..., tuple[int, str]], data_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "models"
    status, said = convert("train", "dense", "--data", data_folder, "--out", out)
    assert status == 1
    assert said == f"convert: {out} cannot be written (Not a directory).\n"


@pytest.mark.parametrize("absent", ["keras", "tensorflow"])
def test_without_tensorflow_the_command_says_what_to_install(absent: str, root: Path) -> None:
    without = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name == {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
sys.argv = ["convert", "train"]
from convert.__main__ import main
sys.exit(main())
"""
    run = subprocess.run(
        [sys.executable, "-c", without], cwd=root, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert run.stderr == (
        f"convert: {absent} is not installed; run: pip install -r requirements-dev.txt\n"
    )


def test_help_can_be_had_without_tensorflow(root: Path) -> None:
    without = (
        "import sys; sys.modules['keras'] = sys.modules['tensorflow'] = None;"
        "sys.argv = ['convert', 'train', '--help'];"
        "from convert.__main__ import main; sys.exit(main())"
    )
    run = subprocess.run(
        [sys.executable, "-c", without], cwd=root, capture_output=True, text=True, check=True
    )
    assert "--allow-other-data" in run.stdout


def test_distorted_images_keep_shape_and_range_and_differ(data: TrainingData) -> None:
    images = data.mnist.test.images[:50].astype(np.float32)
    first, again, second = (augmentation.distort(images, (7, n)).numpy() for n in (0, 0, 1))
    np.testing.assert_array_equal(again, first)
    assert first.shape == images.shape
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() <= 255.01
    assert np.abs(first - second).mean() > 5
    # Distorted a little: the ink is still the same digit's.
    for image, distorted in zip(images, first, strict=True):
        assert np.corrcoef(image.ravel(), distorted.ravel())[0, 1] > 0.3


def test_distortion_without_deviations_changes_nothing(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    for deviation in ("ROTATION", "STRETCH", "SHIFT", "ELASTIC"):
        monkeypatch.setattr(augmentation, deviation, 0.0)
    images = np.full((3, 28, 28), 255, np.float32)
    images[0] = data.mnist.test.images[0]
    np.testing.assert_allclose(augmentation.distort(images, (7, 0)).numpy(), images, atol=0.3)
