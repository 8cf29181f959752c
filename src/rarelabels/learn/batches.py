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
    """Return shuffled batches of equal size, pass after pass over the rows without end.

    The rows left over differ from pass to pass. One batch size means one compiled step. Fewer rows than a batch make
    one batch. Of fields with ``rooms``, for so many tokens, a batch holds the tokens alone: see ``models.Bag``.
    """
    n = len(targets)
    batch_size = min(batch_size, n)
    steps = n // batch_size
    whole = [{name: tf.constant(values) for name, values in inputs.items()}, tf.constant(targets)]
    if row_weights is not None:
        whole.append(tf.constant(row_weights, tf.float32))
    rows = _shuffled(n, seed).batch(batch_size, drop_remainder=True).repeat()
    # Every other order, as Keras takes them of batches that end: it begins them twice an epoch, which takes a while.
    rows = rows.batch(steps).shard(2, 0).unbatch()
    of_fields = tuple(rooms.items())
    batch = tf.autograph.experimental.do_not_convert(lambda i: _batch(i, tuple(whole), of_fields))
    # There is nothing to tune here, and the thread that tunes keeps a fit that has ended waiting for up to a second.
    options = tf.data.Options()
    options.autotune.enabled = False
    return rows.map(batch).prefetch(2).with_options(options)


@tf.function(autograph=False)  # type: ignore[untyped-decorator]  # tensorflow is untyped
def _batch(i: Any, whole: tuple[Any, ...], rooms: tuple[tuple[str, int], ...]) -> tuple[Any, ...]:
    """Return the rows ``i`` of all; traced once for all fits, where a function of ``map`` would be each time."""
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
    """Return the numbers below ``n``, each time in another order.

    They are those of ``Dataset.shuffle(n, seed)`` after ``tf.random.set_seed(seed)``, which is not called because it
    makes TensorFlow forget every function that it has prepared: half a second a fit, and 4 MiB that nothing frees.
    """
    seed %= 2**31 - 1
    shuffled = tf.raw_ops.ShuffleDatasetV3(
        input_dataset=tf.data.experimental.to_variant(tf.data.Dataset.range(n)),
        buffer_size=n,
        seed=seed,
        seed2=seed or 2**31 - 1,  # two zeros would mean: any order
        seed_generator=tf.raw_ops.DummySeedGenerator(),
        reshuffle_each_iteration=True,
        output_types=[tf.int64],
        output_shapes=[[]],
    )
    return tf.data.experimental.from_variant(shuffled, tf.TensorSpec((), tf.int64))


def _packed(ids: Any, places: Any, room: int) -> Any:
    """Return the tokens at the places and the rows they are in, (n, 2), padded with 0 to a multiple of the room."""
    pairs = tf.stack([tf.gather_nd(ids, places), tf.cast(places[:, 0], tf.int32)], axis=1)
    return tf.pad(pairs, [[0, -tf.shape(pairs)[0] % room], [0, 0]])
