"""The loss for Keras, on 0/1 labels and logits."""

from __future__ import annotations

from typing import Any

from rarelabels.learn.keras_backend import keras, tf
from rarelabels.learn.logit_loss import LogitLoss, scalar


@keras.saving.register_keras_serializable(package="own_loss")
class SquaredError(LogitLoss):
    """The squared error of each label's probability, mean over labels.

    Args:
        positives: factor on the term of positives.
        **keras_arguments: ``reduction``, ``name``, ``dtype``.

    >>> round(float(SquaredError(3.0)([[1.0, 0.0]], [[0.0, 0.0]])), 4)  # (3/4 + 1/4) / 2
    0.5
    """

    def __init__(self, positives: float = 1.0, **keras_arguments: Any) -> None:
        super().__init__(**keras_arguments)
        self.numbers = {"positives": scalar(self, "positives", positives, above=0.0)}

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row, (batch,)."""
        y, z = self.checked(y_true, y_pred)
        y, p = tf.cast(y, z.dtype), tf.sigmoid(z)
        terms = self.number("positives", z) * y * (1 - p) ** 2 + (1 - y) * p**2
        return tf.reduce_mean(terms, axis=-1)
