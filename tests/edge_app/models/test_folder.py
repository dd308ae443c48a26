"""Bare models: .tflite files without a card, tried apart, served and measured beside the others."""

from __future__ import annotations

import io
import json
import re
import resource
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import ArrayLike, DTypeLike, NDArray

import app
from benchmarks.results import Selection, measure
from edge_app import load_models, rasterize
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.mnist import Digits
from edge_app.digits.normalization import Normalization, normalize
from edge_app.digits.samples import drawings as sample_drawings
from edge_app.models import interpreter
from edge_app.models import probe as trial
from edge_app.models.answers import choices, classify, views
from edge_app.models.card import VARIANTS, FileRecord
from edge_app.models.classifier import Classifier
from edge_app.models.folder import VARIANT, BareModel, load_bare_models, name_of
from edge_app.models.interpreter import InterpreterError, Pixels, Runtime, find_runtime
from edge_app.models.probe import TrialError, Usage, tell_output, try_out

KILLER = b"\xff\xff\xff\x7f"
"""In the first four bytes, which say where a model file's contents begin: nowhere near."""


@pytest.fixture
def content(models_folder: Path) -> bytes:
    """A whole model file: normalization by moments, pixels of 0 to 255, logits."""
    return (models_folder / "dense" / "float32.tflite").read_bytes()


@pytest.fixture
def folder(content: bytes, tmp_path: Path) -> Path:
    """A models folder that holds that file alone."""
    (tmp_path / "My Model.tflite").write_bytes(content)
    return tmp_path


def load(folder: Path) -> tuple[dict[str, BareModel], list[str]]:
    reports: list[str] = []
    return load_bare_models(folder, [], reports.append), reports


def test_a_file_is_found_and_named_after_itself(folder: Path) -> None:
    models, reports = load(folder)
    assert not reports
    assert list(models) == ["my-model"]
    assert models["my-model"].title == "my-model (no card)"
    assert models["my-model"].variants == (VARIANT,)
    assert models["my-model"].file.file == "My Model.tflite"


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_file_answers_as_it_does_with_its_card(
    variant: str, models_folder: Path, tmp_path: Path, test_set: Digits
) -> None:
    shutil.copy(models_folder / "dense" / f"{variant}.tflite", tmp_path / "bare.tflite")
    bare = load(tmp_path)[0]["bare"]
    dense = load_models(models_folder)["dense"]
    assert bare.normalization == dense.normalization
    images = np.stack([normalize(image, bare.normalization) for image in test_set.images[:100]])
    expected = dense.predict(images, variant)
    for asked in ("int8", "float32", VARIANT):
        np.testing.assert_array_equal(bare.predict(images, asked), expected)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a.tflite", "a"),
        ("LeNet 5 (mine).tflite", "lenet-5-mine"),
        ("my_model.int8.tflite", "my-model-int8"),
        ("__.tflite", "model"),
    ],
)
def test_names_are_lower_case_letters_digits_and_dashes(file: str, name: str) -> None:
    assert name_of(file) == name


def test_folders_hidden_files_and_other_files_are_no_bare_models(folder: Path) -> None:
    (folder / "folder.tflite").mkdir()
    (folder / "dangling.tflite").symlink_to(folder / "nowhere")
    (folder / ".hidden.tflite").write_text("")
    (folder / "notes.txt").write_text("")
    models, reports = load(folder)
    assert list(models) == ["my-model"]
    assert not reports


def test_a_name_that_is_taken_is_left_out(folder: Path) -> None:
    reports: list[str] = []
    assert not load_bare_models(folder, ["my-model"], reports.append)
    assert reports == [
        "The file 'My Model.tflite' is left out: There is another model of the name 'my-model'; "
        "rename the file."
    ]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(
            lambda content: KILLER + content[4:],
            r"It ends the process that runs it \(SIG\w+\); convert it again"
            if find_runtime().name == "tflite-runtime"
            else "does not load it",
            id="one that kills the process",
        ),
        pytest.param(lambda _: b"", "does not load it", id="an empty one"),
        pytest.param(lambda _: b"not a model at all", "does not load it", id="another kind"),
        pytest.param(
            lambda content: content.replace(
                struct.pack("<3i", 1, 28, 28), struct.pack("<3i", 1, 14, 56)
            ),
            r"shapes \(1, 14, 56\), \(1, 10\); expected one input \(1, 28, 28\), "
            r"\(1, 28, 28, 1\) or \(1, 784\) and one output \(1, 10\)",
            id="another shape",
        ),
    ],
)
def test_a_malformed_file_is_left_out_and_the_others_load(
    damage: Callable[[bytes], bytes], reason: str, content: bytes, folder: Path
) -> None:
    (folder / "broken.tflite").write_bytes(damage(content))
    models, reports = load(folder)
    assert list(models) == ["my-model"]
    assert len(reports) == 1
    assert reports[0].startswith("The file 'broken.tflite' is left out: ")
    assert reports[0].endswith(".")
    assert "\n" not in reports[0]
    assert re.search(reason, reports[0])


