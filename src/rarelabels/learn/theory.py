"""What theory says of a trained score: which true probability it stands for, and where to cut calibrated scores.

A loss that costs l₁(p) for a positive and l₀(p) for a negative is lowest, for rows whose true probability is q, at the
p* with q·l₁'(p*) + (1−q)·l₀'(p*) = 0. So a score p of a perfectly fitted model stands for

    q(p) = l₀'(p) / (l₀'(p) − l₁'(p)),

in closed form; its inverse p*(q) is found by bisection. Both derivatives may be taken in the logit z instead, for
dp/dz cancels. Below, "pulls" are −dl₁/dz (upwards, of a positive) and dl₀/dz (downwards, of a negative): both are at
least 0, and q is the share of the negative's pull in their sum.

A loss that is linear in p (``hamming``) pulls both ways alike at every score: q is 0.5 for all p, and p* is 0 below it
and 1 above it. So there is a p*(q) and what 0.5 amounts to, but no q(p).
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

FARTHEST = 700.0  # logits beyond have probabilities that float64 cannot hold
HALVINGS = 64  # of an interval of 1,400 logits: what is left is less than the spacing of float64


class NoTrueProbability(ValueError):  # noqa: N818 - it names what is wrong
    """No score stands for one probability.

    The loss of a label depends on more than its own score and target, or it has the same minimiser for many of them.
    """


@dataclass(frozen=True, eq=False)
class Optimum:
    """The F1-optimal cut of calibrated scores: numbers, or one for each label, shape (n_labels,)."""

    threshold: Floats
    f1: Floats


def has_true_probability(loss: LossSpec) -> bool:
    """Return whether a trained score of this declared loss stands for one true probability.

    It does for ``bce``, ``weighted_bce``, ``binary_focal``, ``asymmetric`` and ``logit_adjusted`` under a sigmoid head.
    It does not for ``categorical_ce`` (labels compete), ``soft_f1`` (a loss of the batch), ``distribution_balanced``
    (its weight depends on the other labels of the row) and ``hamming`` (perfectly trained, it scores 0 or 1 only).
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

    - ``bce``: q = p.
    - ``weighted_bce``: q = w₀p / (w₀p + w₁(1−p)). With w₁ = 3 a score of 0.5 stands for 0.25.
    - ``binary_focal``: pulls a₁(1−p)^γ·((1−p) − γ·p·log p) and a₀p^γ·(p − γ(1−p)·log(1−p)), where a₁ = α and
      a₀ = 1−α, or both 1. With γ = 2 a score of 0.3 stands for 0.0936: focal scores keep too close to 0.5.
    - ``asymmetric``: the focal pull with γ₊, and for p_m = p − m above 0 that of p_m^γ₋·(−log(1−p_m)). A score up to
      the shift m is not pulled down at all: it stands for 0.
    - ``logit_adjusted``: logit q = z + τ·log(π/(1−π)).

    Args:
        loss: the declared loss; see :func:`has_true_probability`.
        p: scores in [0, 1], shape (..., n_labels) or any that goes with the weights.
        pos_weight: w₁, for ``weighted_bce``; a number, or shape (n_labels,).
        negative_weight: w₀, likewise.
        prevalence: π, for ``logit_adjusted``, likewise.

    Raises:
        NoTrueProbability: there is no such map.
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

    The inverse of :func:`true_probability`, which rises in p for each of these losses. Where it jumps (``asymmetric``
    with γ₋ = 0, at the shift) p* stays at the jump. At q = 0 every score up to the shift of ``asymmetric`` costs
    nothing; the shift is returned, where training from above comes to rest.

    With ``pos_weight`` 3 and q = 0.25 it is 0.5. Of ``hamming`` it is 0 up to q = 0.5, where any score costs the same,
    and 1 above.

    Args:
        loss: as for :func:`true_probability`, like the rest; and ``hamming``, which has a minimiser alone.
        q: true probabilities in [0, 1].
        pos_weight: w₁.
        negative_weight: w₀.
        prevalence: π.

    Raises:
        NoTrueProbability: there is no such map.
        ValueError: a probability is outside [0, 1], or ``logit_adjusted`` without a prevalence.
    """
    truth = np.asarray(q, dtype=np.float64)
    if not ((truth >= 0) & (truth <= 1)).all():
        raise ValueError("q: must be probabilities in [0, 1]")
    if isinstance(loss, Hamming):
        return np.asarray(truth > 0.5, dtype=np.float64)
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
    """Return the true probability at which a trained score crosses 0.5: the threshold that 0.5 amounts to.

    ``pos_weight`` w: 1/(1+w). Focal loss: 0.5 whatever γ, and 1−α with α, so 0.75 for the usual 0.25.
    ``logit_adjusted`` with τ = 1: the prevalence. ``hamming``: 0.5, where its scores jump from 0 to 1.

    Args and errors as :func:`minimiser`; shape () or that of the weights.
    """
    if isinstance(loss, Hamming):
        return np.asarray(0.5)
    return true_probability(loss, 0.5, pos_weight=pos_weight, negative_weight=negative_weight, prevalence=prevalence)


def optimal_f1_of_calibrated(scores: ArrayLike) -> Optimum:
    """Return the threshold with the highest expected F1, from calibrated scores alone, and that F1.

    If scores are true probabilities, assigning the k highest finds Σ_{top k} s positives of Σ s, so for many rows
    F1 → 2·Σ_{top k} s / (Σ s + k). One more row, of score s, turns 2A/B into 2(A+s)/(B+1), which is more exactly where
    s > A/B: half the F1 reached. So the best threshold is half the best F1, t* = F*/2, and never above 0.5.

    Scores 0.9, 0.6 and 0.1 give 2·1.5/(1.6 + 2) = 0.8333, and the threshold 0.4167.

    Args:
        scores: calibrated probabilities, shape (n,) or (n, n_labels), each column on its own.

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
    """Return log(q/(1−q)) less :func:`_offset` where the logit of the score is z: the log ratio of the two pulls."""
    match loss:
        case BinaryFocal(gamma=gamma):
            return _log_focal_pull(-z, gamma) - _log_focal_pull(z, gamma)
        case Asymmetric(gamma_positive=up, gamma_negative=down, shift=shift):
            negative = _log_focal_pull(-z, down) if shift == 0 else _log_shifted_pull(z, down, shift)
            return negative - _log_focal_pull(z, up)
        case _:
            return z


