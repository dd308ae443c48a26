"""The same digits everywhere: pixels and outputs are compared with what x86-64 gave.

That is kept in tests/data/portability: pixels.npz, and one file for each runtime. If models, the
normalization or a runtime changed on purpose, write it anew in the repository's folder with

    .venv-dev/bin/pip install ai-edge-litert==2.3.0 numpy==1.26.4
    .venv-dev/bin/python -m tests.edge_app.test_portability

The first line is for Python 3.11, where the two runtimes can be installed together; without it,
only the file of the one that is installed is written.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.latency.plan import installed_runtimes
from edge_app.digits.labelled import read_json_lines
from edge_app.digits.mnist import read_digits
from edge_app.digits.normalization import NORMALIZATIONS, normalize, rasterize
from edge_app.models.card import CARD, read_card, read_file
from edge_app.models.interpreter import Interpreter, find_runtime
from edge_app.paths import MODELS, ROOT

FOLDER = ROOT / "tests" / "data" / "portability"
PIXELS = FOLDER / "pixels.npz"
TOLERANCES = {
    "tflite-runtime": {"int8": 0, "float32": 1e-4},
    "ai-edge-litert": {"int8": 0, "float16": 1e-4, "float32": 1e-4},
}
"""How far outputs may be from those kept, by runtime and variant, in logits. The order in
which floating-point numbers are added up, and so their sum, depends on the processor."""
RENEW = "if that is on purpose, run: python -m tests.edge_app.test_portability"

Pixels = dict[str, NDArray[np.uint8]]
Outputs = dict[str, NDArray[np.float32]]


def make_pixels() -> Pixels:
    """What the models see, uint8 (90, 28, 28), by normalization: of 30 drawings, of 50 of MNIST's
    images, and of ten of these enlarged."""
    data = ROOT / "tests" / "data"
    drawings = [
        drawing.strokes
        for file in ("drawings.jsonl", "page-drawings.jsonl")
        for drawing in read_json_lines(data / file)
    ]
    images = list(read_digits(ROOT / "benchmarks" / "mnist", "t10k").images[::200])
    images += [image.repeat(9, axis=0).repeat(11, axis=1) for image in images[::5]]
    return {
        name: np.stack(
            [rasterize(each, name) for each in drawings]
            + [normalize(each, name) for each in images]
        )
        for name in NORMALIZATIONS
    }


def make_outputs(package: str) -> Outputs:
    """What the models that ship give for these pixels, float32 (90, 10), in an installed runtime,
    by the SHA-256 of the model's file and its name."""
    runtime, pixels, outputs = find_runtime(package), read(PIXELS), Outputs()
    for path in sorted(MODELS.glob(f"*/{CARD}")):
        card = read_card(path.parent)
        for variant in TOLERANCES[package]:
            record = card.variants[variant]
            content = read_file(path.parent, record)
            interpreter = Interpreter(content, runtime=runtime)
            images = pixels[card.contract.normalization]
            outputs[f"{card.name} {variant} {record.sha256}"] = interpreter.run(images)
    return outputs


def read(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def write_outputs(package: str, path: Path) -> None:
    """Write what a runtime gives, from a process of its own: two in one may clash, and TensorFlow
    brings kernels that the runtime would use."""
    code = "import sys; from tests.edge_app import test_portability as here; import numpy; "
    code += "numpy.savez_compressed(sys.argv[2], **here.make_outputs(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, package, path], cwd=ROOT, check=True)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_pixels_are_the_same_bit_for_bit(normalization: str) -> None:
    expected, found = read(PIXELS)[normalization], make_pixels()[normalization]
    assert expected.shape == found.shape
    different = np.flatnonzero((expected != found).any(axis=(1, 2)))
    assert different.tolist() == [], RENEW


@pytest.mark.parametrize("package", installed_runtimes())
def test_outputs_are_the_same(package: str, tmp_path: Path) -> None:
    write_outputs(package, tmp_path / "found.npz")
    expected, found = read(FOLDER / f"{package}.npz"), read(tmp_path / "found.npz")
    assert found.keys() == expected.keys(), f"these models are others; {RENEW}"
    for name, outputs in found.items():
        _, variant, _ = name.split()
        difference = float(np.abs(outputs - expected[name]).max())
        assert difference <= TOLERANCES[package][variant], f"{name}; {RENEW}"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    np.savez_compressed(PIXELS, **make_pixels())
    for each in installed_runtimes():
        write_outputs(each, FOLDER / f"{each}.npz")
