"""Keras's optimizers with two things more: a faster update of tables that batches look up, and an L2 penalty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rarelabels.learn.tensorflow_setup import keras, tf

DECAYED_EVERY = 64  # steps; 0.9 to that power, Adam's first decay, is 1e-3: nothing comes near the ends of float32


class TableAdam(keras.optimizers.Adam):  # type: ignore[misc]  # keras is untyped
    """Adam whose moments of a table are touched only where a batch looks it up.

    Keras makes of the gradient of the rows that were looked up, and of its square, a table each, mostly zeros, and
    passes over all of them several times: on the films most of a step. Here a moment is kept divided by what it has
    decayed since it was last decayed in full, ``beta ** k`` after ``k`` steps: then decaying it is no work, a look-up
    adds to its own row, and the one pass over the table that is left is that of its weights.

    The square is that of each look-up: where a batch looks a row up twice, the sum of squares and not the square of the
    sum (Keras 3.15), which is kept.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update a variable; see :class:`keras.optimizers.Adam`."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        step = tf.cast(self.iterations + 1, variable.dtype)
        alpha = learning_rate * tf.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        index, values = self._get_variable_index(variable), gradient.values
        m = self._decaying(self._momentums[index], self.beta_1, gradient.indices, values)
        v = self._decaying(self._velocities[index], self.beta_2, gradient.indices, values * values)
        self.assign_sub(variable, alpha * m / (tf.sqrt(v) + self.epsilon))

    def _decaying(self, moment: Any, beta: float, rows: Any, values: Any) -> Any:
        """Decay a moment, add to its rows, and return its value."""
        since = self.iterations % DECAYED_EVERY
        kept = tf.cond(
            tf.equal(since, 0), lambda: moment * beta**DECAYED_EVERY, lambda: tf.identity(moment), name="decayed"
        )
        decay = beta ** tf.cast(since + 1, moment.dtype)
        moment.assign(tf.tensor_scatter_nd_add(kept, rows[:, None], (1 - beta) / decay * values))
        return decay * moment


class TableAdamW(TableAdam, keras.optimizers.AdamW):  # type: ignore[misc]  # keras is untyped
    """AdamW with the update of :class:`TableAdam`; weights decay as in Keras."""


class Penalised:
    """An optimizer that adds the gradient of an L2 penalty, ``strength * w``, to that of each table and kernel.

    In the gradient, and not in the loss: what is printed and drawn as the loss of training stays beside that of
    validation, which has no penalty. ``strength`` is a tensor or variable, read at each step.
    """

    strength: Any

    def apply(self, gradients: Sequence[Any], variables: Sequence[Any]) -> Any:
        """Update the variables; biases, which have one axis, are not penalised."""
        penalised = [
            tf.convert_to_tensor(gradient) + self.strength * variable if len(variable.shape) > 1 else gradient
            for gradient, variable in zip(gradients, variables, strict=True)
        ]
        return super().apply(penalised, variables)  # type: ignore[misc]  # of the optimizer it is put before


class PenalisedAdam(Penalised, keras.optimizers.Adam):  # type: ignore[misc]  # keras is untyped
    """Adam with an L2 penalty."""


class PenalisedAdamW(Penalised, keras.optimizers.AdamW):  # type: ignore[misc]  # keras is untyped
    """AdamW with an L2 penalty beside its own decay of weights."""


class PenalisedSGD(Penalised, keras.optimizers.SGD):  # type: ignore[misc]  # keras is untyped
    """Gradient descent with an L2 penalty."""