def test_a_file_that_does_not_answer_in_time_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_app.models.folder.PATIENCE_S", 0.001)  # No process starts so soon.
    models, reports = load(folder)
    assert not models
    assert re.search(r"tried for 0\.001 seconds without an answer", reports[0])


def test_a_trial_that_runs_out_of_memory_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhaust(_: bytes) -> Usage:
        raise MemoryError

    limits = []
    monkeypatch.setattr(resource, "setrlimit", lambda *limit: limits.append(limit))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    monkeypatch.setattr(trial, "try_out", exhaust)
    trial.main()
    assert json.loads(capsys.readouterr().out)["error"].startswith("It asks for more than 2 GiB")
    assert limits == [(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))]


class Templates:
    """A runtime whose every file reads digits: by their likeness to the ten drawn ones.

    What the file takes and gives is told by its content, JSON with the fields below.
    """

    def __init__(self, model_content: bytes, num_threads: int) -> None:
        assert num_threads == 1
        self._file = json.loads(model_content)
        images = [rasterize(strokes, self._file["normalization"]) for strokes in sample_drawings()]
        templates = np.stack(images).reshape(10, -1) / 255
        self._templates = templates / np.linalg.norm(templates, axis=1, keepdims=True)
        self._scale = (self._file["scale"], self._file["zero_point"])

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, Any]]:
        return [self._tensor(0, self._file["shape"], self._scale)]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [self._tensor(1, (1, 10), (0.0, 0))]

    def _tensor(self, index: int, shape: ArrayLike, scale: tuple[float, int]) -> dict[str, Any]:
        dtype = np.dtype(np.float32 if index else self._file["dtype"])
        return {
            "index": index,
            "name": f"tensor {index}",
            "dtype": dtype.type,
            "shape": np.array(shape),
            "quantization": scale,
        }

    def set_tensor(self, _: int, value: NDArray[Any]) -> None:
        assert value.shape == tuple(self._file["shape"])
        assert value.dtype == self._file["dtype"]
        scale, zero_point = self._scale
        self._image = (value.astype(np.float64) - zero_point) * (scale or 1)

    def invoke(self) -> None:
        if self._file["fails"]:
            raise RuntimeError("node 3 failed")

    def get_tensor(self, _: int) -> NDArray[np.float32]:
        full = {"0-1": 1, "0-255": 255}[self._file["pixels"]]
        # As logits: proportional to the pixels' strength, as those of a network without biases.
        logits = self._file["keenness"] * (self._templates @ self._image.ravel()) / full
        if self._file["output"] == "logits":
            return logits[None].astype(np.float32)
        powers = np.exp(logits - logits.max())
        return (powers / powers.sum())[None].astype(np.float32)


def fake(
    normalization: Normalization = "box",
    pixels: Pixels = "0-1",
    output: str = "logits",
    shape: tuple[int, ...] = (1, 28, 28),
    dtype: DTypeLike = np.float32,
    scale: float = 0.0,
    zero_point: int = 0,
    keenness: float = 8.0,
    fails: bool = False,
) -> bytes:
    """The content of such a file."""
    return json.dumps(locals() | {"dtype": np.dtype(dtype).name}).encode()


