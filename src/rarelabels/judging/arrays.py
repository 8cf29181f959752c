"""Arrays of truth and scores: their types, and the checks that ``Scores`` are made with."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[Any]
Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


def is_one(labels: Array) -> Bools:
    """Return labels that are known to be 0 and 1 as booleans."""
    return labels if labels.dtype == np.bool_ else labels == 1


def multi_hot(labels: ArrayLike, name: str) -> Bools:
    """Return ``labels`` as booleans.

    Raises:
        ValueError: empty, not of two dimensions, or values other than 0 and 1; says ``name``.
    """
    array = np.asarray(labels)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{name}: must have shape (n, n_labels) and not be empty; got {array.shape}")
    if array.dtype == np.bool_:
        return array
    ones: Bools = array == 1
    if not (ones | (array == 0)).all():
        raise ValueError(f"{name}: must be 0 or 1; got {array[~(ones | (array == 0))].flat[0]!r}")
    return ones


def checked(y_true: ArrayLike, y_score: ArrayLike) -> tuple[Bools, Array]:
    """Return ``y_true`` as booleans and ``y_score`` as floats of its own precision.

    Raises:
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.
    """
    truth, scores = multi_hot(y_true, "y_true"), np.asarray(y_score)
    if scores.dtype.kind != "f":
        scores = scores.astype(np.float64)
    if scores.shape != truth.shape:
        raise ValueError(f"y_score: must have the shape of y_true, {truth.shape}; got {scores.shape}")
    # The largest float is refused with infinity: "never" must be finite and above every score.
    if not -sys.float_info.max < float(scores.min()) <= float(scores.max()) < sys.float_info.max:
        raise ValueError("y_score: must be finite; got NaN or infinity (did the training diverge?)")
    return truth, scores
