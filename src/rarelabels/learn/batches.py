"""Rows of the training part in batches: shuffled by a seed, padded to one size, packed for look-ups."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy.typing as npt

from rarelabels.judging.arrays import Floats
from rarelabels.learn import models
from rarelabels.learn.preprocessing import Inputs
from rarelabels.learn.tensorflow_setup import tf


def make_batches(
    inputs: Inputs,
    targets: npt.NDArray[Any],
    row_weights: Floats | None,
    batch_size: int,
    seed: int,
    rooms: Mapping[str, int] = MappingProxyType({}),
) -> tf.data.Dataset:
    """Return shuffled batches of equal size, in endless passes over the rows.

    Each pass leaves out the rows that do not fill a batch; they differ from pass to pass. All batches have one size, so
    that only one step is compiled. If there are fewer rows than ``batch_size``, they make one batch. Of each field in
    ``rooms``, a batch holds the tokens without their padding, with room for so many; see ``models.Bag``.
    """
    n = len(targets)
    batch_size = min(batch_size, n)
    steps = n // batch_size
    whole = [{name: tf.constant(values) for name, values in inputs.items()}, tf.constant(targets)]
    if row_weights is not None:
        whole.append(tf.constant(row_weights, tf.float32))
    rows = _shuffled(n, seed).batch(batch_size, drop_remainder=True).repeat()
    # Only every other pass is used. Keras begins a finite data set twice each epoch, and so uses every other order too.
    rows = rows.batch(steps).shard(2, 0).unbatch()
    of_fields = tuple(rooms.items())
    batch = tf.autograph.experimental.do_not_convert(lambda i: _batch(i, tuple(whole), of_fields))
    # There is nothing to tune here. And the tuning thread delays the end of a fit by up to a second.
    options = tf.data.Options()
    options.autotune.enabled = False
    return rows.map(batch).prefetch(2).with_options(options)


@tf.function(autograph=False)  # type: ignore[untyped-decorator]  # tensorflow is untyped
def _batch(i: Any, whole: tuple[Any, ...], rooms: tuple[tuple[str, int], ...]) -> tuple[Any, ...]:
    """Return the rows ``i`` of all arrays, with packed tokens.

    This function is traced once for all fits. A function that is given to ``map`` directly is traced in each fit.
    """
    x, *others = tf.nest.map_structure(lambda values: tf.gather(values, i), whole)
    packed, looked_at = {}, [field for field, _ in rooms]
    for field, room in rooms:
        places, weights = tf.where(x[field] > 0), models.weights_of(field)
        packed[models.packed_of(field)] = _packed(x[field], places, room)
        if weights in x:
            of_tokens = tf.gather_nd(x[weights], places)
            packed[models.packed_of(weights)] = tf.pad(of_tokens, [[0, -tf.shape(of_tokens)[0] % room]])
            looked_at.append(weights)
    return x | packed | {name: x[name][:, :1] for name in looked_at}, *others


def _shuffled(n: int, seed: int) -> tf.data.Dataset:
    """Return the numbers below ``n``, in another order in each pass.

    The orders are those of ``Dataset.shuffle(n, seed)`` after ``tf.random.set_seed(seed)``. That is not called, because
    it makes TensorFlow forget all functions that it has prepared. It would cost half a second for each fit, and 4 MiB
    that nothing frees.
    """
    seed %= 2**31 - 1
    shuffled = tf.raw_ops.ShuffleDatasetV3(
        input_dataset=tf.data.experimental.to_variant(tf.data.Dataset.range(n)),
        buffer_size=n,
        seed=seed,
        seed2=seed or 2**31 - 1,  # two zeros would mean a random seed
        seed_generator=tf.raw_ops.DummySeedGenerator(),
        reshuffle_each_iteration=True,
        output_types=[tf.int64],
        output_shapes=[[]],
    )
    return tf.data.experimental.from_variant(shuffled, tf.TensorSpec((), tf.int64))


def _packed(ids: Any, places: Any, room: int) -> Any:
    """Return each token's id and its row in the batch, (n, 2), padded with zeros to a multiple of ``room``."""
    pairs = tf.stack([tf.gather_nd(ids, places), tf.cast(places[:, 0], tf.int32)], axis=1)
    return tf.pad(pairs, [[0, -tf.shape(pairs)[0] % room], [0, 0]])
