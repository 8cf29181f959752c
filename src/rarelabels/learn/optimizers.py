"""Keras's optimizers with two additions: a faster update of embedding tables, and an L2 penalty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rarelabels.learn.tensorflow_setup import keras, tf

DECAYED_EVERY = 64  # steps; Adam's first decay, 0.9, to that power is 1e-3, far from the limits of float32


class TableAdam(keras.optimizers.Adam):  # type: ignore[misc]  # keras is untyped
    """Adam that updates the moments of a table only in the rows that a batch looks up.

    For the gradient of these rows and for its square, Keras makes two whole tables, mostly zeros. It passes over them
    several times, which is most of a step on the films. Here, a moment is stored divided by ``beta ** k``, its decay in
    the ``k`` steps since it was last decayed in full. So decaying a moment takes no work, and a look-up adds only to
    its own row. One pass over the table is left, to update its weights.

    If a batch looks up a row twice, the two squares are added, as in Keras 3.15; the sum is not squared.
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
    """AdamW with the update of :class:`TableAdam`. The weights decay as in Keras."""


class Penalised:
    """Adds the gradient of an L2 penalty, ``strength * w``, to the gradient of each table and kernel.

    The penalty is not part of the loss. So the training loss stays comparable with the validation loss, which has no
    penalty. ``strength`` is a tensor or variable, read at each step.
    """

    strength: Any

    def apply(self, gradients: Sequence[Any], variables: Sequence[Any]) -> Any:
        """Update the variables. Biases, which have one axis, are not penalised."""
        penalised = [
            tf.convert_to_tensor(gradient) + self.strength * variable if len(variable.shape) > 1 else gradient
            for gradient, variable in zip(gradients, variables, strict=True)
        ]
        return super().apply(penalised, variables)  # type: ignore[misc]  # the optimizer's, the next base class


class PenalisedAdam(Penalised, keras.optimizers.Adam):  # type: ignore[misc]  # keras is untyped
    """Adam with an L2 penalty."""


class PenalisedAdamW(Penalised, keras.optimizers.AdamW):  # type: ignore[misc]  # keras is untyped
    """AdamW with an L2 penalty in addition to its weight decay."""


class PenalisedSGD(Penalised, keras.optimizers.SGD):  # type: ignore[misc]  # keras is untyped
    """Gradient descent with an L2 penalty."""
