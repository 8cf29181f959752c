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
from scipy.special import expit, log_softmax, logsumexp, softmax

from rarelabels import config, losses
from rarelabels.schema import LossSpec
from rarelabels.tensorflow_setup import keras, tf

Array = npt.NDArray[np.float64]
Formula = Callable[[Array, Array], Array]

MOVIES = Path(__file__).parents[1] / "experiments" / "movies"
N_LABELS = 5
POS_WEIGHT = np.array([0.2, 1.0, 3.0, 40.0, 7.5])
RUNNERS: dict[str, Callable[[Any], Any]] = {
    "eager": lambda function: function,
    "graph": tf.function,
    "xla": tf.function(jit_compile=True),
}


def spec(**declared: Any) -> LossSpec:
    return TypeAdapter(LossSpec).validate_python(declared)


# The formulas, float64, one value per row


def log_p(z: Array) -> Array:
    return -np.logaddexp(0, -z)


def bce(y: Array, z: Array) -> Array:
    return -(y * log_p(z) + (1 - y) * log_p(-z)).mean(axis=1)


def bce_of_softmax(y: Array, z: Array) -> Array:
    p = np.clip(softmax(z, axis=1), 1e-7, 1 - 1e-7)
    return -np.where(y == 1, np.log(p), np.log(1 - p)).mean(axis=1)


def weighted_bce(y: Array, z: Array) -> Array:
    return np.where(y == 1, POS_WEIGHT * -log_p(z), -log_p(-z)).mean(axis=1)


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


@dataclass(frozen=True)
class Case:
    declared: LossSpec
    head: str
    formula: Formula

    def build(self, dtype: str = "float64") -> losses.Loss:
        return losses.build(self.declared, self.head, tf.constant(POS_WEIGHT, dtype))

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
    return found


