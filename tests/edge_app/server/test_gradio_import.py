"""Gradio's import: what is left out of it, and that a later Gradio is imported as it is."""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from app import PYTHON, ROOT


def printed(code: str, *packages: Path, options: Sequence[str] = ()) -> list[str]:
    """What a program prints that imports Gradio, from a folder of packages or the real one.

    Options are Python's own.
    """
    program = f"""
        import sys
        sys.path[:0] = {[str(ROOT), *map(str, packages)]}
        from edge_app.server.gradio_import import leaner_gradio
        finders = list(sys.meta_path)
        with leaner_gradio():
            import gradio
        assert sys.meta_path == finders
        """
    command = [PYTHON, *options, "-c", textwrap.dedent(program) + textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("writer", "output"),
    [
        ("def create_or_modify_pyi(component_class, class_name, events): print('written')", []),
        ("def create_or_modify_pyi(a, b, c): print('written')", ["written"]),
        ("create_or_modify_pyi = print", ["1 2 3"]),
        ("", ["no writer"]),
        ("raise OSError", ["no writer"]),
    ],
)
def test_only_the_writer_that_is_known_is_disabled(
    writer: str, output: list[str], tmp_path: Path
) -> None:
    (tmp_path / "gradio").mkdir()
    (tmp_path / "gradio" / "component_meta.py").write_text(writer)
    use = "from gradio.component_meta import create_or_modify_pyi as write\n    write(1, 2, 3)"
    content = f"try:\n    {use}\nexcept (ImportError, OSError):\n    print('no writer')"
    (tmp_path / "gradio" / "__init__.py").write_text(content)
    assert printed("", tmp_path) == output


@pytest.mark.slow
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
    assert printed(code) == ["edge_app.server.gradio_import", "1", "False", "3 True"]


def test_without_pandas_only_its_first_use_fails(tmp_path: Path) -> None:
    (tmp_path / "gradio.py").write_text("import pandas")
    code = """
        try:
            gradio.pandas.DataFrame
        except ModuleNotFoundError as error:
            print(error)
        """
    assert printed(code, tmp_path, options=["-S"]) == ["No module named 'pandas'"]
