"""The TFLite interpreter: the installed runtime, and one model file loaded into it."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.normalization import SIZE
from edge_app.errors import UserError

CLASSES = 10

Pixels = Literal["0-1", "0-255"]
"""The range of a network's pixels, from paper to full ink."""
PIXELS: tuple[Pixels, ...] = get_args(Pixels)
FULL_INK: dict[Pixels, int] = {"0-1": 1, "0-255": 255}

_SHAPES = ((1, SIZE, SIZE), (1, SIZE, SIZE, 1), (1, SIZE * SIZE))
_DTYPES = (np.float32, np.uint8, np.int8)

RUNTIMES = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}
"""Packages and their modules, the faster one first."""

_chosen: list[str] = []
"""The package that :func:`choose_runtime` was given."""


class InterpreterError(UserError):
    """There is no usable runtime, or it cannot run a model file."""


class Runtime(NamedTuple):
    """An installed TFLite runtime: its package's name and version, and its interpreter class."""

    name: str
    version: str
    interpreter: Callable[..., Any]


@cache
def find_runtime(*packages: str) -> Runtime:
    """The first installed runtime of the packages.

    Two runtimes in one process may clash.

    Args:
        packages: by default the one given to :func:`choose_runtime`, or else ``RUNTIMES``.

    Raises:
        InterpreterError: none is installed, or the installed one cannot be imported.
    """
    packages = packages or tuple(_chosen or RUNTIMES)
    broken = []
    for package in packages:
        try:
            interpreter = importlib.import_module(RUNTIMES[package]).Interpreter
        except ModuleNotFoundError:
            continue
        # tflite-runtime with NumPy 2 fails in one of these ways, depending on the version.
        except (ImportError, AttributeError, SystemError) as error:
            broken.append(f"{package} {importlib.metadata.version(package)} ({error})")
            continue
        return Runtime(package, importlib.metadata.version(package), interpreter)
    if broken:
        raise InterpreterError(
            f"Installed but failing to import beside NumPy {np.__version__}: {', '.join(broken)}; "
            "install the versions of requirements-edge.txt (tflite-runtime needs numpy<2)."
        )
    if len(packages) == 1:
        raise InterpreterError(f"{packages[0]} is not installed; {_remedy(packages[0])}")
    raise InterpreterError(
        f"No TFLite runtime is installed; expected {' or '.join(packages)}; "
        "run: pip install -r requirements-edge.txt"
    )


def choose_runtime(package: str) -> None:
    """Make :func:`find_runtime` find this package by default, one of ``RUNTIMES``.

    Call it before any model is loaded. Other processes do not inherit it.

    Raises:
        InterpreterError: it is not installed, or it cannot be imported.
    """
    find_runtime(package)
    _chosen[:] = [package]
    find_runtime.cache_clear()


def _remedy(package: str) -> str:
    """What to do if a package is not installed."""
    old = sys.version_info < (3, 12)
    if package == ("tflite-runtime" if old else "ai-edge-litert"):
        return "run: pip install -r requirements-edge.txt"
    if old:  # Beside tflite-runtime, which does not work with NumPy 2.
        return "run: pip install ai-edge-litert==2.3.0 numpy==1.26.4"
    return "it does not exist for Python 3.12 and later; use ai-edge-litert."


class Interpreter:
    """One ``.tflite`` file, ready to run: 28x28 pixels in, (1, 10) out.

    The input is (1, 28, 28), (1, 28, 28, 1) or (1, 784), in float32, or in uint8 or int8 with a
    scale. Calls from several threads take turns.

    Args:
        content: the file's bytes. Check their hash first: a malformed file can end the process.
        pixels: the range of the file's pixels.
        threads: how many may work on one image. For models this small, more than one only hurts
            (p99 rose from 0.1 to 4-20 ms).
        runtime: by default the installed one.

    Raises:
        InterpreterError: the runtime does not load the file, or its shapes or dtypes do not fit.
    """

    def __init__(
        self,
        content: bytes,
        pixels: Pixels = "0-255",
        threads: int = 1,
        runtime: Runtime | None = None,
    ) -> None:
        runtime = runtime or find_runtime()
        self.pixels = pixels
        try:
            self._interpreter = runtime.interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise InterpreterError(
                f"{runtime.name} {runtime.version} does not load it ({reason})."
            ) from error
        inputs = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        shapes = [tuple(map(int, tensor["shape"])) for tensor in (*inputs, *outputs)]
        if len(inputs) != 1 or shapes[0] not in _SHAPES or shapes[1:] != [(1, CLASSES)]:
            raise InterpreterError(
                f"Its inputs and outputs have the shapes {', '.join(map(str, shapes))}; "
                f"expected one input {', '.join(map(str, _SHAPES[:-1]))} or {_SHAPES[-1]} and one "
                f"output (1, {CLASSES})."
            )
        for tensor in (*inputs, *outputs):
            _check_dtype(tensor)
        self._input, self._output = inputs[0]["index"], outputs[0]["index"]
        self._shape = shapes[0]
        self._of_pixel = quantize(np.arange(256) * (FULL_INK[pixels] / 255), inputs[0])
        # Looking up every pixel takes as long as a small model; skip it if it changes nothing.
        unchanged = np.array_equal(self._of_pixel, np.arange(256))
        self._as_it_is = self._of_pixel.dtype == np.uint8 and unchanged
        self.largest_input = _largest(inputs[0])
        """The largest real value that the input can hold; infinite for float32."""
        self._output_scale, self._output_zero_point = map(np.float32, outputs[0]["quantization"])
        self._lock = threading.Lock()

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the model on pixels, uint8 (N, 28, 28); returns its outputs, float32 (N, 10)."""
        outputs = np.empty((len(images), CLASSES), np.float32)
        with self._lock:
            for number, image in enumerate(images):
                pixels = image if self._as_it_is else self._of_pixel[image]
                self._interpreter.set_tensor(self._input, pixels.reshape(self._shape))
                self._interpreter.invoke()
                outputs[number] = self._interpreter.get_tensor(self._output)
        if self._output_scale:
            # In float32: subtracting a zero point in 8 bits would overflow.
            outputs -= self._output_zero_point
            outputs *= self._output_scale
        return outputs


def _check_dtype(tensor: dict[str, Any]) -> None:
    dtype, (scale, _) = np.dtype(tensor["dtype"]), tensor["quantization"]
    # uint8 pixels need no scale; an int8 without one could mean anything.
    if dtype not in _DTYPES or (dtype == np.int8 and not scale):
        raise InterpreterError(
            f"Its tensor {tensor['name']!r} has the dtype {dtype}{'' if scale else ' and no scale'}"
            "; expected float32, or uint8 or int8 with a scale."
        )


def _largest(tensor: dict[str, Any]) -> float:
    dtype, (scale, zero_point) = np.dtype(tensor["dtype"]), tensor["quantization"]
    if dtype == np.float32:
        return np.inf
    return float((np.iinfo(dtype).max - zero_point) * (scale or 1))


def quantize(values: NDArray[np.float64], tensor: dict[str, Any]) -> NDArray[Any]:
    """Quantize real values for a tensor: q = round(value / scale) + zero point, saturating."""
    scale, zero_point = tensor["quantization"]
    dtype = np.dtype(tensor["dtype"])
    if not scale:
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values / scale) + zero_point, limits.min, limits.max).astype(dtype)
