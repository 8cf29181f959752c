"""How much the positives of each label count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rarelabels.declare.weighting import FreePosWeight, PosWeight
from rarelabels.errors import UserError
from rarelabels.judging.arrays import Floats

Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ClassFactors:
    """The factors of a label's 0s and 1s, each (n_labels,) float64."""

    negative: Floats
    positive: Floats


def pos_weight(y: Labels, spec: PosWeight) -> Floats:
    """Return scale * (negatives / positives) ** strength of each label, at most ``spec.cap``.

    One positive in five rows weighs 4 at strength 1, and 2 at strength 0.5: the square root halves the pull in logits.
    A label without positives counts as having one, so that its weight stays finite; it has no positive to apply it to.
    A label without negatives has weight 0 (unless strength is 0): it is constant, and nothing needs to be told apart.

    Args:
        y: 0/1, shape (n, n_labels).
        spec: strength, scale and cap.

    Returns:
        (n_labels,) float64.
    """
    positives = positives_at_least_one(y)
    ratio = (len(y) - positives) / positives
    weight = spec.scale * ratio**spec.strength
    return np.asarray(np.minimum(weight, np.inf if spec.cap is None else spec.cap), dtype=np.float64)


def free_pos_weight(spec: FreePosWeight, labels: Sequence[str]) -> Floats:
    """Return the declared factor of each label, (n_labels,) float64; 1 where none is declared.

    Raises:
        UserError: a weight is declared for a label that the data do not have.
    """
    if unknown := [name for name in spec.weights if name not in labels]:
        raise UserError(
            f"weighting.weights: the data have no label {', '.join(map(repr, unknown))}; there are: {', '.join(labels)}"
        )
    return np.array([spec.weights.get(label, 1.0) for label in labels], dtype=np.float64)


def class_balanced(y: Labels, beta: float) -> Floats:
    """Return (1 − β) / (1 − β^positives) of each label, scaled to mean 1: the inverse of its effective number of rows.

    The factors go from 1 for β → 0 to inverse frequency for β → 1. Labels with 1 and 3 positives have, at β = 0.5,
    1 and 4/7, scaled 14/11 and 8/11. A label without positives counts as having one.

    Source: Cui et al. (2019), "Class-balanced loss based on effective number of samples".
    """
    # 1 − β^n by expm1, for β^n is 1 to the last digits when β is
    factor = (1 - beta) / -np.expm1(positives_at_least_one(y) * np.log(beta))
    return np.asarray(factor / factor.mean(), dtype=np.float64)


def inverse_frequency(y: Labels) -> Floats:
    """Return 1 / positives of each label, scaled to mean 1. A label without positives counts as having one.

    Labels with 1 and 3 positives weigh 1.5 and 0.5.
    """
    factor = 1 / positives_at_least_one(y)
    return np.asarray(factor / factor.mean(), dtype=np.float64)


def balanced(y: Labels) -> ClassFactors:
    """Return n / (2 * rows of that class) for the 0s and for the 1s of each label, as scikit-learn balances one column.

    Two positives in ten rows weigh 2.5 each and the negatives 0.625: both classes then weigh 5, and a row 1 on average.
    A constant label weighs 1, as in scikit-learn: there is nothing to balance. So does the class it lacks, which may
    occur in the validation part.
    """
    n = len(y)
    positives = y.sum(axis=0, dtype=np.int64)
    negatives = n - positives
    constant = (positives == 0) | (negatives == 0)
    return ClassFactors(
        negative=np.where(constant, 1.0, n / (2 * np.maximum(negatives, 1))),
        positive=np.where(constant, 1.0, n / (2 * np.maximum(positives, 1))),
    )


def positives_at_least_one(y: Labels) -> npt.NDArray[np.int64]:
    """Return how many rows have each label, (n_labels,), and 1 for a label that none has."""
    return np.asarray(np.maximum(y.sum(axis=0, dtype=np.int64), 1))
