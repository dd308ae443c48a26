"""Recognize drawn digits on a small device: normalization, models and the page that serves them.

The surface that training, benchmarks and other programs build on::

    import edge_app

    models = edge_app.load_models("models")
    image = edge_app.rasterize([[(3, 1), (3, 9)]])
    probabilities = models["mlp"].predict(image[None], variant="int8")
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # As typing's, which takes longer to import than all of this.
if TYPE_CHECKING:
    from edge_app.digits.normalization import normalize, rasterize
    from edge_app.models.classifier import Model, ModelError, load_models

__all__ = ["Model", "ModelError", "load_models", "normalize", "rasterize"]


def __getattr__(name: str) -> object:
    """Import what is asked for, and not before: ``python -m edge_app`` begins with this file."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    drawing = name in {"normalize", "rasterize"}
    module = "digits.normalization" if drawing else "models.classifier"
    return getattr(import_module(f"{__name__}.{module}"), name)
