"""The app's own icons, where browsers look for them."""

from __future__ import annotations

import io

import fastapi
from fastapi.testclient import TestClient
from PIL import Image

from edge_app.page.icons.routes import add_icons


def test_icons_are_where_browsers_and_the_manifest_look_for_them() -> None:
    app = fastapi.FastAPI(openapi_url=None)
    add_icons(app, "Draw a digit")
    client = TestClient(app)
    manifest = client.get("/manifest.json").json()
    assert manifest["name"] == "Draw a digit"
    types = {icon["src"]: icon["type"] for icon in manifest["icons"]}
    assert types.keys() == {"favicon.ico", "icon-512.png"}
    for name, side in (("icon-512.png", 512), ("apple-touch-icon.png", 180)):
        answer = client.get(f"/{name}")
        assert answer.headers["content-type"] == types.get(name, "image/png")
        assert Image.open(io.BytesIO(answer.content)).size == (side, side)
    answer = client.get("/favicon.ico")
    assert answer.headers["content-type"].startswith(types["favicon.ico"])
    assert answer.text.startswith("<svg ")
