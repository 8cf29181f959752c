"""Losses against formulas written out in NumPy, finite differences, and what Keras itself trains."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import TypeAdapter
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, logit, logsumexp, softmax
from sklearn.metrics import f1_score

from rarelabels.declare import declarations
from rarelabels.declare.losses import LossSpec
from rarelabels.declare.models import SET_HEADS
from rarelabels.learn import losses
from rarelabels.learn.tensorflow_setup import keras, tf

Array = npt.NDArray[np.float64]
Formula = Callable[[Array, Array], Array]

MOVIES = Path(__file__).parents[2] / "experiments" / "movies"
N_LABELS = 5
POSITIVE = np.array([0.2, 1.0, 3.0, 40.0, 7.5])
NEGATIVE = np.array([1.5, 1.0, 0.25, 0.6, 2.0])
PREVALENCE = np.array([0.5, 0.002, 0.1, 0.97, 0.03])
RUNNERS: dict[str, Callable[[Any], Any]] = {
    "eager": lambda function: function,
    "graph": tf.function,
    "xla": tf.function(jit_compile=True),
}


def spec(**declared: Any) -> LossSpec:
    return TypeAdapter(LossSpec).validate_python(declared)


def factors(
    dtype: str = "float64", positive: Any = POSITIVE, negative: Any = NEGATIVE, prevalence: Any = PREVALENCE
) -> losses.LabelFactors:
    return losses.LabelFactors(*(tf.constant(values, dtype) for values in (positive, negative, prevalence)))


def built(kind: str, *, head: str = "sigmoid", labels: losses.LabelFactors | None = None, **declared: Any) -> Any:
    return losses.build(spec(kind=kind, **declared), head, labels or factors())


# The formulas, float64, one value per row


def log_p(z: Array) -> Array:
    return -np.logaddexp(0, -z)


def bce(y: Array, z: Array) -> Array:
    return -(y * log_p(z) + (1 - y) * log_p(-z)).mean(axis=1)


def bce_of_softmax(y: Array, z: Array) -> Array:
    p = np.clip(softmax(z, axis=1), 1e-7, 1 - 1e-7)
    return -np.where(y == 1, np.log(p), np.log(1 - p)).mean(axis=1)


def weighted_bce(y: Array, z: Array) -> Array:
    return np.where(y == 1, POSITIVE * -log_p(z), NEGATIVE * -log_p(-z)).mean(axis=1)


def focal(gamma: float, alpha: float | None, total: Callable[..., Array] = np.mean) -> Formula:
    def formula(y: Array, z: Array) -> Array:
        towards = np.where(y == 1, z, -z)  # p_t = σ(towards)
        weight = 1.0 if alpha is None else np.where(y == 1, alpha, 1 - alpha)
        return total(weight * expit(-towards) ** gamma * -log_p(towards), axis=1)

    return formula


def cce_of_softmax(y: Array, z: Array) -> Array:
    return -(y * log_softmax(z, axis=1)).sum(axis=1)


def cce_of_sigmoid(y: Array, z: Array) -> Array:
    return -(y * (log_p(z) - logsumexp(log_p(z), axis=1, keepdims=True))).sum(axis=1)


def normalised(formula: Formula) -> Formula:
    """Targets 1/k; a row without labels costs nothing."""

    def of_shares(y: Array, z: Array) -> Array:
        k = y.sum(axis=1, keepdims=True)
        return formula(np.divide(y, k, out=np.zeros_like(y), where=k > 0), z)

    return of_shares


def asymmetric(gamma_positive: float, gamma_negative: float, shift: float) -> Formula:
    def entry(true: bool, z: float) -> float:
        if true:
            return expit(-z) ** gamma_positive * -log_p(z)
        p = max(expit(z) - shift, 0.0)
        rest = expit(-z) + shift  # 1 - p, exact where p is near 1
        cost = -np.log1p(-p) if p < 0.5 else -np.log(rest) if shift else -log_p(-z)
        return p**gamma_negative * cost

    def formula(y: Array, z: Array) -> Array:
        entries = [entry(true == 1, logit) for true, logit in zip(y.flat, z.flat, strict=True)]
        return np.reshape(entries, y.shape).mean(axis=1)

    return formula


def distribution_balanced(alpha: float, beta: float, mu: float, kappa: float, lam: float) -> Formula:
    """The paper's equations, with n_l = 1000 π_l, label by label."""
    n = 1000 * PREVALENCE

    def formula(y: Array, z: Array) -> Array:
        found = np.zeros(len(y))
        for k, row in enumerate(y):
            of_instance = sum(1 / n[j] for j in range(N_LABELS) if row[j]) / N_LABELS
            for i in range(N_LABELS):
                of_class = 1 / n[i] / N_LABELS
                weight = alpha + (expit(beta * (of_class / of_instance - mu)) if row.any() else 1)
                nu = -kappa * -np.log(1 / PREVALENCE[i] - 1)
                term = np.logaddexp(0, nu - z[k, i]) if row[i] else np.logaddexp(0, lam * (z[k, i] - nu)) / lam
                found[k] += weight * term / N_LABELS
        return found

    return formula


