"""Keras's Adam, with a faster update of tables of which a batch looks up some rows: the same but for rounding."""

from __future__ import annotations

from typing import Any

from rarelabels.tensorflow_setup import keras, tf


class TableAdam(keras.optimizers.Adam):  # type: ignore[misc]  # keras is untyped
    """Adam whose moments are decayed and added to in one pass over a table.

    Keras makes of the gradient of the rows that were looked up, and of its square, a table each, mostly zeros, and
    passes over all of them several times: on the films most of a step. The square is that of each look-up: where a
    batch looks a row up twice, the sum of squares and not the square of the sum (Keras 3.15), which is kept.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update a variable; see :class:`keras.optimizers.Adam`."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        step = tf.cast(self.iterations + 1, variable.dtype)
        alpha = learning_rate * tf.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        index, rows, values = self._get_variable_index(variable), gradient.indices[:, None], gradient.values
        m, v = self._momentums[index], self._velocities[index]
        m.assign(tf.tensor_scatter_nd_add(self.beta_1 * m, rows, (1 - self.beta_1) * values))
        v.assign(tf.tensor_scatter_nd_add(self.beta_2 * v, rows, (1 - self.beta_2) * values * values))
        self.assign_sub(variable, alpha * m / (tf.sqrt(v) + self.epsilon))


class TableAdamW(TableAdam, keras.optimizers.AdamW):  # type: ignore[misc]  # keras is untyped
    """AdamW with the update of :class:`TableAdam`; weights decay as in Keras."""
