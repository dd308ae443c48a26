"""Routes: every path that the app's libraries really answer, read from the built site.

A new Gradio that brings new routes is attacked there without a change here.
"""

from __future__ import annotations

import json
import subprocess
from typing import NamedTuple

from app import PYTHON, ROOT

_SCRIPT = """
import json
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount
from edge_app.models.folder import load_models
from edge_app.server import site
from edge_app.server.access.access import Access
from edge_app.server.access.hosts import Hosts

apps = []
mount = site.gr.mount_gradio_app

def remember(*arguments, **options):
    apps.append(mount(*arguments, **options))
    return apps[-1]

def walk(app, prefix=""):
    for route in iter_route_contexts(app.routes):
        inner = getattr(route, "original_route", route)
        if isinstance(inner, Mount):
            yield from walk(inner.app, prefix + inner.path)
        else:
            yield prefix + route.path, sorted(route.methods or ())

site.gr.mount_gradio_app = remember
site.build_site(load_models("models"), "int8", Access(Hosts()), None, {})
print(json.dumps(sorted(walk(apps[0]))))
"""


class Route(NamedTuple):
    """One route, such as ``/gradio_api/call/{api_name}``."""

    path: str
    methods: tuple[str, ...]


def read_routes() -> tuple[Route, ...]:
    """Build the site in a process of its own and list its routes, behind any guard."""
    built = subprocess.run(
        [PYTHON, "-c", _SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = json.loads(built.stdout.splitlines()[-1])
    return tuple(Route(path, tuple(methods)) for path, methods in found)
