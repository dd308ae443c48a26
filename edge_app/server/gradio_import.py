"""Imports Gradio without two things the app does not need: half of the time, a fifth of the memory.

No file of Gradio is changed:

- For every component class, ``gradio.component_meta`` parses the component's source and writes a
  ``.pyi`` file beside it for editors, at each import. That is skipped.
- pandas is imported for components that are not used here. It is loaded when something first uses
  an attribute of it, which never happens while the app runs; so it may as well not be installed.

Both depend on names in Gradio and in Python's import system. A later Gradio that lacks such a name,
or uses it differently, is simply imported as usual.
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
"""The parameters of the function that writes them, known to do nothing else."""
LATER = "pandas"
"""The module that is loaded when first used."""


@contextlib.contextmanager
def leaner_gradio() -> Iterator[None]:
    """In this context, Gradio is imported without these two things."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder(MetaPathFinder):
    """Finds the two modules where Python does, but loads them differently."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in {STUBS, LATER}:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None and fullname == LATER:
            spec = ModuleSpec(fullname, _NotInstalled())
        if spec is None or spec.loader is None:
            return None
        if fullname == LATER:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        else:
            spec.loader = _WithoutWriter(spec.loader)
        return spec


class _NotInstalled(Loader):
    """Says that a module is not installed when it is loaded, which is later than usual."""

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)


class _WithoutWriter(Loader):
    """Loads the module that writes ``.pyi`` files, and disables its writer."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        writer = getattr(module, WRITER, None)
        if inspect.isfunction(writer) and [*inspect.signature(writer).parameters] == PARAMETERS:
            setattr(module, WRITER, lambda *_: None)
