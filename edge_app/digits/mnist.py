"""MNIST on disk: IDX files, plain or gzipped, and the hashes that identify the data.

Format: http://yann.lecun.com/exdb/mnist/ ("THE IDX FILE FORMAT").
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_app.errors import UserError

Split = Literal["train", "t10k"]

SHA256: dict[Split, str] = {
    "train": "edc0d1098aa497be14ace79ddd5171e5a3dcf9c4d196c015389203eb3ba1f59b",
    "t10k": "c3f9adf9c66efb572b1f9326c3a511b45910c7173b97be66ceceeeeaef6b802b",
}
"""What :meth:`Digits.sha256` gives for MNIST as published."""

_UINT8 = 0x08


class DataError(UserError):
    """Data that is missing, damaged or of another kind."""


class Digits(NamedTuple):
    """Labelled pictures of digits: uint8 (N, 28, 28), ink 255 on 0, and uint8 (N,), 0 to 9."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def sha256(self) -> str:
        """SHA-256 of the images' bytes followed by the labels', in hexadecimal."""
        return hashlib.sha256(self.images.tobytes() + self.labels.tobytes()).hexdigest()


def read_digits(folder: str | Path, split: Split) -> Digits:
    """Read ``<split>-images-idx3-ubyte`` and ``<split>-labels-idx1-ubyte``, each plain or ``.gz``.

    Raises:
        DataError: a file is missing, unreadable or damaged, or the two do not match.
    """
    images = _read_idx(_find(Path(folder), f"{split}-images-idx3-ubyte"), dimensions=3)
    labels = _read_idx(_find(Path(folder), f"{split}-labels-idx1-ubyte"), dimensions=1)
    if images.shape[1:] != (28, 28) or len(images) != len(labels):
        raise DataError(
            f"The {split} files in {folder} hold images of shape {images.shape} and "
            f"{len(labels)} labels; expected (N, 28, 28) and N labels."
        )
    if len(labels) and labels.max() > 9:
        raise DataError(
            f"The {split} labels in {folder} go up to {labels.max()}; expected digits, 0 to 9."
        )
    return Digits(images, labels)


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        try:
            if path.is_file():
                return path
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error.strerror}).") from error
    raise DataError(f"No {name} or {name}.gz in {folder}; expected MNIST's IDX files there.")


def _read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}); fetch the file again.") from error
    header = 4 + 4 * dimensions
    if content[:4] != bytes([0, 0, _UINT8, dimensions]) or len(content) < header:
        raise DataError(
            f"{path} is not an IDX file of unsigned bytes with {dimensions} dimension(s): "
            f"it starts with {content[:4].hex(' ') or 'nothing'}; fetch the file again."
        )
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", dimensions, offset=4))
    expected = header + int(np.prod(shape, dtype=object))
    if len(content) != expected:
        raise DataError(
            f"{path} has {len(content)} bytes, but its header announces {expected}; "
            "fetch the file again."
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
