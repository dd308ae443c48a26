"""The interpreter: what a file is given for pixels, and what its outputs are read as."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray

from app import ROOT
from edge_app.models.interpreter import (
    RUNTIMES,
    Interpreter,
    InterpreterError,
    Pixels,
    Runtime,
    find_runtime,
)
from second_runtime import SECOND, install_second_runtime
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


def printed(program: str, place: Path, *words: str | Path) -> str:
    """What a program prints that can import what lies in a place."""
    command = [sys.executable, "-c", program, *map(str, words)]
    variables = {**os.environ, "PYTHONPATH": str(place)}
    done = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True
    )
    return done.stdout


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


def test_the_faster_one_of_two_runtimes_is_used(tmp_path: Path) -> None:
    place, _ = install_second_runtime(tmp_path)
    program = "from edge_app.models.interpreter import find_runtime; print(find_runtime().name)"
    assert printed(program, place).split() == ["ai-edge-litert"]


@pytest.mark.parametrize("package", RUNTIMES)
def test_a_runtime_can_be_chosen_and_files_without_a_card_follow(
    package: str, models_folder: Path, tmp_path: Path
) -> None:
    place, log = install_second_runtime(tmp_path)
    (tmp_path / "models").mkdir()
    shutil.copy(models_folder / "mlp" / "int8.tflite", tmp_path / "models")
    program = (
        "import sys\n"
        "from edge_app.models.folder import load_folder\n"
        "from edge_app.models.interpreter import choose_runtime, find_runtime\n"
        "choose_runtime(sys.argv[1])\n"
        "print(find_runtime().name, *load_folder(sys.argv[2]))\n"
    )
    assert printed(program, place, package, tmp_path / "models").split() == [package, "int8"]
    imported = log.read_text(encoding="utf-8") if log.exists() else ""
    assert imported.count("\n") == (2 if package == SECOND else 0)
    assert ("edge_app.models.worker" in imported) == (package == SECOND)


@pytest.mark.parametrize(
    ("package", "version", "remedy"),
    [
        ("tflite-runtime", (3, 11), "run: pip install -r requirements-edge.txt"),
        ("ai-edge-litert", (3, 12), "run: pip install -r requirements-edge.txt"),
        ("ai-edge-litert", (3, 11), "run: pip install ai-edge-litert=="),
        ("tflite-runtime", (3, 12), "it does not exist for Python 3.12 and later"),
    ],
)
def test_a_runtime_that_is_not_installed_is_named_and_how_to_get_it(
    package: str, version: tuple[int, int], remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:

    def missing(_: str) -> None:
        raise ModuleNotFoundError

    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(InterpreterError, match=f"^{package} is not installed; {remedy}"):
        find_runtime.__wrapped__(package)


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
