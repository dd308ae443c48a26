"""A user's own Keras model: read, understood, exported, and served beside the others."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import app
from edge_app import Model, load_models, normalize
from edge_app.digits.mnist import Digits, read_digits
from edge_app.digits.normalization import Normalization
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import PROBABILITIES, Budget
from edge_app.models.classifier import softmax
from edge_app.models.folder import load_bare_models
from edge_app.models.probe import Usage, try_out

pytest.importorskip("tensorflow", reason="adding a model needs TensorFlow, which no edge installs")

import keras
import tensorflow as tf

from convert import add as addition
from convert.add import AdditionError, add
from convert.data import validation
from convert.export.keras_file import BroughtModelError, read, sha256, take_pixels, without_softmax
from convert.export.provenance import commit
from convert.export.publication import Identity
from convert.export.saved_model import SavedModelError
from convert.export.tflite import ExportError, export, predict

IDENTITY = Identity("mine", "My Model", "A model of mine.")
layers = keras.layers


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Layers choose their first weights when they are made: not as other tests left the seed."""
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="module")
def train(sample_folder: Path) -> Callable[..., Any]:
    """Trains a model of the given layers on the sample; ``full_ink`` is what pixels go up to."""
    digits = read_digits(sample_folder, "train")

    def fit(
        *stack: keras.layers.Layer,
        shape: tuple[int, ...],
        full_ink: int = 1,
        rate: float = 0.01,
    ) -> Any:
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input(shape), *stack])
        has_softmax = "softmax" in json.dumps(model.get_config()).lower()
        model.compile(
            keras.optimizers.Adam(rate),
            keras.losses.SparseCategoricalCrossentropy(from_logits=not has_softmax),
        )
        images = shaped(digits.images, shape, full_ink)
        model.fit(images, digits.labels, epochs=5, batch_size=50, verbose=0)
        return model

    return fit


@pytest.fixture(scope="module")
def linear(train: Callable[..., Any]) -> Any:
    """A linear model with a softmax: (N, 28, 28) pixels of 0 to 1 in, probabilities out."""
    keras.utils.set_random_seed(0)
    return train(layers.Flatten(), layers.Dense(10, activation="softmax"), shape=(28, 28))


