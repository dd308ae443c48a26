"""Whatever a card or a model's file is, it is left out, and the other models answer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from damage import DAMAGED, INTACT, ODD, damaged_folders
from edge_app.digits.normalization import views
from edge_app.digits.samples import drawings
from edge_app.models.answers import Answer, classify
from edge_app.models.card import CARD
from edge_app.models.classifier import Classifier, normalizations
from edge_app.models.folder import load_folder
from edge_app.page.tabs.models import models_sheet

QUICKLY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=30,
    # The folder is made once, and each example writes the same file in it.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def survivors(folder: Path) -> dict[str, Classifier]:
    """Load a folder and use whatever loads as the app does; the intact model must answer."""
    reports: list[str] = []
    models = load_folder(folder, reports.append)
    for sentence in reports:
        assert sentence.isprintable()
        assert len(sentence) < 1000
    assert answers(models)[INTACT]["digit"] == 3
    # What the page and the terminal show can be shown.
    json.dumps(models_sheet(models), ensure_ascii=False, allow_nan=False).encode()
    assert all(model.title.isprintable() for model in models.values())
    whole = models.get(DAMAGED)
    assert reports or whole is None or not whole.missing
    return models


def answers(models: dict[str, Classifier]) -> dict[str, Answer]:
    return classify(models, views(drawings()[3], normalizations(models.values())), "int8")


@pytest.fixture(scope="module")
def folder(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the dense model twice."""
    folder = tmp_path_factory.mktemp("damage")
    for name in (INTACT, DAMAGED):
        shutil.copytree(models_folder / "dense", folder / name)
    return folder


@pytest.fixture(scope="module")
def card(models_folder: Path) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads((models_folder / "dense" / CARD).read_text())
    return fields | {"name": DAMAGED}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a card."""
    items = value.items() if isinstance(value, dict) else ()
    for key, each in enumerate(value) if isinstance(value, list) else items:
        yield (*path, key)
        yield from places(each, (*path, key))


TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)  # Surrogates, too.
NUMBERS = st.integers() | st.floats()
VALUES = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.slow
@QUICKLY
@given(data=st.data())
def test_any_value_in_a_card(data: st.DataObject, folder: Path, card: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(card))
    path = data.draw(st.sampled_from([*places(card)]))
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    if data.draw(st.booleans()):
        parent[path[-1]] = data.draw(VALUES)
    else:
        del parent[path[-1]]
    (folder / DAMAGED / CARD).write_text(json.dumps(changed))
    survivors(folder)


@pytest.mark.slow
@QUICKLY
@given(data=st.data())
def test_any_bytes_in_a_card(data: st.DataObject, folder: Path, card: dict[str, Any]) -> None:
    content = bytearray(json.dumps(card).encode())
    for _ in range(data.draw(st.integers(0, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(0, len(content)))
    (folder / DAMAGED / CARD).write_bytes(content[:cut])
    survivors(folder)


@pytest.mark.slow
def test_a_seeded_fuzzer_of_cards_and_files(models_folder: Path, tmp_path: Path) -> None:
    found: set[tuple[str, ...]] = set()
    for done, folder in damaged_folders(models_folder, tmp_path, count=60):
        try:
            found.add(tuple(survivors(folder)))
        except BaseException as error:
            error.add_note(f"Damaged: {done}")
            raise
    # Some are left out, some serve with what is left of them.
    assert {(INTACT,), (INTACT, DAMAGED), (INTACT, DAMAGED, "bare")} <= {
        tuple(sorted(names, key=[INTACT, DAMAGED, "bare"].index)) for names in found
    }
    assert not [*tmp_path.iterdir()]


def test_the_fuzzer_s_damage_is_the_same_each_time(models_folder: Path, tmp_path: Path) -> None:
    first, second = (
        [done for done, _ in damaged_folders(models_folder, tmp_path, count=20, seed=7)]
        for _ in range(2)
    )
    assert first == second
    assert len(set(first)) == 20
