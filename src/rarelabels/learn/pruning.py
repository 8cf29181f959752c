"""Magnitude pruning while training, as a small Keras callback.

The movie thread pruned with TensorFlow's model optimisation toolkit. The toolkit needs Keras 2, and cannot be imported
with Keras 3. This callback has the toolkit's schedule ``PolynomialDecay``, from 0 to the declared sparsity. It renews
the masks once per epoch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.declare.training import Pruning
from rarelabels.learn.tensorflow_setup import keras, tf


class Mask(keras.constraints.Constraint):  # type: ignore[misc]  # keras is untyped
    """Keeps pruned weights at 0. The optimizer applies it after every step."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.kept = tf.Variable(np.ones(shape, np.float32), trainable=False)

    def __call__(self, weights: Any) -> Any:
        """Return the weights, with 0 for pruned weights."""
        return weights * self.kept


class MagnitudePruning(keras.callbacks.Callback):  # type: ignore[misc]  # keras is untyped
    """Sets the smallest weights of every table and kernel to 0 before each epoch. Biases are not pruned.

    Source: Zhu and Gupta (2017), "To prune, or not to prune".
    """

    def __init__(self, spec: Pruning, masks: dict[int, Mask], weights: list[Any]) -> None:
        super().__init__()
        self.spec, self.masks, self.weights = spec, masks, weights

    def on_epoch_begin(self, epoch: int, _: dict[str, float] | None = None) -> None:
        """Renew the masks, and set the pruned weights to 0."""
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
    """Return the share of weights that are 0 in an epoch: s · (1 − (1 − t)³).

    t rises from 0 in the first epoch to 1 in the end epoch, so that nothing is pruned before something is learnt. With
    sparsity 0.8 and end epoch 11, the share is 0.2168 in the second epoch and 0.7 in the sixth.
    """
    progress = 1.0 if epoch >= spec.end_epoch else (epoch - 1) / (spec.end_epoch - 1)
    return spec.sparsity * (1 - (1 - progress) ** 3)


def largest(weights: npt.NDArray[np.float32], share_cut: float) -> npt.NDArray[np.float32]:
    """Return 1 for weights that are kept, and 0 for the share ``share_cut`` with the smallest magnitudes.

    All weights equal to the smallest kept weight are kept too. For example, weights that are still 0 because no
    gradient has reached them can still be learnt.
    """
    magnitudes = np.abs(weights)
    cut = round(share_cut * weights.size)
    least = np.partition(magnitudes, cut, axis=None)[cut] if cut < weights.size else np.inf
    return np.asarray(magnitudes >= least, np.float32)
