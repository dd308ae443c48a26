"""Gradio's import without what it does for others: half of its time and a fifth of its memory.

Two things are left out, and no file of Gradio's is touched for it:

- For every class of a component, ``gradio.component_meta`` parses the component's source and writes
  a ``.pyi`` file beside it, which editors read. It does so at each import, and to no effect for a
  program that runs.
- pandas is imported for components that are not used here. It comes when something first asks it
  for an attribute, which nothing does as the app runs.

Both rest on names in Gradio and in Python's import system. A later Gradio that lacks such a name,
or gives it another meaning, is simply imported as it is.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

STUBS = "gradio.component_meta"
"""The module that writes ``.pyi`` files."""
WRITER = "create_or_modify_pyi"
PARAMETERS = ["component_class", "class_name", "events"]
"""Of the function that writes them, as far as it is known to do nothing else."""
LATER = "pandas"
"""The module that is imported when it is needed."""


@contextlib.contextmanager
def leaner_gradio() -> Iterator[None]:
    """While it lasts, Gradio is imported without the two things."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder(MetaPathFinder):
    """Finds the two modules where Python does, and loads them in another way."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in {STUBS, LATER}:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        if fullname == LATER:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        else:
            spec.loader = _WithoutWriter(spec.loader)
        return spec


class _WithoutWriter(Loader):
    """Loads the module that writes ``.pyi`` files, and takes the pen out of its hand."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        if _is_known(getattr(module, WRITER, None)):
            setattr(module, WRITER, _write_nothing)


def _is_known(function: object) -> bool:
    return inspect.isfunction(function) and list(inspect.signature(function).parameters) == (
        PARAMETERS
    )


def _write_nothing(component_class: type, class_name: str, events: object) -> None:
    """In place of the function that writes."""
