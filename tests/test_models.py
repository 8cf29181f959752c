from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer

from rarelabels import models
from rarelabels.schema import TextBagSpec
from rarelabels.tensorflow_setup import keras, tf

Ids = npt.NDArray[np.int32]

ROWS, WIDTH, LENGTH = 12, 4, 6  # the ids of tokens are 1 to 11
POOLINGS = ("tfidf", "mean", "max")
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


def test_idf_is_not_trained() -> None:
    layer, _, _ = bag("tfidf")
    assert [variable.name for variable in layer.trainable_variables] == ["table"]


# The network


def net(**declared: Any) -> keras.Model:
    built = models.text_bag(
        TextBagSpec(kind="text_bag", width=WIDTH, **declared), {"words": ROWS, "names": 7}, 3, seed=1
    )
    for layer in built.layers:
        if isinstance(layer, models.Bag) and layer.pooling == "tfidf":
            layer.idf.assign(np.linspace(0, 2, layer.rows))
    return built


def inputs() -> dict[str, Ids]:
    return {"words": ids(), "names": ids() % 7}


@pytest.mark.parametrize("hidden", [(), (5,), (9, 2)])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_bags_are_joined_and_go_through_relu_layers_to_logits(pooling: str, hidden: tuple[int, ...]) -> None:
    model = net(pooling=pooling, hidden=hidden)
    logits = model(inputs()).numpy()
    x = np.concatenate([model.get_layer(f"bag_{field}")(found) for field, found in inputs().items()], axis=1)
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
    model = models.text_bag(TextBagSpec(kind="text_bag", width=WIDTH), {"words": ROWS}, 2, seed=1)
    assert model({"words": ids()}).shape == (20, 2)


@pytest.mark.parametrize("hidden", [(), (5,)])
def test_wide_adds_a_linear_path_that_starts_at_nothing(hidden: tuple[int, ...]) -> None:
    model = net(pooling="mean", hidden=hidden, wide=True)
    narrow = net(pooling="mean", hidden=hidden)
    narrow.set_weights([v.numpy() for v in model.variables if not v.path.startswith("wide_")])
    np.testing.assert_allclose(model(inputs()), narrow(inputs()), rtol=1e-6, atol=1e-7)
    rng = np.random.default_rng(5)
    expected = narrow(inputs()).numpy()
    for field, found in inputs().items():
        layer = model.get_layer(f"wide_{field}")
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
