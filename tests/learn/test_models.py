from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfTransformer

from rarelabels.declare.models import MlpSpec, TextBagSpec, TextCnnSpec, TextLstmSpec
from rarelabels.learn import models
from rarelabels.learn.preprocessing import Field, Shape
from rarelabels.learn.tensorflow_setup import keras, tf

Ids = npt.NDArray[np.int32]

ROWS, WIDTH, LENGTH = 12, 4, 6  # the ids of tokens are 1 to 11
POOLINGS = ("tfidf", "mean", "max")
TWO_FIELDS = Shape((Field(ROWS, LENGTH), Field(7, LENGTH)), n_numeric=0, n_labels=3)
EMPTY = 3  # the row of ids() without tokens


@pytest.fixture(autouse=True)
def _seed() -> None:
    keras.utils.set_random_seed(0)


def ids() -> Ids:
    """Twenty rows of zero to six different tokens."""
    rng = np.random.default_rng(1)
    found = np.zeros((20, LENGTH), np.int32)
    for row in found:
        n = rng.integers(1, LENGTH + 1)
        row[:n] = rng.permutation(np.arange(1, ROWS))[:n]
    found[EMPTY] = 0
    return found


def bag(pooling: str) -> tuple[models.Bag, npt.NDArray[np.float32], TfidfTransformer]:
    """A layer with a random table, and, fitted on :func:`ids`, scikit-learn's TF-IDF whose idf it holds."""
    layer = models.Bag(ROWS, WIDTH, pooling, "uniform")
    layer.build(None)
    table = np.random.default_rng(2).normal(size=(ROWS, WIDTH)).astype(np.float32)
    layer.table.assign(table)
    transformer = TfidfTransformer().fit(counts(ids()))
    if pooling == "tfidf":
        layer.idf.assign(np.concatenate([[0], transformer.idf_]))
    return layer, table, transformer


def counts(found: Ids) -> sparse.csr_matrix:
    """How often each token occurs in each row; column i is the token with id i + 1."""
    return sparse.csr_matrix(np.stack([np.bincount(row, minlength=ROWS)[1:] for row in found]))


# Pooling


def test_tfidf_is_scikit_learns_times_the_table() -> None:
    layer, table, transformer = bag("tfidf")
    np.testing.assert_allclose(layer(ids()), transformer.transform(counts(ids())) @ table[1:], rtol=1e-5, atol=1e-6)


def test_tfidf_counts_each_occurrence_on_its_own() -> None:
    """A token given twice weighs 2 / √2, where scikit-learn's norm over distinct tokens would give it 1."""
    layer, table, _ = bag("tfidf")
    np.testing.assert_allclose(layer(np.array([[5, 0, 0], [5, 5, 0]], np.int32)), [table[5], 2**0.5 * table[5]], 1e-6)


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_mean_and_max_leave_padding_out(pooling: str) -> None:
    layer, table, _ = bag(pooling)
    reduce = {"mean": np.mean, "max": np.max}[pooling]
    expected = [reduce(table[row[row > 0]], axis=0) if row.any() else np.zeros(WIDTH) for row in ids()]
    np.testing.assert_allclose(layer(ids()), expected, rtol=1e-6, atol=1e-7)
    padded = (ids() == 0).any(axis=1)
    assert (np.array(expected)[padded] < 0).any()  # where a pooled 0 would win the maximum


