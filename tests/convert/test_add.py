"""A user's own Keras model: read, understood, exported, and served beside the others."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import app
from edge_app import Model, load_models
from edge_app.digits.mnist import read_digits
from edge_app.digits.normalization import stack
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import PROBABILITIES, Budget
from edge_app.models.classifier import softmax

pytest.importorskip("tensorflow", reason="adding a model needs TensorFlow, which no edge installs")

import keras

from convert import add as addition
from convert.add import AdditionError, add
from convert.data import validation
from convert.data.sources import load
from convert.export.keras_file import sha256
from convert.export.tflite import predict

pytestmark = pytest.mark.slow

IDENTITY = {"name": "mine", "title": "My Model", "description": "A model of mine."}
layers = keras.layers
Weights = list[Any]


@pytest.fixture(scope="module")
def weights(data_folder: Path) -> dict[str, Weights]:
    """For each normalization, a linear model's kernel and bias for pixels of 0 to 1."""
    digits = read_digits(data_folder, "train")
    found = {}
    for normalization in ("box", "moments"):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.01), loss)
        images = stack(digits.images, normalization) / np.float32(255)
        model.fit(images, digits.labels, epochs=5, batch_size=50, verbose=0)
        found[normalization] = model.get_weights()
    return found


def linear(
    weights: Weights,
    *ends: keras.layers.Layer,
    shape: tuple[int, ...] = (28, 28),
    factor: float = 1.0,
    **options: Any,
) -> Any:
    """A linear model, whose kernel gets a factor, with layers at its end."""
    kernel, bias = weights
    dense = layers.Dense(10, **options)
    model = keras.Sequential([keras.Input(shape), layers.Flatten(), dense, *ends])
    dense.set_weights([kernel * factor, bias])
    return model


