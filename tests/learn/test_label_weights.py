"""Weights of labels by hand and against scikit-learn, of labels in every form."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array, csc_matrix, csr_array
from sklearn.utils.class_weight import compute_class_weight

import rarelabels as rl
from rarelabels.declare.weighting import PosWeight
from rarelabels.errors import UserError
from rarelabels.learn.label_weights import balanced, class_balanced, prevalence
from rarelabels.learn.weighting import weights
from weighting_cases import Y, known, of, random_labels


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # Without positives the ratio is that of one positive: 9.
        ({}, [9, 1, 4, 9, 0]),
        ({"strength": 0.5}, [3, 1, 2, 3, 0]),
        ({"strength": 0}, [1, 1, 1, 1, 1]),
        ({"scale": 2}, [18, 2, 8, 18, 0]),
        ({"cap": 4}, [4, 1, 4, 4, 0]),
        ({"scale": 2, "strength": 0.5, "cap": 5}, [5, 2, 4, 5, 0]),
    ],
)
def test_pos_weight_by_hand(values: dict[str, float], expected: list[float]) -> None:
    found = of("pos_weight", **values)
    np.testing.assert_allclose(known(found.positive), expected, rtol=1e-12)
    assert found.negative is found.rows is None


def test_many_rows_do_not_overflow_the_labels_type() -> None:
    y = np.zeros((1000, 2), dtype=np.uint8)
    y[:300, 0] = 1  # 300 does not fit into uint8
    assert known(of("pos_weight", y).positive)[0] == pytest.approx(700 / 300, rel=1e-12)
    assert prevalence(y)[0] == 0.3


def test_prevalence_has_finite_log_odds() -> None:
    np.testing.assert_allclose(of("none").prevalence, [0.1, 0.5, 0.2, 0.1, 0.9], rtol=1e-12)
    np.testing.assert_allclose(prevalence(np.array([[0, 1]], dtype=np.uint8)), [0.5, 0.5])
    np.testing.assert_allclose(prevalence(np.array([[0, 1], [0, 1]], dtype=np.uint8)), [0.5, 0.5])


def test_class_balanced_by_hand() -> None:
    y = np.array([[1, 1], [0, 1], [0, 1]], dtype=np.uint8)
    # 0.5 / (1 - 0.5) = 1 and 0.5 / (1 - 0.125) = 4/7; their mean is 11/14
    np.testing.assert_allclose(known(of("class_balanced", y, beta=0.5).positive), [14 / 11, 8 / 11], rtol=1e-12)
    # Without positives a label counts as the first, with one.
    factors = known(of("class_balanced", beta=0.9).positive)
    assert factors[0] == factors[3]
    assert factors.mean() == pytest.approx(1)


def test_class_balanced_goes_from_one_to_inverse_frequency() -> None:
    np.testing.assert_allclose(class_balanced(Y, 1e-300), np.ones(5), rtol=1e-12)
    np.testing.assert_allclose(class_balanced(Y, 1 - 1e-15), known(of("label_weights", form="factor").positive), 1e-12)


def test_class_balanced_of_many_rows() -> None:
    y = np.zeros((300_000, 2), dtype=np.uint8)
    y[:1, 0], y[:, 1] = 1, 1
    # 1 - 0.9999999^300000 = 0.0295545 (exp(-0.03) = 0.9704455), so the factors are as 1 to 1e-7/0.0295545 = 3.38358e-6
    ratio = np.divide(*class_balanced(y, 1 - 1e-7)[::-1])
    assert ratio == pytest.approx(3.38358e-6, rel=1e-5)


def test_factor_by_hand() -> None:
    found = of("label_weights", form="factor")
    # 1, 1/5, 1/2, 1 (as with one positive), 1/10: mean 0.56
    np.testing.assert_allclose(known(found.positive), np.array([1, 0.2, 0.5, 1, 0.1]) / 0.56, rtol=1e-12)
    np.testing.assert_array_equal(known(found.negative), known(found.positive))


def test_pair_by_hand() -> None:
    found = of("label_weights")
    np.testing.assert_allclose(known(found.positive), [5, 1, 2.5, 1, 1], rtol=1e-12)
    np.testing.assert_allclose(known(found.negative), [5 / 9, 1, 0.625, 1, 1], rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_pair_is_scikit_learns_for_each_column(seed: int) -> None:
    y = random_labels(seed)
    found = of("label_weights", y)
    for label, column in enumerate(y.T):
        classes = np.unique(column)
        ours = np.array([known(found.negative)[label], known(found.positive)[label]])
        theirs = compute_class_weight("balanced", classes=classes, y=column)
        np.testing.assert_allclose(ours[classes], theirs, rtol=1e-12)
        np.testing.assert_allclose(np.delete(ours, classes), 1)  # the class that is missing


@pytest.mark.parametrize("make", [np.float32, pd.DataFrame, np.ndarray.tolist, csr_array, csc_matrix, coo_array])
@pytest.mark.parametrize("weigh", [rl.pos_weight, rl.class_balanced, rl.prevalence])
def test_labels_in_every_form_weigh_the_same(weigh: Any, make: Any) -> None:
    np.testing.assert_array_equal(weigh(make(Y)), weigh(Y))
    np.testing.assert_array_equal(weigh(make(Y == 1)), weigh(Y))


def test_what_cannot_be_weighed_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^y_train: must be 0 or 1; got .*2"):
        rl.pos_weight([[0, 2]])
    with pytest.raises(ValueError, match=r"^y_train: must have shape \(n, n_labels\) and not be empty; got \(3,\)$"):
        rl.prevalence([0, 1, 0])
    with pytest.raises(UserError, match=r"^pos_weight: strength must be 0 .* strength=-1, scale=1.0, cap=None$"):
        rl.pos_weight(Y, strength=-1)
    with pytest.raises(UserError, match=r"^class_balanced: beta: must be above 0 and below 1; got 1$"):
        rl.class_balanced(Y, beta=1)


def test_weights_of_labels_need_no_tensorflow() -> None:
    code = "import sys, rarelabels as rl; rl.pos_weight([[0, 1]]); print({'tensorflow', 'mlflow'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "set()\n"


def test_labels_that_are_not_known_count_as_neither_0_nor_1() -> None:
    rng = np.random.default_rng(4)
    y = (rng.random((200, 4)) < [0.5, 0.2, 0.05, 0.9]).astype(np.uint8)
    seen = rng.random(y.shape) < 0.6
    y[~seen] = 0
    with_nan = np.where(seen, y, np.nan)
    alone = [y[seen[:, i]][:, [i]] for i in range(4)]
    np.testing.assert_allclose(rl.pos_weight(with_nan), [rl.pos_weight(one)[0] for one in alone], rtol=1e-12)
    np.testing.assert_allclose(rl.prevalence(with_nan), [rl.prevalence(one)[0] for one in alone], rtol=1e-12)
    np.testing.assert_array_equal(rl.pos_weight(with_nan), rl.pos_weight(pd.DataFrame(with_nan)))
    assert (rl.class_balanced(with_nan) == rl.class_balanced(y)).all()
    pair = balanced(y, seen)
    for i, one in enumerate(alone):
        reference = compute_class_weight("balanced", classes=np.array([0, 1]), y=one[:, 0])
        np.testing.assert_allclose([pair.negative[i], pair.positive[i]], reference, rtol=1e-12)
    declared = weights(PosWeight(kind="pos_weight"), y, known=seen)
    assert (known(declared.positive) == rl.pos_weight(with_nan)).all()
    assert (declared.prevalence == rl.prevalence(with_nan)).all()


def test_a_label_that_is_known_nowhere_has_weight_0_and_finite_log_odds() -> None:
    y = np.array([[1, np.nan], [0, np.nan]])
    assert rl.pos_weight(y).tolist() == [1, 0]
    assert rl.prevalence(y).tolist() == [0.5, 0.5]
