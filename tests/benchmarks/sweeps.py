"""How long exact sweeps take, as ratios of one run: beside ``numpy.sort``, and beside scikit-learn's search.

Run by ``make bench``; needs 4 GB. Times vary from machine to machine and from minute to minute, ratios hardly. Nothing
here is a test.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import f1_score, metric_at_thresholds
from sklearn.model_selection import TunedThresholdClassifierCV

from rarelabels.judging.sweeps.each_label import best_thresholds

ROWS, LABELS = 100_000, 1_000
FEW_ROWS = 1_000
SOME_LABELS = 5  # what scikit-learn needs for one label is measured on a few
REPEATS = 3


class GivenScores(ClassifierMixin, BaseEstimator):
    """A classifier whose only feature is the score."""

    classes_ = np.array([0, 1])

    def fit(self, X: Any, y: Any) -> GivenScores:
        """Do nothing."""
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return the feature as the probability of the positive class."""
        return np.column_stack([1 - X[:, 0], X[:, 0]])


def main() -> None:
    """Print every ratio."""
    print(f"{ROWS:,} rows x {LABELS:,} labels: times of numpy.sort along the rows of the label-major matrix")
    for dtype in (np.float32, np.float64):
        for share in (0.01, 0.2):
            beside_sort(dtype, share)
    print(f"\n{FEW_ROWS:,} rows x {LABELS:,} labels, float64, 10 % positives: times of all labels by best_thresholds")
    beside_scikit_learn()


def beside_sort(dtype: type[np.floating[Any]], share: float) -> None:
    """Print what a sweep costs in sorts; scores row by row, as models give them, and label by label."""
    y, s = part(ROWS, share, dtype)
    label_major = np.ascontiguousarray(s.T)
    sort = shortest(lambda: np.sort(label_major, axis=1))
    by_row = shortest(lambda: best_thresholds(y, s))
    truth = np.ascontiguousarray(y.T)
    by_label = shortest(lambda: best_thresholds(truth.T, label_major.T))
    print(
        f"  {dtype.__name__}, {share:4.0%} positives: sort {sort:.2f} s; "
        f"rows by labels {by_row / sort:.1f} x, labels by rows {by_label / sort:.1f} x"
    )


def beside_scikit_learn() -> None:
    """Print how often the sweep of all labels goes into scikit-learn's loop over them, extrapolated from a few."""
    y, s = part(FEW_ROWS, 0.1, np.float64)
    ours = shortest(lambda: best_thresholds(y, s))

    def every_threshold() -> None:
        for label in range(SOME_LABELS):
            metric_at_thresholds(y[:, label], s[:, label], f1_score, metric_params={"zero_division": 0})

    def grid() -> None:
        for label in range(SOME_LABELS):
            search = TunedThresholdClassifierCV(
                FrozenEstimator(GivenScores()), scoring="f1", response_method="predict_proba", cv="prefit", refit=False
            )
            search.fit(s[:, [label]], y[:, label].astype(int))

    print(f"  best_thresholds: {1000 * ours:.0f} ms")
    for name, loop in (
        ("metric_at_thresholds with f1_score, every score", every_threshold),
        ("TunedThresholdClassifierCV, a grid of 100", grid),
    ):
        theirs = shortest(loop) * LABELS / SOME_LABELS
        print(f"  {name}: {theirs:.0f} s, {theirs / ours:,.0f} x (from {SOME_LABELS} labels)")


def part(n_rows: int, share: float, dtype: type[np.floating[Any]]) -> tuple[Any, Any]:
    """Return truth of one prevalence, and scores that know something of it."""
    rng = np.random.default_rng(0)
    y = rng.random((n_rows, LABELS), dtype=np.float32) < share
    s = rng.random((n_rows, LABELS), dtype=dtype)
    s *= dtype(0.7)
    s += dtype(0.3) * y
    return y, s


def shortest(run: Callable[[], object]) -> float:
    """Return the seconds of the fastest of a few runs."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
