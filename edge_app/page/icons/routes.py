"""The app's own icons: for the browser's tab, and for a phone's home screen."""

from __future__ import annotations

from pathlib import Path

import fastapi
from fastapi.responses import FileResponse, JSONResponse

_FOLDER = Path(__file__).parent


def add_icons(app: fastapi.FastAPI, title: str) -> None:
    """Serve the icons where browsers ask for them unasked, and the manifest that names them.

    Gradio can serve an icon, too, but then makes one of any size that is asked for, however large.

    Args:
        app: that Gradio is not mounted in yet; its own answers come later.
        title: what stands under the icon on a home screen.
    """

    @app.get("/favicon.ico")
    def tab() -> FileResponse:
        return FileResponse(_FOLDER / "icon.svg", media_type="image/svg+xml")

    @app.get("/apple-touch-icon.png")
    def home_screen() -> FileResponse:
        return FileResponse(_FOLDER / "icon-180.png", media_type="image/png")

    @app.get("/icon-512.png")
    def splash() -> FileResponse:
        return FileResponse(_FOLDER / "icon-512.png", media_type="image/png")

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
