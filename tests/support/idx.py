"""Writes IDX files, for the tests of what reads them."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from edge_app.digits.mnist import Digits, Split


def write_digits(folder: Path, split: Split, digits: Digits, *, gzipped: bool = False) -> None:
    """Write the two files of a split into a folder."""
    for name, array in (("images-idx3", digits.images), ("labels-idx1", digits.labels)):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        path, content = folder / f"{split}-{name}-ubyte", header + array.tobytes()
        if gzipped:
            path, content = path.with_name(f"{path.name}.gz"), gzip.compress(content, mtime=0)
        path.write_bytes(content)
