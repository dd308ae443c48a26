"""Tensors as a TFLite runtime describes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike


def tensor(
    index: int, shape: ArrayLike, dtype: DTypeLike, scale: float = 0.0, zero_point: int = 0
) -> dict[str, Any]:
    return {
        "index": index,
        "name": f"tensor {index}",
        "dtype": np.dtype(dtype).type,
        "shape": np.array(shape),
        "quantization": (scale, zero_point),
    }
