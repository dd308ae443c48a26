"""The app's own icons: for the browser's tab, and for a phone's home screen."""

from __future__ import annotations

from pathlib import Path

import fastapi
from fastapi.responses import FileResponse, JSONResponse

_FOLDER = Path(__file__).parent


def add_icons(app: fastapi.FastAPI, title: str) -> None:
    """Serve the icons at the paths where browsers look for them, and the manifest that names them.

    Gradio can serve an icon as well, but makes it in any size that is asked for, however large.

    Args:
        app: before Gradio is mounted in it, because the first matching route answers.
        title: the name under the icon on a home screen.
    """

    @app.get("/favicon.ico")
    def tab() -> FileResponse:
        return FileResponse(_FOLDER / "icon.svg")

    @app.get("/apple-touch-icon.png")
    def home_screen() -> FileResponse:
        return FileResponse(_FOLDER / "icon-180.png")

    @app.get("/icon-512.png")
    def splash() -> FileResponse:
        return FileResponse(_FOLDER / "icon-512.png")

    @app.get("/manifest.json")
    def manifest() -> JSONResponse:
        content = {
            "name": title,
            "short_name": title,
            "start_url": "./",
            "display": "standalone",
            "background_color": "#f4f3ef",
            "theme_color": "#1657c2",
            "icons": [
                {"src": "favicon.ico", "sizes": "any", "type": "image/svg+xml"},
                {"src": "icon-512.png", "sizes": "512x512", "type": "image/png"},
            ],
        }
        return JSONResponse(content, media_type="application/manifest+json")