def _offset(loss: LossSpec, pos_weight: ArrayLike, negative_weight: ArrayLike, prevalence: ArrayLike | None) -> Floats:
    """Return what factors on the two terms, or an adjusted logit, add to the log odds whatever the score."""
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
    """log of (1−u)^γ·((1−u) − γ·u·log u), for the probability u = σ(``towards``) of the truth.

    The derivative of (1−u)^γ·(−log u) in u is γ(1−u)^(γ−1)·log u − (1−u)^γ/u; times −du/dz = −u(1−u) it is this.
    As a logarithm, for (1−u)^γ underflows long before the ratio of two pulls does.
    """
    u, rest = expit(towards), expit(-towards)
    return np.asarray((gamma + 1) * log_expit(-towards) + np.log1p(gamma * u * -log_expit(towards) / rest))


def _log_shifted_pull(z: Floats, gamma: float, shift: float) -> Floats:
    """log of the derivative in z of x^γ·(−log(1−x)) with x = max(σ(z) − m, 0); −∞ up to the shift m."""
    excess = expit(z) - shift
    x = np.where(excess > 0, excess, 0.5)  # any number that keeps the logarithm finite where it is not used
    slope = x**gamma / (expit(-z) + shift) - gamma * x ** (gamma - 1) * np.log1p(-x)
    return np.where(excess > 0, np.log(slope) + log_expit(z) + log_expit(-z), -np.inf)
