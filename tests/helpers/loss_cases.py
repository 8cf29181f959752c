"""Every declared loss beside its formula written out in NumPy, and rows to try them on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import TypeAdapter
from scipy.special import expit, log_softmax, logit, logsumexp, softmax

from rarelabels.declare.losses import LossSpec
from rarelabels.learn import losses
from rarelabels.learn.keras_backend import tf
from rarelabels.learn.logit_loss import LogitLoss
from rarelabels.learn.weighting import Weights

Array = npt.NDArray[np.float64]
Formula = Callable[[Array, Array], Array]
Loss = Callable[[Any, Any], Any]

KINDS = sorted(TypeAdapter(LossSpec).json_schema()["discriminator"]["mapping"])
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


def factors(positive: Any = POSITIVE, negative: Any = NEGATIVE, prevalence: Any = PREVALENCE) -> Weights:
    return Weights(np.array(prevalence), np.array(positive), np.array(negative))


def loss_of(kind: str, *, head: str = "sigmoid", labels: Weights | None = None, **declared: Any) -> LogitLoss:
    return losses.build(spec(kind=kind, **declared), head, labels or factors())


def built(kind: str, **declared: Any) -> Loss:
    """Return the losses of the rows, without Keras around them."""
    return loss_of(kind, **declared).call


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


def hill(lamb: float, margin: float, gamma: float) -> Formula:
    def formula(y: Array, z: Array) -> Array:
        p, p_m = expit(z), expit(z - margin)
        return np.where(y == 1, (1 - p_m) ** gamma * -log_p(z - margin), (lamb - p) * p**2).mean(axis=1)

    return formula


def splc(tau: float, margin: float, gamma: float, *, corrects: bool) -> Formula:
    """In the order of the authors' code: the margin first, then the correction, then the focal loss."""

    def formula(y: Array, z: Array) -> Array:
        z = np.where(y == 1, z - margin, z)
        y = np.where(corrects & (expit(z) > tau), 1.0, y)
        towards = np.where(y == 1, z, -z)
        return (expit(-towards) ** gamma * -log_p(towards)).mean(axis=1)

    return formula


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

    def build(self) -> LogitLoss:
        return losses.build(self.declared, self.head, factors())

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
    smooth = spec(kind="bce", label_smoothing=0.2)
    found["bce label_smoothing"] = Case(smooth, "sigmoid", lambda y, z: bce(0.8 * y + 0.1, z))
    for lamb, margin, gamma in ((1.5, 1.0, 2.0), (1.0, 0.0, 0.5), (3.0, 2.0, 0.0)):
        declared = spec(kind="hill", lamb=lamb, margin=margin, gamma=gamma)
        found[f"hill {lamb} {margin} {gamma}"] = Case(declared, "sigmoid", hill(lamb, margin, gamma))
    for correct_from in (1, 2):
        declared = spec(kind="splc", correct_from=correct_from)
        formula = splc(0.6, 1.0, 2.0, corrects=correct_from == 1)
        found[f"splc from epoch {correct_from}"] = Case(declared, "sigmoid", formula)
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


def value_and_gradient(loss: Loss, y: Array, z: Array, dtype: str, how: str = "eager") -> tuple[Array, Array]:
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
