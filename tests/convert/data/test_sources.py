"""Training data: who drew what the models are tried on, they were never trained on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from convert.data.sources import TrainingData, load, split_drawings
from edge_app import normalize, rasterize
from edge_app.digits.labelled import LabelledDrawing
from edge_app.digits.mnist import Digits

WRITERS, DRAWINGS_EACH = 30, 4


@pytest.fixture
def scrawls() -> list[LabelledDrawing]:
    """Four different scrawls by each of thirty writers."""
    random = np.random.default_rng(0)
    return [
        LabelledDrawing(
            label=int(random.integers(10)),
            strokes=[random.integers(0, 200, (6, 2)).astype(np.float64)],
            writer=writer,
        )
        for writer in range(1, WRITERS + 1)
        for _ in range(DRAWINGS_EACH)
    ]


def read(folder: Path, *drawings: Path) -> TrainingData:
    return load(folder, drawings, allow_other=True, normalization="bimoment")


def images(digits: Digits) -> set[bytes]:
    return {image.tobytes() for image in digits.images}


def test_a_twelfth_of_mnist_is_set_aside_for_validation(
    few_folder: Path, few: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = read(few_folder)
    train, validation, test = data.mnist.train, data.mnist.validation, data.mnist.test
    assert [len(part.labels) for part in (train, validation, test)] == [110, 10, 10]
    assert not images(train) & images(validation)
    expected = {normalize(image).tobytes(): label for image, label in zip(*few, strict=True)}
    assert images(train) | images(validation) == set(expected)
    for pictures, part in zip(data.pictures, (train, validation), strict=True):
        np.testing.assert_array_equal(pictures.labels, part.labels)
        for picture, image, label in zip(pictures.images, *part, strict=True):
            assert expected[image.tobytes()] == label
            np.testing.assert_array_equal(normalize(picture), image)
    # The seed alone chooses.
    np.testing.assert_array_equal(read(few_folder).mnist.validation.images, validation.images)
    monkeypatch.setattr("convert.data.sources.SEED", 1)
    assert images(read(few_folder).mnist.validation) != images(validation)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (30, [set(range(1, 22)), set(range(22, 25)), set(range(25, 31))]),
        (5, [{1, 2, 3}, {4}, {5}]),  # Enough for every part.
    ],
)
def test_drawings_are_split_by_writer(
    count: int, expected: list[set[int]], scrawls: list[LabelledDrawing]
) -> None:
    turns = scrawls[::2] + scrawls[1::2]
    parts = split_drawings([each for each in turns if (each.writer or 0) <= count])
    assert [{drawing.writer for drawing in part} for part in parts] == expected
    for part, writers in zip(parts, expected, strict=True):
        assert len(part) == len({id(each) for each in part}) == DRAWINGS_EACH * len(writers)


def test_drawings_without_writers_are_each_used_once(
    few_folder: Path, scrawls: list[LabelledDrawing], tmp_path: Path
) -> None:
    path = tmp_path / "drawings.jsonl"
    path.write_text(
        "\n".join(
            json.dumps({"label": drawing.label, "strokes": [drawing.strokes[0].tolist()]})
            for drawing in scrawls
        )
    )
    (drawn,) = read(few_folder, path).drawn
    parts = [images(part) for part in (drawn.train, drawn.validation, drawn.test)]
    assert sum(map(len, parts)) == len(scrawls)
    assert set().union(*parts) == {rasterize(each.strokes).tobytes() for each in scrawls}
    assert [len(part) / len(scrawls) for part in parts] == pytest.approx([0.7, 0.1, 0.2], abs=0.1)
    for drawing, image, label in zip(drawn.drawings, *drawn.train, strict=True):
        np.testing.assert_array_equal(rasterize(drawing.strokes), image)
        assert drawing.label == label


def test_a_drawing_without_a_writer_keeps_its_part_when_the_file_grows(
    scrawls: list[LabelledDrawing],
) -> None:
    drawings = [drawing._replace(writer=None) for drawing in scrawls]
    whole = split_drawings(drawings)
    assert min(map(len, whole)) > 0
    for part, begun in zip(whole, split_drawings(drawings[:50]), strict=True):
        kept = {id(drawing) for drawing in part}
        assert kept.issuperset(map(id, begun))


@pytest.mark.slow
def test_the_pen_file_is_known_and_split_by_its_writers(few_folder: Path, pen_file: Path) -> None:
    (drawn,) = read(few_folder, pen_file).drawn
    assert drawn.name == "pendigits-orig.tra.gz"
    assert drawn.licence.startswith("CC BY 4.0")
    parts = (drawn.train, drawn.validation, drawn.test)
    assert [len(part.labels) for part in parts] == [5246, 750, 1498]
    assert {drawing.writer for drawing in drawn.drawings} == set(range(1, 22))
