"""Writes IDX files, for the tests of what reads them."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_app.digits.mnist import Digits, Split


def encode(array: NDArray[np.uint8]) -> bytes:
    """An array of unsigned bytes as an IDX file's content."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write_digits(folder: Path, split: Split, digits: Digits, *, gzipped: bool = False) -> None:
    """Write the two files of a split into a folder."""
    for name, array in (("images-idx3", digits.images), ("labels-idx1", digits.labels)):
        path = folder / f"{split}-{name}-ubyte"
        if gzipped:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(encode(array), mtime=0))
        else:
            path.write_bytes(encode(array))
