"""Values and gradients of the losses against formulas written out in NumPy, and finite differences."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from loss_cases import (
    CASES,
    KINDS,
    N_LABELS,
    RUNNERS,
    Array,
    Case,
    bce_of_softmax,
    built,
    differences,
    every_loss,
    every_loss_of_rows,
    rows,
    value_and_gradient,
)
from rarelabels.learn.tensorflow_setup import keras, tf


def test_every_declared_loss_has_its_formula_among_the_cases() -> None:
    assert sorted({case.declared.kind for case in CASES.values()}) == KINDS, "write it in tests/helpers/loss_cases.py"


@every_loss
def test_value_is_the_formula(case: Case) -> None:
    y, z = rows()
    values = case.build().call(tf.constant(y), tf.constant(z)).numpy()
    assert values.shape == (12,)
    np.testing.assert_allclose(values, case.formula(y, z), rtol=1e-9, atol=1e-15)


@every_loss
def test_value_is_the_formula_in_the_precision_that_trains(case: Case) -> None:
    y, z = rows(1)
    values = case.build().call(tf.constant(y, "float32"), tf.constant(z, "float32")).numpy()
    # Keras clips to 1 - 1e-7, which float32 holds as 1 - 1.19e-7: log(1 - p) of a sure p is then 16 to 1 %.
    rtol = 1e-2 if case.formula is bce_of_softmax else 1e-5
    np.testing.assert_allclose(values, case.formula(y, z), rtol=rtol, atol=1e-6)


@every_loss
def test_gradient_is_the_slope_of_the_formula(case: Case) -> None:
    y, z = rows()
    _, gradient = value_and_gradient(case.build().call, y, z, "float64")
    slopes = differences(case.formula, y, z)
    if case.gradient_is_keras_own and case.declared.targets == "multi_hot":
        one_label = y.sum(axis=1) == 1
        assert 0 < one_label.sum() < len(y)
        assert np.abs(gradient - slopes)[~one_label].max(axis=1).min() > 0.1
        gradient, slopes = gradient[one_label], slopes[one_label]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("prevalence", [0.0, 0.02, 0.3, 0.97, 1.0])
@every_loss_of_rows
def test_random_rows_and_labels(case: Case, prevalence: float) -> None:
    """Down to one row, without a single positive up to nothing else, and logits from near 0 to ±1000."""
    rng = np.random.default_rng(int(100 * prevalence))
    for n in (1, 2, 7):
        y = (rng.random((n, N_LABELS)) < prevalence).astype(np.float64)
        for scale in (0.01, 2.0, 1000.0):
            z = rng.normal(0, scale, y.shape)
            values, gradient = value_and_gradient(case.build().call, y, z, "float64")
            np.testing.assert_allclose(values, case.formula(y, z), rtol=1e-9, atol=1e-12)
            if not case.gradient_is_keras_own:
                np.testing.assert_allclose(gradient, differences(case.formula, y, z), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("how", RUNNERS)
@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
@pytest.mark.parametrize("targets", ["multi_hot", "normalised"])
def test_shipped_categorical_crossentropy_moves_along_softmax_minus_targets(how: str, head: str, targets: str) -> None:
    y, z = rows()
    loss = built("categorical_ce", head=head, form="shipped", targets=targets)
    values, gradient = value_and_gradient(loss, y, z, "float32", how)
    empty = ~y.any(axis=1)
    assert empty.sum() >= 2
    assert (values[empty] == 0).all()
    if targets == "multi_hot":
        np.testing.assert_allclose(gradient, softmax(z, axis=1) - y, atol=2e-6)
        # The printed loss of such a row is 0, and still it pushes every logit down.
        np.testing.assert_allclose(gradient[empty].sum(axis=1), 1, rtol=1e-5)
    else:
        shares = y[~empty] / y[~empty].sum(axis=1, keepdims=True)
        np.testing.assert_allclose(gradient[~empty], softmax(z, axis=1)[~empty] - shares, atol=2e-6)
        assert (gradient[empty] == 0).all()


def values_and_gradients(how: str, y: Array, z: Array) -> dict[str, tuple[Array, Array]]:
    """Every loss and its gradient in one function: XLA is slow to start."""

    def all_losses(y: Any, z: Any) -> Any:
        found = {}
        for name, case in CASES.items():
            with tf.GradientTape() as tape:
                tape.watch(z)
                values = case.build().call(y, z)
            found[name] = values, tape.gradient(values, z)
        return found

    found = RUNNERS[how](all_losses)(tf.constant(y), tf.constant(z))
    return {name: (values.numpy(), gradient.numpy()) for name, (values, gradient) in found.items()}


@functools.cache
def at_extremes(how: str) -> dict[str, tuple[Array, Array]]:
    """Every loss for every target at logits of ±200 and ±10,000."""
    y = np.repeat([[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [1, 0, 1, 0, 1]], 6, axis=0).astype(np.float32)
    z = np.array([[-1.0] * 5, [1.0] * 5, [1, 1, -1, -1, 0]], dtype=np.float32)
    return values_and_gradients(how, y, np.tile(np.concatenate([200 * z, 10_000 * z]), (3, 1)))


@pytest.mark.parametrize("how", ["eager", "xla"])
@pytest.mark.parametrize("name", CASES)
def test_finite_at_extreme_logits(name: str, how: str) -> None:
    values, gradient = at_extremes(how)[name]
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()
    assert values.max() > 1 or name in ("hamming", "soft_f1")  # shares, at most 1


@functools.cache
def on_rows(how: str) -> dict[str, tuple[Array, Array]]:
    """Every loss on the ordinary rows."""
    return values_and_gradients(how, *rows(2))


@pytest.mark.parametrize("how", ["graph", "xla"])
@pytest.mark.parametrize("name", CASES)
def test_compiled_is_eager(name: str, how: str) -> None:
    for compiled, eager in zip(on_rows(how)[name], on_rows("eager")[name], strict=True):
        np.testing.assert_allclose(compiled, eager, rtol=1e-9, atol=1e-12)


@every_loss_of_rows
def test_a_rows_loss_is_its_own_and_the_cost_is_the_mean_over_rows(case: Case) -> None:
    """L(ŷ, y) of one example sums over labels; J = 1/m Σ L over the m examples, as the clothes thread writes them."""
    y, z = rows()
    loss = case.build().call
    whole = loss(tf.constant(y), tf.constant(z)).numpy()
    alone = [loss(tf.constant(y[[i]]), tf.constant(z[[i]])).numpy()[0] for i in range(len(y))]
    np.testing.assert_allclose(whole, alone, rtol=1e-12)
    net = keras.Sequential([keras.Input((N_LABELS,)), keras.layers.Identity()])
    net.compile(loss=case.build(), run_eagerly=True)
    cost = net.test_on_batch(z.astype(np.float32), y.astype(np.float32))
    assert cost == pytest.approx(case.formula(y, z).mean(), rel=2e-3 if case.formula is bce_of_softmax else 1e-5)


@pytest.mark.parametrize("alpha", [None, 0.25])
def test_sum_over_labels_is_the_mean_times_the_number_of_labels(alpha: float | None) -> None:
    y, z = map(tf.constant, rows())
    total = built("binary_focal", alpha=alpha, reduction="sum_over_labels")(y, z)
    mean = built("binary_focal", alpha=alpha)(y, z)
    np.testing.assert_allclose(total, N_LABELS * mean.numpy(), rtol=1e-12)
