"""Build networks that return logits from their declared specs. Only the function ``scores`` turns logits to scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from rarelabels.declare.models import (
    NetworkSpec,
    RegularisedSpec,
    TextBagSpec,
    TextCnnSpec,
    TextLstmSpec,
    TextNetworkSpec,
)
from rarelabels.learn.backbones import extraction
from rarelabels.learn.preprocessing import NUMERIC, Shape
from rarelabels.learn.tensorflow_setup import keras, tf

Tensor = Any
Initializer = Any  # of Keras


class Bag(keras.layers.Layer):  # type: ignore[misc]  # keras is untyped
    """Pool the embeddings of a field's tokens: ids (batch, length), 0 is padding -> (batch, width).

    ``tfidf``: the sum weighted by idf, where the weights of a row are scaled to L2 norm 1. It is scikit-learn's TF-IDF
    times the table, except that a repeated token counts as several tokens in the norm. ``mean`` and ``max`` ignore
    padding. A row without tokens gives zeros. Otherwise 0/0 would give NaN, and a ReLU behind it would hide the NaN
    (design, section 4).
    """

    def __init__(self, rows: int, width: int, pooling: str, initializer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows, self.width, self.pooling, self.initializer = rows, width, pooling, initializer

    def build(self, _: Any) -> None:
        """Make the embedding table and, for tfidf, the idf column that ``training`` fills."""
        self.table = self.add_weight(shape=(self.rows, self.width), initializer=self.initializer, name="table")
        if self.pooling == "tfidf":
            self.idf = self.add_weight(shape=(self.rows,), initializer="zeros", trainable=False, name="idf")

    def call(self, ids: Tensor, packed: Tensor | None = None, training: bool = False) -> Tensor:
        """Return the pooled embeddings, shape (batch, width).

        Most of a batch is padding. A training step may leave it out; the sums are then the same up to rounding.

        Args:
            ids: (batch, length), 0 is padding; a training step with ``packed`` uses only their number of rows.
            packed: (n, 2): the id of each token (0 is padding), and its row in the batch. Not for ``max``.
            training: whether to use ``packed``.
        """
        if packed is not None and training:
            return self._packed(packed[:, 0], packed[:, 1], tf.shape(ids)[0])
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
        return tf.reduce_sum(weights[..., None] * vectors, axis=1)  # XLA fuses this with the gather, but not an einsum

    def _packed(self, ids: Tensor, rows: Tensor, batch: Tensor) -> Tensor:
        def summed(values: Tensor) -> Tensor:
            return tf.math.unsorted_segment_sum(values, rows, batch)

        weights = tf.cast(ids > 0, self.table.dtype)
        if self.pooling == "tfidf":
            weights *= tf.gather(self.idf, ids)
            scale = tf.sqrt(summed(weights * weights))
        else:
            scale = summed(weights)
        weights = tf.math.divide_no_nan(weights, tf.gather(scale, rows))
        return summed(weights[:, None] * tf.gather(self.table, ids))


class TokenLinear(keras.layers.Layer):  # type: ignore[misc]  # keras is untyped
    """Logistic regression on weighted tokens: ids, weights (batch, length) of each field -> logits (batch, n_labels).

    The weights are those of ``preprocessing.weighed``: the TF-IDF of a row, scaled as a whole. Padding has weight 0.
    """

    def __init__(self, rows: Sequence[int], n_labels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows, self.n_labels = rows, n_labels

    def build(self, *_: Any) -> None:
        """Make a table of coefficients for each field, and the biases."""
        self.tables = [
            self.add_weight(shape=(rows, self.n_labels), initializer="zeros", name=f"table_{i}")
            for i, rows in enumerate(self.rows)
        ]
        self.bias = self.add_weight(shape=(self.n_labels,), initializer="zeros", name="bias")

    def call(self, fields: Sequence[Mapping[str, Tensor]], training: bool = False) -> Tensor:
        """Return the logits.

        Args:
            fields: each with ``ids`` and ``weights``. For a training step, a field may also have ``packed``, as in
                :meth:`Bag.call`, and ``packed_weights``, (n,). Then only the number of rows of ``ids`` is used.
            training: whether to use ``packed`` and ``packed_weights``.
        """
        logits = self.bias
        for table, of in zip(self.tables, fields, strict=True):
            if training and "packed" in of:
                ids, rows = of["packed"][:, 0], of["packed"][:, 1]
                weighed = of["packed_weights"][:, None] * tf.gather(table, ids)
                logits += tf.math.unsorted_segment_sum(weighed, rows, tf.shape(of["ids"])[0])
            else:
                logits += tf.reduce_sum(of["weights"][..., None] * tf.gather(table, of["ids"]), axis=1)
        return logits


class Embedded(keras.layers.Layer):  # type: ignore[misc]  # keras is untyped
    """Token ids (batch, length), 0 is padding -> vectors (batch, length, width). The vectors of padding are 0."""

    def __init__(self, rows: int, width: int, initializer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows, self.width, self.initializer = rows, width, initializer

    def build(self, _: Any) -> None:
        """Make the embedding table."""
        self.table = self.add_weight(shape=(self.rows, self.width), initializer=self.initializer, name="table")

    def call(self, ids: Tensor) -> Tensor:
        """Return the vectors."""
        return tf.gather(self.table, ids) * tf.cast(ids > 0, self.table.dtype)[..., None]


def build(spec: NetworkSpec, shape: Shape, seed: int, *, packed: bool = False) -> keras.Model:
    """Return the network of ``spec``.

    Each text field becomes a vector. These vectors and the numbers of a row go into dense layers, which give the
    logits. With ``shape.backbone``, the numbers first go through its last block. The inputs are those of
    ``preprocessing.Preprocessing.inputs``.

    Args:
        spec: the declared model.
        shape: its text fields, numbers and labels.
        seed: of the initial weights; see :func:`initializers`.
        packed: whether bags have another input for each field, ``text_<i>_packed``; see ``Bag.call``.
    """
    initial = initializers(spec, shape, seed)
    inputs = _text_inputs(spec, len(shape.fields), packed)
    if shape.n_numeric:
        inputs[NUMERIC] = keras.Input((shape.n_numeric,), name=NUMERIC)
    if is_linear(spec):
        return keras.Model(inputs, _linear(shape, inputs))
    parts = _text_vectors(spec, shape, inputs, initial) if isinstance(spec, TextNetworkSpec) else []
    if shape.n_numeric:
        parts.append(extraction.last_block(shape.backbone, inputs[NUMERIC]) if shape.backbone else inputs[NUMERIC])
    x = keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    dropout = spec.dropout if isinstance(spec, RegularisedSpec) else 0.0
    if dropout and isinstance(spec, TextBagSpec):
        x = keras.layers.Dropout(dropout, seed=0, name="dropout")(x)
    for i, width in enumerate(spec.hidden):
        x = keras.layers.Dense(width, "relu", kernel_initializer=initial[f"hidden_{i}/kernel"], name=f"hidden_{i}")(x)
        if dropout:
            x = keras.layers.Dropout(dropout, seed=0, name=f"dropout_{i}")(x)
    logits = keras.layers.Dense(shape.n_outputs, kernel_initializer=initial["logits/kernel"], name="logits")(x)
    if isinstance(spec, TextBagSpec) and spec.wide:
        wide = [
            Bag(field.table_rows, shape.n_labels, "tfidf", "zeros", name=f"wide_{i}")(*_of_field(inputs, i))
            for i, field in enumerate(shape.fields)
        ]
        logits = keras.layers.Add()([logits, *wide])
    return keras.Model(inputs, logits)


def is_linear(spec: NetworkSpec) -> bool:
    """Return whether a network is logistic regression on weighted tokens; see ``preprocessing.weighed``."""
    return isinstance(spec, TextBagSpec) and spec.is_linear


def _text_inputs(spec: NetworkSpec, n_fields: int, packed: bool) -> dict[str, Tensor]:
    names = [f"text_{i}" for i in range(n_fields)]
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in names}
    if is_linear(spec):
        inputs |= {name: keras.Input((None,), name=name) for name in map(weights_of, names)}
    if packed:
        inputs |= {name: keras.Input((2,), dtype="int32", name=name) for name in map(packed_of, names)}
    if packed and is_linear(spec):
        inputs |= {name: keras.Input((), name=name) for name in map(packed_of, map(weights_of, names))}
    return inputs


def _linear(shape: Shape, inputs: dict[str, Tensor]) -> Tensor:
    """Return the logits of logistic regression on tokens and, if there are any, on numbers. All weights start at 0."""
    fields = []
    for i in range(len(shape.fields)):
        names = {"ids": f"text_{i}", "weights": weights_of(f"text_{i}")}
        names |= {"packed": packed_of(f"text_{i}"), "packed_weights": packed_of(weights_of(f"text_{i}"))}
        fields.append({key: inputs[name] for key, name in names.items() if name in inputs})
    logits = TokenLinear([field.table_rows for field in shape.fields], shape.n_outputs, name="logits")(fields)
    if not shape.n_numeric:
        return logits
    of_numbers = keras.layers.Dense(shape.n_outputs, use_bias=False, kernel_initializer="zeros", name="numbers")
    return keras.layers.Add()([logits, of_numbers(inputs[NUMERIC])])


def initializers(spec: NetworkSpec, shape: Shape, seed: int) -> dict[str, Initializer]:
    """Return the initializers that draw the weights of the network of ``spec``, by the path of the variable.

    All other variables start with the same values under every seed. Each initializer has its own seed, drawn from
    ``seed``. Without seeds, Keras would draw from Python's global generator, from which other threads of a worker draw
    at the same time. An initializer that is called again draws the same numbers again.
    """
    seeds = map(int, np.random.SeedSequence(seed).generate_state(3 * len(shape.fields) + len(spec.hidden) + 1))
    initial: dict[str, Initializer] = {}
    if is_linear(spec):
        return initial
    for i in range(len(shape.fields)):
        table = keras.initializers.RandomUniform(seed=next(seeds))
        match spec:
            case TextBagSpec():
                initial[f"bag_{i}/table"] = table
            case TextLstmSpec():
                initial[f"embedded_{i}/table"] = table
                initial[f"lstm_{i}/lstm_cell/kernel"] = _glorot(next(seeds))
                initial[f"lstm_{i}/lstm_cell/recurrent_kernel"] = keras.initializers.Orthogonal(seed=next(seeds))
            case TextCnnSpec():
                initial[f"embedded_{i}/table"] = table
                initial[f"filters_{i}/kernel"] = _glorot(next(seeds))
    dense = [*(f"hidden_{i}" for i in range(len(spec.hidden))), "logits"]
    return initial | {f"{name}/kernel": _glorot(next(seeds)) for name in dense}


def packed_of(field: str) -> str:
    """Return the name of the input that holds the tokens of a field, or their weights, without padding."""
    return f"{field}_packed"


def weights_of(field: str) -> str:
    """Return the name of the input with the weights of a field's tokens."""
    return f"{field}_weights"


