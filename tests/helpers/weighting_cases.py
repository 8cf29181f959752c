"""Labels from rare to frequent, and what a declared weighting makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from rarelabels.declare.weighting import WeightingSpec
from rarelabels.learn.weighting import Weights, weights

Labels = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]

# Positives of 10 rows: 1, 5, 2, 0, 10.
Y = np.zeros((10, 5), dtype=np.uint8)
for column, positives in enumerate((1, 5, 2, 0, 10)):
    Y[:positives, column] = 1


def of(kind: str, y: Labels = Y, declared: Array | None = None, **values: Any) -> Weights:
    spec: WeightingSpec = TypeAdapter(WeightingSpec).validate_python({"kind": kind, **values})
    return weights(spec, y, declared=declared)


def known(values: Array | None) -> Array:
    assert values is not None
    assert values.dtype == np.float64
    return values


def random_labels(seed: int, n: int = 200, n_labels: int = 17, constant: bool = True) -> Labels:
    """Labels from rare to frequent; with ``constant`` the first has no positives and the last no negatives."""
    rng = np.random.default_rng(seed)
    y = (rng.random((n, n_labels)) < np.geomspace(0.02, 0.6, n_labels)).astype(np.uint8)
    y[0], y[1] = 0, 1
    if constant:
        y[:, 0], y[:, -1] = 0, 1
    return y