def logit_adjusted(tau: float) -> Formula:
    return lambda y, z: bce(y, z + tau * logit(PREVALENCE))


def hamming(y: Array, z: Array) -> Array:
    return expit(np.where(y == 1, -z, z)).mean(axis=1)


def soft_f1(y: Array, z: Array) -> Array:
    p = expit(z)
    scores = []
    for truth, guess in zip(y.T, p.T, strict=True):
        tp, fp, fn = (truth * guess).sum(), ((1 - truth) * guess).sum(), (truth * (1 - guess)).sum()
        scores.append(2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0)
    return np.full(len(y), 1 - np.mean(scores))


@dataclass(frozen=True)
class Case:
    declared: LossSpec
    head: str
    formula: Formula

    def build(self, dtype: str = "float64") -> losses.Loss:
        return losses.build(self.declared, self.head, factors(dtype))

    @property
    def gradient_is_keras_own(self) -> bool:
        """Whether the gradient is meant to differ from that of the printed value."""
        return self.declared.kind == "categorical_ce" and self.declared.form == "shipped"


def cases() -> dict[str, Case]:
    cce: dict[tuple[str, str], Formula] = {
        ("shipped", "sigmoid"): cce_of_softmax,
        ("shipped", "softmax"): cce_of_softmax,
        ("textbook", "sigmoid"): cce_of_sigmoid,
        ("textbook", "softmax"): cce_of_softmax,
    }
    found = {
        "bce shipped sigmoid": Case(spec(kind="bce"), "sigmoid", bce),
        "bce shipped softmax": Case(spec(kind="bce"), "softmax", bce),
        "bce textbook sigmoid": Case(spec(kind="bce", form="textbook"), "sigmoid", bce),
        "bce textbook softmax": Case(spec(kind="bce", form="textbook"), "softmax", bce_of_softmax),
        "weighted_bce sigmoid": Case(spec(kind="weighted_bce"), "sigmoid", weighted_bce),
    }
    for gamma, alpha, reduction, head in (
        (2.0, None, "mean", "sigmoid"),
        (2.0, None, "sum_over_labels", "softmax"),
        (2.0, 0.25, "mean", "softmax"),
        (2.0, 0.25, "sum_over_labels", "sigmoid"),
        (0.5, 0.9, "mean", "sigmoid"),
        (0.0, None, "sum_over_labels", "sigmoid"),
    ):
        declared = spec(kind="binary_focal", gamma=gamma, alpha=alpha, reduction=reduction)
        formula = focal(gamma, alpha, np.mean if reduction == "mean" else np.sum)
        found[f"focal {gamma} {alpha} {reduction} {head}"] = Case(declared, head, formula)
    for (form, head), formula in cce.items():
        for targets, of_targets in (("multi_hot", formula), ("normalised", normalised(formula))):
            declared = spec(kind="categorical_ce", form=form, targets=targets)
            found[f"categorical_ce {form} {head} {targets}"] = Case(declared, head, of_targets)
    for gammas_and_shift in ((1, 4, 0.05), (0, 2, 0), (0.5, 0.3, 0.2), (0, 0, 0.9), (0, 0, 0), (0.1, 0.1, 1e-9)):
        keys = ("gamma_positive", "gamma_negative", "shift")
        declared = spec(kind="asymmetric", **dict(zip(keys, gammas_and_shift, strict=True)))
        found[f"asymmetric {gammas_and_shift}"] = Case(declared, "sigmoid", asymmetric(*gammas_and_shift))
    for settings in ((0.1, 10, 0.2, 0.05, 2), (0, 3, 0, 1, 0.5), (2, 100, 0.9, 0, 5)):
        keys = ("alpha", "beta", "mu", "kappa", "negative_scale")
        declared = spec(kind="distribution_balanced", **dict(zip(keys, settings, strict=True)))
        found[f"distribution_balanced {settings}"] = Case(declared, "sigmoid", distribution_balanced(*settings))
    for tau in (0.3, 1.0, 2.5):
        found[f"logit_adjusted {tau}"] = Case(spec(kind="logit_adjusted", tau=tau), "sigmoid", logit_adjusted(tau))
    found["hamming"] = Case(spec(kind="hamming"), "sigmoid", hamming)
    found["soft_f1"] = Case(spec(kind="soft_f1"), "sigmoid", soft_f1)
    return found


