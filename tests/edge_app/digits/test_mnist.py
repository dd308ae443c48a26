"""IDX files: read plain and gzipped, refused with a sentence when anything is amiss."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from edge_app.digits.mnist import SHA256, DataError, Digits, read_digits
from idx import encode, write_digits

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


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
    assert found.sha256() == digits.sha256()


def test_the_committed_test_set_is_mnist_s(test_set: Digits) -> None:
    assert test_set.sha256() == SHA256["t10k"]
    assert test_set.images.shape == (10_000, 28, 28)
    assert np.bincount(test_set.labels).min() == 892


def test_the_sample_holds_a_hundred_of_each_digit(sample_folder: Path) -> None:
    assert np.bincount(read_digits(sample_folder, "train").labels).tolist() == [100] * 10


@pytest.mark.parametrize("which", ["images", "labels"])
def test_the_hash_depends_on_every_byte(digits: Digits, which: str) -> None:
    before = digits.sha256()
    getattr(digits, which)[-1] ^= 1
    assert digits.sha256() != before


@pytest.mark.parametrize("name", [IMAGES, LABELS])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DataError) as refusal:
        read_digits(folder, "train")
    assert str(refusal.value) == (
        f"No {name} or {name}.gz in {folder}; expected MNIST's IDX files there."
    )


@pytest.mark.parametrize("length", [0, 3, 4, 15])
def test_a_file_cut_off_within_its_header_is_refused(folder: Path, length: int) -> None:
    path = folder / IMAGES
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataError, match="is not an IDX file of unsigned bytes with 3 dimension"):
        read_digits(folder, "train")


@pytest.mark.parametrize("change", [-1, 1])
def test_a_file_of_another_length_than_its_header_says_is_refused(
    folder: Path, change: int
) -> None:
    path = folder / IMAGES
    path.write_bytes((path.read_bytes() + b"\0")[: 16 + 20 * 784 + change])
    with pytest.raises(DataError) as refusal:
        read_digits(folder, "train")
    assert str(refusal.value) == (
        f"{path} has {15696 + change} bytes, but its header announces 15696; fetch the file again."
    )


def test_a_header_that_announces_more_than_memory_holds_is_refused(folder: Path) -> None:
    (folder / IMAGES).write_bytes(bytes([0, 0, 8, 3]) + b"\xff" * 12 + b"\0" * 100)
    with pytest.raises(
        DataError, match=f"has 116 bytes, but its header announces {16 + (2**32 - 1) ** 3}"
    ):
        read_digits(folder, "train")


@pytest.mark.parametrize("magic", [b"\0\0\x08\x01", b"\0\0\x0d\x03", b"\x1f\x8b\x08\0", b"\x89PNG"])
def test_another_kind_of_file_is_refused_with_what_it_starts_with(
    folder: Path, magic: bytes
) -> None:
    path = folder / IMAGES
    path.write_bytes(magic + path.read_bytes()[4:])
    with pytest.raises(DataError, match=f"it starts with {magic.hex(' ')}; fetch the file again"):
        read_digits(folder, "train")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(gzip.compress(b"\0" * 1000)[:-12], id="cut off"),
        pytest.param(b"<html>Not found</html>", id="a web page"),
        pytest.param(gzip.compress(b"")[:10] + b"\xff" * 20, id="damaged"),
        pytest.param(gzip.compress(b"\0" * 1000)[:-8] + b"\0" * 8, id="another checksum"),
    ],
)
def test_a_damaged_gz_is_refused(folder: Path, content: bytes) -> None:
    (folder / IMAGES).unlink()
    path = folder / f"{IMAGES}.gz"
    path.write_bytes(content)
    with pytest.raises(
        DataError, match=r"cannot be read \(.+\); fetch the file again\.$"
    ) as refusal:
        read_digits(folder, "train")
    assert str(refusal.value).startswith(str(path))


def test_images_and_labels_of_different_counts_are_refused(folder: Path) -> None:
    (folder / LABELS).write_bytes(encode(np.zeros(19, np.uint8)))
    with pytest.raises(DataError, match=r"shape \(20, 28, 28\) and 19 labels; expected"):
        read_digits(folder, "train")


def test_images_of_another_size_are_refused(folder: Path) -> None:
    (folder / IMAGES).write_bytes(encode(np.zeros((20, 28, 27), np.uint8)))
    with pytest.raises(DataError, match=r"shape \(20, 28, 27\) and 20 labels; expected"):
        read_digits(folder, "train")


def test_labels_beyond_nine_are_refused(folder: Path) -> None:
    (folder / LABELS).write_bytes(encode(np.full(20, 10, np.uint8)))
    with pytest.raises(DataError, match=r"labels in .* go up to 10; expected digits, 0 to 9"):
        read_digits(folder, "train")
