"""Metrics and sweeps of many labels and rows beside scikit-learn: seconds, the numbers, and peak memory.

scikit-learn is measured on a slice and extrapolated: on some labels with all rows where it goes label by label, on some
rows with all labels where it goes row by row. That is linear in what is left out, or a little more than linear (the
micro averages sort all cells), which is in scikit-learn's favour.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import median
from typing import Any

import numpy as np
from commands import peak_bytes
from sklearn import metrics as theirs

from rarelabels.judging import metrics
from rarelabels.judging.sweeps.common_threshold import best_common_threshold
from rarelabels.judging.sweeps.each_label import best_thresholds
from rarelabels.learn.memory import Peak

Array = Any
Values = Mapping[str, Array]
Measure = Callable[[Array, Array], Values]
HALF = 0.5


@dataclass(frozen=True)
class Size:
    """Of the whole, and of the slices that scikit-learn is measured on."""

    rows: int
    labels: int
    some_labels: int
    some_rows: int


@dataclass(frozen=True)
class Beside:
    """Seconds for the whole, ours and scikit-learn's, how far numbers differ, and the peak memory of ours.

    ``peak`` is the resident memory of the process, scores and labels included, in sizes of the score matrix.
    """

    name: str
    ours: float
    theirs: float
    difference: float
    peak: float


@dataclass(frozen=True)
class _Pair:
    """The same numbers by us and by scikit-learn, of truth and scores; theirs label by label, row by row, or both."""

    name: str
    ours: Measure
    by_label: Measure | None = None
    by_row: Measure | None = None


@dataclass(frozen=True, eq=False)
class _Slice:
    """What scikit-learn is measured on, and how many times that the whole is."""

    theirs: Measure
    part: tuple[Array, Array]
    times: float


def beside_scikit_learn(size: Size, repeats: int) -> list[Beside]:
    """Measure every pair, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure, size, repeats).result()


def _measure(size: Size, repeats: int) -> list[Beside]:
    y, s = _part(size)
    rows = np.flatnonzero(y.any(axis=1) & ~y.all(axis=1))[: size.some_rows]  # scikit-learn counts other rows as right
    columns = slice(size.some_labels)
    measured = []
    for pair in PAIRS:
        slices = []
        if pair.by_label:
            part = np.ascontiguousarray(y[:, columns]), np.ascontiguousarray(s[:, columns])
            slices.append(_Slice(pair.by_label, part, size.labels / size.some_labels))
        if pair.by_row:
            slices.append(_Slice(pair.by_row, (y[rows], s[rows]), size.rows / len(rows)))
        ours, theirs_seconds, peak = [], [], 0
        for _ in range(repeats):
            Peak()  # what earlier pairs took does not count
            ours.append(_seconds(pair.ours, y, s))
            peak = max(peak, peak_bytes())
            theirs_seconds.append(sum(one.times * _seconds(one.theirs, *one.part) for one in slices))
        difference = max(_difference(pair.ours(*one.part), one.theirs(*one.part)) for one in slices)
        measured.append(Beside(pair.name, median(ours), median(theirs_seconds), difference, peak / s.nbytes))
    return measured


def _seconds(function: Measure, y: Array, s: Array) -> float:
    start = time.perf_counter()
    function(y, s)
    return time.perf_counter() - start


def _difference(found: Values, expected: Values) -> float:
    return max(float(np.max(np.abs(found[name] - value))) for name, value in expected.items())


def _part(size: Size) -> tuple[Array, Array]:
    """Return labels of many frequencies, and float64 scores that know something of them."""
    rng = np.random.default_rng(0)
    share = np.geomspace(0.2, 0.001, size.labels)[rng.permutation(size.labels)]
    y = np.empty((size.rows, size.labels), bool)
    s = np.empty((size.rows, size.labels))
    for start in range(0, size.rows, 10_000):
        block = slice(start, start + 10_000)
        rng.random(out=(drawn := np.empty_like(s[block])))
        y[block] = drawn < share
        rng.random(out=s[block])
        s[block] *= 0.7
        s[block] += 0.3 * y[block]
    y[np.arange(size.labels) % size.rows, np.arange(size.labels)] = True  # each label has a positive
    return y, s


def _by_label(y: Array, s: Array, function: Callable[[Array, Array], float]) -> list[float]:
    return [function(y[:, label], s[:, label]) for label in range(y.shape[1])]


def _rank_by_label(y: Array, s: Array) -> Values:
    return {
        "macro_average_precision": theirs.average_precision_score(y, s, average="macro"),
        "micro_average_precision": theirs.average_precision_score(y, s, average="micro"),
        "macro_roc_auc": theirs.roc_auc_score(y, s, average="macro"),
        "micro_roc_auc": theirs.roc_auc_score(y, s, average="micro"),
        "brier": np.mean(_by_label(y, s, theirs.brier_score_loss)),
        "log_loss": np.mean(_by_label(y, s, theirs.log_loss)),
    }


def _rank_by_row(y: Array, s: Array) -> Values:
    return {
        "lrap": theirs.label_ranking_average_precision_score(y, s),
        "coverage": theirs.coverage_error(y, s),
        "ranking_loss": theirs.label_ranking_loss(y, s),
    }


def _decide(y: Array, s: Array) -> Values:
    assigned = s >= HALF
    values = {
        "binary_accuracy": np.mean(_by_label(y, assigned, theirs.accuracy_score)),
        "hamming_loss": theirs.hamming_loss(y, assigned),
        "subset_accuracy": theirs.accuracy_score(y, assigned),
        "samples_jaccard": theirs.jaccard_score(y, assigned, average="samples", zero_division=0),
    }
    for average in ("micro", "macro", "weighted", "samples"):
        of = theirs.precision_recall_fscore_support(y, assigned, average=average, zero_division=0)
        values |= {f"{average}_{name}": value for name, value in zip(("precision", "recall", "f1"), of, strict=False)}
    return values


def _best_f1(y: Array, s: Array) -> float:
    precision, recall, _ = theirs.precision_recall_curve(y, s)
    return float(np.max(2 * precision * recall / np.maximum(precision + recall, 1e-300)))


def _our_decisions(y: Array, s: Array) -> Values:
    return metrics.decision_metrics(y, s >= HALF)


PAIRS = (
    _Pair("ranking metrics", metrics.ranking_metrics, _rank_by_label, _rank_by_row),
    _Pair("decision metrics at 0.5", _our_decisions, by_row=_decide),
    _Pair(
        "best threshold of each label for F1",
        lambda y, s: {"f1": best_thresholds(y, s).values},
        lambda y, s: {"f1": np.array(_by_label(y, s, _best_f1))},
    ),
    _Pair(
        "best common threshold for micro-F1",
        lambda y, s: {"f1": best_common_threshold(y, s, "micro_f1").value},
        lambda y, s: {"f1": _best_f1(y.ravel(), s.ravel())},
    ),
)