CASES = cases()
every_loss = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
OF_ROWS = {name: case for name, case in CASES.items() if name != "soft_f1"}
every_loss_of_rows = pytest.mark.parametrize("case", OF_ROWS.values(), ids=OF_ROWS.keys())


def rows(seed: int = 0) -> tuple[Array, Array]:
    """Twelve rows: with one label, two, none and all, and random ones; logits random, 0 and ±50."""
    rng = np.random.default_rng(seed)
    y = (rng.random((12, N_LABELS)) < 0.4).astype(np.float64)
    z = rng.normal(0, 3, y.shape)
    y[:6] = [[0, 0, 1, 0, 0], [1, 0, 0, 1, 0], [0] * 5, [0] * 5, [1] * 5, [1] * 5]
    z[3:6:2] = rng.choice([-50.0, 50.0], (2, N_LABELS))
    z[6] = rng.choice([-50.0, 50.0], N_LABELS)
    z[7], z[8], z[9] = 0, 50, -50
    return y, z


def value_and_gradient(loss: losses.Loss, y: Array, z: Array, dtype: str, how: str = "eager") -> tuple[Array, Array]:
    """Per-row losses, and the gradient of their sum: row i of it is the gradient of row i's loss.

    Of a loss of the batch it is that of as many times the loss as the batch has rows.
    """

    def both(y: Any, z: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(z)
            values = loss(y, z)
        return values, tape.gradient(values, z)

    values, gradient = RUNNERS[how](both)(tf.constant(y, dtype), tf.constant(z, dtype))
    return values.numpy(), gradient.numpy()


def differences(formula: Formula, y: Array, z: Array, step: float = 1e-5) -> Array:
    """The slope of the sum of the losses in each single logit."""
    slopes = np.zeros_like(z)
    for entry in np.ndindex(z.shape):
        shift = np.zeros_like(z)
        shift[entry] = step
        slopes[entry] = ((formula(y, z + shift) - formula(y, z - shift)) / (2 * step)).sum()
    return slopes


# Values and gradients


@every_loss
def test_value_is_the_formula(case: Case) -> None:
    y, z = rows()
    values = case.build()(tf.constant(y), tf.constant(z)).numpy()
    assert values.shape == (12,)
    np.testing.assert_allclose(values, case.formula(y, z), rtol=1e-9, atol=1e-15)


@every_loss
def test_value_is_the_formula_in_the_precision_that_trains(case: Case) -> None:
    y, z = rows(1)
    values = case.build("float32")(tf.constant(y, "float32"), tf.constant(z, "float32")).numpy()
    # Keras clips to 1 - 1e-7, which float32 holds as 1 - 1.19e-7: log(1 - p) of a sure p is then 16 to 1 %.
    rtol = 1e-2 if case.formula is bce_of_softmax else 1e-5
    np.testing.assert_allclose(values, case.formula(y, z), rtol=rtol, atol=1e-6)


@every_loss
def test_gradient_is_the_slope_of_the_formula(case: Case) -> None:
    y, z = rows()
    _, gradient = value_and_gradient(case.build(), y, z, "float64")
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
            values, gradient = value_and_gradient(case.build(), y, z, "float64")
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


@functools.cache
def at_extremes(how: str) -> dict[str, tuple[Array, Array]]:
    """Every loss for every target at logits of ±200 and ±10,000, in one function: XLA is slow to start."""
    y = np.repeat([[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [1, 0, 1, 0, 1]], 6, axis=0).astype(np.float32)
    z = np.array([[-1.0] * 5, [1.0] * 5, [1, 1, -1, -1, 0]], dtype=np.float32)
    z = np.tile(np.concatenate([200 * z, 10_000 * z]), (3, 1))

    def all_losses(y: Any, z: Any) -> Any:
        found = {}
        for name, case in CASES.items():
            with tf.GradientTape() as tape:
                tape.watch(z)
                values = case.build("float32")(y, z)
            found[name] = values, tape.gradient(values, z)
        return found

    found = RUNNERS[how](all_losses)(tf.constant(y), tf.constant(z))
    return {name: (values.numpy(), gradient.numpy()) for name, (values, gradient) in found.items()}


@pytest.mark.parametrize("how", ["eager", "xla"])
@pytest.mark.parametrize("name", CASES)
def test_finite_at_extreme_logits(name: str, how: str) -> None:
    values, gradient = at_extremes(how)[name]
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()
    assert values.max() > 1 or name in ("hamming", "soft_f1")  # shares, at most 1


@functools.cache
def on_rows(how: str) -> dict[str, tuple[Array, Array]]:
    """Every loss on the ordinary rows in one function."""
    y, z = rows(2)

    def all_losses(y: Any, z: Any) -> Any:
        found = {}
        for name, case in CASES.items():
            with tf.GradientTape() as tape:
                tape.watch(z)
                values = case.build()(y, z)
            found[name] = values, tape.gradient(values, z)
        return found

    found = RUNNERS[how](all_losses)(tf.constant(y), tf.constant(z))
    return {name: (values.numpy(), gradient.numpy()) for name, (values, gradient) in found.items()}


@pytest.mark.parametrize("how", ["graph", "xla"])
@pytest.mark.parametrize("name", CASES)
def test_compiled_is_eager(name: str, how: str) -> None:
    for compiled, eager in zip(on_rows(how)[name], on_rows("eager")[name], strict=True):
        np.testing.assert_allclose(compiled, eager, rtol=1e-9, atol=1e-12)


# Rows and labels


@every_loss_of_rows
def test_a_rows_loss_is_its_own_and_the_cost_is_the_mean_over_rows(case: Case) -> None:
    """L(ŷ, y) of one example sums over labels; J = 1/m Σ L over the m examples, as the clothes thread writes them."""
    y, z = rows()
    loss = case.build()
    whole = loss(tf.constant(y), tf.constant(z)).numpy()
    alone = [loss(tf.constant(y[[i]]), tf.constant(z[[i]])).numpy()[0] for i in range(len(y))]
    np.testing.assert_allclose(whole, alone, rtol=1e-12)
    net = keras.Sequential([keras.Input((N_LABELS,)), keras.layers.Identity()])
    net.compile(loss=case.build("float32"), run_eagerly=True)
    cost = net.test_on_batch(z.astype(np.float32), y.astype(np.float32))
    assert cost == pytest.approx(case.formula(y, z).mean(), rel=2e-3 if case.formula is bce_of_softmax else 1e-5)


@pytest.mark.parametrize("alpha", [None, 0.25])
def test_sum_over_labels_is_the_mean_times_the_number_of_labels(alpha: float | None) -> None:
    y, z = map(tf.constant, rows())
    total = built("binary_focal", alpha=alpha, reduction="sum_over_labels")(y, z)
    mean = built("binary_focal", alpha=alpha)(y, z)
    np.testing.assert_allclose(total, N_LABELS * mean.numpy(), rtol=1e-12)


# Golden facts


@pytest.mark.parametrize("head", SET_HEADS)
@pytest.mark.parametrize("how", RUNNERS)
def test_label_sets_cost_categorical_crossentropy_on_their_one_hot(head: str, how: str) -> None:
    loss = built("categorical_ce", head=head)
    rng = np.random.default_rng(0)
    z, classes = rng.normal(0, 4, (40, 16)), rng.integers(0, 16, 40)
    logits = tf.constant(z)

    def value_and_gradient(logits: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            values = loss(tf.constant(classes), logits)
        return values, tape.gradient(values, logits)

    values, gradient = RUNNERS[how](value_and_gradient)(logits)
    one_hot = np.eye(16)[classes]
    np.testing.assert_allclose(values, cce_of_softmax(one_hot, z), rtol=1e-9)
    np.testing.assert_allclose(gradient, softmax(z, axis=1) - one_hot, atol=1e-9)
    step = 1e-5 * rng.normal(size=z.shape)
    slope = (cce_of_softmax(one_hot, z + step) - cce_of_softmax(one_hot, z - step)) / 2
    np.testing.assert_allclose(slope, (gradient * step).numpy().sum(axis=1), atol=1e-9)


def test_keras_is_given_the_class_of_a_row_as_it_is() -> None:
    """Its own wrapper would round 2^24 + 1 to 2^24 in float32."""
    told: list[Any] = []
    loss = losses.OfClasses(lambda classes, z: told.append(classes) or tf.reduce_sum(z, axis=1))
    classes = tf.constant([2**24 + 1, 3], tf.int64)
    z = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    assert float(loss(classes, z)) == 5.0
    assert float(loss(classes, z, tf.constant([2.0, 0.0]))) == 3.0
    assert told[0].dtype == tf.int64
    assert told[0].numpy().tolist() == [2**24 + 1, 3]


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


def test_the_factors_are_read_at_each_call() -> None:
    """One compiled step serves several seeds, whose factors differ."""
    variables = [tf.Variable(values, dtype="float64") for values in (POSITIVE, NEGATIVE, PREVALENCE)]
    y, z = map(tf.constant, rows())
    for kind in ("weighted_bce", "distribution_balanced", "logit_adjusted"):
        loss = tf.function(built(kind, labels=losses.LabelFactors(*variables)))
        before = loss(y, z).numpy()
        for variable in variables:
            variable.assign(variable[::-1])
        assert np.abs(loss(y, z).numpy() - before).max() > 0.01
        for variable in variables:
            variable.assign(variable[::-1])
        np.testing.assert_allclose(loss(y, z), before, rtol=1e-12)


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
    loss = built("asymmetric", gamma_positive=gamma, gamma_negative=gamma, shift=shift, labels=factors(dtype))
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
    net.compile(loss=built("soft_f1", labels=factors("float32")), run_eagerly=True)
    assert net.test_on_batch(z.astype(np.float32), y.astype(np.float32)) == pytest.approx(whole[0], rel=1e-5)


def test_a_label_without_positives_in_the_batch_costs_soft_f1_but_teaches_nothing() -> None:
    y, z = np.array([[1, 0], [0, 0.0]]), np.zeros((2, 2))
    values, gradient = value_and_gradient(built("soft_f1"), y, z, "float64")
    # label 1: tp = fp = fn = 0.5, F1 = 0.5; label 2: F1 = 0
    np.testing.assert_allclose(values, 1 - 0.5 / 2)
    assert (gradient[:, 1] == 0).all()
    assert (gradient[:, 0] != 0).all()


def minimiser(loss: losses.Loss, q: float) -> float:
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


# As the thread: one step of fit on its own Keras code


def sigmoid_focal_crossentropy(y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False):
    """TensorFlow Addons' function as it stands there (0.23)."""
    K = tf.keras.backend
    if gamma and gamma < 0:
        raise ValueError("Value of gamma should be greater than or equal to zero.")

    y_pred = tf.convert_to_tensor(y_pred)
    y_true = tf.cast(y_true, dtype=y_pred.dtype)

    # Get the cross_entropy for each entry
    ce = K.binary_crossentropy(y_true, y_pred, from_logits=from_logits)

    # If logits are provided then convert the predictions into probabilities
    if from_logits:  # noqa: SIM108
        pred_prob = tf.sigmoid(y_pred)
    else:
        pred_prob = y_pred

    p_t = (y_true * pred_prob) + ((1 - y_true) * (1 - pred_prob))
    alpha_factor = 1.0
    modulating_factor = 1.0

    if alpha:
        alpha = tf.cast(alpha, dtype=y_true.dtype)
        alpha_factor = y_true * alpha + (1 - y_true) * (1 - alpha)

    if gamma:
        gamma = tf.cast(gamma, dtype=y_true.dtype)
        modulating_factor = tf.pow((1.0 - p_t), gamma)

    # compute the final loss and return
    return tf.reduce_sum(alpha_factor * modulating_factor * ce, axis=-1)


def films() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], list[npt.NDArray[np.float32]]]:
    """Inputs, targets (rows without labels among them) and the weights to start from."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(24, 6)).astype(np.float32)
    y = (rng.random((24, N_LABELS)) < 0.3).astype(np.float32)
    assert {0, 1, 2} <= set(y.sum(axis=1))
    shapes = ((6, 8), (8,), (8, N_LABELS), (N_LABELS,))
    return x, y, [rng.normal(0, 0.4, shape).astype(np.float32) for shape in shapes]


@functools.cache
def one_step(loss: Any, activation: str | None, *, behind: bool = False) -> list[Array]:
    """How far one step of fit moves the weights; ``behind`` puts an operation behind the activation."""
    x, y, start = films()
    layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(N_LABELS, activation=activation)]
    operation = [keras.layers.Lambda(lambda p: p * 1.0)] if behind else []
    net = keras.Sequential([keras.Input((6,)), *layers, *operation])
    net.set_weights(start)
    net.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
    net.fit(x, y, batch_size=len(x), epochs=1, shuffle=False, verbose=0)
    steps = [now.astype(np.float64) - before for now, before in zip(net.get_weights(), start, strict=True)]
    assert max(np.abs(step).max() for step in steps) > 1e-3
    return steps


def assert_same_step(ours: list[Array], theirs: list[Array], tolerance: float = 1e-6) -> None:
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


THREAD: dict[str, Any] = {
    "bce_accuracy": "binary_crossentropy",
    "cce_accuracy": "categorical_crossentropy",
    "focal_accuracy": sigmoid_focal_crossentropy,
    "focal_auc": sigmoid_focal_crossentropy,
}


@pytest.mark.parametrize("name", THREAD)
def test_a_declared_trial_takes_the_step_of_the_threads_code(name: str) -> None:
    trial = declarations.load_trial(MOVIES / f"{name}.yaml")
    ours = losses.build(trial.loss, trial.model.head, factors("float32"))
    assert_same_step(one_step(ours, None), one_step(THREAD[name], "sigmoid"))


@pytest.mark.parametrize("name", ["focal_accuracy", "focal_auc"])
def test_with_the_mean_over_labels_the_focal_step_is_as_many_times_smaller(name: str) -> None:
    declared = declarations.load_trial(MOVIES / f"{name}.yaml", {"loss.reduction": "mean"}).loss
    ours = one_step(losses.build(declared, "sigmoid", factors("float32")), None)
    theirs = one_step(sigmoid_focal_crossentropy, "sigmoid")
    assert_same_step([N_LABELS * step for step in ours], theirs, tolerance=5e-6)


@pytest.mark.parametrize(
    ("kind", "keras_name"), [("bce", "binary_crossentropy"), ("categorical_ce", "categorical_crossentropy")]
)
@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
def test_shipped_takes_keras_step_and_textbook_that_of_the_probabilities(kind: str, keras_name: str, head: str) -> None:
    shipped, textbook = (built(kind, head=head, form=form) for form in ("shipped", "textbook"))
    assert_same_step(one_step(shipped, None), one_step(keras_name, head))
    assert_same_step(one_step(textbook, None), one_step(keras_name, head, behind=True))


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [("binary_crossentropy", "sigmoid", "softmax"), ("categorical_crossentropy", "softmax", "sigmoid")],
)
def test_the_loss_overrides_the_head_unless_something_stands_between(
    kind: str, one: str, other: str, behind: bool
) -> None:
    """If Keras ever changes this, "as Keras ships it" means something else and the trials need another look."""
    steps = one_step(kind, one, behind=behind), one_step(kind, other, behind=behind)
    apart = max(np.abs(a - b).max() for a, b in zip(*steps, strict=True))
    assert apart > 1e-3 if behind else apart < 1e-7


def test_textbook_equals_keras_on_plain_probabilities() -> None:
    y, z = rows()
    near = np.abs(z).max(axis=1) < 12  # beyond that Keras's clipping to 1e-7 shows
    y, z = y[near], z[near]
    assert len(y) >= 6
    for kind, theirs in (
        ("categorical_ce", keras.losses.categorical_crossentropy),
        ("bce", keras.losses.binary_crossentropy),
    ):
        for head, p in (("sigmoid", expit(z)), ("softmax", softmax(z, axis=1))):
            ours = built(kind, head=head, form="textbook")(tf.constant(y), tf.constant(z)).numpy()
            np.testing.assert_allclose(ours, theirs(y, p), atol=1e-5, rtol=1e-5)
