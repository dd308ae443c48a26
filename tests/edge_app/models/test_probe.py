"""The probe: how a file without a card is used, found out with a runtime that reads by likeness."""

from __future__ import annotations

import json
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import ArrayLike, DTypeLike, NDArray

from edge_app.digits.normalization import Normalization, stack
from edge_app.digits.samples import drawings
from edge_app.models import interpreter
from edge_app.models.card import Output
from edge_app.models.classifier import softmax
from edge_app.models.interpreter import InterpreterError, Pixels, Runtime
from edge_app.models.probe import ProbeError, Usage, tell_output, try_out
from tensors import tensor


class Templates:
    """A runtime that reads digits by their likeness to the ten drawn ones.

    The content of the file, JSON, says what it takes and gives.
    """

    def __init__(self, model_content: bytes, num_threads: int) -> None:
        assert num_threads == 1
        self._file = json.loads(model_content)
        templates = stack(drawings(), self._file["normalization"]).reshape(10, -1) / 255
        self._templates = templates / np.linalg.norm(templates, axis=1, keepdims=True)
        self._scale = (self._file["scale"], self._file["zero_point"])

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, Any]]:
        return [tensor(0, self._file["shape"], self._file["dtype"], *self._scale)]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [tensor(1, (1, 10), np.float32)]

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
        image = self._image.ravel() / full
        # Nearly blind to faint pixels, and sure of strong ones.
        logits = self._file["keenness"] * self._templates @ image / max(np.linalg.norm(image), 1)
        outputs = logits[None].astype(np.float32)
        return outputs if self._file["output"] == "logits" else softmax(outputs)


def fake(
    normalization: Normalization = "box",
    pixels: Pixels = "0-1",
    output: str = "logits",
    shape: tuple[int, ...] = (1, 28, 28),
    dtype: DTypeLike = np.float32,
    scale: float = 0.0,
    zero_point: int = 0,
    keenness: float = 40.0,
    fails: bool = False,
) -> bytes:
    """The content of such a file."""
    return json.dumps(locals() | {"dtype": np.dtype(dtype).name}).encode()


@pytest.fixture(autouse=True)
def templates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the installed runtime."""
    runtime = Runtime("templates", "1", Templates)
    monkeypatch.setattr(interpreter, "find_runtime", lambda: runtime)


@pytest.mark.parametrize("normalization", get_args(Normalization))
@pytest.mark.parametrize("pixels", get_args(Pixels))
@pytest.mark.parametrize("output", get_args(Output))
@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 28, 28, 1), (1, 784)])
def test_the_use_of_a_float_file_is_found_out_on_drawn_digits(
    normalization: Normalization, pixels: Pixels, output: Output, shape: tuple[int, ...]
) -> None:
    found = try_out(fake(normalization, pixels, output, shape))
    assert found == Usage(normalization, pixels, output)


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "pixels"),
    [
        (np.int8, 1 / 255, -128, "0-1"),
        (np.int8, 1.0, -128, "0-255"),
        (np.uint8, 0.0, 0, "0-255"),
    ],
)
def test_a_quantized_input_tells_the_scale_of_its_pixels(
    dtype: DTypeLike, scale: float, zero_point: int, pixels: Pixels
) -> None:
    content = fake("box", pixels, dtype=dtype, scale=scale, zero_point=zero_point)
    assert try_out(content) == Usage("box", pixels, "logits")


@pytest.mark.parametrize(
    ("content", "error", "reason"),
    [
        (fake(keenness=0.0), ProbeError, r"got 10% \(pixels 0-1\) and 10% \(pixels 0-255\)"),
        (fake(fails=True), InterpreterError, r"It fails when it runs \(node 3 failed\)"),
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
def test_rows_that_could_be_probabilities_are(rows: ArrayLike, output: Output) -> None:
    assert tell_output(np.array(rows, np.float32)) == output