def _of_field(inputs: dict[str, Tensor], i: int) -> tuple[Tensor, Tensor | None]:
    return inputs[f"text_{i}"], inputs.get(packed_of(f"text_{i}"))


def _text_vectors(
    spec: TextNetworkSpec, shape: Shape, inputs: dict[str, Tensor], initial: dict[str, Initializer]
) -> list[Tensor]:
    """Return one vector for each text field."""
    vectors = []
    for i, field in enumerate(shape.fields):
        x, packed = _of_field(inputs, i)
        match spec:
            case TextBagSpec():
                table = initial[f"bag_{i}/table"]
                vectors.append(Bag(field.table_rows, spec.width, spec.pooling, table, name=f"bag_{i}")(x, packed))
            case TextLstmSpec():
                table = initial[f"embedded_{i}/table"]
                embedded = Embedded(field.table_rows, spec.width, table, name=f"embedded_{i}")(x)
                lstm = keras.layers.LSTM(
                    spec.units,
                    kernel_initializer=initial[f"lstm_{i}/lstm_cell/kernel"],
                    recurrent_initializer=initial[f"lstm_{i}/lstm_cell/recurrent_kernel"],
                    seed=0,  # for dropout, which is not used; without a seed, Keras would draw one
                    name=f"lstm_{i}",
                )
                vectors.append(lstm(embedded, mask=x > 0))
            case TextCnnSpec():
                table = initial[f"embedded_{i}/table"]
                embedded = Embedded(field.table_rows, spec.width, table, name=f"embedded_{i}")(x)
                filters = keras.layers.Conv1D(
                    spec.filters,
                    spec.kernel,
                    padding="same",
                    activation="relu",
                    kernel_initializer=initial[f"filters_{i}/kernel"],
                    name=f"filters_{i}",
                )
                # The outputs for padding are set to 0. After a ReLU no output is lower, so they never win the maximum.
                found = filters(embedded) * keras.ops.cast(x > 0, "float32")[..., None]
                vectors.append(keras.layers.GlobalMaxPooling1D()(found))
            case _:
                assert_never(spec)
    return vectors


def _glorot(seed: int) -> Initializer:
    return keras.initializers.GlorotUniform(seed)


def scores(head: str, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return probabilities from logits: of each label by itself (sigmoid), or a distribution over labels (softmax).

    They are computed with SciPy, because the last bits of TensorFlow's sigmoid depend on a number's place in an array.
    """
    z = logits.astype(np.float64)
    return np.asarray(softmax(z, axis=1) if head == "softmax" else expit(z))
