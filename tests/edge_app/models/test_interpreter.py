"""The interpreter: what a file is given for pixels, and what its outputs are read as."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray

from edge_app.models.interpreter import (
    RUNTIMES,
    Interpreter,
    InterpreterError,
    Pixels,
    Runtime,
    find_runtime,
)
from tensors import tensor

RAMP = np.arange(784).reshape(1, 28, 28).astype(np.uint8)
"""An image with every pixel from 0 to 255."""


class Recorder:
    """A runtime's interpreter that keeps what it is given, and gives outputs of its own."""

    given: NDArray[Any]

    def __init__(self, input_type: tuple[DTypeLike, float, int], outputs: NDArray[Any]) -> None:
        self._input_type = input_type
        self._outputs = outputs

    def __call__(self, **_: object) -> Recorder:
        return self

    def allocate_tensors(self) -> None:
        pass

    invoke = allocate_tensors

    def get_input_details(self) -> list[dict[str, Any]]:
        return [tensor(0, (1, 28, 28), *self._input_type)]

    def get_output_details(self) -> list[dict[str, Any]]:
        if self._outputs.dtype == np.float32:
            return [tensor(1, (1, 10), np.float32)]
        return [tensor(1, (1, 10), np.int8, 0.5, -128)]

    def set_tensor(self, index: int, value: NDArray[Any]) -> None:
        assert index == 0
        self.given = value.copy()

    def get_tensor(self, index: int) -> NDArray[Any]:
        assert index == 1
        return self._outputs


def recorded(recorder: Recorder, pixels: Pixels = "0-255") -> Interpreter:
    return Interpreter(b"", pixels, runtime=Runtime("recorder", "1", recorder))


def given(
    dtype: DTypeLike, scale: float, zero_point: int, pixels: Pixels
) -> tuple[NDArray[Any], Interpreter]:
    """What a file with such an input is given for the pixels 0 to 255, and its interpreter."""
    recorder = Recorder((dtype, scale, zero_point), np.zeros((1, 10), np.float32))
    interpreter = recorded(recorder, pixels)
    interpreter.run(RAMP)
    assert recorder.given.shape == (1, 28, 28)
    assert recorder.given.dtype == dtype
    return recorder.given.ravel()[:256], interpreter


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "pixels", "expected"),
    [
        (np.float32, 0.0, 0, "0-255", np.arange(256)),
        (np.float32, 0.0, 0, "0-1", np.arange(256) / 255),
        (np.uint8, 0.0, 0, "0-255", np.arange(256)),
        (np.int8, 1 / 255, -128, "0-1", np.arange(-128, 128)),
        # Pixels beyond what the tensor can hold saturate.
        (np.int8, 1.0, 0, "0-255", np.minimum(np.arange(256), 127)),
        (np.int8, 1.0, -256, "0-255", np.maximum(np.arange(-256, 0), -128)),
        (np.uint8, 0.5, 0, "0-255", np.minimum(np.arange(256) * 2, 255)),
        # Half of a step is rounded to the even one.
        (np.uint8, 2.0, 0, "0-255", np.rint(np.arange(256) / 2)),
    ],
)
def test_pixels_are_given_as_the_input_takes_them(
    dtype: DTypeLike, scale: float, zero_point: int, pixels: Pixels, expected: NDArray[Any]
) -> None:
    found, _ = given(dtype, scale, zero_point, pixels)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "largest"),
    [(np.float32, 0.0, 0, np.inf), (np.uint8, 0.0, 0, 255), (np.int8, 0.5, -128, 127.5)],
)
def test_an_input_tells_its_largest_value(
    dtype: DTypeLike, scale: float, zero_point: int, largest: float
) -> None:
    assert given(dtype, scale, zero_point, "0-255")[1].largest_input == largest


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (np.linspace(-1, 1, 10, dtype=np.float32), np.linspace(-1, 1, 10)),
        # Minus the zero point of -128, times the scale of 0.5; it would overflow in 8 bits.
        (np.arange(118, 128, dtype=np.int8), np.arange(123, 128, 0.5)),
    ],
)
def test_outputs_are_read_as_real_numbers(
    outputs: NDArray[Any], expected: NDArray[np.float64]
) -> None:
    found = recorded(Recorder((np.uint8, 0.0, 0), outputs[None])).run(RAMP.repeat(3, 0))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [expected] * 3, atol=1e-6)


@pytest.mark.parametrize("package", RUNTIMES)
def test_a_runtime_can_be_chosen(package: str) -> None:
    if find_spec(RUNTIMES[package].split(".")[0]) is None:
        with pytest.raises(InterpreterError, match=f"expected {package}; run: pip install"):
            find_runtime(package)
    elif package == find_runtime().name:  # Another one may clash with it in this process.
        assert find_runtime(package) == find_runtime()


@pytest.mark.parametrize("error", [ImportError, AttributeError, SystemError])
def test_a_runtime_that_cannot_be_imported_is_named(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As tflite-runtime beside NumPy 2."""

    def fail(_: str) -> None:
        raise error("_ARRAY_API not found")

    runtime = find_runtime()
    monkeypatch.setattr(importlib, "import_module", fail)
    found = rf"beside NumPy \S+: {runtime.name} {runtime.version} \(_ARRAY_API not found\); install"
    with pytest.raises(InterpreterError, match=found):
        find_runtime.__wrapped__(runtime.name)
