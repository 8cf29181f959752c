"""How much positives, labels and rows count in a loss, from the labels of the training part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rarelabels.schema import NoWeighting, PosWeight, WeightingSpec


@dataclass(frozen=True, eq=False)
class Weights:
    """What a loss needs to know about the training labels.

    Attributes:
        pos_weight: (n_labels,) float64, the factor on the positive term of each label; None if positives count once.
    """

    pos_weight: npt.NDArray[np.float64] | None = None


def weights(spec: WeightingSpec, y_train: npt.NDArray[np.uint8]) -> Weights:
    """Return the weights that ``spec`` declares for the multi-hot labels of the training part, shape (n, n_labels)."""
    match spec:
        case NoWeighting():
            return Weights()
        case PosWeight():
            return Weights(pos_weight=pos_weight(y_train, spec))


def pos_weight(y: npt.NDArray[np.uint8], spec: PosWeight) -> npt.NDArray[np.float64]:
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
    positives = np.maximum(y.sum(axis=0, dtype=np.int64), 1)
    ratio = (len(y) - positives) / positives
    weight = spec.scale * ratio**spec.strength
    return np.asarray(np.minimum(weight, np.inf if spec.cap is None else spec.cap), dtype=np.float64)
