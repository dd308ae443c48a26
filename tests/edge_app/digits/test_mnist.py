"""IDX files: read plain and gzipped, refused with a sentence when anything is amiss."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_app.digits.mnist import SHA256, DataError, Digits, read_digits
from idx import write_digits

IMAGES = "train-images-idx3-ubyte"


@pytest.fixture
def digits() -> Digits:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (20, 28, 28), dtype=np.uint8)
    return Digits(images, np.tile(np.arange(10, dtype=np.uint8), 2))


@pytest.fixture
def folder(digits: Digits, tmp_path: Path) -> Path:
    """Twenty digits as plain files."""
    write_digits(tmp_path, "train", digits)
    return tmp_path


@pytest.mark.parametrize("gzipped", [False, True])
def test_what_was_written_is_read(digits: Digits, tmp_path: Path, gzipped: bool) -> None:
    write_digits(tmp_path, "t10k", digits, gzipped=gzipped)
    found = read_digits(str(tmp_path), "t10k")
    np.testing.assert_array_equal(found.images, digits.images)
    np.testing.assert_array_equal(found.labels, digits.labels)
    assert found.images.dtype == found.labels.dtype == np.uint8


def test_the_committed_test_set_is_mnist_s(test_set: Digits) -> None:
    assert test_set.sha256() == SHA256["t10k"]
    for changed in (test_set.images.copy(), test_set.labels.copy()):
        changed[-1] ^= 1
        name = "labels" if changed.ndim == 1 else "images"
        assert test_set._replace(**{name: changed}).sha256() != SHA256["t10k"]


Change = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _: b"", "is not an IDX file of unsigned bytes with 3 dimension"),
        (lambda content: content[:15], "is not an IDX file of unsigned bytes with 3 dimension"),
        (lambda content: b"\0\0\x08\x01" + content[4:], "starts with 00 00 08 01; fetch the file"),
        (lambda content: b"\0\0\x0d\x03" + content[4:], "starts with 00 00 0d 03; fetch the file"),
        (lambda content: content[:-1], "has 15695 bytes, but its header announces 15696; fetch"),
        (lambda content: content + b"\0", "has 15697 bytes, but its header announces 15696; fet"),
        # More than memory holds.
        (lambda content: content[:4] + b"\xff" * 12, f"header announces {16 + (2**32 - 1) ** 3};"),
    ],
)
def test_a_damaged_file_is_refused(folder: Path, change: Change, reason: str) -> None:
    path = folder / IMAGES
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=reason) as refusal:
        read_digits(folder, "train")
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(gzip.compress(b"\0" * 1000)[:-12], id="cut off"),
        pytest.param(b"<html>Not found</html>", id="a web page"),
        pytest.param(gzip.compress(b"")[:10] + b"\xff" * 20, id="damaged"),
    ],
)
def test_a_damaged_gz_is_refused_and_a_missing_file(folder: Path, content: bytes) -> None:
    (folder / IMAGES).unlink()
    with pytest.raises(DataError, match=f"^No {IMAGES} or {IMAGES}.gz in {folder}; expected MNIST"):
        read_digits(folder, "train")
    (folder / f"{IMAGES}.gz").write_bytes(content)
    with pytest.raises(DataError, match=rf"^{folder}/{IMAGES}.gz cannot be read \(.+\); fetch"):
        read_digits(folder, "train")


@pytest.mark.parametrize(
    ("shape", "labels", "reason"),
    [
        ((20, 28, 28), [0] * 19, r"shape \(20, 28, 28\) and 19 labels; expected"),
        ((20, 28, 27), [0] * 20, r"shape \(20, 28, 27\) and 20 labels; expected"),
        ((20, 28, 28), [10] * 20, "labels in .* go up to 10; expected digits, 0 to 9"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    shape: tuple[int, ...], labels: list[int], reason: str, folder: Path
) -> None:
    write_digits(folder, "train", Digits(np.zeros(shape, np.uint8), np.array(labels, np.uint8)))
    with pytest.raises(DataError, match=reason):
        read_digits(folder, "train")
