"""The page in a browser, of two running apps: as it ships, and with all that can be unusual."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from app import App, start
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import read_card, write_card
from model_folders import ODD_TITLE, with_copies
from results import RESULT
from visit import Visit, Visits

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="session")
def odd_app(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with ten models, one with an odd title and one that sees another image; the dense one
    is never sure, the MLP always.

    It stores drawings, and has a benchmark of its dense model and of one titled ``MARKUP``.
    """
    folder = tmp_path_factory.mktemp("odd")
    models = with_copies(models_folder, folder / "models", 10)
    contract = read_card(models / "another-4").contract
    boxed = dataclasses.replace(contract, normalization="box")
    changes: dict[str, dict[str, Any]] = {
        "another-3": {"title": ODD_TITLE},
        "another-4": {"title": "Boxed", "contract": boxed},
        "dense": {"acceptance": Acceptance(0, 1e9)},
        "mlp": {"acceptance": Acceptance(0, -1e9)},
    }
    for name, change in changes.items():
        write_card(dataclasses.replace(read_card(models / name), **change), models / name)
    result = deepcopy(RESULT)
    result["models"]["mlp"]["title"] = MARKUP
    results = folder / "results.json"
    results.write_text(json.dumps(result), encoding="utf-8")
    drawings = folder / "drawings.jsonl"
    drawings.write_text('{"label": 1, "strokes": [[[0, 0], [0, 9]]]}\n')
    (folder / "app").mkdir()
    options = ("--models", models, "--results", results, "--save-drawings", drawings)
    with start(folder / "app", *options) as running:
        yield running


@pytest.fixture(scope="module")
def shared_context(browser: Browser, app: App) -> Callable[..., BrowserContext]:
    """A browser context with these options, the same for all tests. It keeps nothing but a cache
    and, thanks to a tab that stays open, a process that has compiled the page's scripts before: it
    loads in a third of the time. What the page itself remembers ends with its tab."""
    known: dict[str, BrowserContext] = {}

    def shared(**options: Any) -> BrowserContext:
        key = repr(sorted(options.items()))
        if key not in known:
            known[key] = browser.new_context(**options)
            known[key].new_page().goto(f"{app.url}/health")
        return known[key]

    return shared


@pytest.fixture
def open_page(
    browser: Browser, shared_context: Callable[..., BrowserContext], app: App
) -> Iterator[Visits]:
    """Opens the page: ``open_page()``, that of another app, or with a browser context's options;
    ``login`` is a user and a password, and ``fresh`` asks for an empty cache."""
    visits: list[Visit] = []

    def opened(
        of: App = app,
        *,
        clock: bool = False,
        fresh: bool = False,
        login: tuple[str, str] | None = None,
        **options: Any,
    ) -> Visit:
        alone = clock or fresh or login  # All pages of a context have its clock and its cookies.
        context = browser.new_context(**options) if alone else shared_context(**options)
        if login:
            user, password = login
            form: dict[str, Any] = {"username": user, "password": password}
            context.request.post(f"{of.url}/login", form=form)
        page = context.new_page()
        visits.append(Visit(page, of.url, clock=clock))
        return visits[-1]

    yield opened
    for each in visits:
        each.page.close()
        assert each.complaints == []
        assert each.elsewhere == []
