"""What may import what: packages, the floors of their folders, and libraries."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from edge_app.models.interpreter import RUNTIMES

FLOORS = {
    "edge_app": ("digits", "photos", "models", "explanation", "device", "page", "server"),
    "benchmarks": ("drift", "latency", "serving", "report"),
    "convert": ("strokes", "data", "export", "training"),
}
"""Each package's folders, from the ground up: a folder imports only those before it."""
WEB = {"fastapi", "gradio", "gradio_client", "starlette", "uvicorn"}
WEB_PLACES = ("edge_app.page.", "edge_app.server.", "benchmarks.serving.")
"""The app's page and server, and the pages that a benchmark compares them with."""
TENSORFLOW = {"keras", "tensorflow"}
TENSORFLOW_PLACES = ("convert.", "benchmarks.latency.")
"""Training, and the benchmark's timing of originals where TensorFlow is installed."""
OPTIONAL = {"playwright", *TENSORFLOW}
"""Packages that the benchmarks do without if they are not installed."""
DISTRIBUTIONS = {"PIL": "pillow"}
"""Distributions that are named differently from their modules."""


@pytest.fixture(scope="module")
def imports(root: Path) -> dict[str, set[str]]:
    """The modules that each module imports, anywhere in it."""
    paths = {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for package in FLOORS
        for path in sorted((root / package).rglob("*.py"))
    }
    return {name: set(_imports(path, paths.keys())) for name, path in paths.items()}


def _imports(path: Path, own: Collection[str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import, which hides floors"
            assert node.module is not None
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in own else node.module for name in names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            words = (word.value for word in node.args if isinstance(word, ast.Constant))
            yield from (word for word in words if isinstance(word, str))


def roots(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def test_packages_stand_on_the_edge_app_alone(imports: dict[str, set[str]]) -> None:
    for name, names in imports.items():
        package = name.partition(".")[0]
        assert roots(names) & FLOORS.keys() <= {package, "edge_app"}, name


def test_a_folder_imports_only_the_floors_beneath_it(imports: dict[str, set[str]]) -> None:
    for package, folders in FLOORS.items():
        floors = [f"{package}.{folder}." for folder in folders]
        for number, floor in enumerate(floors):
            members = {name for name in imports if name.startswith(floor)}
            assert members, f"{floor} is empty"
            for name in members:
                above = {
                    each for each in imports[name] if each.startswith(tuple(floors[number + 1 :]))
                }
                assert not above, f"{name} imports {above}"


def test_no_imports_go_in_circles(imports: dict[str, set[str]]) -> None:
    TopologicalSorter({name: names & imports.keys() for name, names in imports.items()}).prepare()


@pytest.mark.parametrize(
    ("libraries", "places"), [(WEB, WEB_PLACES), (TENSORFLOW, TENSORFLOW_PLACES)]
)
def test_heavy_libraries_stay_where_they_belong(
    libraries: set[str], places: tuple[str, ...], imports: dict[str, set[str]]
) -> None:
    users = {name for name, names in imports.items() if roots(names) & libraries}
    assert users
    assert {name for name in users if not name.startswith(places)} == set()


@pytest.mark.parametrize("package", ["edge_app", "benchmarks"])
def test_what_runs_on_the_device_is_named_in_its_dependencies(
    package: str, imports: dict[str, set[str]], root: Path
) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {pin.partition("==")[0] for pin in project["dependencies"]}
    imported = set[str]().union(
        *(names for name, names in imports.items() if name.startswith(package))
    )
    foreign = roots(imported) - set(sys.stdlib_module_names) - FLOORS.keys() - OPTIONAL
    needed = {DISTRIBUTIONS.get(name, name) for name in foreign} | set(RUNTIMES)
    assert needed - named == set()


def test_importing_the_edge_app_loads_neither_web_framework_nor_tensorflow(root: Path) -> None:
    code = "import sys, edge_app.command, edge_app.models.answers; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    loaded = roots(set(run.stdout.split()))
    assert "edge_app" in loaded
    assert not loaded & (WEB | TENSORFLOW | {"orjson", "pandas", "rich"})