@pytest.fixture
def linear_file(weights: dict[str, Weights], tmp_path: Path) -> Path:
    """A model of (N, 28, 28) pixels of 0 to 1, which gives probabilities."""
    path = tmp_path / "linear.keras"
    linear(weights["box"], activation="softmax").save(path)
    return path


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Reads the same data only once, and draws few non-digits."""
    read_once = functools.cache(lambda folder, **options: load(folder, [], **options))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "NON_DIGITS", 100)
        patch.setattr(addition, "load", lambda folder, _, **options: read_once(folder, **options))
        yield


@pytest.fixture
def bring(data_folder: Path, tmp_path: Path) -> Callable[..., Model]:
    """Adds a file to a models folder and loads it from there as the edge app does."""

    def run(path: Path, **options: Any) -> Model:
        chosen = {"pixels": None, "normalization": None, "replace": False} | IDENTITY | options
        add(path, data_folder, tmp_path / "models", allow_other=True, **chosen)
        return load_models(tmp_path / "models", pytest.fail)["mine"]

    return run


class Doubling(keras.layers.Layer):  # type: ignore[misc]
    """A layer that Keras does not have."""

    def call(self, images: Any) -> Any:
        return images * 2


SOFTMAX = layers.Softmax()
ACTIVATION = layers.Activation("softmax")


# The models have names that layers around them might have as well.
@pytest.mark.parametrize(
    ("name", "normalization", "pixels", "shape", "ends"),
    [
        pytest.param("pixels.h5", "box", "0-1", (28, 28, 1), [SOFTMAX], id="an .h5 file"),
        pytest.param("shape.keras", "box", "0-255", (784,), [], id="of pixels to 255, flat"),
        pytest.param("scale.keras", "moments", "0-1", (28, 28), [ACTIVATION], id="upright digits"),
        pytest.param("convert_model", "box", "0-1", (28, 28), [Doubling(), SOFTMAX], id="a folder"),
    ],
)
def test_a_model_answers_in_every_variant_as_it_does_in_keras(
    name: str,
    normalization: Any,
    pixels: str,
    shape: tuple[int, ...],
    ends: list[Any],
    weights: dict[str, Weights],
    bring: Callable[..., Model],
    data_folder: Path,
    tmp_path: Path,
) -> None:
    full_ink = int(pixels.removeprefix("0-"))
    theirs = linear(weights[normalization], *ends, shape=shape, factor=1 / full_ink)
    theirs.name = name.partition(".")[0]
    path = tmp_path / name
    if path.suffix:
        theirs.save(path)
    else:
        theirs.export(path, verbose=False)
    model = bring(path)
    card = model.card
    assert [model.name, model.title, card.description] == [*IDENTITY.values()]
    assert (card.contract.normalization, card.contract.output) == (normalization, "logits")
    assert card.parameters == theirs.count_params()
    assert card.training["pixels"] == pixels
    assert card.training["source"] == {"file": name, "sha256": sha256(path)}
    assert card.training["data"] == "unknown: brought by the user"
    assert card.budget == Budget(accuracy_loss_points=0.5, agreement=0.99, bytes=None)
    assert card.reference.original_sha256 == card.original.sha256
    assert isinstance(card.acceptance, Acceptance)
    assert card.acceptance.energy is not None
    test = read_digits(data_folder, "t10k")
    images = stack(test.images, normalization)
    outputs = predict(theirs, images.reshape(-1, *shape) * np.float32(full_ink / 255))
    expected = outputs if ends else softmax(outputs)
    np.testing.assert_allclose(model.predict(images, "float32"), expected, atol=1e-4)
    for variant, file in card.variants.items():
        found = model.predict(images, variant).argmax(axis=1)
        assert (found == expected.argmax(axis=1)).mean() >= 0.95
        assert file.accuracy == pytest.approx(float((found == test.labels).mean()))
    folder = tmp_path / "models" / "mine"
    with np.load(folder / "reference.npz") as arrays:
        assert arrays[PROBABILITIES].dtype == np.float32
        np.testing.assert_allclose(arrays[PROBABILITIES], expected, atol=1e-4)
    kept = keras.models.load_model(folder / "model.keras")
    np.testing.assert_allclose(softmax(predict(kept, images)), expected, atol=1e-4)


def test_a_softmax_that_cannot_be_cut_off_stays(
    weights: dict[str, Weights], bring: Callable[..., Model], data_folder: Path, tmp_path: Path
) -> None:
    logits = linear(weights["box"])
    theirs = keras.Model(logits.inputs[0], keras.ops.softmax(logits.outputs[0]))
    theirs.save(tmp_path / "theirs.keras")
    model = bring(tmp_path / "theirs.keras")
    assert model.card.contract.output == "probabilities"
    assert isinstance(model.card.acceptance, Acceptance)
    assert model.card.acceptance.energy is None
    images = stack(read_digits(data_folder, "t10k").images, "box")
    expected = predict(theirs, images / np.float32(255))
    np.testing.assert_allclose(model.predict(images, "float32"), expected, atol=1e-4)
    np.testing.assert_allclose(model.predict(images, "int8").sum(axis=1), 1, atol=0.05)


def test_a_model_of_the_same_name_is_replaced_only_when_told_and_what_is_given_is_kept(
    bring: Callable[..., Model],
    linear_file: Path,
    data_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    standing = tmp_path / "models" / "mine"
    standing.mkdir(parents=True)
    (standing / "theirs").write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(addition, "read", None)  # Nothing slow happens first.
        with pytest.raises(AdditionError, match=r"There is a model in .*mine already; .* --replac"):
            bring(linear_file)
    assert (standing / "theirs").read_text() == "old"
    monkeypatch.setattr(addition, "commit", lambda: "0123abcd")
    card = bring(linear_file, replace=True, pixels="0-1", normalization="moments").card
    assert not (standing / "theirs").exists()
    assert (card.contract.normalization, card.contract.output) == ("moments", "logits")
    assert card.training["command"] == (
        "python -m convert add linear.keras --name mine --title 'My Model' "
        "--description 'A model of mine.' --pixels 0-1 --normalization moments "
        f"--data {data_folder.name} --allow-other-data"
    )
    assert card.training["commit"] == "0123abcd"
    readings = card.training["validation"]["accuracy"]
    expected = [("moments", "0-1"), ("moments", "0-255")]
    assert [(each["normalization"], each["pixels"]) for each in readings] == expected


@pytest.mark.parametrize("name", ["Mine", "my_model", "../mine", "", "-mine", "mine\n", "mïne"])
def test_an_unfit_name_is_refused_before_anything_is_done(
    name: str, bring: Callable[..., Model], tmp_path: Path
) -> None:
    with pytest.raises(AdditionError, match="expected lower-case letters, digits and dashes"):
        bring(tmp_path / "no.keras", name=name)
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("pixels", ["0-1", "0-255"])
def test_a_scale_with_which_it_is_far_too_sure_gets_a_warning(
    pixels: str,
    bring: Callable[..., Model],
    linear_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(addition, "publish", lambda *_: None)
    with pytest.raises(KeyError):  # For nothing was published.
        bring(linear_file, pixels=pixels)
    warning = "Warning: 0-255 looks like the wrong scale. With pixels of 0-1 the mode"
    assert capsys.readouterr().out.startswith(warning) == (pixels == "0-255")


@pytest.mark.parametrize(
    ("factor", "towards_8", "pixels", "reason"),
    [
        # This model takes a drawing 255 times too faint for a blank, and a blank for an 8.
        pytest.param(3 / 255, 3, "0-1", r"0-1 and \S+ .* of 0-255: 0-1 looks like", id="scale"),
        pytest.param(0, 0, None, r"0-1 and \S+ .* of 0-255; expected at least 30%", id="blind"),
        pytest.param(np.nan, 0, None, r"0-1 and 0\.0% of .*; expected at least 30%", id="NaN"),
    ],
)
def test_a_model_that_does_not_read_digits_with_such_pixels_is_refused(
    factor: float,
    towards_8: int,
    pixels: str | None,
    reason: str,
    bring: Callable[..., Model],
    weights: dict[str, Weights],
    tmp_path: Path,
) -> None:
    kernel, bias = weights["box"]
    theirs = [kernel, 3 * bias + towards_8 * np.eye(10)[8]]
    linear(theirs, factor=factor).save(tmp_path / "a.keras")
    with pytest.raises(AdditionError, match=rf"reads \d+\.\d% of .* with pixels of {reason}"):
        bring(tmp_path / "a.keras", pixels=pixels)
    assert not list((tmp_path / "models").iterdir())


def test_the_readme_s_model_is_trained_added_and_served(
    root: Path,
    data_folder: Path,
    tmp_path: Path,
    convert: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = (root / "README.md").read_text()
    section = text.split("## Bring your own model\n")[1].split("\n## ")[0]
    (script,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (line,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    # The sample stands for MNIST, which would have to be downloaded.
    digits = tuple(read_digits(data_folder, "train"))
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: (digits, digits))
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    exec(script, {})  # noqa: S102 - README's own.
    python, *words = shlex.split(line)
    assert [python, *words[:2]] == [".venv-dev/bin/python", "-m", "convert"]
    status, said = convert(*words[2:], "--data", data_folder, "--allow-other-data")
    assert status == 0, said
    (tmp_path / "app").mkdir()
    with app.start(tmp_path / "app", "--models", tmp_path / "models") as running:
        assert "My CNN" in running.printed("stdout")
        one = [[[50, 10], [48, 90]]]
        answer = app.post(f"{running.url}/gradio_api/run/classify", {"data": [one, "int8"]}).json()
    assert answer["data"][0]["my-cnn"]["digit"] == 1
