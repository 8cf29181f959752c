"""Rows that choose rules: labels from frequent to rare, and scores that know something."""

from __future__ import annotations

import numpy as np

from rarelabels.judging.rules.rows import Rows
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import F1, BalancedAccuracy, Cost, FBeta, Jaccard

OBJECTIVES = [
    F1,
    FBeta(kind="f_beta", beta=2),
    Jaccard(kind="jaccard"),
    BalancedAccuracy(kind="balanced_accuracy"),
    Cost(kind="cost", false_negative=5.0),
]


def part(n_rows=300, n_labels=12, seed=0, dtype=np.float64, offset=0.3):
    """Labels from frequent to rare, the last with one positive, scores that know something."""
    rng = np.random.default_rng(seed)
    y = rng.random((n_rows, n_labels)) < np.geomspace(0.4, 0.01, n_labels)
    y[:, -1] = np.arange(n_rows) == 3
    offsets = np.linspace(0.0, offset, n_labels)
    return y, np.clip(0.25 * y + offsets + 0.4 * rng.random(y.shape), 0, 1).astype(dtype)


def small_part():
    rng = np.random.default_rng(4)
    y = rng.random((60, 4)) < [0.5, 0.3, 0.0, 0.0]
    y[:4, 2] = True  # four positives; the last label has none
    return y, np.clip(y * 0.3 + 0.6 * rng.random((60, 4)), 0, 1)


def rows(positives: float) -> Rows:
    rng = np.random.default_rng(5)
    y = rng.random((90, 6)) < positives
    return Rows(Scores.from_arrays(y, np.round(0.3 * y + 0.7 * rng.random(y.shape), 2)), F1, min_positives=3)