@pytest.fixture
def templates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts that runtime in the place of the installed one."""
    runtime = Runtime("templates", "1", Templates)
    monkeypatch.setattr(interpreter, "find_runtime", lambda: runtime)


@pytest.mark.usefixtures("templates")
@pytest.mark.parametrize("normalization", get_args(Normalization))
@pytest.mark.parametrize("pixels", get_args(Pixels))
@pytest.mark.parametrize("output", ["logits", "probabilities"])
@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 28, 28, 1), (1, 784)])
def test_how_a_float_file_is_used_is_found_out_on_drawn_digits(
    normalization: Normalization, pixels: Pixels, output: str, shape: tuple[int, ...]
) -> None:
    found = try_out(fake(normalization, pixels, output, shape))
    assert found == Usage(normalization, pixels, output)  # type: ignore[arg-type]


@pytest.mark.usefixtures("templates")
@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "pixels"),
    [
        (np.uint8, 1 / 255, 0, "0-1"),
        (np.int8, 1 / 255, -128, "0-1"),
        (np.uint8, 1.0, 0, "0-255"),
        (np.int8, 1.0, -128, "0-255"),
        (np.uint8, 0.0, 0, "0-255"),
    ],
)
def test_a_quantized_input_tells_the_scale_of_its_pixels(
    dtype: DTypeLike, scale: float, zero_point: int, pixels: Pixels
) -> None:
    content = fake("box", pixels, dtype=dtype, scale=scale, zero_point=zero_point)
    assert try_out(content) == Usage("box", pixels, "logits")


@pytest.mark.usefixtures("templates")
@pytest.mark.parametrize(
    ("content", "error", "reason"),
    [
        (fake(keenness=0.0), TrialError, "a probability of 10% with pixels of 0-1 and 10% with"),
        (fake(fails=True), InterpreterError, r"It fails when it is run \(node 3 failed\)"),
        (fake(dtype=np.float16), InterpreterError, "float16 and no scale; expected float32, or"),
        (fake(dtype=np.int8), InterpreterError, "int8 and no scale; expected"),
        (fake(shape=(1, 32, 32)), InterpreterError, r"shapes \(1, 32, 32\), \(1, 10\); expected"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    content: bytes, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        try_out(content)


@pytest.mark.parametrize(
    ("rows", "output"),
    [
        ([[0.1] * 10, [1.0] + [0.0] * 9], "probabilities"),
        ([[25 / 256] * 10], "probabilities"),  # As an int8 softmax rounds it.
        ([[0.1] * 10, [0.2] * 10], "logits"),
        ([[1.1, -0.1] + [0.0] * 8], "logits"),
        ([[np.nan] * 10], "logits"),
    ],
)
def test_rows_that_could_be_probabilities_are(rows: ArrayLike, output: str) -> None:
    assert tell_output(np.array(rows, np.float32)) == output


def test_a_bare_model_answers_whatever_variant_is_asked_for(
    folder: Path, models_folder: Path, drawings: list[LabelledDrawing]
) -> None:
    models: dict[str, Classifier] = {**load_models(models_folder), **load(folder)[0]}
    assert choices(models) == list(VARIANTS)
    for variant in VARIANTS:
        answers = classify(models, views(models, drawings[3].strokes), variant)
        assert {name: answer["variant"] for name, answer in answers.items()} == {
            **dict.fromkeys(load_models(models_folder), variant),
            "my-model": VARIANT,
        }
        assert answers["my-model"]["digit"] == 3


def test_bare_models_alone_leave_their_file_to_choose(folder: Path) -> None:
    assert choices(load(folder)[0]) == [VARIANT]


def test_the_app_serves_what_it_can(
    content: bytes, folder: Path, models_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shutil.copytree(models_folder / "mlp", folder / "mlp")
    (folder / "broken.tflite").write_bytes(KILLER + content[4:])
    with app.start(tmp_path_factory.mktemp("app"), "--models", folder) as running:
        assert "'broken.tflite' is left out" in running.printed("stderr")
        assert "my-model (no card)" in running.printed("stdout")
        seven = [[[10, 10], [90, 10], [40, 100]]]
        answer = app.post(
            f"{running.url}/gradio_api/run/classify", {"data": [seven, "float16"]}
        ).json()["data"][0]
    assert {name: found["variant"] for name, found in answer.items()} == {
        "mlp": "float16",
        "my-model": VARIANT,
    }
    assert {found["digit"] for found in answer.values()} == {7}


def test_the_page_says_which_models_see_which_image(content: bytes) -> None:
    canvas = pytest.importorskip("edge_app.page.canvas.component")
    usages = [("first", "box"), ("second", "moments"), ("third", "box"), ("fourth", "box")]
    models = {
        name: BareModel(
            FileRecord(f"{name}.tflite", 1, ""),
            content,
            Usage(normalization, "0-255", "logits"),  # type: ignore[arg-type]
        )
        for name, normalization in usages
    }
    shown = canvas.canvas(models, "int8", answer).props["views"]
    fields = ("normalization", "seers", "see", "first")
    assert [tuple(view[field] for field in fields) for view in shown] == [
        ("box", "first (no card), third (no card) and fourth (no card)", "see", True),
        ("moments", "second (no card)", "sees", False),
    ]
    (alone,) = canvas.canvas({"first": models["first"]}, "int8", answer).props["views"]
    assert (alone["seers"], alone["see"], alone["first"]) == ("the models", "see", True)


def answer(_: dict[str, Any]) -> None:
    """Stands for what the page calls."""


def test_the_benchmark_measures_accuracy_and_latency_without_a_card(
    folder: Path, models_folder: Path
) -> None:
    results = measure(Selection(folder, quick=True))
    assert not results.problems
    assert not results.models
    quality = results.bare["my-model"].quality
    assert quality is not None
    expected = load_models(models_folder)["dense"].card.variants["float32"].accuracy
    assert quality.accuracy == pytest.approx(expected, abs=0.001)
    assert results.latency is not None
    timed = results.latency.app("my-model", VARIANT)
    assert timed is not None
    assert timed.times.median_us > 0
