"""What the converter's tests share: a little data, normalized and split."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from convert.data.pool import Pool, fill
from convert.data.sources import TrainingData, load
from edge_app.digits.mnist import Digits, read_digits


@pytest.fixture(scope="session")
def data(few_folder: Path, page_drawings_file: Path) -> TrainingData:
    """120 of MNIST's images, 10 of them to validate, and 20 drawings: 13, 2 and 5."""
    return load(few_folder, [page_drawings_file], allow_other=True, normalization="bimoment")


@pytest.fixture(scope="session")
def filled(data: TrainingData) -> Pool:
    """All that training shows of it."""
    return fill(data)


@pytest.fixture(scope="session")
def few(few_folder: Path) -> Digits:
    """Those 120 images as they are."""
    return read_digits(few_folder, "train")


@pytest.fixture
def saves(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """``saves(3)``: the names of the checkpoints that are saved, and Ctrl-C in place of the fourth.

    Negative numbers interrupt nothing.
    """
    keras = pytest.importorskip("keras")
    save = keras.Model.save

    def begin(interrupted: int = -1) -> list[str]:
        names: list[str] = []

        def counted(model: Any, path: Path, *rest: Any, **options: Any) -> None:
            if path.name.startswith("partial-"):
                if len(names) == interrupted:
                    raise KeyboardInterrupt
                names.append(path.name.removeprefix("partial-"))
            save(model, path, *rest, **options)

        monkeypatch.setattr(keras.Sequential, "save", counted)
        return names

    return begin
