"""Recognize drawn digits on a small device: normalization, models and the page that serves them.

The surface that training, benchmarks and other programs build on::

    import edge_app

    models = edge_app.load_models("models")
    image = edge_app.rasterize([[(3, 1), (3, 9)]])
    probabilities = models["mlp"].predict(image[None], variant="int8")
"""

from edge_app.models import Model, ModelError, load_models
from edge_app.normalization import normalize, rasterize

__all__ = ["Model", "ModelError", "load_models", "normalize", "rasterize"]
