"""Weights of rows by hand, against scikit-learn, and against one step of Keras's own ``fit(class_weight=)``."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from rarelabels.errors import UserError
from rarelabels.learn import row_weights
from rarelabels.learn.row_weights import declared_weights, of_both, spans
from rarelabels.learn.tensorflow_setup import keras, tf
from weighting_cases import known, of, random_labels

Labels = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize(("n", "n_labels"), [(1, 2), (2, 2), (50, 3), (400, 17), (300, 60)])
def test_product_is_scikit_learns(n: int, n_labels: int, constant: bool) -> None:
    y = random_labels(n, max(n, 2), n_labels, constant)[:n]
    rows = known(of("sample_weights", y, form="product").rows)
    np.testing.assert_allclose(rows, compute_sample_weight("balanced", y), rtol=1e-10)


def test_product_by_hand() -> None:
    y = np.array([[1, 1], [0, 1], [0, 0], [0, 0]], dtype=np.uint8)
    found = of("sample_weights", y, form="product")
    # columns: 1s weigh 2 and 1, 0s 2/3 and 1
    np.testing.assert_allclose(known(found.rows), [2, 2 / 3, 2 / 3, 2 / 3], rtol=1e-12)
    assert found.facts == pytest.approx(
        # (2 + 3 · 2/3)² / (4 + 3 · 4/9) = 16 / (16/3)
        {"effective_sample_size": 3, "effective_sample_share": 0.75, "weight_ratio": 3, "mean_row_weight": 1}
    )
    (note,) = found.notes
    assert "all 2 labels" in note
    assert "from 0.667 to 2, 1 on average" in note


def test_mean_by_hand() -> None:
    y = np.array([[1, 1], [0, 1], [0, 0], [0, 0]], dtype=np.uint8)
    found = of("sample_weights", y)
    np.testing.assert_allclose(known(found.rows), [1.5, 5 / 6, 5 / 6, 5 / 6], rtol=1e-12)
    assert found.notes == ()


@pytest.mark.parametrize("seed", range(3))
def test_mean_is_of_scikit_learns_column_weights_and_keeps_the_scale(seed: int) -> None:
    y = random_labels(seed)
    found = of("sample_weights", y, form="mean")
    columns = [compute_sample_weight("balanced", column) for column in y.T]
    np.testing.assert_allclose(known(found.rows), np.mean(columns, axis=0), rtol=1e-12)
    assert found.facts["mean_row_weight"] == pytest.approx(1, rel=1e-12)


def test_a_product_that_underflows_is_refused() -> None:
    y = (np.random.default_rng(0).random((400, 1000)) < 0.1).astype(np.uint8)
    y[:, :2] = [[0, 1]] * 400
    with pytest.raises(UserError, match=r"row weight is .*e-\d\d\d, too small for float32.*form mean") as caught:
        of("sample_weights", y, form="product")
    assert "\n" not in str(caught.value)
    assert known(of("sample_weights", y, form="mean").rows).min() > 0
    y = np.tile(y, 4)
    with pytest.raises(UserError, match="row weight is 0, too small"):
        of("sample_weights", y, form="product")


def test_a_product_that_overflows_is_refused() -> None:
    y = np.zeros((1000, 400), dtype=np.uint8)
    y[0] = 1  # 500^400
    with pytest.raises(UserError, match="row weight is inf, too large"):
        of("sample_weights", y, form="product")


def test_rows_that_vanish_are_counted() -> None:
    # Each label is absent from one row: from the first 20 of them the first row, then one row each; 89 rows lack none.
    # A 0 weighs 200/2 = 100, a 1 weighs 200/398; 130 of those are 1.4e-39, and float32 ends at 1.2e-38.
    y = np.ones((200, 130), dtype=np.uint8)
    y[0, :20] = 0
    y[np.arange(1, 111), np.arange(20, 130)] = 0
    found = of("sample_weights", y, form="product")
    assert "and 89 of 200 rows weigh 0 in float32." in found.notes[0]
    assert found.facts["weight_ratio"] == pytest.approx((100 * 398 / 200) ** 19)


TWO_KEYS = {"0": 1.0, "1": 0.29}
ALL_KEYS = {str(column): 0.2 + 0.3 * column for column in range(17)}


@pytest.fixture(scope="module")
def films() -> tuple[npt.NDArray[np.float32], Labels]:
    """Inputs and 17 labels: rows with several, with one and with none."""
    y = random_labels(5, n=60, constant=False)
    x = np.random.default_rng(5).normal(size=(60, 4)).astype(np.float32)
    assert {0, 1, 2} <= set(y.sum(axis=1))
    return x, y


def one_step(x: Any, y: Any = None, **fit: Any) -> list[Array]:
    """Return the weights after one step of fit."""
    net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(17, "sigmoid", kernel_initializer="ones")])
    net.compile(optimizer=keras.optimizers.SGD(5.0), loss="binary_crossentropy")
    net.fit(x, y, epochs=1, shuffle=False, verbose=0, **fit)
    return [np.asarray(values, dtype=np.float64) for values in net.get_weights()]


def farthest(one: list[Array], other: list[Array]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("declared", [TWO_KEYS, ALL_KEYS, None], ids=["two", "all", "balanced"])
def test_our_rows_take_the_step_of_keras_class_weight(declared: Any, films: Any) -> None:
    x, y = films
    table = declared if declared is not None else {c: len(y) / (2 * max(y[:, c].sum(), 1)) for c in range(17)}
    theirs = one_step(x, y, batch_size=60, class_weight={int(column): weight for column, weight in table.items()})
    rows = known(of("class_weight", y, weights=declared, form="keras_argmax").rows)
    assert farthest(one_step(x, y, batch_size=60, sample_weight=rows), theirs) < 1e-6
    assert farthest(one_step(x, y, batch_size=60), theirs) > 1e-3


def test_the_scale_of_row_weights_is_that_of_the_step(films: Any) -> None:
    """Keras divides by the number of rows, not by the sum of their weights."""
    x, y = films
    rows = known(of("sample_weights", y).rows)
    start = [np.ones((4, 17)), np.zeros(17)]
    once, twice = (one_step(x, y, batch_size=60, sample_weight=factor * rows) for factor in (1, 2))
    for before, a, b in zip(start, once, twice, strict=True):
        np.testing.assert_allclose(b - before, 2 * (a - before), atol=1e-6)


def test_keras_refuses_the_two_keys_with_a_pipeline(films: Any) -> None:
    x, y = films
    batches = tf.data.Dataset.from_tensor_slices((x, y.astype(np.float32))).batch(60)
    with pytest.raises(tf.errors.InvalidArgumentError):
        one_step(batches, class_weight={0: 1.0, 1: 0.29})
    all_keys = {int(column): weight for column, weight in ALL_KEYS.items()}
    rows = known(of("class_weight", y, weights=ALL_KEYS, form="keras_argmax").rows)
    theirs = one_step(batches, class_weight=all_keys)
    assert farthest(one_step(x, y, batch_size=60, sample_weight=rows), theirs) < 1e-6


def test_class_weight_by_hand() -> None:
    y = np.array([[0, 1, 1, 0], [1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]], dtype=np.uint8)
    found = of("class_weight", y, weights={"0": 2.0, "1": 0.5}, form="keras_argmax")
    np.testing.assert_array_equal(known(found.rows), [0.5, 2, 2, 1, 0.5])
    # (0.5 + 2 + 2 + 1 + 0.5)² / (0.25 + 4 + 4 + 1 + 0.25) = 36 / 9.5
    assert found.facts["effective_sample_size"] == pytest.approx(36 / 9.5)
    assert found.facts["weight_ratio"] == 4
    text = " ".join(found.notes)
    assert "2 of 5 rows (40.0%) have more than one label" in text
    assert "1 rows without labels count as column 0" in text
    assert "4 of 5 rows weigh other than 1.0" in text
    assert "Without a key, and so counting 1.0: columns 2 to 3." in text


def test_balanced_class_weight_by_hand() -> None:
    found = of("class_weight", weights=None, form="keras_argmax")
    # 10 / (2 · 1), 10 / (2 · 5), …; the argmax of the rows is column 0, then 1 four times, then 4 five times
    np.testing.assert_allclose(known(found.rows), [5, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5])
    assert "key" not in " ".join(found.notes)


def test_class_weight_depends_on_the_order_of_the_columns(films: Any) -> None:
    _, y = films
    for other in ("label_weights", "sample_weights"):
        one, turned = of(other, y), of(other, y[:, ::-1])
        for a, b in ((one.positive, turned.positive), (one.negative, turned.negative)):
            if a is not None:
                np.testing.assert_allclose(a, known(b)[::-1])
        if one.rows is not None:
            np.testing.assert_allclose(one.rows, known(turned.rows))
    one, turned = (known(of("class_weight", z, weights=None, form="keras_argmax").rows) for z in (y, y[:, ::-1]))
    assert (one != turned).any()


def test_a_key_beyond_the_labels_is_refused() -> None:
    with pytest.raises(UserError, match=r"^weighting\.weights: column 5 does not exist: 5 labels are columns 0 to 4$"):
        of("class_weight", weights={"0": 1.0, "5": 2.0}, form="keras_argmax")


@pytest.mark.parametrize(
    ("columns", "text"),
    [([3], "column 3"), ([2, 3, 4], "columns 2 to 4"), ([0, 2, 5, 6, 7, 9], "columns 0, 2, 5 to 7, 9")],
)
def test_spans(columns: list[int], text: str) -> None:
    assert spans(columns) == text


def test_the_mean_of_balanced_weights_is_over_the_known_labels_of_a_row() -> None:
    y = np.array([[1, 0], [0, 0], [0, 1], [0, 0]], np.uint8)
    known = np.array([[True, False], [True, True], [True, True], [False, False]])
    # The first label: three rows, one positive: 3 / 2 and 3 / 4. The second: two rows, one positive: 1 and 1.
    expected = [1.5, (0.75 + 1) / 2, (0.75 + 1) / 2, 1]
    np.testing.assert_allclose(row_weights.sample_weights_mean(y, known), expected, rtol=1e-12)


def test_declared_weights_have_a_mean_of_one_and_multiply_those_of_labels() -> None:
    declared = np.array([1.0, 2.0, 3.0, 6.0]) * 7
    np.testing.assert_allclose(declared_weights(declared), [1 / 3, 2 / 3, 1, 2])
    np.testing.assert_allclose(of_both(np.array([3.0, 3.0, 1.0, 0.0]), declared), [1, 2, 1, 0])
    np.testing.assert_allclose(of_both(None, declared), declared_weights(declared))
    assert of_both(None, None) is None
    assert of_both(declared, None) is declared