@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_never_matters(pooling: str) -> None:
    layer, _, _ = bag(pooling)
    wider = np.pad(ids(), ((0, 0), (0, 9)))
    np.testing.assert_allclose(layer(wider), layer(ids()), rtol=1e-6, atol=1e-7)
    before = layer(ids()).numpy()
    layer.table.assign(tf.concat([tf.fill((1, WIDTH), 1e6), layer.table[1:]], axis=0))  # the row of padding itself
    np.testing.assert_array_equal(layer(ids()), before)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_row_without_tokens_gives_zeros_and_finite_gradients(pooling: str, jit: bool) -> None:
    layer, _, _ = bag(pooling)

    @tf.function(jit_compile=jit)
    def pooled_and_gradient(found: Any) -> Any:
        with tf.GradientTape() as tape:
            pooled = layer(found)
            loss = tf.reduce_sum(pooled**2)
        return pooled, tf.convert_to_tensor(tape.gradient(loss, layer.trainable_weights)[0])

    pooled, gradient = pooled_and_gradient(tf.constant(ids()))
    assert (pooled.numpy()[EMPTY] == 0).all()
    assert np.isfinite(gradient).all()
    assert (gradient.numpy()[0] == 0).all()  # nothing reaches the row of padding
    assert (np.abs(gradient.numpy()[1:]).max(axis=1) > 0).any()


