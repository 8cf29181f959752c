"""Magnitude pruning while training, as a small Keras callback.

The movie thread pruned with TensorFlow's model optimisation toolkit, which needs Keras 2 and does not import beside
Keras 3. This is its schedule (``PolynomialDecay``, from 0 to the declared sparsity), the masks renewed once per epoch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.schema import Pruning
from rarelabels.tensorflow_setup import keras, tf


class Mask(keras.constraints.Constraint):  # type: ignore[misc]  # keras is untyped
    """Keeps pruned weights at 0: the optimizer applies it after every step."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.kept = tf.Variable(np.ones(shape, np.float32), trainable=False)

    def __call__(self, weights: Any) -> Any:
        """Return the weights, pruned ones as 0."""
        return weights * self.kept


class MagnitudePruning(keras.callbacks.Callback):  # type: ignore[misc]  # keras is untyped
    """Before each epoch, set the smallest weights of every table and kernel to 0; biases are left alone.

    Source: Zhu and Gupta (2017), "To prune, or not to prune".
    """

    def __init__(self, spec: Pruning, masks: dict[int, Mask], weights: list[Any]) -> None:
        super().__init__()
        self.spec, self.masks, self.weights = spec, masks, weights

    def on_epoch_begin(self, epoch: int, _: dict[str, float] | None = None) -> None:
        """Renew the masks; see the class."""
        share = sparsity(self.spec, epoch + 1)
        for position, mask in self.masks.items():
            weight = self.weights[position]
            mask.kept.assign(largest(weight.numpy(), share))
            weight.assign(weight * mask.kept)


def masks(spec: Pruning | None, weights: list[Any]) -> dict[int, Mask]:
    """Put a mask on every table and kernel of ``weights`` (more than one axis); return them by position."""
    if spec is None:
        return {}
    found = {i: Mask(tuple(weight.shape)) for i, weight in enumerate(weights) if len(weight.shape) > 1}
    for position, mask in found.items():
        weights[position].constraint = mask
    return found


def sparsity(spec: Pruning, epoch: int) -> float:
    """Return the share of weights that are 0 in an epoch, from 1: s · (1 − (1 − t)³) with t = epoch / end_epoch.

    With sparsity 0.8 and end epoch 10 it is 0.217 in the first epoch and 0.7 in the fifth.
    """
    progress = min(1.0, epoch / spec.end_epoch)
    return spec.sparsity * (1 - (1 - progress) ** 3)


def largest(weights: npt.NDArray[np.float32], share_cut: float) -> npt.NDArray[np.float32]:
    """Return 1 for weights kept and 0 for the ``share_cut`` smallest by magnitude; among equals the first are cut."""
    kept = np.ones(weights.size, np.float32)
    kept[np.argsort(np.abs(weights), axis=None, kind="stable")[: round(share_cut * weights.size)]] = 0
    return kept.reshape(weights.shape)
