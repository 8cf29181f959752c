"""Theory of trained scores: which true probability a score stands for, and the best F1 threshold of calibrated scores.

Let a loss cost l₁(p) for a positive and l₀(p) for a negative. For rows with true probability q, its expectation is
lowest at the score p* with q·l₁'(p*) + (1−q)·l₀'(p*) = 0. So a score p of a perfectly fitted model stands for

    q(p) = l₀'(p) / (l₀'(p) − l₁'(p)).

Its inverse p*(q) is found by bisection. Both derivatives may be taken in the logit z instead, because dp/dz cancels.
Below, "pulls" are −dl₁/dz (upwards, of a positive) and dl₀/dz (downwards, of a negative). Both are at least 0, and q is
the share of the negative's pull in their sum.

A loss that is linear in p (``hamming``) has equal pulls at every score. So p* is 0 for q below 0.5 and 1 above, and a
score of 0.5 stands for q = 0.5. But there is no function q(p).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit, logit

from rarelabels.declare.losses import (
    Asymmetric,
    BinaryCrossentropy,
    BinaryFocal,
    Hamming,
    LogitAdjusted,
    LossSpec,
    WeightedBinaryCrossentropy,
)
from rarelabels.judging.arrays import Floats

FARTHEST = 700.0  # the probabilities of logits beyond that do not fit float64
HALVINGS = 64  # after so many, an interval of 1,400 logits is shorter than the spacing of float64


class NoTrueProbability(ValueError):  # noqa: N818 - it names what is wrong
    """The scores under a loss do not stand for true probabilities.

    The loss of a label depends on more than its own score and target, or many probabilities have the same minimiser.
    """


@dataclass(frozen=True, eq=False)
class Optimum:
    """The F1-optimal threshold of calibrated scores, and its F1; shape () or, for each label, (n_labels,)."""

    threshold: Floats
    f1: Floats


def has_true_probability(loss: LossSpec) -> bool:
    """Return whether a trained score of this declared loss stands for one true probability.

    It does for ``bce``, ``weighted_bce``, ``binary_focal``, ``asymmetric`` and ``logit_adjusted`` under a sigmoid head.
    It does not for ``categorical_ce`` (labels compete), ``soft_f1`` (a loss of the batch), ``distribution_balanced``
    (its weight depends on the other labels of the row) and ``hamming`` (perfectly trained scores are only 0 or 1).
    """
    mapped = BinaryCrossentropy | WeightedBinaryCrossentropy | BinaryFocal | Asymmetric | LogitAdjusted
    return isinstance(loss, mapped)


def true_probability(
    loss: LossSpec,
    p: ArrayLike,
    *,
    pos_weight: ArrayLike = 1.0,
    negative_weight: ArrayLike = 1.0,
    prevalence: ArrayLike | None = None,
) -> Floats:
    """Return the true probability q(p) that a perfectly trained score ``p`` stands for, in the shape of ``p``.

    - ``bce``: q = p; with label smoothing ε, q = (p − ε/2) / (1 − ε), from 0 to 1.
    - ``weighted_bce``: q = w₀p / (w₀p + w₁(1−p)). With w₁ = 3 a score of 0.5 stands for 0.25.
    - ``binary_focal``: pulls a₁(1−p)^γ·((1−p) − γ·p·log p) and a₀p^γ·(p − γ(1−p)·log(1−p)), where a₁ = α and
      a₀ = 1−α, or both 1. With γ = 2 a score of 0.3 stands for 0.0936: focal scores are too close to 0.5.
    - ``asymmetric``: upwards the focal pull with γ₊; downwards, where p_m = p − m is above 0, the pull of
      p_m^γ₋·(−log(1−p_m)). A score up to the shift m has no pull downwards, and so stands for 0.
    - ``logit_adjusted``: logit q = z + τ·log(π/(1−π)).

    Args:
        loss: the declared loss; see :func:`has_true_probability`.
        p: scores in [0, 1], shape (..., n_labels) or any shape that broadcasts with the weights.
        pos_weight: w₁, for ``weighted_bce``; a number, or shape (n_labels,).
        negative_weight: w₀, for ``weighted_bce``; a number, or shape (n_labels,).
        prevalence: π, for ``logit_adjusted``; a number, or shape (n_labels,).

    Raises:
        NoTrueProbability: the loss has no such function.
        ValueError: a score is outside [0, 1], or ``logit_adjusted`` without a prevalence.

    Source: the condition above; for focal loss Charoenphakdee et al. (2021), "On focal loss for class-posterior
    probability estimation", for weights Elkan (2001), "The foundations of cost-sensitive learning".
    """
    scores = np.asarray(p, dtype=np.float64)
    if not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError("p: must be probabilities in [0, 1] (are these logits?)")
    z = np.clip(logit(scores), -FARTHEST, FARTHEST)
    offset = _offset(loss, pos_weight, negative_weight, prevalence)
    return np.asarray(expit(_log_odds(loss, z) + offset))


def minimiser(
    loss: LossSpec,
    q: ArrayLike,
    *,
    pos_weight: ArrayLike = 1.0,
    negative_weight: ArrayLike = 1.0,
    prevalence: ArrayLike | None = None,
) -> Floats:
    """Return the score p*(q) that minimises the expected loss of rows with true probability ``q``.

    It is the inverse of :func:`true_probability`, which rises in p for each of these losses. Where q(p) jumps
    (``asymmetric`` with γ₋ = 0, at the shift), p* stays at the jump. At q = 0, every score up to the shift of
    ``asymmetric`` costs nothing. Then the shift is returned, because a training that comes from above stops there.

    With ``pos_weight`` 3 and q = 0.25, p* is 0.5. For ``hamming``, p* is 0 for q up to 0.5 and 1 above. At q = 0.5 all
    scores cost the same.

    Args:
        loss: the declared loss, as for :func:`true_probability`, or ``hamming``.
        q: true probabilities in [0, 1].
        pos_weight: w₁, as for :func:`true_probability`.
        negative_weight: w₀, as for :func:`true_probability`.
        prevalence: π, as for :func:`true_probability`.

    Raises:
        NoTrueProbability: the loss has no such minimiser.
        ValueError: a probability is outside [0, 1], or ``logit_adjusted`` without a prevalence.
    """
    truth = np.asarray(q, dtype=np.float64)
    if not ((truth >= 0) & (truth <= 1)).all():
        raise ValueError("q: must be probabilities in [0, 1]")
    if isinstance(loss, Hamming):
        return np.asarray(truth > 0.5, dtype=np.float64)
    if isinstance(loss, BinaryCrossentropy) and loss.label_smoothing:
        return np.asarray(truth * (1 - loss.label_smoothing) + loss.label_smoothing / 2)
    wanted = logit(truth) - _offset(loss, pos_weight, negative_weight, prevalence)
    low, high = np.full(wanted.shape, -FARTHEST), np.full(wanted.shape, FARTHEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        reached = _log_odds(loss, middle) <= wanted
        low, high = np.where(reached, middle, low), np.where(reached, high, middle)
    return np.asarray(expit(low))


def threshold_of_half(
    loss: LossSpec,
    *,
    pos_weight: ArrayLike = 1.0,
    negative_weight: ArrayLike = 1.0,
    prevalence: ArrayLike | None = None,
) -> Floats:
    """Return the true probability that a trained score of 0.5 stands for. A threshold of 0.5 amounts to it.

    - ``pos_weight`` w: 1/(1+w).
    - Focal loss: 0.5 for every γ; with α it is 1−α, so 0.75 for the usual 0.25.
    - ``logit_adjusted`` with τ = 1: the prevalence.
    - ``hamming``: 0.5, where its scores jump from 0 to 1.

    The arguments and errors are those of :func:`minimiser`. The result has shape () or that of the weights.
    """
    if isinstance(loss, Hamming):
        return np.asarray(0.5)
    return true_probability(loss, 0.5, pos_weight=pos_weight, negative_weight=negative_weight, prevalence=prevalence)


def optimal_f1_of_calibrated(scores: ArrayLike) -> Optimum:
    """Return the threshold with the highest expected F1, and that F1, from calibrated scores without true labels.

    Let scores be true probabilities. If the k rows with the highest scores get the label, Σ_{top k} s of Σ s positives
    are found. So for many rows F1 → 2·Σ_{top k} s / (Σ s + k). One more row, with score s, turns 2A/B into
    2(A+s)/(B+1). That is an increase exactly if s > A/B, half the F1 so far. So the best threshold is half the best F1,
    t* = F*/2, and never above 0.5.

    Scores 0.9, 0.6 and 0.1 give F1 = 2·1.5/(1.6 + 2) = 0.8333 and the threshold 0.4167.

    Args:
        scores: calibrated probabilities, shape (n,) or (n, n_labels); each column has its own threshold.

    Raises:
        ValueError: empty, or a score outside [0, 1].

    Source: Lipton, Elkan and Naryanaswamy (2014), "Optimal thresholding of classifiers to maximize F1".
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.size == 0 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("scores: must be probabilities in [0, 1], at least one (are these logits?)")
    found = np.cumsum(-np.sort(-values, axis=0), axis=0)
    assigned = np.arange(1, len(values) + 1, dtype=np.float64).reshape(-1, *[1] * (values.ndim - 1))
    f1 = np.asarray((2 * found / (found[-1] + assigned)).max(axis=0))
    return Optimum(f1 / 2, f1)


