"""Gradio's import: what is left out of it, and that a later Gradio is imported as it is."""

from __future__ import annotations

import subprocess
import textwrap
from pathlib import Path

import pytest

from app import PYTHON, ROOT, post, start

KNOWN = "component_class, class_name, events"
FAKES = {
    "gradio/__init__.py": "from gradio import components",
    "gradio/component_meta.py": f"def create_or_modify_pyi({KNOWN}): print('written')",
    "gradio/components.py": """
        import pandas as pd
        from gradio.component_meta import create_or_modify_pyi
        create_or_modify_pyi(int, "int", [])
        """,
    "pandas/__init__.py": "print('pandas'); DataFrame = 'a frame'",
}
"""Packages that say what they do, shaped as Gradio is."""


def printed(code: str, folder: Path | None = None, **files: str) -> list[str]:
    """What a program prints that imports Gradio, from a folder of packages or the real one."""
    if folder:
        for name, content in {**FAKES, **files}.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(content))
    program = f"""
        import sys
        sys.path[:0] = {[str(ROOT), *([str(folder)] if folder else [])]}
        from edge_app.server.gradio_import import leaner_gradio
        finders = list(sys.meta_path)
        with leaner_gradio():
            import gradio
        assert sys.meta_path == finders
        print("imported")
        """
    done = subprocess.run(
        [PYTHON, "-c", textwrap.dedent(program) + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_no_stub_is_written_and_pandas_comes_when_it_is_asked_for(tmp_path: Path) -> None:
    code = "print(gradio.components.pd.DataFrame)"
    assert printed(code, tmp_path) == ["imported", "pandas", "a frame"]


@pytest.mark.parametrize(
    "content",
    [
        "def create_or_modify_pyi(component_class, path): print('written')",
        f"create_or_modify_pyi = type('Writer', (), {{'__init__': lambda self, {KNOWN}: "
        "print('written')})",
    ],
)
def test_a_writer_that_is_not_the_known_one_is_left_alone(tmp_path: Path, content: str) -> None:
    call = "from gradio.component_meta import *\ncreate_or_modify_pyi(*[1, 2, 3][: {}])"
    files = {
        "gradio/component_meta.py": content,
        "gradio/components.py": call.format(2 if "path" in content else 3),
    }
    assert printed("", tmp_path, **files) == ["written", "imported"]


def test_a_gradio_without_a_writer_is_imported(tmp_path: Path) -> None:
    files = {"gradio/component_meta.py": "", "gradio/components.py": "import gradio.component_meta"}
    assert printed("", tmp_path, **files) == ["imported"]


def test_a_gradio_without_the_writer_s_module_is_imported(tmp_path: Path) -> None:
    files = {"gradio/component_meta.py": "raise OSError", "gradio/components.py": "print('plain')"}
    assert printed("", tmp_path, **files) == ["plain", "imported"]


def test_a_module_that_fails_fails_as_it_would(tmp_path: Path) -> None:
    files = {
        "gradio/component_meta.py": "raise KeyError('own')",
        "gradio/components.py": """
            try:
                import gradio.component_meta
            except KeyError as error:
                print(error, 'gradio.component_meta' in __import__('sys').modules)
            try:
                import gradio.no_such_module
            except ModuleNotFoundError as error:
                print(error)
            """,
    }
    expected = ["'own' False", "No module named 'gradio.no_such_module'", "imported"]
    assert printed("", tmp_path, **files) == expected


def test_the_gradio_that_is_installed_is_the_known_one() -> None:
    code = """
        import inspect
        from gradio import component_meta
        print(component_meta.create_or_modify_pyi.__module__)
        print(inspect.getsource(component_meta).count("def create_or_modify_pyi("))
        print("pandas.core" in sys.modules)
        import pandas
        print(pandas.DataFrame({"a": [1, 2]})["a"].sum(), "pandas.core" in sys.modules)
        """
    expected = ["imported", "edge_app.server.gradio_import", "1", "False", "3 True"]
    assert printed(code) == expected


def test_the_app_runs_without_pandas(tmp_path: Path) -> None:
    seven = [[[10, 10], [90, 10], [40, 100]]]
    with start(tmp_path) as app:
        answer = post(f"{app.url}/gradio_api/run/classify", {"data": [seven, "int8"]})
        libraries = Path(f"/proc/{app.process.pid}/maps").read_text(encoding="utf-8")
    assert answer.status_code == 200
    assert "numpy" in libraries
    assert "pandas" not in libraries
