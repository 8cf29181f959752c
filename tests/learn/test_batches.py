"""Batches of rows: their order is the seed's, and tokens are packed as they stand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rarelabels.data.dataset import Dataset
from rarelabels.learn import batches
from rarelabels.learn.tensorflow_setup import tf
from small_training import PLAIN, cut, fit


@pytest.mark.parametrize("seed", [0, 1, 7, 2**31 - 2, 2**31 - 1, 2**31 + 5, 2**40])
def test_rows_are_shuffled_as_tensorflow_does_with_that_global_seed(seed: int) -> None:
    ours = batches._shuffled(100, seed).repeat(3)
    try:
        tf.random.set_seed(seed)
        theirs = tf.data.Dataset.range(100).shuffle(100, seed=seed, reshuffle_each_iteration=True).repeat(3)
    finally:
        tf.random.set_seed(None)
    orders = np.array(list(ours.as_numpy_iterator())).reshape(3, 100)
    assert orders.ravel().tolist() == list(theirs.as_numpy_iterator())
    assert {tuple(sorted(order)) for order in orders} == {tuple(range(100))}
    assert len(set(map(tuple, orders))) == 3


def test_packed_tokens_are_those_of_each_row_in_order() -> None:
    ids = np.array([[3, 4, 0], [0, 0, 0], [5, 0, 0]], np.int32)
    assert batches._packed(ids, tf.where(ids > 0), 4).numpy().tolist() == [[3, 0], [4, 0], [5, 2], [0, 0]]
    assert batches._packed(ids, tf.where(ids > 0), 2).numpy().tolist() == [[3, 0], [4, 0], [5, 2], [0, 0]]
    assert batches._packed(ids, tf.where(ids > 0), 3).numpy().tolist() == [[3, 0], [4, 0], [5, 2]]


def test_fewer_rows_than_a_batch_make_one_batch(data: Dataset) -> None:
    few = replace(data, train=cut(data.train, np.arange(20)))
    fitted, curves = fit(PLAIN, few)
    assert np.isfinite(fitted.scores(data.test)).all()
    assert curves[3]["loss"] < curves[1]["loss"]