@pytest.fixture(scope="module")
def linear_file(linear: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("linear") / "linear.keras"
    linear.save(path)
    return path


@pytest.fixture
def bring(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Model]:
    """Adds a file to an empty models folder and loads it from there as the edge app does."""
    monkeypatch.setattr(validation, "NON_DIGITS", 200)

    def run(path: Path, identity: Identity = IDENTITY, **options: Any) -> Model:
        out = tmp_path / "models"
        chosen = {"pixels": None, "normalization": None, "replace": False} | options
        add(path, identity, data_folder, out, allow_other=True, **chosen)
        reports: list[str] = []
        models = load_models(out, reports.append)
        assert not reports
        return models[identity.name]

    return run


def shaped(images: NDArray[np.uint8], shape: tuple[int, ...], full_ink: int) -> NDArray[np.float32]:
    """Images as a model takes them."""
    return images.reshape(-1, *shape).astype(np.float32) * np.float32(full_ink / 255)


def normalized(digits: Digits, normalization: Normalization) -> NDArray[np.uint8]:
    return np.stack([normalize(image, normalization) for image in digits.images])


@pytest.mark.parametrize(
    ("stack", "shape", "full_ink", "form"),
    [
        pytest.param(
            lambda: [
                layers.Conv2D(8, 5, strides=3, activation="relu"),
                layers.Flatten(),
                layers.Dense(10, activation="softmax"),
            ],
            *((28, 28, 1), 1, ".h5"),
            id="a convolutional network in .h5",
        ),
        pytest.param(
            lambda: [
                layers.Rescaling(1 / 255),
                layers.Dense(32, activation="relu"),
                layers.Dense(10),
            ],
            *((784,), 255, ".keras"),
            id="a flat one of pixels to 255, with logits",
        ),
        pytest.param(
            lambda: [layers.Flatten(), layers.Dense(10), layers.Softmax()],
            *((28, 28), 1, ""),
            id="a SavedModel",
        ),
    ],
)
def test_a_model_answers_in_every_variant_as_it_does_in_keras(
    stack: Callable[[], list[Any]],
    shape: tuple[int, ...],
    full_ink: int,
    form: str,
    train: Callable[..., Any],
    bring: Callable[..., Model],
    data_folder: Path,
    tmp_path: Path,
) -> None:
    theirs = train(*stack(), shape=shape, full_ink=full_ink)
    path = tmp_path / f"theirs{form}"
    if form:
        theirs.save(path)
    else:
        theirs.export(path, verbose=False)
    model = bring(path)
    card = model.card
    assert (model.name, model.title, card.description) == IDENTITY
    assert (card.contract.normalization, card.contract.output) == ("box", "logits")
    assert card.parameters == theirs.count_params()
    assert card.training["pixels"] == f"0-{full_ink}"
    assert card.training["source"] == {"file": path.name, "sha256": sha256(path)}
    assert card.training["data"] == "unknown: brought by the user"
    assert card.budget == Budget(accuracy_loss_points=0.5, agreement=0.99, bytes=None)
    assert card.reference.original_sha256 == card.original.sha256
    assert isinstance(card.acceptance, Acceptance)
    assert card.acceptance.energy is not None
    test = read_digits(data_folder, "t10k")
    images = normalized(test, "box")
    outputs = predict(theirs, shaped(images, shape, full_ink))
    expected = outputs if np.allclose(outputs.sum(axis=1), 1, atol=1e-4) else softmax(outputs)
    np.testing.assert_allclose(model.predict(images, "float32"), expected, atol=1e-4)
    for variant, file in card.variants.items():
        found = model.predict(images, variant).argmax(axis=1)
        assert (found == expected.argmax(axis=1)).mean() >= 0.95
        assert file.accuracy == pytest.approx(float((found == test.labels).mean()))
    folder = tmp_path / "models" / "mine"
    with np.load(folder / "reference.npz") as arrays:
        np.testing.assert_allclose(arrays[PROBABILITIES], expected, atol=1e-4)
    kept = keras.models.load_model(folder / "model.keras")
    np.testing.assert_allclose(softmax(predict(kept, images)), expected, atol=1e-4)


def test_a_softmax_that_cannot_be_cut_off_stays(
    train: Callable[..., Any], bring: Callable[..., Model], data_folder: Path, tmp_path: Path
) -> None:
    logits = train(layers.Flatten(), layers.Dense(10), shape=(28, 28))
    theirs = keras.Model(logits.inputs[0], keras.ops.softmax(logits.outputs[0]))
    theirs.save(tmp_path / "theirs.keras")
    model = bring(tmp_path / "theirs.keras")
    assert model.card.contract.output == "probabilities"
    assert isinstance(model.card.acceptance, Acceptance)
    assert model.card.acceptance.energy is None
    images = normalized(read_digits(data_folder, "t10k"), "box")
    expected = predict(theirs, shaped(images, (28, 28), 1))
    np.testing.assert_allclose(model.predict(images, "float32"), expected, atol=1e-4)
    np.testing.assert_allclose(model.predict(images, "int8").sum(axis=1), 1, atol=0.05)


def test_a_model_trained_on_upright_digits_gets_them_upright(
    bring: Callable[..., Model], train: Callable[..., Any], tmp_path: Path, data_folder: Path
) -> None:
    stack = (layers.Flatten(), layers.Dense(10))
    theirs = train(*stack, shape=(28, 28))
    digits = read_digits(data_folder, "train")
    upright = shaped(normalized(digits, "moments"), (28, 28), 1)
    theirs.fit(upright, digits.labels, epochs=5, verbose=0)
    theirs.save(tmp_path / "theirs.keras")
    assert bring(tmp_path / "theirs.keras").normalization == "moments"


def test_what_is_given_is_kept(
    bring: Callable[..., Model], linear_file: Path, data_folder: Path
) -> None:
    model = bring(linear_file, pixels="0-1", normalization="moments")
    assert model.normalization == "moments"
    assert model.card.training["command"] == (
        "python -m convert add linear.keras --name mine --title 'My Model' "
        "--description 'A model of mine.' --pixels 0-1 --normalization moments "
        f"--data {data_folder.name} --allow-other-data"
    )
    assert model.card.training["commit"] == commit()
    readings = model.card.training["validation"]["accuracy"]
    assert {reading["normalization"] for reading in readings} == {"moments"}


def test_a_model_of_the_same_name_is_replaced_only_when_told(
    bring: Callable[..., Model],
    linear_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    standing = tmp_path / "models" / "mine"
    standing.mkdir(parents=True)
    (standing / "theirs").write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(addition, "read", None)  # Nothing slow happens first.
        with pytest.raises(AdditionError, match=r"There is a model in .*mine; .* add --replace"):
            bring(linear_file)
    assert (standing / "theirs").read_text() == "old"
    assert bring(linear_file, replace=True).name == "mine"
    assert not (standing / "theirs").exists()


@pytest.mark.parametrize("name", ["Mine", "my_model", "../mine", "", "-mine", "mine\n", "mïne"])
def test_an_unfit_name_is_refused_before_anything_is_done(
    name: str, bring: Callable[..., Model], linear_file: Path, tmp_path: Path
) -> None:
    with pytest.raises(AdditionError, match="expected lower-case letters, digits and dashes"):
        bring(linear_file, IDENTITY._replace(name=name))
    assert not (tmp_path / "models").exists()


def test_the_wrong_scale_of_pixels_is_told_plainly(
    bring: Callable[..., Model], train: Callable[..., Any], tmp_path: Path
) -> None:
    # To this one a drawing 255 times too faint is a blank, and a blank is an 8.
    stack = (layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(10))
    theirs = train(*stack, shape=(28, 28), full_ink=255, rate=0.03)
    kernel, bias = theirs.layers[-1].get_weights()
    theirs.layers[-1].set_weights([kernel, bias + np.eye(10)[8] * 3])
    theirs.save(tmp_path / "theirs.keras")
    expected = r"reads \d+\.\d% with pixels of 0-1 and \d+\.\d% with pixels of 0-255: 0-1 looks"
    with pytest.raises(AdditionError, match=expected):
        bring(tmp_path / "theirs.keras", pixels="0-1")
    assert not list((tmp_path / "models").iterdir())


def test_a_scale_with_which_it_is_far_too_sure_is_told_of(
    bring: Callable[..., Model], linear_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bring(linear_file, pixels="0-255").card.training["pixels"] == "0-255"
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("Warning: 0-255 looks like the wrong scale: with pixels of 0-1 it reads")
    bring(linear_file, pixels="0-1", replace=True)
    assert "Warning" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["convert_model", "pixels", "scale", "shape"])
def test_a_model_may_be_called_anything(name: str, linear: Any) -> None:
    theirs = keras.Model(linear.inputs, linear.outputs, name=name)
    assert take_pixels(theirs, "0-1", "mine").output_shape == (None, 10)


def test_what_reads_no_digits_is_refused(bring: Callable[..., Model], tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    stack = [keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)]
    keras.Sequential(stack).save(tmp_path / "untrained.keras")
    expected = r"0-1 and \d+\.\d% with pixels of 0-255; expected at least 30% of a trained classif"
    with pytest.raises(AdditionError, match=expected):
        bring(tmp_path / "untrained.keras")
    assert not list((tmp_path / "models").iterdir())


def test_outputs_that_are_no_numbers_read_nothing(
    bring: Callable[..., Model], linear: Any, tmp_path: Path
) -> None:
    broken = keras.models.clone_model(linear)
    kernel, bias = linear.layers[-1].get_weights()
    broken.layers[-1].set_weights([kernel * np.nan, bias])
    broken.save(tmp_path / "broken.keras")
    with pytest.raises(AdditionError, match=r"reads 0\.0% with pixels of 0-1 and 0\.0% with"):
        bring(tmp_path / "broken.keras")


@keras.saving.register_keras_serializable()
class Doubling(keras.layers.Layer):  # type: ignore[misc]
    """A layer that Keras does not have."""

    def call(self, images: Any) -> Any:
        return images * 2


def custom(form: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / f"custom{form}"
        stack = [keras.Input((28, 28)), Doubling(), layers.Flatten(), layers.Dense(10)]
        keras.Sequential(stack).save(path)
        return path

    return write


def keras_file(*stack: Callable[[], Any]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        keras.Sequential([make() for make in stack]).save(folder / "model.keras")
        return folder / "model.keras"

    return write


def plain_file(name: str, content: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        pytest.param(lambda folder: folder / "no.keras", r"no\.keras is missing; name", id="none"),
        pytest.param(
            plain_file("a.keras", b"junk"), r"a\.keras is no whole \.keras file; save", id="junk"
        ),
        pytest.param(plain_file("a.h5", b"junk"), r"cannot read .*a\.h5 \(", id="junk in .h5"),
        pytest.param(plain_file("a.pt", b"junk"), r"cannot read .*a\.pt \(", id="another format"),
        pytest.param(
            plain_file("a.tflite", b""), "is converted already; put it into", id="a .tflite file"
        ),
        pytest.param(custom(".keras"), "the custom layer 'Doubling', whose", id="a custom layer"),
        pytest.param(custom(".h5"), "the custom layer 'Doubling', whose", id="and in .h5"),
        pytest.param(
            keras_file(
                lambda: keras.Input((28, 28)),
                lambda: layers.Lambda(lambda x: x * 2),
                layers.Flatten,
                lambda: layers.Dense(10),
            ),
            r"has a Lambda layer, whose .* write model\.export\('folder'\) and add that folder",
            id="a lambda",
        ),
        pytest.param(
            keras_file(lambda: keras.Input((32, 32, 3)), layers.Flatten, lambda: layers.Dense(10)),
            r"takes \(None, 32, 32, 3\) and gives \(None, 10\); expected one input "
            r"\(None, 28, 28\), \(None, 28, 28, 1\) or \(None, 784\) and one output \(None, 10\)",
            id="another input",
        ),
        pytest.param(
            keras_file(lambda: keras.Input((784,)), lambda: layers.Dense(26)),
            r"takes \(None, 784\) and gives \(None, 26\); expected",
            id="another output",
        ),
    ],
)
def test_a_model_that_cannot_be_read_says_why(
    write: Callable[[Path], Path], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path)
    # As in a process that never saw the layer.
    monkeypatch.delitem(keras.saving.get_custom_objects(), "Custom>Doubling")
    with pytest.raises(BroughtModelError) as caught:
        read(path)
    said = str(caught.value)
    assert re.search(reason, said)
    assert said.endswith(".")
    assert "\n" not in said


def test_a_folder_without_a_saved_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(SavedModelError, match=r"cannot be read as a SavedModel \(.*\); name a fol"):
        read(tmp_path)


def test_a_saved_model_needs_a_signature(tmp_path: Path) -> None:
    tf.saved_model.save(tf.Module(), str(tmp_path / "bare"))
    with pytest.raises(SavedModelError, match="0 inputs and 0 outputs in its signature 'serving_"):
        read(tmp_path / "bare")


def test_a_custom_layer_comes_in_a_saved_model(tmp_path: Path, sample_folder: Path) -> None:
    stack = [keras.Input((28, 28)), Doubling(), layers.Flatten(), layers.Dense(10)]
    theirs = keras.Sequential([*stack, layers.Softmax()])
    theirs.export(tmp_path / "exported", verbose=False)
    images = shaped(read_digits(sample_folder, "train").images[:20], (28, 28), 1)
    found = softmax(predict(read(tmp_path / "exported"), images))
    np.testing.assert_allclose(found, predict(theirs, images), atol=1e-5)


@pytest.mark.parametrize(
    "end",
    [
        lambda: [layers.Dense(10, activation="softmax")],
        lambda: [layers.Dense(10), layers.Activation("softmax")],
        lambda: [layers.Dense(10), layers.Softmax()],
    ],
)
def test_a_softmax_at_the_end_is_cut_off(end: Callable[[], list[Any]]) -> None:
    model = keras.Sequential([keras.Input((784,)), *end()])
    images = np.random.default_rng(0).random((5, 784), np.float32)
    expected = predict(model, images)
    logits = predict(without_softmax(keras.models.clone_model(model)), images)
    assert expected.sum(axis=1) == pytest.approx(1)
    assert not np.allclose(logits.sum(axis=1), 1)


def test_an_operation_that_tflite_does_not_have_is_named() -> None:
    image = keras.Input((784,))
    model = keras.Model(image, layers.Dense(10)(keras.ops.erfinv(image)))
    images = np.zeros((2, 28, 28), np.uint8)
    with pytest.raises(ExportError) as caught:
        export(take_pixels(model, "0-1", "mine"), images, images)
    assert str(caught.value) == (
        "mine cannot be converted to float32: TFLite has no Erfinv; build the model from other "
        "layers or operations."
    )


def test_a_recurrent_network_is_exported_without_loops(
    train: Callable[..., Any], sample_folder: Path, tmp_path: Path
) -> None:
    train(layers.SimpleRNN(16), layers.Dense(10), shape=(28, 28)).save(tmp_path / "rows.keras")
    images = read_digits(sample_folder, "train").images
    original = take_pixels(read(tmp_path / "rows.keras"), "0-1", "rows")
    assert len(export(original, images[::10], images)) == 4


def test_a_bare_file_of_the_same_model_is_used_in_the_same_way(
    linear: Any, tmp_path: Path, data_folder: Path
) -> None:
    images = shaped(read_digits(data_folder, "train").images[::10], (28, 28), 1)
    converter = tf.lite.TFLiteConverter.from_keras_model(linear)
    plain = converter.convert()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    quantized = converter.convert()
    for name, content in {"plain": plain, "quantized": quantized}.items():
        assert try_out(content) == Usage("box", "0-1", "probabilities")
        (tmp_path / f"{name}.tflite").write_bytes(content)
    models = load_bare_models(tmp_path, [], pytest.fail)
    test = read_digits(data_folder, "t10k")
    inputs = normalized(test, "box")
    expected = predict(linear, shaped(inputs, (28, 28), 1))
    np.testing.assert_allclose(models["plain"].predict(inputs), expected, atol=1e-5)
    found = models["quantized"].predict(inputs)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.97


def test_the_command_tells_an_error_in_a_sentence(
    convert: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    path = tmp_path / "no.keras"
    status, said = convert("add", path, "--name", "mine", "--out", tmp_path / "models")
    assert status == 1
    assert (
        said == f"convert: {path} is missing; name a .keras or .h5 file or a SavedModel folder.\n"
    )


def test_the_command_needs_a_name(convert: Callable[..., tuple[int, str]]) -> None:
    status, said = convert("add", "model.keras")
    assert status == 2
    assert "the following arguments are required: --name" in said


def test_the_readme_s_model_is_trained_added_and_served(
    root: Path, data_folder: Path, tmp_path: Path
) -> None:
    section = (
        (root / "README.md").read_text().split("## Bring your own model\n")[1].split("\n## ")[0]
    )
    (script,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (line,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    # The sample stands for MNIST, which would have to be downloaded.
    sample = f"""
import keras
from edge_app.digits.mnist import read_digits
digits = tuple(read_digits({str(data_folder)!r}, "train"))
keras.datasets.mnist.load_data = lambda: (digits, digits)
keras.utils.set_random_seed(0)
"""
    environment = {"PYTHONPATH": str(root), "PATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"}

    def run(*words: str) -> None:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    run("-c", sample + script)
    python, *words = shlex.split(line)
    assert python == ".venv-dev/bin/python"
    run(*words, "--data", str(data_folder), "--allow-other-data")
    (tmp_path / "app").mkdir()
    with app.start(tmp_path / "app", "--models", tmp_path / "models") as running:
        assert "My CNN" in running.printed("stdout")
        one = [[[50, 10], [48, 90]]]
        answer = app.post(f"{running.url}/gradio_api/run/classify", {"data": [one, "int8"]}).json()
    assert answer["data"][0]["my-cnn"]["digit"] == 1