CASES = cases()
every_loss = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


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
    """Per-row losses, and the gradient of their sum: row i of it is the gradient of row i's loss."""

    def both(y: Any, z: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(z)
            values = loss(y, z)
        return values, tape.gradient(values, z)

    values, gradient = RUNNERS[how](both)(tf.constant(y, dtype), tf.constant(z, dtype))
    return values.numpy(), gradient.numpy()


def differences(formula: Formula, y: Array, z: Array, step: float = 1e-5) -> Array:
    slopes = np.zeros_like(z)
    for label in range(z.shape[1]):
        shift = np.zeros(z.shape[1])
        shift[label] = step
        slopes[:, label] = (formula(y, z + shift) - formula(y, z - shift)) / (2 * step)
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


@pytest.mark.parametrize("how", RUNNERS)
@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
@pytest.mark.parametrize("targets", ["multi_hot", "normalised"])
def test_shipped_categorical_crossentropy_moves_along_softmax_minus_targets(how: str, head: str, targets: str) -> None:
    y, z = rows()
    loss = losses.build(spec(kind="categorical_ce", form="shipped", targets=targets), head)
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
def at_200(how: str) -> dict[str, tuple[Array, Array]]:
    """Values and gradients of every loss for every target at logits of ±200, in one function: XLA is slow to start."""
    y = np.repeat([[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [1, 0, 1, 0, 1]], 3, axis=0).astype(np.float32)
    z = np.tile([[-200.0] * 5, [200.0] * 5, [200, 200, -200, -200, 0]], (3, 1)).astype(np.float32)

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
def test_finite_at_logits_of_200(name: str, how: str) -> None:
    values, gradient = at_200(how)[name]
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()
    assert values.max() > 1


# Rows and labels


@every_loss
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
    total = losses.build(spec(kind="binary_focal", alpha=alpha, reduction="sum_over_labels"), "sigmoid")(y, z)
    mean = losses.build(spec(kind="binary_focal", alpha=alpha), "sigmoid")(y, z)
    np.testing.assert_allclose(total, N_LABELS * mean.numpy(), rtol=1e-12)


# Golden facts


def test_by_hand() -> None:
    one, zero = tf.constant([[1.0]]), tf.constant([[0.0]])
    assert float(losses.build(spec(kind="bce"), "sigmoid")(one, zero)[0]) == pytest.approx(0.693147)
    assert float(losses.build(spec(kind="binary_focal"), "sigmoid")(one, zero)[0]) == pytest.approx(0.693147 / 4)
    # three labels, two of them true, all probabilities equal: −2 log(1/3)
    shipped = losses.build(spec(kind="categorical_ce"), "sigmoid")
    assert float(shipped(tf.constant([[1.0, 1, 0]]), tf.zeros((1, 3)))[0]) == pytest.approx(2 * 1.098612)


def test_focal_without_gamma_is_binary_crossentropy() -> None:
    y, z = map(tf.constant, rows())
    focal_loss = losses.build(spec(kind="binary_focal", gamma=0.0), "sigmoid")
    np.testing.assert_allclose(focal_loss(y, z), losses.build(spec(kind="bce"), "sigmoid")(y, z), rtol=1e-12)


def test_pos_weight_of_one_is_binary_crossentropy() -> None:
    y, z = map(tf.constant, rows())
    weighted = losses.build(spec(kind="weighted_bce"), "sigmoid", tf.ones(N_LABELS, "float64"))
    np.testing.assert_allclose(weighted(y, z), losses.build(spec(kind="bce"), "sigmoid")(y, z), rtol=1e-12)


def test_pos_weight_is_tensorflows() -> None:
    y, z = map(tf.constant, rows())
    weighted = losses.build(spec(kind="weighted_bce"), "sigmoid", tf.constant(POS_WEIGHT))(y, z)
    entries = tf.nn.weighted_cross_entropy_with_logits(labels=y, logits=z, pos_weight=tf.constant(POS_WEIGHT))
    np.testing.assert_allclose(weighted, entries.numpy().mean(axis=1), rtol=1e-12)


def minimiser(loss: losses.Loss, q: float) -> float:
    """The logit with the lowest expected loss for a label that is true with probability ``q``."""
    truth = tf.constant([[1.0], [0.0]], "float64")

    def expected(z: float) -> float:
        positive, negative = loss(truth, tf.fill((2, 1), tf.constant(z, "float64"))).numpy()
        return float(q * positive + (1 - q) * negative)

    return float(minimize_scalar(expected, bounds=(-12, 12), method="bounded", options={"xatol": 1e-7}).x)


@pytest.mark.parametrize("w", [0.25, 1.0, 3.0, 30.0])
def test_pos_weight_moves_the_decision_to_one_over_one_plus_w(w: float) -> None:
    loss = losses.build(spec(kind="weighted_bce"), "sigmoid", tf.constant([w], "float64"))
    turn = 1 / (1 + w)
    assert minimiser(loss, turn - 0.01) < 0 < minimiser(loss, turn + 0.01)
    for q in (0.02, 0.3, 0.9):
        assert expit(minimiser(loss, q)) == pytest.approx(w * q / (w * q + 1 - q), abs=1e-5)


@pytest.mark.parametrize(("alpha", "turn"), [(None, 0.5), (0.25, 0.75), (0.9, 0.1)])
def test_focal_decides_at_one_minus_alpha(alpha: float | None, turn: float) -> None:
    loss = losses.build(spec(kind="binary_focal", gamma=2.0, alpha=alpha), "sigmoid")
    assert minimiser(loss, turn) == pytest.approx(0, abs=1e-4)
    assert minimiser(loss, turn - 0.01) < -1e-3 < 1e-3 < minimiser(loss, turn + 0.01)


def test_binary_crossentropy_is_calibrated_and_focal_is_not() -> None:
    assert expit(minimiser(losses.build(spec(kind="bce"), "sigmoid"), 0.1)) == pytest.approx(0.1, abs=1e-5)
    assert expit(minimiser(losses.build(spec(kind="binary_focal"), "sigmoid"), 0.1)) > 0.2


@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
def test_a_wrong_label_costs_at_least_ln_2(scale: float) -> None:
    rng = np.random.default_rng(0)
    loss = losses.build(spec(kind="bce"), "sigmoid")
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
    trial = config.load_trial(MOVIES / f"{name}.yaml")
    ours = losses.build(trial.loss, trial.model.head)
    assert_same_step(one_step(ours, None), one_step(THREAD[name], "sigmoid"))


@pytest.mark.parametrize("name", ["focal_accuracy", "focal_auc"])
def test_with_the_mean_over_labels_the_focal_step_is_as_many_times_smaller(name: str) -> None:
    declared = config.load_trial(MOVIES / f"{name}.yaml", {"loss.reduction": "mean"}).loss
    ours = one_step(losses.build(declared, "sigmoid"), None)
    theirs = one_step(sigmoid_focal_crossentropy, "sigmoid")
    assert_same_step([N_LABELS * step for step in ours], theirs, tolerance=5e-6)


@pytest.mark.parametrize(
    ("kind", "keras_name"), [("bce", "binary_crossentropy"), ("categorical_ce", "categorical_crossentropy")]
)
@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
def test_shipped_takes_keras_step_and_textbook_that_of_the_probabilities(kind: str, keras_name: str, head: str) -> None:
    shipped, textbook = (losses.build(spec(kind=kind, form=form), head) for form in ("shipped", "textbook"))
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
            ours = losses.build(spec(kind=kind, form="textbook"), head)(tf.constant(y), tf.constant(z)).numpy()
            np.testing.assert_allclose(ours, theirs(y, p), atol=1e-5, rtol=1e-5)
