"""Thresholds of all labels that are best together for micro-F1, and the best number of labels per row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarelabels.judging.arrays import Bools, Floats, Integers
from rarelabels.judging.scores import Scores
from rarelabels.judging.sweeps.common_threshold import f1_from
from rarelabels.judging.sweeps.ordered import (
    ROUNDING,
    Cuts,
    Ordered,
    UndefinedLabel,
    find_cuts,
    highest_of_each,
    rows_in_order,
)


@dataclass(frozen=True, eq=False)
class MicroSweep:
    """The thresholds per label, shape (n_labels,), with the highest micro-F1; that micro-F1; Dinkelbach's steps."""

    thresholds: Floats
    value: float
    iterations: int


@dataclass(frozen=True)
class TopK:
    """How many of its highest-scored labels each row is given, and the samples F1 this reaches on the swept rows."""

    k: int
    value: float


def best_micro_f1_thresholds(y_true: ArrayLike, y_score: ArrayLike) -> MicroSweep:
    """Return the thresholds per label with the highest micro-F1 of all; a label without positives gets "never".

    Micro-F1 is a ratio of two sums over labels: 2 tp to assigned + positives. Each step takes the thresholds with the
    highest sum of 2 tp − ratio · assigned, which each label reaches by itself, and their micro-F1 as the next ratio.
    The ratio rises until it stays. All numbers are whole, so the result is exact.

    >>> best_micro_f1_thresholds([[1, 0], [1, 0], [0, 1]], [[0.9, 0.2], [0.7, 0.3], [0.2, 0.8]]).thresholds
    array([0.45, 0.55])

    Args:
        y_true: 0/1, shape (n, n_labels).
        y_score: any real scores, shape (n, n_labels).

    Raises:
        UndefinedLabel: no positives in ``y_true`` at all.
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.

    Source: Dinkelbach (1967), "On nonlinear fractional programming".
    """
    return sweep_micro_f1(Scores.from_arrays(y_true, y_score))


def sweep_micro_f1(scores: Scores) -> MicroSweep:
    """Return the thresholds per label with the highest micro-F1 of all; see :func:`best_micro_f1_thresholds`."""
    positives = int(np.count_nonzero(scores.truth))
    if not positives:
        n_labels = scores.truth.shape[1]
        raise UndefinedLabel(f"y_true: no positives in {n_labels} labels; micro-F1 has no maximum to choose")
    blocks = [find_cuts(ordered) for ordered in scores.by_label]
    numerator, denominator, iterations = 0, 1, 0
    while True:
        iterations += 1
        chosen = [_best_at_ratio(cuts, numerator, denominator) for cuts in blocks]
        hits, assigned = (sum(int(one[part].sum()) for one in chosen) for part in (2, 3))
        if 2 * hits * denominator == numerator * (assigned + positives):
            break
        numerator, denominator = 2 * hits, assigned + positives
    thresholds = [cuts.thresholds(one[0], one[1]) for cuts, one in zip(blocks, chosen, strict=True)]
    return MicroSweep(np.concatenate(thresholds), numerator / denominator, iterations)


def _best_at_ratio(cuts: Cuts, numerator: int, denominator: int) -> tuple[Integers, Bools, Integers, Integers]:
    """Return each label's cut with the highest 2 tp − ratio · assigned, whether no cut is above 0, hits and assigned.

    The numbers are whole and at most 4 · cells²: int64 holds them for up to a billion cells.
    """
    merits = 2 * denominator * cuts.hits - numerator * cuts.assigned
    best, chosen = highest_of_each(merits, cuts.bounds)
    nothing: Bools = (chosen < 0) | (best <= 0)
    return chosen, nothing, *cuts.counts(chosen, nothing)


def best_top_k(y_true: ArrayLike, y_score: ArrayLike) -> TopK:
    """Return the k with the highest samples F1 when every row is given its k highest-scored labels.

    Labels that tie with the k-th are given too, so the order of the columns never matters. Of equally good k, the
    smallest is returned.

    >>> best_top_k([[1, 0, 1], [0, 1, 1]], [[0.9, 0.2, 0.7], [0.1, 0.8, 0.6]])
    TopK(k=2, value=1.0)

    Args:
        y_true: 0/1, shape (n, n_labels).
        y_score: any real scores, shape (n, n_labels).

    Raises:
        UndefinedLabel: no positives in ``y_true`` at all.
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.
    """
    return sweep_top_k(Scores.from_arrays(y_true, y_score))


def sweep_top_k(scores: Scores) -> TopK:
    """Return the best number of highest-scored labels to give every row; see :func:`best_top_k`.

    A label that is not known takes its place among the highest, and counts neither for nor against the row.
    """
    n_labels, n_covered = scores.truth.shape[1], scores.n_covered
    if not scores.truth.any():
        raise UndefinedLabel(f"y_true: no positives in {n_labels} labels; samples F1 has no maximum to choose")
    sums = np.zeros(n_labels)
    if scores.known is None:
        for ordered in scores.by_row:
            sums += np.take_along_axis(f1_from(ordered), ordered.first_of_equals(), axis=1).sum(axis=0)
    else:
        orders = (rows_in_order(cells, scores.scores) for cells in (scores.truth, scores.known))
        for right, known in zip(*orders, strict=True):
            sums += _f1_of_known(right, known).sum(axis=0)
    by_k = sums[::-1]
    best = int(np.flatnonzero(by_k >= by_k.max() - ROUNDING * n_covered)[0])
    return TopK(best + 1, float(by_k[best]) / n_covered)


def _f1_of_known(right: Ordered, known: Ordered) -> Floats:
    """Return the F1 of each row when all cells from a position upwards are assigned, and those that tie, (rows, n).

    Args:
        right: the cells of each row in the order of their scores; its positives are the labels that the row has.
        known: the same cells; its positives are the labels that are known.
    """
    upwards = (np.cumsum(ordered.positives()[:, ::-1], axis=1)[:, ::-1] for ordered in (right, known))
    hits, assigned = (np.take_along_axis(counts, right.first_of_equals(), axis=1) for counts in upwards)
    f1: Floats = 2 * hits / np.maximum(hits[:, :1] + assigned, 1)  # 0/0 counts 0
    return f1