def _log_odds(loss: LossSpec, z: Floats) -> Floats:
    """Return log(q/(1−q)) minus :func:`_offset` for a score with logit z: the log ratio of the two pulls."""
    match loss:
        case BinaryFocal(gamma=gamma):
            return _log_focal_pull(-z, gamma) - _log_focal_pull(z, gamma)
        case Asymmetric(gamma_positive=up, gamma_negative=down, shift=shift):
            negative = _log_focal_pull(-z, down) if shift == 0 else _log_shifted_pull(z, down, shift)
            return negative - _log_focal_pull(z, up)
        case BinaryCrossentropy(label_smoothing=share) if share > 0:
            above, below = (np.maximum(expit(towards) - share / 2, 0) for towards in (z, -z))
            with np.errstate(divide="ignore"):  # a score nearer to 0 or 1 than any smoothed target stands for 0 or 1
                return np.asarray(np.log(above) - np.log(below))
        case _:
            return z


def _offset(loss: LossSpec, pos_weight: ArrayLike, negative_weight: ArrayLike, prevalence: ArrayLike | None) -> Floats:
    """Return the part of the log odds that does not depend on the score: from factors, or from an adjusted logit."""
    match loss:
        case WeightedBinaryCrossentropy():
            return np.asarray(np.log(negative_weight) - np.log(pos_weight))
        case BinaryFocal(alpha=float(alpha)):
            return np.asarray(-logit(alpha))
        case LogitAdjusted(tau=tau):
            if prevalence is None:
                raise ValueError("prevalence: logit_adjusted needs it")
            return np.asarray(tau * logit(np.asarray(prevalence, dtype=np.float64)))
        case _ if has_true_probability(loss):
            return np.zeros(())
        case _:
            raise NoTrueProbability(f"loss.kind {loss.kind!r}: its scores stand for no true probability of one label")


def _log_focal_pull(towards: Floats, gamma: float) -> Floats:
    """Return log of (1−u)^γ·((1−u) − γ·u·log u), for the probability u = σ(``towards``) of the true target.

    The derivative of (1−u)^γ·(−log u) in u is γ(1−u)^(γ−1)·log u − (1−u)^γ/u. Times −du/dz = −u(1−u), it is this pull.
    The logarithm is needed, because (1−u)^γ underflows long before the ratio of two pulls does.
    """
    u, rest = expit(towards), expit(-towards)
    return np.asarray((gamma + 1) * log_expit(-towards) + np.log1p(gamma * u * -log_expit(towards) / rest))


def _log_shifted_pull(z: Floats, gamma: float, shift: float) -> Floats:
    """Return log of the derivative in z of x^γ·(−log(1−x)) with x = max(σ(z) − m, 0); −∞ for σ(z) up to the shift m."""
    excess = expit(z) - shift
    x = np.where(excess > 0, excess, 0.5)  # any number that keeps the logarithm finite where it is not used
    slope = x**gamma / (expit(-z) + shift) - gamma * x ** (gamma - 1) * np.log1p(-x)
    return np.where(excess > 0, np.log(slope) + log_expit(z) + log_expit(-z), -np.inf)
