"""Recognize drawn digits on a small device: normalization, models and the page that serves them.

The surface that training, benchmarks and other programs build on::

    import edge_app

    models = edge_app.load_models("models")
    image = edge_app.rasterize([[(3, 1), (3, 9)]])
    probabilities = models["mlp"].predict(image[None], variant="int8")
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # Like typing.TYPE_CHECKING, whose import takes longer than this whole file.
if TYPE_CHECKING:
    from edge_app.digits.normalization import normalize, rasterize
    from edge_app.models.classifier import Model
    from edge_app.models.folder import ModelError, load_models

_HOMES = {
    "Model": "models.classifier",
    "ModelError": "models.folder",
    "load_models": "models.folder",
    "normalize": "digits.normalization",
    "rasterize": "digits.normalization",
}
__all__ = ["Model", "ModelError", "load_models", "normalize", "rasterize"]


def __getattr__(name: str) -> object:
    """Import a name when it is first used: ``python -m edge_app`` starts by importing this file."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
