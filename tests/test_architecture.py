"""What each package may import: the edge app stands alone, training and measuring stand on it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_app.models import interpreter

PACKAGES = ("benchmarks", "convert", "edge_app")
WEB = {"fastapi", "gradio", "gradio_client", "starlette", "uvicorn"}
TRAINING = {"keras", "tensorflow"}
TENSORFLOW_PROCESSES = {
    "benchmarks.drift.keras_answers",
    "benchmarks.latency.worker",
    "benchmarks.latency.workloads",
}
"""Modules that run in a process of their own, which only starts where TensorFlow is installed."""
SERVERS = {"edge_app.page.layout", "edge_app.server.server"}
SERVED = {"benchmarks.serving.sketchpad_page", "benchmarks.serving.trivial_page"}
"""Pages to compare the app with, each in a process of its own."""
OPTIONAL = {"playwright"}
"""What the benchmarks do without where it is not installed."""
DISTRIBUTIONS = {"PIL": "pillow"}
"""The distributions whose names differ from those of the modules they bring."""


@pytest.fixture(scope="module")
def imports(root: Path) -> dict[str, set[str]]:
    """For each module of the project the modules that it imports, wherever it does so."""
    return {
        _name(path.relative_to(root)): set(_imports(path))
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
    }


def _name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import, which hides layers"
            assert node.module is not None
            yield node.module
            # Of a package, the names may be modules.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            words = (word.value for word in node.args if isinstance(word, ast.Constant))
            yield from (word for word in words if isinstance(word, str))


def roots(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def third_party(imports: dict[str, set[str]], package: str) -> set[str]:
    """The top-level modules from elsewhere that a package imports."""
    imported = set[str]().union(
        *(
            names
            for name, names in imports.items()
            if name.startswith(package) and name not in TENSORFLOW_PROCESSES
        )
    )
    return roots(imported) - set(sys.stdlib_module_names) - set(PACKAGES)


@pytest.mark.parametrize(
    ("package", "foreign"),
    [
        ("edge_app", {"convert", "benchmarks"} | TRAINING),
        ("benchmarks", {"convert"} | TRAINING),
        ("convert", {"benchmarks"} | WEB),
    ],
)
def test_a_package_leaves_alone_what_is_not_beneath_it(
    package: str, foreign: set[str], imports: dict[str, set[str]]
) -> None:
    modules = {name: names for name, names in imports.items() if name.startswith(package)}
    assert len(modules) > 1
    offences = {
        name: roots(names) & foreign - (TRAINING if name in TENSORFLOW_PROCESSES else set())
        for name, names in modules.items()
    }
    assert not {name: found for name, found in offences.items() if found}


def test_what_runs_in_tensorflow_s_process_is_imported_by_nothing_else(
    imports: dict[str, set[str]],
) -> None:
    assert imports.keys() >= TENSORFLOW_PROCESSES
    importers = {name for name, names in imports.items() if names & TENSORFLOW_PROCESSES}
    assert not importers - TENSORFLOW_PROCESSES


def test_only_the_server_s_own_modules_import_the_web_framework(
    imports: dict[str, set[str]],
) -> None:
    importers: dict[str, set[str]] = {}
    for name, names in imports.items():
        for imported in names & imports.keys():
            importers.setdefault(imported, set()).add(name)
    own = SERVERS | SERVED
    while grown := {name for name in importers if importers[name] <= own} - own:
        own |= grown
    assert {name for name, names in imports.items() if roots(names) & WEB} <= own


def test_the_edge_app_needs_few_packages(imports: dict[str, set[str]]) -> None:
    assert third_party(imports, "edge_app") <= {"numpy", "orjson", "PIL"} | WEB


@pytest.mark.parametrize("package", ["edge_app", "benchmarks"])
def test_what_runs_on_the_device_is_named_in_its_requirements(
    package: str, imports: dict[str, set[str]], root: Path
) -> None:
    text = (root / "requirements-edge.txt").read_text(encoding="utf-8")
    named = set(re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE))
    runtimes = set(interpreter.RUNTIMES)
    needed = {DISTRIBUTIONS.get(name, name) for name in third_party(imports, package)}
    assert (needed | runtimes) - named - OPTIONAL == set()


def test_importing_the_edge_app_loads_neither_web_framework_nor_tensorflow() -> None:
    modules = "edge_app, edge_app.models.answers, edge_app.digits.labelled, edge_app.digits.mnist"
    command = (
        f"import sys, {modules};edge_app.models.interpreter.find_runtime();print(*sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )
    loaded = roots(set(run.stdout.split()))
    assert "edge_app" in loaded
    assert not loaded & (WEB | TRAINING | {"orjson", "pandas", "rich"})
