"""Training data: who drew what the models are tried on, they were never trained on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from convert.data.sources import Source, TrainingData, load, split_drawings
from edge_app import normalize, rasterize
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.mnist import DataError, Digits, read_digits

WRITERS, DRAWINGS_EACH = 30, 4


@pytest.fixture
def folder(few_folder: Path) -> Path:
    return few_folder


@pytest.fixture
def digits(folder: Path) -> Digits:
    """Its training images."""
    return read_digits(folder, "train")


@pytest.fixture
def by_writer() -> dict[int, list[LabelledDrawing]]:
    """Four different scrawls by each of thirty writers."""
    random = np.random.default_rng(0)
    return {
        writer: [
            LabelledDrawing(
                label=int(random.integers(10)),
                strokes=[random.integers(0, 200, (6, 2)).astype(np.float64)],
                writer=writer,
            )
            for _ in range(DRAWINGS_EACH)
        ]
        for writer in range(1, WRITERS + 1)
    }


@pytest.fixture
def unipen(by_writer: dict[int, list[LabelledDrawing]], tmp_path: Path) -> Path:
    """Those scrawls as UNIPEN, the writers' taking turns."""
    lines = []
    for turn in range(DRAWINGS_EACH):
        for writer, drawings in by_writer.items():
            label, strokes, _ = drawings[turn]
            points = [f"{x:.0f} {-y:.0f}" for x, y in strokes[0]]
            lines += [f'.SEGMENT DIGIT 0 ? "{label}"', f".COMMENT {label} {writer} 1"]
            lines += [".PEN_DOWN", *points, ".PEN_UP"]
    path = tmp_path / "pen.tra"
    path.write_text("\n".join(lines))
    return path


def read(folder: Path, *drawings: Path, seed: int = 0) -> TrainingData:
    return load(folder, drawings, allow_other=True, normalization="moments", seed=seed)


def images(digits: Digits) -> set[bytes]:
    return {image.tobytes() for image in digits.images}


def all_parts(source: Source) -> list[Digits]:
    return [source.train, source.validation, source.test]


def test_images_are_normalized_and_keep_their_labels(folder: Path, digits: Digits) -> None:
    mnist = read(folder).mnist
    expected = {
        normalize(image).tobytes(): label
        for image, label in zip(digits.images, digits.labels, strict=True)
    }
    for part in (mnist.train, mnist.validation):
        for image, label in zip(part.images, part.labels, strict=True):
            assert expected[image.tobytes()] == label


def test_a_twelfth_of_mnist_is_set_aside_for_validation(folder: Path, digits: Digits) -> None:
    mnist = read(folder).mnist
    assert [len(part.labels) for part in all_parts(mnist)] == [110, 10, 10]
    assert not images(mnist.train) & images(mnist.validation)
    assert len(images(mnist.train) | images(mnist.validation)) == len(digits.labels)


def test_the_seed_alone_chooses_the_validation_part(folder: Path) -> None:
    first, again, other = (read(folder, seed=seed).mnist.validation for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.images, again.images)
    assert images(first) != images(other)


def test_drawings_are_split_by_writer(
    folder: Path, unipen: Path, by_writer: dict[int, list[LabelledDrawing]]
) -> None:
    (drawn,) = read(folder, unipen).drawn
    writer_of = {
        rasterize(drawing.strokes).tobytes(): writer
        for writer, drawings in by_writer.items()
        for drawing in drawings
    }
    assert len(writer_of) == WRITERS * DRAWINGS_EACH
    writers = [{writer_of[image] for image in images(part)} for part in all_parts(drawn)]
    assert writers == [set(range(1, 22)), set(range(22, 25)), set(range(25, 31))]
    assert [len(part.labels) for part in all_parts(drawn)] == [21 * 4, 3 * 4, 6 * 4]


def test_drawings_without_writers_are_each_used_once(
    folder: Path, by_writer: dict[int, list[LabelledDrawing]], tmp_path: Path
) -> None:
    drawings = [drawing for drawings in by_writer.values() for drawing in drawings]
    path = tmp_path / "drawings.jsonl"
    path.write_text(
        "\n".join(
            json.dumps({"label": drawing.label, "strokes": [drawing.strokes[0].tolist()]})
            for drawing in drawings
        )
    )
    (drawn,) = read(folder, path).drawn
    as_drawn = {rasterize(drawing.strokes).tobytes() for drawing in drawings}
    parts = [images(part) for part in all_parts(drawn)]
    assert sum(map(len, parts)) == len(drawings)
    assert set().union(*parts) == as_drawn
    assert [len(part) / len(drawings) for part in parts] == pytest.approx([0.7, 0.1, 0.2], abs=0.1)


def test_a_drawing_without_a_writer_keeps_its_part_when_the_file_grows(
    by_writer: dict[int, list[LabelledDrawing]],
) -> None:
    drawings = [
        drawing._replace(writer=None) for drawings in by_writer.values() for drawing in drawings
    ]
    whole = split_drawings(drawings)
    assert min(map(len, whole)) > 0
    for part, begun in zip(whole, split_drawings(drawings[:50]), strict=True):
        kept = {id(drawing) for drawing in part}
        assert kept.issuperset(map(id, begun))


def test_pictures_and_drawings_stand_beside_the_images_made_of_them(
    folder: Path, unipen: Path
) -> None:
    data = read(folder, unipen)
    mnist, (drawn,) = data.mnist, data.drawn
    parts = [(data.pictures.train, mnist.train), (data.pictures.validation, mnist.validation)]
    for pictures, normalized in parts:
        np.testing.assert_array_equal(pictures.labels, normalized.labels)
        for picture, image in zip(pictures.images, normalized.images, strict=True):
            np.testing.assert_array_equal(normalize(picture), image)
    assert [drawing.label for drawing in drawn.drawings] == drawn.train.labels.tolist()
    for drawing, image in zip(drawn.drawings, drawn.train.images, strict=True):
        np.testing.assert_array_equal(rasterize(drawing.strokes), image)


def test_what_is_held_out_is_in_no_training_part(folder: Path, unipen: Path) -> None:
    data = read(folder, unipen)
    for source in data.sources:
        assert not images(source.train) & (images(source.validation) | images(source.test))
    writers = {drawing.writer for drawing in data.drawn[0].drawings}
    assert writers == set(range(1, 22))


def test_the_pen_file_is_known_and_split_as_it_is_told(folder: Path, pen_file: Path) -> None:
    (drawn,) = read(folder, pen_file).drawn
    assert drawn.name == "pendigits-orig.tra.gz"
    assert drawn.licence.startswith("CC BY 4.0")
    assert [len(part.labels) for part in all_parts(drawn)] == [5246, 750, 1498]


def test_data_that_is_not_mnist_is_refused_unless_allowed(folder: Path) -> None:
    with pytest.raises(DataError, match="is whole but not MNIST: found SHA-256"):
        load(folder, [], allow_other=False, normalization="moments", seed=0)
    assert read(folder).mnist.name == f"{folder.name}, not MNIST"
    assert read(folder).mnist.licence == "unknown"