@pytest.mark.parametrize("pooling", ["tfidf", "mean"])
def test_a_training_step_without_the_padding_sums_up_the_same(pooling: str) -> None:
    """Values and gradient, compiled by XLA; more room than tokens, repeated tokens, and a row without any."""
    layer, _, _ = bag(pooling)
    found = ids()
    found[0, :4] = [5, 5, 5, 2]
    rows, columns = np.nonzero(found)
    tokens = np.stack([found[rows, columns], rows], axis=1).astype(np.int32)

    @tf.function(jit_compile=True)
    def pooled_and_gradient(given: Any, packed: Any) -> Any:
        with tf.GradientTape() as tape:
            pooled = layer(given, packed, training=True)
            loss = tf.reduce_sum(pooled**2)
        return pooled, tf.convert_to_tensor(tape.gradient(loss, layer.trainable_weights)[0])

    pooled, gradient = pooled_and_gradient(found, None)
    for packed in (tokens, np.pad(tokens, ((0, 7), (0, 0)))):
        of_rows = np.zeros((len(found), 1), np.int32)  # their number is all it looks at
        for value, expected in zip(pooled_and_gradient(of_rows, packed), (pooled, gradient), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(layer(found, tokens[:3]), layer(found))  # a prediction does not look at it


def test_idf_is_not_trained() -> None:
    layer, _, _ = bag("tfidf")
    assert [variable.name for variable in layer.trainable_variables] == ["table"]


# The network


def net(**declared: Any) -> keras.Model:
    built = models.build(TextBagSpec(kind="text_bag", width=WIDTH, **declared), TWO_FIELDS, seed=1)
    for layer in built.layers:
        if isinstance(layer, models.Bag) and layer.pooling == "tfidf":
            layer.idf.assign(np.linspace(0, 2, layer.rows))
    return built


def inputs() -> dict[str, Ids]:
    return {"text_0": ids(), "text_1": ids() % 7}


@pytest.mark.parametrize("hidden", [(), (5,), (9, 2)])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_bags_are_joined_and_go_through_relu_layers_to_logits(pooling: str, hidden: tuple[int, ...]) -> None:
    model = net(pooling=pooling, hidden=hidden)
    logits = model(inputs()).numpy()
    x = np.concatenate([model.get_layer(f"bag_{i}")(found) for i, found in enumerate(inputs().values())], axis=1)
    assert x.shape == (20, 2 * WIDTH)
    for i, width in enumerate(hidden):
        kernel, bias = model.get_layer(f"hidden_{i}").get_weights()
        assert kernel.shape == (x.shape[1], width)
        x = np.maximum(x @ kernel + bias, 0)
    kernel, bias = model.get_layer("logits").get_weights()
    assert logits.shape == (20, 3)
    np.testing.assert_allclose(logits, x @ kernel + bias, rtol=1e-4, atol=1e-5)
    assert len(model.trainable_variables) == 2 + 2 * (len(hidden) + 1)


def test_one_field_is_enough() -> None:
    shape = Shape((Field(ROWS, LENGTH),), n_numeric=0, n_labels=2)
    model = models.build(TextBagSpec(kind="text_bag", width=WIDTH), shape, seed=1)
    assert model({"text_0": ids()}).shape == (20, 2)


@pytest.mark.parametrize("hidden", [(), (5,)])
def test_wide_adds_a_linear_path_that_starts_at_nothing(hidden: tuple[int, ...]) -> None:
    model = net(pooling="mean", hidden=hidden, wide=True)
    narrow = net(pooling="mean", hidden=hidden)
    narrow.set_weights([v.numpy() for v in model.variables if not v.path.startswith("wide_")])
    np.testing.assert_allclose(model(inputs()), narrow(inputs()), rtol=1e-6, atol=1e-7)
    rng = np.random.default_rng(5)
    expected = narrow(inputs()).numpy()
    for i, found in enumerate(inputs().values()):
        layer = model.get_layer(f"wide_{i}")
        assert layer.pooling == "tfidf"
        layer.table.assign(rng.normal(size=layer.table.shape))
        weights = layer.idf.numpy()[found] * (found > 0)
        norm = np.sqrt((weights**2).sum(axis=1, keepdims=True))
        weights = np.divide(weights, norm, out=np.zeros_like(weights), where=norm > 0)
        expected += (weights[..., None] * layer.table.numpy()[found]).sum(axis=1)
    np.testing.assert_allclose(model(inputs()), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_film_without_any_token_trains_to_finite_weights(pooling: str, wide: bool) -> None:
    model = net(pooling=pooling, hidden=(5,), wide=wide)
    nothing = {field: np.zeros((2, LENGTH), np.int32) for field in inputs()}
    with tf.GradientTape() as tape:
        logits = model(nothing)
        loss = tf.reduce_sum((logits - 1) ** 2)
    gradients = tape.gradient(loss, model.trainable_variables)
    assert np.isfinite(logits).all()
    assert all(np.isfinite(tf.convert_to_tensor(g)).all() for g in gradients)


@pytest.mark.parametrize("wide", [False, True])
def test_numbers_join_the_bags(wide: bool) -> None:
    shape = Shape((Field(ROWS, LENGTH),), n_numeric=2, n_labels=3)
    model = models.build(TextBagSpec(kind="text_bag", width=WIDTH, pooling="mean", wide=wide), shape, seed=1)
    numbers = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    kernel, bias = model.get_layer("logits").get_weights()
    assert kernel.shape == (WIDTH + 2, 3)
    expected = np.concatenate([model.get_layer("bag_0")(ids()), numbers], axis=1) @ kernel + bias
    np.testing.assert_allclose(model({"text_0": ids(), "numeric": numbers}), expected, rtol=1e-4, atol=1e-5)


def test_mlp_is_dense_layers_on_the_numbers() -> None:
    model = models.build(MlpSpec(kind="mlp", hidden=(5, 4)), Shape((), n_numeric=3, n_labels=2), seed=1)
    numbers = x = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    for layer in ("hidden_0", "hidden_1"):
        kernel, bias = model.get_layer(layer).get_weights()
        x = np.maximum(x @ kernel + bias, 0)
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(model({"numeric": numbers}), x @ kernel + bias, rtol=1e-4, atol=1e-6)


SEQUENCES = (TextLstmSpec(kind="text_lstm", width=WIDTH, units=3), TextCnnSpec(kind="text_cnn", width=WIDTH, filters=3))


def lstm_by_hand(vectors: npt.NDArray[np.float32], weights: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.float64]:
    """The last state of one row, gates in Keras's order: input, forget, cell, output."""
    kernel, recurrent, bias = weights
    units = recurrent.shape[0]
    state, cell = np.zeros(units), np.zeros(units)
    for vector in vectors:
        gates = (vector @ kernel + state @ recurrent + bias).reshape(4, units)
        enter, forget, leave = (expit(gates[i]) for i in (0, 1, 3))
        cell = forget * cell + enter * np.tanh(gates[2])
        state = leave * np.tanh(cell)
    return state


def test_lstm_reads_the_tokens_in_order_and_no_padding() -> None:
    model = models.build(SEQUENCES[0], TWO_FIELDS, seed=1)
    joined = keras.Model(model.inputs, model.get_layer("logits").input)(inputs()).numpy()
    expected = np.zeros((20, 6))
    for i, found in enumerate(inputs().values()):
        table = model.get_layer(f"embedded_{i}").table.numpy()
        weights = model.get_layer(f"lstm_{i}").get_weights()
        for row, tokens in enumerate(found):
            expected[row, 3 * i : 3 * i + 3] = lstm_by_hand(table[tokens[tokens > 0]], weights)
    np.testing.assert_allclose(joined, expected, rtol=1e-4, atol=1e-6)
    assert not joined[EMPTY].any()


def test_cnn_is_the_highest_answer_of_each_filter() -> None:
    model = models.build(SEQUENCES[1], TWO_FIELDS, seed=1)
    joined = keras.Model(model.inputs, model.get_layer("logits").input)(inputs()).numpy()
    expected = np.zeros((20, 6))
    for i, found in enumerate(inputs().values()):
        table = model.get_layer(f"embedded_{i}").table.numpy()
        kernel, bias = model.get_layer(f"filters_{i}").get_weights()
        for row, tokens in enumerate(found):
            vectors = np.pad(table[tokens] * (tokens > 0)[:, None], ((1, 1), (0, 0)))
            places = np.flatnonzero(tokens > 0)
            answers = [np.einsum("kw,kwf->f", vectors[place : place + 3], kernel) + bias for place in places]
            expected[row, 3 * i : 3 * i + 3] = np.maximum(np.max(answers, axis=0), 0) if answers else 0
    np.testing.assert_allclose(joined, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("spec", SEQUENCES, ids=lambda spec: spec.kind)
def test_padding_and_rows_without_tokens_in_sequences(spec: TextLstmSpec | TextCnnSpec) -> None:
    model = models.build(spec, TWO_FIELDS, seed=1)
    wider = {name: np.pad(found, ((0, 0), (0, 9))) for name, found in inputs().items()}
    np.testing.assert_allclose(model(wider), model(inputs()), rtol=1e-5, atol=1e-6)

    @tf.function(jit_compile=True)
    def gradients(found: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((model(found) - 1) ** 2)
        return [tf.convert_to_tensor(one) for one in tape.gradient(loss, model.trainable_variables)]

    nothing = {name: np.zeros_like(found) for name, found in inputs().items()}
    for found in (inputs(), nothing):
        assert all(np.isfinite(one).all() for one in gradients({k: tf.constant(v) for k, v in found.items()}))


@pytest.mark.parametrize(
    "spec", [TextBagSpec(kind="text_bag", hidden=(4,)), *SEQUENCES], ids=lambda spec: str(spec.kind)
)
def test_initial_weights_are_the_seeds_alone(spec: Any) -> None:
    first = [v.numpy() for v in models.build(spec, TWO_FIELDS, seed=3).variables]
    keras.utils.set_random_seed(99)
    again = [v.numpy() for v in models.build(spec, TWO_FIELDS, seed=3).variables]
    other = [v.numpy() for v in models.build(spec, TWO_FIELDS, seed=4).variables]
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert any((one != another).any() for one, another in zip(first, other, strict=True))


def test_scores_by_head() -> None:
    logits = np.array([[0, np.log(3), -np.log(9)], [1000, 0, -1000]], np.float32)
    sigmoid, softmax = (models.scores(head, logits) for head in ("sigmoid", "softmax"))
    np.testing.assert_allclose(sigmoid, [[1 / 2, 3 / 4, 1 / 10], [1, 1 / 2, 0]], rtol=1e-6)
    np.testing.assert_allclose(softmax, [[9 / 37, 27 / 37, 1 / 37], [1, 0, 0]], rtol=1e-6)
    assert sigmoid.dtype == softmax.dtype == np.float64


@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
def test_scores_of_a_row_do_not_depend_on_its_place(head: str) -> None:
    logits = np.random.default_rng(0).normal(0, 4, (97, 5)).astype(np.float32)
    order = np.random.default_rng(1).permutation(97)
    np.testing.assert_array_equal(models.scores(head, logits[order]), models.scores(head, logits)[order])
