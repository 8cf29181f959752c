"""From a declared loss to the loss with which the network trains."""

from __future__ import annotations

from typing import assert_never

import numpy as np

from rarelabels.declare import losses as declared
from rarelabels.declare.losses import LossSpec
from rarelabels.declare.models import SET_HEADS
from rarelabels.learn import losses
from rarelabels.learn.keras_backend import tf
from rarelabels.learn.logit_loss import LogitLoss
from rarelabels.learn.loss_formulas import Tensor, label_set_crossentropy
from rarelabels.learn.weighting import Weights


def build(spec: LossSpec, head: str, weights: Weights) -> LogitLoss:
    """Return the loss that ``spec`` declares for logits of a net with this ``head``.

    Args:
        spec: the declared loss.
        head: how the net's logits become scores; see ``models.Head``.
        weights: the numbers that the loss needs from the labels of the training part.
    """
    if head in SET_HEADS:  # the schema allows no other loss with them
        return LabelSetCrossentropy()
    match spec:
        case declared.BinaryCrossentropy():
            return losses.BinaryCrossentropy(head, spec.form)
        case declared.WeightedBinaryCrossentropy():
            ones = np.ones_like(weights.prevalence)
            positive = ones if weights.positive is None else weights.positive
            negative = ones if weights.negative is None else weights.negative
            return losses.WeightedBinaryCrossentropy(positive, negative)
        case declared.BinaryFocal():
            over_labels = "mean" if spec.reduction == "mean" else "sum"
            return losses.BinaryFocal(spec.gamma, spec.alpha, over_labels)
        case declared.CategoricalCrossentropy():
            return losses.CategoricalCrossentropy(head, spec.form, spec.targets)
        case declared.Asymmetric():
            return losses.Asymmetric(spec.gamma_positive, spec.gamma_negative, spec.shift)
        case declared.DistributionBalanced():
            settings = spec.alpha, spec.beta, spec.mu, spec.kappa, spec.negative_scale
            return losses.DistributionBalanced(weights.prevalence, *settings)
        case declared.LogitAdjusted():
            return losses.LogitAdjusted(weights.prevalence, spec.tau)
        case declared.Hamming():
            return losses.Hamming()
        case declared.SoftF1():
            return losses.SoftF1()
        case _:
            assert_never(spec)


class LabelSetCrossentropy(LogitLoss):
    """Categorical cross-entropy of label sets, from each row's class, (batch,), and logits, (batch, n_sets)."""

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Return the mean of the rows' weighted losses.

        Keras's own method would make the classes float32, in which only whole numbers up to 2^24 are exact.
        """
        values = self.call(y_true, y_pred)
        return tf.reduce_mean(values if sample_weight is None else values * sample_weight)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (batch,)."""
        return label_set_crossentropy(y_true, y_pred)
