"""The update of tables beside Keras's own, on gradients of looked-up rows, some of them looked up twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rarelabels.learn.optimizers import DECAYED_EVERY, TableAdam, TableAdamW
from rarelabels.learn.tensorflow_setup import keras, tf

ROWS, WIDTH, STEPS = 9, 3, 2 * DECAYED_EVERY + 20


def trained(optimizer: keras.optimizers.Optimizer, *, jit: bool) -> list[np.ndarray[Any, Any]]:
    """A table and a dense kernel after some steps, and the moments."""
    rng = np.random.default_rng(0)
    table, kernel = (keras.Variable(rng.normal(size=(ROWS, WIDTH)).astype(np.float32)) for _ in range(2))
    optimizer.build([table, kernel])

    @tf.function(jit_compile=jit)
    def step(values: Any, rows: Any, dense: Any) -> None:
        optimizer.apply([tf.IndexedSlices(values, rows, (ROWS, WIDTH)), dense], [table, kernel])

    for number in range(STEPS):
        rows = rng.integers(0, ROWS - 2, 6).astype(np.int32)  # the last two are never looked up
        rows[1] = rows[0]
        scale = 10.0 ** (number % 5 - 3)
        values, dense = (scale * rng.normal(size=shape).astype(np.float32) for shape in ((6, WIDTH), (ROWS, WIDTH)))
        step(values, rows, dense)
    return [table.numpy(), kernel.numpy(), *moments(optimizer, STEPS)]


def moments(optimizer: keras.optimizers.Optimizer, steps: int) -> list[np.ndarray[Any, Any]]:
    """Both moments of the first variable, which ours keeps undecayed since the last full decay."""
    since = (steps - 1) % DECAYED_EVERY + 1 if isinstance(optimizer, TableAdam) else 0
    kept = (optimizer._momentums[0], optimizer.beta_1), (optimizer._velocities[0], optimizer.beta_2)
    return [moment.numpy() * beta**since for moment, beta in kept]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    ("ours", "keras_own"), [(TableAdam, keras.optimizers.Adam), (TableAdamW, keras.optimizers.AdamW)]
)
def test_it_is_keras_but_for_rounding(ours: Any, keras_own: Any, jit: bool) -> None:
    changed, expected = trained(ours(0.05), jit=jit), trained(keras_own(0.05), jit=jit)
    for value, other in zip(changed, expected, strict=True):
        np.testing.assert_allclose(value, other, rtol=2e-5, atol=1e-7)
    assert np.abs(expected[0] - trained(ours(0.02), jit=jit)[0]).max() > 0.1  # it has moved


def test_the_second_moment_is_a_sum_of_squares_where_a_row_is_looked_up_twice() -> None:
    """What Keras does: the square of the sum would be 9."""
    for optimizer in (TableAdam(0.1), keras.optimizers.Adam(0.1)):
        table = keras.Variable(np.zeros((2, 1), np.float32))
        optimizer.build([table])
        values, rows = tf.constant([[1.0], [2.0]]), tf.constant([1, 1])
        optimizer.apply([tf.IndexedSlices(values, rows, tf.constant([2, 1]))], [table])
        np.testing.assert_allclose(moments(optimizer, 1)[1], [[0], [0.001 * 5]], rtol=1e-5)
