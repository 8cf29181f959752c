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

# 4.8e-7, a few steps of float32 at 1. Sums in float32 end so far outside [0, 1], and so do float32 written as text.
SCORE_ROUNDING = 4 * float(np.finfo(np.float32).eps)


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


def known_cells(labels: ArrayLike) -> Bools | None:
    """Return which labels are known: all but NaN and the masked cells of a masked array; None if all are."""
    array = np.asanyarray(labels)
    unknown = np.ma.getmaskarray(array) if isinstance(array, np.ma.MaskedArray) else np.zeros(array.shape, dtype=bool)
    if array.dtype.kind == "f":
        unknown = unknown | np.isnan(np.asarray(array))
    return ~unknown if unknown.any() else None


def with_known(y_true: ArrayLike) -> tuple[ArrayLike, Bools | None]:
    """Return ``y_true`` with 0 in place of cells that are not known, and which cells are; see :func:`known_cells`."""
    known = known_cells(y_true)
    return (y_true, None) if known is None else (np.where(known, np.asarray(y_true), 0), known)


def checked_known(known: ArrayLike, truth: Bools) -> Bools | None:
    """Return which cells of ``truth`` are known, as booleans; None if all are.

    Raises:
        ValueError: another shape or type, no cell is known, or a cell that is not known is 1.
    """
    cells = np.asarray(known)
    if cells.dtype != np.bool_ or cells.shape != truth.shape:
        raise ValueError(f"known: must be booleans of shape {truth.shape}; got {cells.dtype} of shape {cells.shape}")
    if not cells.any():
        raise ValueError("y_true: no label of any row is known")
    if (truth & ~cells).any():
        raise ValueError("y_true: must be 0 where it is not known; got 1")
    return None if cells.all() else cells


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


def unchangeable(array: Array) -> Array:
    """Return a view of an array that cannot be written to; the array itself can still be.

    >>> unchangeable(np.zeros(2)).flags.writeable
    False
    """
    view = array.view()
    view.flags.writeable = False
    return view


def probabilities(scores: Array) -> Array:
    """Return scores as probabilities: those that are outside [0, 1] by a rounding error become 0 and 1.

    >>> probabilities(np.array([-1e-18, 0.25, 1.0000000000000002])).tolist()
    [0.0, 0.25, 1.0]

    Args:
        scores: finite; they are returned themselves if all are in [0, 1].

    Raises:
        ValueError: a score is farther outside than ``SCORE_ROUNDING``.
    """
    lowest, highest = scores.min(), scores.max()
    if lowest >= 0 and highest <= 1:
        return scores
    if lowest < -SCORE_ROUNDING or highest > 1 + SCORE_ROUNDING:
        outside = lowest if lowest < -SCORE_ROUNDING else highest
        raise ValueError(f"y_score: must be probabilities in [0, 1]; got {float(outside)!r} (are these logits?)")
    return np.clip(scores, 0, 1)
