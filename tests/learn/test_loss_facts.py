"""What is known of the losses: values by hand, losses that equal each other, and where their minimum lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.metrics import f1_score

from loss_cases import N_LABELS, POSITIVE, PREVALENCE, Loss, built, factors, log_p, loss_of, rows, value_and_gradient
from rarelabels.learn.tensorflow_setup import keras, tf


def test_by_hand() -> None:
    one, zero = tf.constant([[1.0]]), tf.constant([[0.0]])
    assert float(built("bce")(one, zero)[0]) == pytest.approx(0.693147)
    assert float(built("binary_focal")(one, zero)[0]) == pytest.approx(0.693147 / 4)
    # three labels, two of them true, all probabilities equal: −2 log(1/3)
    shipped = built("categorical_ce")
    assert float(shipped(tf.constant([[1.0, 1, 0]]), tf.zeros((1, 3)))[0]) == pytest.approx(2 * 1.098612)


def test_hamming_by_hand() -> None:
    y, z = np.array([[1.0, 0, 0, 1]]), logit(np.array([[0.9, 0.2, 0.5, 0.3]]))
    values, gradient = value_and_gradient(built("hamming"), y, z, "float64")
    np.testing.assert_allclose(values, (0.1 + 0.2 + 0.5 + 0.7) / 4)
    # ∓p(1 − p), a quarter of each: 0.09, 0.16, 0.25 and 0.21
    np.testing.assert_allclose(gradient, np.array([[-0.09, 0.16, 0.25, -0.21]]) / 4)
    sure = np.array([[60.0, -60, 60, -60]])  # right or wrong
    values, gradient = value_and_gradient(built("hamming"), y, sure, "float64")
    np.testing.assert_allclose(values, 0.5, rtol=1e-9)
    assert np.abs(gradient).max() < 1e-20


def test_hamming_counts_the_wrong_labels_of_sure_scores() -> None:
    y, _ = rows()
    guess = np.random.default_rng(3).integers(0, 2, y.shape)
    values = built("hamming")(tf.constant(y), tf.constant(1000.0 * (2 * guess - 1)))
    np.testing.assert_allclose(values, (y != guess).mean(axis=1), atol=1e-15)


def assert_same(one: Any, other: Any) -> None:
    """The same values and gradients on the ordinary rows."""
    for a, b in zip(*(value_and_gradient(loss, *rows(), "float64") for loss in (one, other)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_focal_without_gamma_is_binary_crossentropy() -> None:
    assert_same(built("binary_focal", gamma=0.0), built("bce"))


def test_factors_of_one_are_binary_crossentropy() -> None:
    ones = np.ones(N_LABELS)
    assert_same(built("weighted_bce", labels=factors(positive=ones, negative=ones)), built("bce"))


def test_a_factor_on_both_terms_is_the_labels_share_of_the_mean() -> None:
    y, z = map(tf.constant, rows())
    weighted = built("weighted_bce", labels=factors(positive=POSITIVE, negative=POSITIVE))(y, z)
    entries = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z)
    np.testing.assert_allclose(weighted, entries.numpy() @ POSITIVE / N_LABELS, rtol=1e-12)


def test_pos_weight_is_tensorflows() -> None:
    y, z = map(tf.constant, rows())
    weighted = built("weighted_bce", labels=factors(negative=np.ones(N_LABELS)))(y, z)
    entries = tf.nn.weighted_cross_entropy_with_logits(labels=y, logits=z, pos_weight=tf.constant(POSITIVE))
    np.testing.assert_allclose(weighted, entries.numpy().mean(axis=1), rtol=1e-12)


@pytest.mark.parametrize("gamma", [0.5, 2.0, 3.7])
def test_asymmetric_of_equal_gammas_is_focal(gamma: float) -> None:
    symmetric = built("asymmetric", gamma_positive=gamma, gamma_negative=gamma, shift=0.0)
    assert_same(symmetric, built("binary_focal", gamma=gamma))


def test_asymmetric_without_gammas_is_binary_crossentropy() -> None:
    assert_same(built("asymmetric", gamma_positive=0.0, gamma_negative=0.0, shift=0.0), built("bce"))


def test_asymmetric_by_hand() -> None:
    y, z = tf.constant([[1.0, 0.0, 0.0]], "float64"), tf.constant([[0.0, 0.0, logit(0.05) - 1e-9]], "float64")
    # positive at p = 0.5: 0.5 · ln 2 = 0.346574; negative there: 0.45⁴ · −ln 0.55 = 0.0410063 · 0.597837 = 0.024515
    assert float(built("asymmetric")(y, z)[0]) == pytest.approx((0.346574 + 0.024515) / 3, abs=1e-6)


def test_a_shifted_negative_is_free_up_to_the_shift() -> None:
    free = built("asymmetric", gamma_negative=0.0, shift=0.2)
    z = logit(np.array([[0.01], [0.199], [0.201], [0.9]]))
    values, gradient = value_and_gradient(free, np.zeros_like(z), z, "float64")
    # just above the shift the slope is p(1 − p) / (1 − p_m) = 0.201 · 0.799 / 0.999
    np.testing.assert_allclose(gradient[:3, 0], [0, 0, 0.201 * 0.799 / 0.999], rtol=1e-9)
    np.testing.assert_allclose(values, [0, 0, -np.log(0.999), -np.log(0.3)], rtol=1e-9)


@pytest.mark.parametrize("gamma", [0.01, 0.5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_asymmetric_is_exact_right_at_the_shift(gamma: float, dtype: str) -> None:
    """A gamma under 1 has an infinite slope of p_m^γ at p_m = 0; that of the loss is 0 there."""
    shift = 0.05
    z = np.nextafter(np.full((400, 1), logit(shift), dtype), np.repeat([[9], [-9]], 200, axis=0).astype(dtype))
    z[:200] += np.geomspace(1e-7, 1e-3, 200, dtype=dtype)[:, None]
    loss = built("asymmetric", gamma_positive=gamma, gamma_negative=gamma, shift=shift, labels=factors())
    values, gradient = value_and_gradient(loss, np.zeros_like(z), z, dtype)
    excess = np.maximum(expit(z.astype(np.float64)) - shift, 0)
    np.testing.assert_allclose(values, (excess**gamma * -np.log1p(-excess))[:, 0], rtol=1e-3, atol=2e-8)
    assert (gradient >= 0).all()
    assert gradient.max() < 0.05


def test_logit_adjusted_fades_into_binary_crossentropy() -> None:
    y, z = map(tf.constant, rows())
    np.testing.assert_allclose(built("logit_adjusted", tau=1e-9)(y, z), built("bce")(y, z), rtol=1e-7)


@pytest.mark.parametrize("tau", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("q", [0.03, 0.4])
def test_logit_adjusted_moves_the_minimiser_by_the_log_odds(q: float, tau: float) -> None:
    loss = built("logit_adjusted", tau=tau, labels=factors(prevalence=[0.1]))
    # log(0.1/0.9) = −2.197225
    assert minimiser(loss, q) == pytest.approx(logit(q) + tau * 2.197225, abs=1e-4)


def test_logit_adjusted_by_hand() -> None:
    loss = built("logit_adjusted", labels=factors(prevalence=[0.1]))
    costs = loss(tf.constant([[1.0], [0.0]], "float64"), tf.zeros((2, 1), "float64")).numpy()
    np.testing.assert_allclose(costs, [2.302585, 0.105361], atol=1e-6)  # ln 10 and ln(10/9)


def test_distribution_balanced_by_hand() -> None:
    """Three labels in 1, 4 and 10 of 20 rows, three rows, α = 0.1, β = 10, μ = 0.2, κ = 0.05, λ = 2.

    π = 0.05, 0.2, 0.5. b = log(π/(1−π)) = −2.944439, −1.386294, 0. ν = −κb = 0.147222, 0.069315, 0.
    C = 3, P_C = (1/3)(1/n) = 0.333333, 0.083333, 0.033333.
    """
    y = [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
    z = [[0.0, 1.0, 0.0], [-1.0, 0.5, 2.0], [0.0, 0.0, -2.0]]
    # Row 1, labels 1 and 3: P_I = 0.333333 + 0.033333 = 0.366667; r = P_C/P_I = 0.909091, 0.227273, 0.090909.
    #   β(r − μ) = 7.090909, 0.272727, −1.090909; sigmoid 0.999168, 0.567762, 0.251447.
    #   r̂ = 1.099168, 0.667762, 0.351447.
    #   label 1, true: z − ν = −0.147222, log(1 + e^0.147222) = 0.769465; weighed 0.845771
    #   label 2, false: z − ν = 0.930685, log(1 + e^1.861371)/2 = 1.002934; weighed 0.669722
    #   label 3, true: z − ν = 0, log 2 = 0.693147; weighed 0.243605
    #   mean 1.759098/3 = 0.586366
    # Row 2, label 2: P_I = 0.083333; r = 4, 1, 0.4. β(r − μ) = 38, 8, 2; sigmoid 1, 0.999665, 0.880797.
    #   r̂ = 1.1, 1.099665, 0.980797.
    #   label 1, false: z − ν = −1.147222, log(1 + e^−2.294444)/2 = 0.048027; weighed 0.052829
    #   label 2, true: z − ν = 0.430685, log(1 + e^−0.430685) = 0.500814; weighed 0.550727
    #   label 3, false: z − ν = 2, log(1 + e^4)/2 = 2.009075; weighed 1.970495
    #   mean 2.574051/3 = 0.858017
    # Row 3, no labels: P_I = 0, r infinite, r̂ = 1.1.
    #   label 1: z − ν = −0.147222, log(1 + e^−0.294444)/2 = 0.278362
    #   label 2: z − ν = −0.069315, log(1 + e^−0.138629)/2 = 0.313116
    #   label 3: z − ν = −2, log(1 + e^−4)/2 = 0.009075
    #   mean 1.1 · 0.600553/3 = 0.220203
    by_hand = [0.586366, 0.858017, 0.220203]
    loss = built("distribution_balanced", labels=factors(prevalence=[0.05, 0.2, 0.5]))
    np.testing.assert_allclose(loss(tf.constant(y, "float64"), tf.constant(z, "float64")), by_hand, rtol=0, atol=1e-6)
    # and the example of the docstring
    loss = built("distribution_balanced", labels=factors(prevalence=[0.5, 0.1]))
    value = loss(tf.constant([[0, 1]], "float64"), tf.zeros((1, 2), "float64"))
    assert float(value[0]) == pytest.approx(0.5161, abs=5e-5)


def test_distribution_balanced_is_the_authors_code_at_kappa_over_lambda() -> None:
    """Their ResampleLoss without the focal factor, in NumPy; its init_bias is divided by its neg_scale."""
    y, z = rows()
    neg_scale, init_bias = 5.0, 0.05
    moved = z - np.log(1 / PREVALENCE - 1) * init_bias / neg_scale
    scaled = moved * (1 - y) * neg_scale + moved * y
    with np.errstate(divide="ignore"):
        weight = expit(10.0 * (1 / PREVALENCE / (y / PREVALENCE).sum(axis=1, keepdims=True) - 0.3)) + 0.1
    weight = weight / neg_scale * (1 - y) + weight * y
    theirs = weight * np.where(y == 1, -log_p(scaled), -log_p(-scaled))
    ours = built("distribution_balanced", mu=0.3, kappa=init_bias / neg_scale, negative_scale=neg_scale)
    np.testing.assert_allclose(ours(tf.constant(y), tf.constant(z)), theirs.mean(axis=1), rtol=1e-9)


def test_soft_f1_of_decisions_is_macro_f1() -> None:
    rng = np.random.default_rng(4)
    loss = built("soft_f1")
    for n, prevalence in ((1, 0.5), (6, 0.1), (40, 0.3), (40, 0.0), (9, 1.0)):
        y = (rng.random((n, N_LABELS)) < prevalence).astype(np.float64)
        decided = rng.random(y.shape) < 0.4
        expected = 1 - f1_score(y, decided, average="macro", zero_division=0)
        z = np.where(decided, 10_000.0, -10_000.0)
        np.testing.assert_allclose(loss(tf.constant(y), tf.constant(z)), np.full(n, expected), rtol=1e-12)


def test_soft_f1_is_of_the_batch() -> None:
    y, z = rows()
    loss = built("soft_f1")
    whole = loss(tf.constant(y), tf.constant(z)).numpy()
    assert (whole == whole[0]).all()
    halves = [loss(tf.constant(y[part]), tf.constant(z[part])).numpy() for part in (slice(6), slice(6, 12))]
    assert abs(np.mean(halves) - whole[0]) > 0.01
    net = keras.Sequential([keras.Input((N_LABELS,)), keras.layers.Identity()])
    net.compile(loss=loss_of("soft_f1"), run_eagerly=True)
    assert net.test_on_batch(z.astype(np.float32), y.astype(np.float32)) == pytest.approx(whole[0], rel=1e-5)


def test_a_label_without_positives_in_the_batch_costs_soft_f1_but_teaches_nothing() -> None:
    y, z = np.array([[1, 0], [0, 0.0]]), np.zeros((2, 2))
    values, gradient = value_and_gradient(built("soft_f1"), y, z, "float64")
    # label 1: tp = fp = fn = 0.5, F1 = 0.5; label 2: F1 = 0
    np.testing.assert_allclose(values, 1 - 0.5 / 2)
    assert (gradient[:, 1] == 0).all()
    assert (gradient[:, 0] != 0).all()


def minimiser(loss: Loss, q: float) -> float:
    """The logit with the lowest expected loss for a label that is true with probability ``q``."""
    truth = tf.constant([[1.0], [0.0]], "float64")

    def expected(z: float) -> float:
        positive, negative = loss(truth, tf.fill((2, 1), tf.constant(z, "float64"))).numpy()
        return float(q * positive + (1 - q) * negative)

    return float(minimize_scalar(expected, bounds=(-12, 12), method="bounded", options={"xatol": 1e-7}).x)


@pytest.mark.parametrize("w", [0.25, 1.0, 3.0, 30.0])
def test_pos_weight_moves_the_decision_to_one_over_one_plus_w(w: float) -> None:
    loss = built("weighted_bce", labels=factors(positive=[w], negative=[1.0]))
    turn = 1 / (1 + w)
    assert minimiser(loss, turn - 0.01) < 0 < minimiser(loss, turn + 0.01)
    for q in (0.02, 0.3, 0.9):
        assert expit(minimiser(loss, q)) == pytest.approx(w * q / (w * q + 1 - q), abs=1e-5)


def test_a_pair_moves_the_decision_by_its_ratio() -> None:
    loss = built("weighted_bce", labels=factors(positive=[2.5], negative=[0.625]))
    assert minimiser(loss, 0.19) < 0 < minimiser(loss, 0.21)  # 0.625 / 3.125 = 0.2
    assert expit(minimiser(loss, 0.5)) == pytest.approx(0.8, abs=1e-5)


@pytest.mark.parametrize(("alpha", "turn"), [(None, 0.5), (0.25, 0.75), (0.9, 0.1)])
def test_focal_decides_at_one_minus_alpha(alpha: float | None, turn: float) -> None:
    loss = built("binary_focal", gamma=2.0, alpha=alpha)
    assert minimiser(loss, turn) == pytest.approx(0, abs=1e-4)
    assert minimiser(loss, turn - 0.01) < -1e-3 < 1e-3 < minimiser(loss, turn + 0.01)


def test_binary_crossentropy_is_calibrated_and_focal_is_not() -> None:
    assert expit(minimiser(built("bce"), 0.1)) == pytest.approx(0.1, abs=1e-5)
    assert expit(minimiser(built("binary_focal"), 0.1)) > 0.2


@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
def test_a_wrong_label_costs_at_least_ln_2(scale: float) -> None:
    rng = np.random.default_rng(0)
    loss = built("bce")
    for prevalence in (0.02, 0.5, 0.97):
        y = (rng.random((40, 7)) < prevalence).astype(np.float64)
        z = rng.normal(0, scale, y.shape) + np.where(y == 1, scale, -scale)
        error = ((z >= 0) != (y == 1)).mean()
        assert error <= loss(tf.constant(y), tf.constant(z)).numpy().mean() / np.log(2)
    z = np.zeros((40, 7))  # where the bound is reached: all wrong at the threshold itself
    assert loss(tf.constant(z), tf.constant(z)).numpy().mean() / np.log(2) == pytest.approx(1)
