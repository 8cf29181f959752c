"""Weights of each label's positives, and prevalences, from the labels of the training part.

A label that is NaN, or masked, is not known: it counts as neither 0 nor 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from rarelabels.declare.weighting import FreePosWeight
from rarelabels.errors import UserError
from rarelabels.judging.arrays import Floats
from rarelabels.learn.label_arrays import Known, Labels, labels_and_known


@dataclass(frozen=True, eq=False)
class ClassFactors:
    """Factors on the 0s and on the 1s of each label, each (n_labels,) float64."""

    negative: Floats
    positive: Floats


def pos_weight(y_train: ArrayLike, strength: float = 1.0, scale: float = 1.0, cap: float | None = None) -> Floats:
    """Return scale * (negatives / positives) ** strength of each label, at most ``cap``.

    A label with one positive in five rows has weight 4 at strength 1, and 2 at strength 0.5. The square root halves the
    shift of the logits. A label without positives counts as having one, so that its weight is finite; the weight is
    never applied. A label without negatives has weight 0 (unless strength is 0): it is constant, with nothing to learn.

    Args:
        y_train: 0/1, NaN where it is not known, shape (n, n_labels): an array, a DataFrame, a sparse matrix.
        strength: 0 or more; 0 means no weighting, 0.5 the square root, 1 the full ratio.
        scale: above 0.
        cap: above 0, or None.

    Returns:
        (n_labels,) float64, for ``rl.losses.WeightedBinaryCrossentropy``.

    Raises:
        ValueError: ``y_train`` is not 0/1 of two dimensions.
        UserError: another argument is out of its range.

    >>> import rarelabels as rl
    >>> rl.pos_weight([[1, 0], [0, 1], [0, 1], [0, 0], [0, 0]])
    array([4. , 1.5])
    >>> rl.pos_weight([[1, 0], [0, 1], [0, 1], [0, 0], [0, 0]], strength=0.5, cap=1.5)
    array([1.5       , 1.22474487])
    """
    if not (strength >= 0 and scale > 0 and (cap is None or cap > 0)):
        raise UserError(
            "pos_weight: strength must be 0 or more, scale and cap above 0; got "
            f"strength={strength!r}, scale={scale!r}, cap={cap!r}"
        )
    y, known = labels_and_known(y_train, "y_train")
    positives = positives_at_least_one(y)
    ratio = np.maximum(rows_of_labels(y, known) - positives, 0) / positives
    weight = scale * ratio**strength
    return np.asarray(np.minimum(weight, np.inf if cap is None else cap), dtype=np.float64)


def free_pos_weight(spec: FreePosWeight, labels: Sequence[str]) -> Floats:
    """Return the declared factor of each label, (n_labels,) float64; a label without a declared factor has 1.

    Raises:
        UserError: a weight is declared for a label that the data do not have.
    """
    if unknown := [name for name in spec.weights if name not in labels]:
        raise UserError(
            f"weighting.weights: the data have no label {', '.join(map(repr, unknown))}; there are: {', '.join(labels)}"
        )
    return np.array([spec.weights.get(label, 1.0) for label in labels], dtype=np.float64)


def class_balanced(y_train: ArrayLike, beta: float = 0.999) -> Floats:
    """Return (1 − β) / (1 − β^positives) of each label, scaled to mean 1: the inverse of its effective number of rows.

    For β → 0 all factors are 1; for β → 1 they are the inverse frequencies. At β = 0.5, labels with 1 and 3 positives
    have 1 and 4/7, which scaled are 14/11 and 8/11. A label without positives counts as having one.

    Args:
        y_train: 0/1, NaN where it is not known, shape (n, n_labels): an array, a DataFrame, a sparse matrix.
        beta: between 0 and 1, neither included.

    Returns:
        (n_labels,) float64, for ``rl.losses.WeightedBinaryCrossentropy``.

    Raises:
        ValueError: ``y_train`` is not 0/1 of two dimensions.
        UserError: ``beta`` is out of its range.

    Source: Cui et al. (2019), "Class-balanced loss based on effective number of samples".

    >>> import rarelabels as rl
    >>> rl.class_balanced([[1, 1], [0, 1], [0, 1]], beta=0.5) * 11
    array([14.,  8.])
    """
    if not 0 < beta < 1:
        raise UserError(f"class_balanced: beta: must be above 0 and below 1; got {beta!r}")
    # 1 − β^n is computed by expm1, because for β close to 1 the difference would lose all its digits
    factor = (1 - beta) / -np.expm1(positives_at_least_one(labels_and_known(y_train, "y_train")[0]) * np.log(beta))
    return np.asarray(factor / factor.mean(), dtype=np.float64)


def inverse_frequency(y: Labels) -> Floats:
    """Return 1 / positives of each label, scaled to mean 1. A label without positives counts as having one.

    Labels with 1 and 3 positives weigh 1.5 and 0.5.
    """
    factor = 1 / positives_at_least_one(y)
    return np.asarray(factor / factor.mean(), dtype=np.float64)


def balanced(y: Labels, known: Known = None) -> ClassFactors:
    """Return n / (2 * rows of that class) for the 0s and for the 1s of each label, as scikit-learn balances one column.

    With two positives in ten rows, a positive weighs 2.5 and a negative 0.625. So both classes weigh 5, and a row
    weighs 1 on average. A constant label weighs 1, as in scikit-learn, because there is nothing to balance. The class
    that it lacks also weighs 1; that class may occur in the validation part. With ``known``, n is a label's known rows.
    """
    n = rows_of_labels(y, known)
    positives = y.sum(axis=0, dtype=np.int64)
    negatives = n - positives
    constant = (positives == 0) | (negatives == 0)
    return ClassFactors(
        negative=np.where(constant, 1.0, n / (2 * np.maximum(negatives, 1))),
        positive=np.where(constant, 1.0, n / (2 * np.maximum(positives, 1))),
    )


def positives_at_least_one(y: Labels) -> npt.NDArray[np.int64]:
    """Return how many rows have each label, (n_labels,), but 1 for a label that no row has."""
    return np.asarray(np.maximum(y.sum(axis=0, dtype=np.int64), 1))


def rows_of_labels(y: Labels, known: Known) -> npt.NDArray[np.int64]:
    """Return in how many rows each label is known, (n_labels,)."""
    return np.full(y.shape[1], len(y)) if known is None else np.count_nonzero(known, axis=0).astype(np.int64)


def prevalence(y_train: ArrayLike) -> Floats:
    """Return the share of positives of each label, strictly between 0 and 1, so that its log odds are finite.

    A label without positives counts as having one positive, a label without negatives as having one negative. A label
    that is known in no row has 0.5.

    Args:
        y_train: 0/1, NaN where it is not known, shape (n, n_labels): an array, a DataFrame, a sparse matrix.

    Returns:
        (n_labels,) float64, for ``rl.losses.LogitAdjusted`` and ``rl.losses.DistributionBalanced``.

    Raises:
        ValueError: ``y_train`` is not 0/1 of two dimensions.

    >>> import rarelabels as rl
    >>> rl.prevalence([[1, 0], [0, 0], [0, 0], [0, 0]])
    array([0.25, 0.25])
    >>> rl.prevalence([[1, 0], [0, 0], [float("nan"), 0], [float("nan"), 0]])
    array([0.5 , 0.25])
    """
    y, known = labels_and_known(y_train, "y_train")
    n = np.maximum(rows_of_labels(y, known), 1)
    positives = np.clip(y.sum(axis=0, dtype=np.int64), np.minimum(1, n / 2), np.maximum(n - 1, n / 2))
    return np.asarray(positives / n, dtype=np.float64)
