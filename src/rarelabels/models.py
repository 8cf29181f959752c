"""Networks that return logits, each from its declared spec. Scores are made from logits in one place: ``scores``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from rarelabels.schema import TextBagSpec
from rarelabels.tensorflow_setup import keras, tf

Tensor = Any


class Bag(keras.layers.Layer):  # type: ignore[misc]  # keras is untyped
    """Pool the embeddings of a field's tokens: ids (batch, length), 0 is padding -> (batch, width).

    ``tfidf``: the sum weighted by idf, the weights of a row scaled to L2 norm 1: scikit-learn's TF-IDF times the table,
    but that a token given twice counts as two in the norm. ``mean`` and ``max`` are masked.
    A row without tokens gives zeros: 0/0 would make NaN, which a ReLU behind it hides (design, section 4).
    """

    def __init__(self, rows: int, width: int, pooling: str, initializer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows, self.width, self.pooling, self.initializer = rows, width, pooling, initializer

    def build(self, _: Any) -> None:
        """Make the embedding table and, for tfidf, the idf column that ``training`` fills."""
        self.table = self.add_weight(shape=(self.rows, self.width), initializer=self.initializer, name="table")
        if self.pooling == "tfidf":
            self.idf = self.add_weight(shape=(self.rows,), initializer="zeros", trainable=False, name="idf")

    def call(self, ids: Tensor) -> Tensor:
        """Return the pooled embeddings, shape (batch, width)."""
        vectors = tf.gather(self.table, ids)
        real = tf.cast(ids > 0, vectors.dtype)
        if self.pooling == "max":
            highest = tf.reduce_max(tf.where(real[..., None] > 0, vectors, vectors.dtype.min), axis=1)
            return tf.where(tf.reduce_any(ids > 0, axis=1, keepdims=True), highest, tf.zeros_like(highest))
        if self.pooling == "tfidf":
            weights = real * tf.gather(self.idf, ids)
            weights = tf.math.divide_no_nan(weights, tf.norm(weights, axis=1, keepdims=True))
        else:
            weights = tf.math.divide_no_nan(real, tf.reduce_sum(real, axis=1, keepdims=True))
        return tf.einsum("bt,btw->bw", weights, vectors)


def text_bag(spec: TextBagSpec, rows: Mapping[str, int], n_labels: int, seed: int) -> keras.Model:
    """One ``Bag`` per text field, concatenated, dense layers, logits.

    Args:
        spec: the declared model.
        rows: rows of the embedding table of each field, padding included.
        n_labels: columns of the logits.
        seed: of the initial weights. Each layer is given a seed of its own drawn from it, because without one Keras
            draws from Python's global generator, which other threads of a worker draw from at the same time.
    """
    uniform, glorot = keras.initializers.RandomUniform, keras.initializers.GlorotUniform
    seeds = map(int, np.random.SeedSequence(seed).generate_state(len(rows) + len(spec.hidden) + 1))
    inputs = {field: keras.Input((None,), dtype="int32", name=field) for field in rows}
    bags = [
        Bag(rows[field], spec.width, spec.pooling, uniform(seed=next(seeds)), name=f"bag_{field}")(x)
        for field, x in inputs.items()
    ]
    x = keras.layers.Concatenate()(bags) if len(bags) > 1 else bags[0]
    for i, width in enumerate(spec.hidden):
        x = keras.layers.Dense(width, "relu", kernel_initializer=glorot(next(seeds)), name=f"hidden_{i}")(x)
    logits = keras.layers.Dense(n_labels, kernel_initializer=glorot(next(seeds)), name="logits")(x)
    if spec.wide:
        wide = [Bag(rows[f], n_labels, "tfidf", "zeros", name=f"wide_{f}")(x) for f, x in inputs.items()]
        logits = keras.layers.Add()([logits, *wide])
    return keras.Model(inputs, logits)


def scores(head: str, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return probabilities from logits: each label's own (sigmoid), or one distribution over labels (softmax).

    In SciPy, because the last bits of TensorFlow's sigmoid depend on where in an array a number stands.
    """
    z = logits.astype(np.float64)
    return np.asarray(softmax(z, axis=1) if head == "softmax" else expit(z))
