"""The app's own icons, where browsers look for them."""

from __future__ import annotations

import io

import fastapi
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from edge_app.page.icons.routes import add_icons


@pytest.fixture
def browser() -> TestClient:
    app = fastapi.FastAPI(openapi_url=None)
    add_icons(app, "Draw a digit")
    return TestClient(app)


def test_the_manifest_names_icons_that_are_there(browser: TestClient) -> None:
    manifest = browser.get("/manifest.json").json()
    assert manifest["name"] == "Draw a digit"
    for icon in manifest["icons"]:
        answer = browser.get(f"/{icon['src']}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(icon["type"])


@pytest.mark.parametrize(("name", "side"), [("apple-touch-icon", 180), ("icon-512", 512)])
def test_pictures_for_home_screens_have_their_size(
    browser: TestClient, name: str, side: int
) -> None:
    picture = Image.open(io.BytesIO(browser.get(f"/{name}.png").content))
    assert picture.size == (side, side)
